"""Two works laid side by side."""

from __future__ import annotations

from fastapi import Request

from bilderatlas.web import urls
from bilderatlas.web.pages.compare import compare_page
from bilderatlas.web.rendering import Page
from bilderatlas.web.site import Site


def add_compare(site: Site) -> None:
    """Add the page of a comparison."""
    library = site.library

    def compare(request: Request) -> Page:
        name = request.path_params["collection"]
        params = request.query_params.multi_items()
        # strangers compare what was extracted when the works were indexed
        with site.answers.turn():
            return compare_page(library, name, params, extracts=site.local)

    site.twins(urls.COMPARE, compare)
