"""Embeddings, handed out in batches to those who reuse them."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from bilderatlas.web import urls
from bilderatlas.web.pages.embeddings import EmbeddingsPages, read_question
from bilderatlas.web.rendering import Page
from bilderatlas.web.site import Site


def add_embeddings(site: Site) -> None:
    """Add the page of embeddings and the address where batches are asked for."""
    pages = EmbeddingsPages(site.library)

    def listed(request: Request) -> Page:
        params = request.query_params.multi_items()
        return pages.listed(request.path_params["collection"], params)

    async def asked(request: Request) -> Response:
        question = await read_question(request)
        name = request.path_params["collection"]

        def answer() -> Response:
            return site.renderer.json(pages.asked(name, question))

        return await run_in_threadpool(answer)

    site.twins(urls.EMBEDDINGS, listed)
    site.post(urls.EMBEDDINGS + urls.JSON_SUFFIX, asked)
