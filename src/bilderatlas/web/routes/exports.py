"""Answers to take along: CSV, JSON, a zip of pictures where rights allow, citations."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from bilderatlas.api.exports import KINDS, MAX_WORKS, Export, export_hits
from bilderatlas.errors import NotFoundError
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.web import urls
from bilderatlas.web.pages.tiles import find_collection
from bilderatlas.web.routes.collections import MAX_PUBLIC_DECODED
from bilderatlas.web.site import Site
from bilderatlas.web.state import SearchState

MAX_NAME_CHARS = 80
CITATIONS = ("txt", "bib")  # shown in the browser; all else is a file to keep


def add_exports(site: Site) -> None:
    """Add where the answer to a question is taken along."""
    library = site.library
    max_decoded = MAX_PARTS if site.local else MAX_PUBLIC_DECODED

    def export(request: Request) -> Response:
        kind, name = request.path_params["kind"], request.path_params["collection"]
        if kind not in KINDS:
            raise NotFoundError(f"An answer is taken along as {', '.join(KINDS)}.")
        collection = find_collection(library, name)
        params = request.query_params.multi_items()
        state = SearchState.from_params(name, params)
        chosen = [value for field, value in params if field == "id"]
        query = replace(state.to_query(max_decoded=max_decoded), k=MAX_WORKS, offset=0)
        hits = site.answers.recall(collection, query, state.also)
        origin = origin_of(request)

        def page_of(owner: str, image_id: str) -> str:
            return f"{origin}{urls.work(owner, image_id)}"

        address = f"{origin}{state.permanent_url(hits.version)}"
        made = export_hits(library, hits, url=address, page_of=page_of, chosen=chosen)
        return file_response(made, kind)

    site.get(urls.SEARCH_EXPORT, export)


def origin_of(request: Request) -> str:
    """Return scheme, host and port of this site, as the reader's browser has them."""
    return f"{request.url.scheme}://{request.url.netloc}"


def file_response(made: Export, kind: str) -> Response:
    """Return an export as a file that is written as it is sent.

    Raises:
        NotFoundError: for a kind that there is not.
    """
    if kind not in KINDS:
        raise NotFoundError(f"A panel is taken along as {', '.join(KINDS)}.")
    headers = {"Cache-Control": "private, no-store"}
    if kind not in CITATIONS:
        headers["Content-Disposition"] = disposition(made.name, kind)
    return StreamingResponse(made.chunks(kind), media_type=KINDS[kind], headers=headers)


def disposition(name: str, kind: str) -> str:
    """Return the header that names a file, in ASCII and in full.

    >>> disposition('Köpfe: "Turban"/1', "csv")
    'attachment; filename="Kopfe-Turban-1.csv"; filename*=UTF-8\\'\\'K%C3%B6pfe%20Turban%201.csv'
    """
    words = re.findall(r"[^\W_]+", name)
    full = " ".join(words)[:MAX_NAME_CHARS].strip() or "bilderatlas"
    plain = unicodedata.normalize("NFKD", full).encode("ascii", "ignore").decode()
    plain = "-".join(plain.split()) or "bilderatlas"
    return f"attachment; filename=\"{plain}.{kind}\"; filename*=UTF-8''{quote(full)}.{kind}"
