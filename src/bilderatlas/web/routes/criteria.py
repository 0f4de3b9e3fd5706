"""The criteria: what they attend to, and how they judge one collection."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from bilderatlas.web import urls
from bilderatlas.web.pages.criteria import card_page, criteria_page
from bilderatlas.web.pages.criterion import criterion_page, start_test
from bilderatlas.web.rendering import Page
from bilderatlas.web.site import Site


def add_criteria(site: Site) -> None:
    """Add the pages of criteria; to the owner, the test of one."""
    library = site.library

    def criteria(request: Request) -> Page:
        return criteria_page(library)

    def card(request: Request) -> Page:
        return card_page(library, request.path_params["model_id"])

    def criterion(request: Request) -> Page:
        name, model_id = request.path_params["collection"], request.path_params["model_id"]
        params = request.query_params.multi_items()
        return criterion_page(library, site.answers, name, model_id, params, with_jobs=site.local)

    def test(request: Request) -> Response:
        name, model_id = request.path_params["collection"], request.path_params["model_id"]
        start_test(library, name, model_id)
        here = f"{urls.criterion_here(name, model_id)}#notices"
        return RedirectResponse(here, status_code=303)

    site.twins(urls.CRITERIA, criteria)
    site.twins(urls.CRITERION, card)
    site.twins(urls.CRITERION_HERE, criterion)
    if site.local:
        site.post(urls.CRITERION_TEST, test)
