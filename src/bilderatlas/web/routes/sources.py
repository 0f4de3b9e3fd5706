"""Collections as their owner keeps them: add one, bring it up to date, remove it."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bilderatlas.jobs import Job
from bilderatlas.web import urls
from bilderatlas.web.pages.add import Previews, add_page, start_adding
from bilderatlas.web.pages.jobs import JobRow
from bilderatlas.web.pages.source import (
    failures_page,
    index_again,
    remove_collection,
    remove_page,
    retry_failures,
    source_page,
)
from bilderatlas.web.rendering import Page, json_response
from bilderatlas.web.site import Site, wants_json

MAX_FIELDS = 300
MAX_RETRIED_FIELDS = 10_010


async def fields(request: Request, max_fields: int = MAX_FIELDS) -> list[tuple[str, str]]:
    """Return the fields of a form."""
    async with request.form(max_files=0, max_fields=max_fields) as form:
        return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def add_sources(site: Site) -> None:
    """Add the pages on which collections come and go; for the library's owner only."""
    library, previews = site.library, Previews()

    def show(request: Request, page: Page) -> Response:
        return site.renderer.json(page) if wants_json(request) else site.renderer.html(page)

    def answer(request: Request, found: Job | Page) -> Response:
        if not isinstance(found, Job):
            return show(request, found)
        if wants_json(request):
            return json_response(JobRow(found).to_json(), 202)
        return RedirectResponse(urls.job(found.id), status_code=303)

    def add(request: Request) -> Page:
        return add_page(library, request.query_params.multi_items(), previews)

    async def start(request: Request) -> Response:
        pairs = await fields(request)
        return answer(request, await run_in_threadpool(start_adding, library, pairs, previews))

    def source(request: Request) -> Page:
        return source_page(library, request.path_params["collection"])

    async def again(request: Request) -> Response:
        named = [value for name, value in await fields(request) if name == "by" and value]
        collection = request.path_params["collection"]
        return answer(request, await run_in_threadpool(index_again, library, collection, named))

    def failures(request: Request) -> Page:
        params = request.query_params.multi_items()
        return failures_page(library, request.path_params["collection"], params)

    async def retry(request: Request) -> Response:
        pairs = await fields(request, MAX_RETRIED_FIELDS)
        collection = request.path_params["collection"]
        return answer(request, await run_in_threadpool(retry_failures, library, collection, pairs))

    def removal(request: Request) -> Page:
        return remove_page(library, request.path_params["collection"])

    async def remove(request: Request) -> Response:
        confirmed = dict(await fields(request)).get("name", "")
        collection = request.path_params["collection"]
        refused = await run_in_threadpool(remove_collection, library, collection, confirmed)
        if refused is not None:
            return show(request, refused)
        return RedirectResponse(urls.HOME, status_code=303)

    site.post(urls.ADD, start)
    site.post(urls.INDEX_AGAIN, again)
    site.post(urls.FAILURES_RETRY, retry)
    site.post(urls.REMOVE, remove)
    site.twins(urls.ADD, add)
    site.twins(urls.SOURCE, source)
    site.twins(urls.FAILURES, failures)
    site.twins(urls.REMOVE, removal)
