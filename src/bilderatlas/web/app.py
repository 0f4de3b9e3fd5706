"""The application: its routes by noun, and one handler for errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from bilderatlas.errors import BilderatlasError
from bilderatlas.settings import for_anybody
from bilderatlas.web.answers import Answers
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.languages import LanguageChoice
from bilderatlas.web.pages.error import ErrorPage, error_page
from bilderatlas.web.pages.uploads import MAX_BYTES
from bilderatlas.web.rendering import Manifest, Renderer
from bilderatlas.web.routes.collections import add_collections
from bilderatlas.web.routes.compare import add_compare
from bilderatlas.web.routes.criteria import add_criteria
from bilderatlas.web.routes.embeddings import add_embeddings
from bilderatlas.web.routes.exports import add_exports
from bilderatlas.web.routes.jobs import add_jobs
from bilderatlas.web.routes.panels import add_panels
from bilderatlas.web.routes.pictures import add_pictures
from bilderatlas.web.routes.rankings import add_rankings
from bilderatlas.web.routes.sources import add_sources
from bilderatlas.web.routes.static import add_static
from bilderatlas.web.routes.tiles import add_tiles
from bilderatlas.web.routes.uploads import add_uploads
from bilderatlas.web.security import Access, BodyLimit, Guard, Mode
from bilderatlas.web.site import Site
from bilderatlas.web.visitors import Visitors
from bilderatlas.words import mark

if TYPE_CHECKING:
    from bilderatlas.api import Library

FORM_OVERHEAD_BYTES = 1_000_000
EVERYWHERE = (
    add_collections,
    add_compare,
    add_criteria,
    add_embeddings,
    add_exports,
    add_pictures,
    add_rankings,
    add_static,
    add_tiles,
)
LOCAL_ONLY = (add_uploads, add_jobs, add_sources, add_panels)  # what writes serves its owner alone
logger = logging.getLogger("bilderatlas.web")


def create_app(library: Library, access: Access) -> LanguageChoice:
    """Return the site of `library` as an ASGI application; `access` says whom it serves."""
    # its own documentation pages load scripts from elsewhere: they stay off
    app = FastAPI(title="Bilderatlas", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(BodyLimit, max_bytes=MAX_BYTES + FORM_OVERHEAD_BYTES)
    app.add_middleware(Visitors, library=library, cookie_name=f"{access.cookie_name}-visitor")
    answers = Answers(library, with_panels=access.mode is Mode.LOCAL)
    site = Site(app, library, Renderer(access.mode, Manifest()), answers)
    _add_error_handlers(site)
    for add in (*EVERYWHERE, *(LOCAL_ONLY if site.local else ())):
        add(site)

    def refuse(scope: Scope, error: BilderatlasError) -> Response:
        return site.refuse(Request(scope), error)  # its own words: no path in them

    return LanguageChoice(Guard(app, access, refuse))


def _add_error_handlers(site: Site) -> None:
    async def failed(request: Request, error: Exception) -> Response:
        return site.page(request, _page_of(site, request, error))

    for kind in (BilderatlasError, HTTPException, Exception):
        site.app.add_exception_handler(kind, failed)


def _page_of(site: Site, request: Request, error: Exception) -> ErrorPage:
    if isinstance(error, BilderatlasError):
        page = error_page(error)
        if site.mode is Mode.LOCAL:
            return page
        told = for_anybody(page.message, site.library.store.root)
        return ErrorPage(page.status, page.code, told)
    if isinstance(error, HTTPException):
        sentences = {
            404: mark("There is no page at this address."),
            405: mark("This address does not take such a request."),
        }
        words = sentences.get(error.status_code)
        told = _(words) if words else error.detail
        return ErrorPage(error.status_code, "http", told, is_english=not words)
    logger.error("unexpected error at %s", request.url.path, exc_info=error)
    return ErrorPage(
        500,
        "unexpected",
        _(
            "Something went wrong that should not have. "
            "The server's log says what; please report it."
        ),
        is_english=False,
    )
