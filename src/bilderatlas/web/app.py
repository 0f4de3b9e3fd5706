"""The application: routes, each of them parse → call api → render, and one handler for errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Scope

from bilderatlas.errors import BilderatlasError, NotFoundError
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.settings import for_anybody
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.pages.criteria import card_page, criteria_page
from bilderatlas.web.pages.criterion import criterion_page, start_test
from bilderatlas.web.pages.embeddings import EmbeddingsPages, read_question
from bilderatlas.web.pages.error import ErrorPage
from bilderatlas.web.pages.home import home_page
from bilderatlas.web.pages.jobs import JobRow, act_on_job, job_events, job_page, jobs_page
from bilderatlas.web.pages.search import find_collection, search_page
from bilderatlas.web.pages.uploads import MAX_BYTES, question_of, read_file, take_upload
from bilderatlas.web.pages.work import work_page
from bilderatlas.web.rendering import Manifest, Page, Renderer, json_response
from bilderatlas.web.security import Access, BodyLimit, Guard, Mode
from bilderatlas.web.sniffing import image_type

if TYPE_CHECKING:
    from bilderatlas.api import Library

IMMUTABLE = "private, max-age=31536000, immutable"
STATIC_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
FORM_OVERHEAD_BYTES = 1_000_000
MAX_PUBLIC_DECODED = 3  # pictures that a stranger may have decoded for one question
logger = logging.getLogger("bilderatlas.web")

PageFunction = Callable[[Request], Page]


def create_app(library: Library, access: Access) -> Guard:
    """Return the site of `library` as an ASGI application; `access` says whom it serves."""
    # its own documentation pages load scripts from elsewhere: they stay off
    app = FastAPI(title="Bilderatlas", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(BodyLimit, max_bytes=MAX_BYTES + FORM_OVERHEAD_BYTES)
    renderer = Renderer(access.mode, Manifest())
    _add_error_handlers(app, renderer, library)
    _add_pages(app, library, renderer, access.mode)
    _add_embeddings(app, library, renderer)
    _add_pictures(app, library)
    _add_static(app, renderer.manifest)
    if access.mode is Mode.LOCAL:
        _add_uploads(app, library, renderer)
        _add_jobs(app, library, renderer)

    def refuse(scope: Scope, error: BilderatlasError) -> Response:
        return _render_error(renderer, Request(scope), error)  # its own words: no path in them

    return Guard(app, access, refuse)


def _add_error_handlers(app: FastAPI, renderer: Renderer, library: Library) -> None:
    async def failed(request: Request, error: Exception) -> Response:
        if renderer.mode is Mode.LOCAL or not isinstance(error, BilderatlasError):
            return _render_error(renderer, request, error)
        told = for_anybody(str(error), library.store.root)
        page = ErrorPage(error.http_status, error.code, told)
        return _render_page(renderer, request, page)

    for kind in (BilderatlasError, HTTPException, Exception):
        app.add_exception_handler(kind, failed)


def _render_error(
    renderer: Renderer, request: Request, error: Exception, *, back_url: str = ""
) -> Response:
    if isinstance(error, BilderatlasError):
        page = ErrorPage(error.http_status, error.code, str(error), back_url)
    elif isinstance(error, HTTPException):
        sentence = {
            404: "There is no page at this address.",
            405: "This address does not take such a request.",
        }
        page = ErrorPage(error.status_code, "http", sentence.get(error.status_code, error.detail))
    else:
        logger.error("unexpected error at %s", request.url.path, exc_info=error)
        page = ErrorPage(
            500,
            "unexpected",
            "Something went wrong that should not have. The server's log says what; please "
            "report it.",
        )
    return _render_page(renderer, request, page)


def _render_page(renderer: Renderer, request: Request, page: ErrorPage) -> Response:
    if _wants_json(request):
        return renderer.json(page)
    return renderer.html(page)


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    asked = "application/json" in accepted and "text/html" not in accepted
    return asked or request.url.path.endswith(urls.JSON_SUFFIX)


def _add_twins(
    app: FastAPI, renderer: Renderer, path: str, data: PageFunction, *, json_path: str = ""
) -> None:
    """Route a page and its JSON twin to the one function that gathers their data."""

    def as_json(request: Request) -> Response:
        return renderer.json(data(request))

    def as_html(request: Request) -> Response:
        params = request.query_params.multi_items()
        twin = urls.json_twin(request.scope["path"], params)
        here = urls.with_params(json_path, params) if json_path else twin
        return renderer.html(data(request), here=here)

    app.add_route(json_path or path + urls.JSON_SUFFIX, as_json, methods=["GET"])
    app.add_route(path, as_html, methods=["GET"])


def _add_pages(app: FastAPI, library: Library, renderer: Renderer, mode: Mode) -> None:
    answers = Answers(library)
    max_decoded = MAX_PARTS if mode is Mode.LOCAL else MAX_PUBLIC_DECODED

    def home(request: Request) -> Page:
        return home_page(library, with_jobs=mode is Mode.LOCAL)

    def search(request: Request) -> Page:
        name = request.path_params["collection"]
        params = request.query_params.multi_items()
        return search_page(library, answers, name, params, max_decoded=max_decoded)

    def work(request: Request) -> Page:
        name = request.path_params["collection"]
        image_id = urls.decode_id(request.path_params["encoded_id"])
        params = request.query_params.multi_items()
        return work_page(library, answers, name, image_id, params, max_decoded=max_decoded)

    _add_twins(app, renderer, urls.HOME, home, json_path=urls.HOME_JSON)
    _add_twins(app, renderer, urls.SEARCH, search)
    _add_twins(app, renderer, urls.WORK, work)
    _add_criteria(app, library, renderer, mode, answers)


def _add_criteria(
    app: FastAPI, library: Library, renderer: Renderer, mode: Mode, answers: Answers
) -> None:
    def criteria(request: Request) -> Page:
        return criteria_page(library)

    def card(request: Request) -> Page:
        return card_page(library, request.path_params["model_id"])

    def criterion(request: Request) -> Page:
        name, model_id = request.path_params["collection"], request.path_params["model_id"]
        params = request.query_params.multi_items()
        with_jobs = mode is Mode.LOCAL
        return criterion_page(library, answers, name, model_id, params, with_jobs=with_jobs)

    def test(request: Request) -> Response:
        name, model_id = request.path_params["collection"], request.path_params["model_id"]
        start_test(library, name, model_id)
        here = f"{urls.criterion_here(name, model_id)}#notices"
        return RedirectResponse(here, status_code=303)

    _add_twins(app, renderer, urls.CRITERIA, criteria)
    _add_twins(app, renderer, urls.CRITERION, card)
    _add_twins(app, renderer, urls.CRITERION_HERE, criterion)
    if mode is Mode.LOCAL:
        app.add_route(urls.CRITERION_TEST, test, methods=["POST"])


def _add_embeddings(app: FastAPI, library: Library, renderer: Renderer) -> None:
    pages = EmbeddingsPages(library)

    def listed(request: Request) -> Page:
        params = request.query_params.multi_items()
        return pages.listed(request.path_params["collection"], params)

    async def asked(request: Request) -> Response:
        question = await read_question(request)
        name = request.path_params["collection"]

        def answer() -> Response:
            return renderer.json(pages.asked(name, question))

        return await run_in_threadpool(answer)

    _add_twins(app, renderer, urls.EMBEDDINGS, listed)
    app.add_route(urls.EMBEDDINGS + urls.JSON_SUFFIX, asked, methods=["POST"])


def _add_pictures(app: FastAPI, library: Library) -> None:
    def thumbnail(request: Request) -> Response:
        asked = request.path_params
        image_id = urls.decode_id(asked["encoded_id"])
        if asked["side_px"] not in THUMBNAIL_SIDES_PX:
            raise NotFoundError(f"Thumbnails have {', '.join(map(str, THUMBNAIL_SIDES_PX))} px.")
        collection = find_collection(library, asked["collection"])
        path = collection.thumbnail(image_id, asked["side_px"])
        if path is None:
            raise NotFoundError("This work has no thumbnail: its picture could not be read.")
        sha256 = collection.record(image_id).content_sha256 or ""
        current = asked["version"] == sha256[:16]
        cache = IMMUTABLE if current else "private, no-cache"
        return FileResponse(path, media_type="image/webp", headers={"Cache-Control": cache})

    def original(request: Request) -> Response:
        collection = find_collection(library, request.path_params["collection"])
        data = collection.original(urls.decode_id(request.path_params["encoded_id"]))
        kind = image_type(data)
        headers = {"Cache-Control": "private, max-age=3600"}
        if not kind:
            headers["Content-Disposition"] = "attachment"
        return Response(data, media_type=kind or "application/octet-stream", headers=headers)

    app.add_route(urls.THUMBNAIL, thumbnail, methods=["GET"])
    app.add_route(urls.ORIGINAL, original, methods=["GET"])


def _add_static(app: FastAPI, manifest: Manifest) -> None:
    known = {*manifest.names.values(), "THIRD-PARTY.txt"}

    def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in known:
            raise NotFoundError("There is no such file.")
        path = manifest.folder / name
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(path, media_type=STATIC_TYPES[path.suffix], headers=headers)

    app.add_route(urls.STATIC, static, methods=["GET"])


def _add_uploads(app: FastAPI, library: Library, renderer: Renderer) -> None:
    async def upload(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=300) as form:
            try:
                data = await read_file(form)
                taken = await run_in_threadpool(take_upload, library, form, data)
            except BilderatlasError as error:
                question = await run_in_threadpool(question_of, library, form)
                back_url = question.url() if question else ""
                return _render_error(renderer, request, error, back_url=back_url)
        if _wants_json(request):
            return json_response(taken.to_json(), 201)
        return RedirectResponse(taken.state.url(), status_code=303)

    def thumbnail(request: Request) -> Response:
        data = library.upload_thumbnail(request.path_params["sha256"])
        return Response(data, media_type="image/webp", headers={"Cache-Control": IMMUTABLE})

    app.add_route(urls.UPLOADS, upload, methods=["POST"])
    app.add_route(urls.UPLOAD_THUMBNAIL, thumbnail, methods=["GET"])


def _add_jobs(app: FastAPI, library: Library, renderer: Renderer) -> None:
    def jobs(request: Request) -> Page:
        return jobs_page(library)

    def job(request: Request) -> Page:
        return job_page(library, request.path_params["job_id"])

    async def events(request: Request) -> Response:
        job_id = request.path_params["job_id"]

        def read() -> JobRow:
            return JobRow(library.jobs.get(job_id))

        await run_in_threadpool(read)  # an unknown job is a 404, not a stream that breaks off
        last = request.headers.get("last-event-id", "")
        stream = job_events(read, last)
        return StreamingResponse(stream, media_type="text/event-stream")

    def act(request: Request) -> Response:
        act_on_job(library, request.path_params["job_id"], request.path_params["action"])
        return RedirectResponse(urls.JOBS, status_code=303)

    app.add_route(urls.JOB_EVENTS, events, methods=["GET"])
    app.add_route(urls.JOB_ACTION, act, methods=["POST"])
    _add_twins(app, renderer, urls.JOBS, jobs)
    _add_twins(app, renderer, urls.JOB, job)
