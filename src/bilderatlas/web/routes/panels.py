"""Panels: the list, the sheets, what is done with them, what is taken along, works looked at."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from bilderatlas.api.exports import export_panel
from bilderatlas.errors import BilderatlasError, UsageError
from bilderatlas.web import urls
from bilderatlas.web.pages.panel_actions import (
    Asked,
    Form,
    act_on_panel,
    create_panel,
    place_after,
    put_on_panel,
)
from bilderatlas.web.pages.panels import panel_page, panels_page, put_page, safe_back
from bilderatlas.web.rendering import Page, json_response
from bilderatlas.web.routes.exports import file_response, origin_of
from bilderatlas.web.site import PART_HEADER, Site, wants_json

MAX_FIELDS = 2_000
BOARD = "board"


async def read_form(request: Request) -> Form:
    """Return the fields of a form.

    Raises:
        UsageError: when there is a file in it.
    """
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        pairs = form.multi_items()
    if any(isinstance(value, UploadFile) for _name, value in pairs):
        raise UsageError("A panel takes no files: put works of the library on it.")
    return [(name, str(value)) for name, value in pairs]


def add_panels(site: Site) -> None:
    """Add the pages of panels, to their owner alone."""
    _add_pages(site)
    _add_actions(site)


def _add_pages(site: Site) -> None:
    library = site.library

    def panels(_request: Request) -> Page:
        return panels_page(library)

    def put(request: Request) -> Page:
        return put_page(library, request.query_params.multi_items())

    def panel(request: Request) -> Page:
        params = request.query_params.multi_items()
        return panel_page(library, request.path_params["panel_id"], params)

    def export(request: Request) -> Response:
        asked = request.path_params
        found = library.panels.store.get(asked["panel_id"])
        origin = origin_of(request)

        def page_of(collection: str, image_id: str) -> str:
            return f"{origin}{urls.work(collection, image_id)}"

        address = f"{origin}{urls.panel(found.id)}"
        made = export_panel(library, found, url=address, page_of=page_of)
        return file_response(made, asked["kind"])

    site.twins(urls.PANELS, panels)
    site.twins(urls.PANELS_PUT, put)
    site.get(urls.PANEL_EXPORT, export)
    site.twins(urls.PANEL, panel, parts={BOARD: "panel_board.html"})


def _add_actions(site: Site) -> None:
    library = site.library

    async def create(request: Request) -> Response:
        form = await read_form(request)
        try:
            made = await run_in_threadpool(create_panel, library, form)
        except BilderatlasError as error:
            return site.refuse(request, error, back_url=urls.PANELS)
        if wants_json(request):
            return json_response(made.info.to_json() | {"url": urls.panel(made.id)}, 201)
        return RedirectResponse(urls.panel(made.id), status_code=303)

    async def put(request: Request) -> Response:
        form = await read_form(request)
        back = safe_back(Asked(form).one("back"))
        try:
            panel, n_added = await run_in_threadpool(put_on_panel, library, form)
        except BilderatlasError as error:
            again = urls.panels_put(Asked(form).all("work"), back)
            return site.refuse(request, error, back_url=again)
        if wants_json(request):
            told = {"panel": panel.info.to_json(), "added": n_added, "url": urls.panel(panel.id)}
            return json_response(told)
        return RedirectResponse(back or urls.panel(panel.id), status_code=303)

    async def act(request: Request) -> Response:
        panel_id, action = request.path_params["panel_id"], request.path_params["action"]
        form = await read_form(request)

        def done() -> Response:
            panel = act_on_panel(library, panel_id, action, form)
            if request.headers.get(PART_HEADER) == BOARD:
                params = request.query_params.multi_items()
                page = panel_page(library, panel_id, params)
                return site.renderer.html(page, template="panel_board.html")
            if wants_json(request):
                return json_response(panel.info.to_json())
            return RedirectResponse(place_after(panel, action), status_code=303)

        try:
            return await run_in_threadpool(done)
        except BilderatlasError as error:
            return site.refuse(request, error, back_url=urls.panel(panel_id))

    async def seen(request: Request) -> Response:
        asked = Asked(await read_form(request))
        name, ids = asked.one("collection"), asked.all("image_id")
        await run_in_threadpool(library.panels.mark_seen, name, ids[:MAX_FIELDS])
        return Response(status_code=204)

    site.post(urls.PANELS, create)
    site.post(urls.PANELS_PUT, put)
    site.post(urls.PANEL_ACTION, act)
    site.post(urls.SEEN, seen)
