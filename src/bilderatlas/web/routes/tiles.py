"""Large pictures, cut into tiles that are looked at from near."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.responses import Response

from bilderatlas.api.tiles import Tiles
from bilderatlas.errors import NotFoundError
from bilderatlas.images.tiles import OVERLAP_PX, TILE_SIDE_PX
from bilderatlas.store.tiles import MAX_BYTES
from bilderatlas.web import urls
from bilderatlas.web.closeup import tiles_version
from bilderatlas.web.pages.search import find_collection
from bilderatlas.web.rendering import json_response
from bilderatlas.web.routes.pictures import told_to_anybody
from bilderatlas.web.site import IMMUTABLE, Site

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library

MAX_PUBLIC_BYTES = 500_000_000


def add_tiles(site: Site) -> None:
    """Add how a picture is cut, and its tiles; both name the content and never change."""
    library = site.library
    # strangers change nothing in the library: what is cut for them goes when the server ends
    max_bytes = MAX_BYTES if site.local else MAX_PUBLIC_BYTES
    cut = Tiles(library, max_bytes=max_bytes, in_library=site.local)

    @asynccontextmanager
    async def serving(_app: FastAPI) -> AsyncIterator[None]:
        yield
        cut.close()

    site.app.router.lifespan_context = serving

    def manifest(request: Request) -> Response:
        collection, image_id = _asked(library, request)
        with told_to_anybody(site):
            pyramid = cut.prepare(collection, image_id)
        version = request.path_params["version"]
        told = {
            "width": pyramid.width,
            "height": pyramid.height,
            "tile_side_px": TILE_SIDE_PX,
            "overlap_px": OVERLAP_PX,
            "n_levels": pyramid.n_levels,
            "tile": urls.tile(collection.name, image_id, version),
        }
        response = json_response(told)
        response.headers["Cache-Control"] = IMMUTABLE
        return response

    def tile(request: Request) -> Response:
        collection, image_id = _asked(library, request)
        place = (request.path_params[name] for name in ("level", "column", "row"))
        with told_to_anybody(site):
            data = cut.tile(collection, image_id, *place)
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": IMMUTABLE})

    site.get(urls.TILES, manifest)
    site.get(urls.TILE, tile)


def _asked(library: Library, request: Request) -> tuple[Collection, str]:
    asked = request.path_params
    collection = find_collection(library, asked["collection"])
    image_id = urls.decode_id(asked["encoded_id"])
    if asked["version"] != tiles_version(collection.record(image_id).content_sha256):
        raise NotFoundError("The picture is another one by now. Open its page again.")
    return collection, image_id
