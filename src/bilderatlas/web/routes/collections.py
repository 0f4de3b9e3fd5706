"""The collections, a search in one of them, a work."""

from __future__ import annotations

from fastapi import Request

from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.web import urls
from bilderatlas.web.pages.asking import search_page
from bilderatlas.web.pages.home import home_page
from bilderatlas.web.pages.work import work_page
from bilderatlas.web.rendering import Page
from bilderatlas.web.site import Site
from bilderatlas.web.spelling import is_form_field
from bilderatlas.web.state import SearchState

MAX_PUBLIC_DECODED = 3  # pictures that a stranger may have decoded for one question


def add_collections(site: Site) -> None:
    """Add the pages on which one looks and asks."""
    library, answers = site.library, site.answers
    max_decoded = MAX_PARTS if site.local else MAX_PUBLIC_DECODED

    def home(request: Request) -> Page:
        return home_page(library, with_jobs=site.local)

    def search(request: Request) -> Page:
        name = request.path_params["collection"]
        params = request.query_params.multi_items()
        return search_page(
            library,
            answers,
            name,
            params,
            max_decoded=max_decoded,
            marked=site.local,
            origin=f"{request.url.scheme}://{request.url.netloc}",
        )

    def spelled(request: Request) -> str:
        params = request.query_params.multi_items()
        if not any(is_form_field(field) for field, _value in params):
            return ""
        return SearchState.from_params(request.path_params["collection"], params).url()

    def work(request: Request) -> Page:
        name = request.path_params["collection"]
        image_id = urls.decode_id(request.path_params["encoded_id"])
        params = request.query_params.multi_items()
        return work_page(library, answers, name, image_id, params, max_decoded=max_decoded)

    site.twins(urls.HOME, home, json_path=urls.HOME_JSON)
    site.twins(urls.SEARCH, search, parts={"answer": "answer.html"}, spelled=spelled)
    site.twins(urls.WORK, work)
