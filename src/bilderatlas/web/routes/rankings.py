"""Two rankings side by side."""

from __future__ import annotations

from fastapi import Request

from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.web import urls
from bilderatlas.web.pages.rankings import rankings_page
from bilderatlas.web.rendering import Page
from bilderatlas.web.routes.collections import MAX_PUBLIC_DECODED
from bilderatlas.web.site import Site


def add_rankings(site: Site) -> None:
    """Add the page on which one question is judged in two ways."""
    max_decoded = MAX_PARTS if site.local else MAX_PUBLIC_DECODED

    def rankings(request: Request) -> Page:
        name = request.path_params["collection"]
        params = request.query_params.multi_items()
        return rankings_page(
            site.library,
            site.answers,
            name,
            params,
            max_decoded=max_decoded,
            with_panels=site.local,
        )

    site.twins(urls.RANKINGS, rankings)
