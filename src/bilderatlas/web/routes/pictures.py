"""Pictures: thumbnails, and originals as their source has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from starlette.responses import FileResponse, Response

from bilderatlas.errors import ImageError, NotFoundError, SourceError, StoreError
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.web import urls
from bilderatlas.web.pages.search import find_collection
from bilderatlas.web.site import IMMUTABLE, Site
from bilderatlas.web.sniffing import image_type


@contextmanager
def told_to_anybody(site: Site) -> Iterator[None]:
    """Say to strangers that a source gives no picture, and not where on this machine it is.

    Raises:
        NotFoundError: on a public site, for whatever the source said.
    """
    try:
        yield
    except (ImageError, SourceError, StoreError) as error:
        if site.local:
            raise
        raise NotFoundError("The source of this picture does not give it now.") from error


def add_pictures(site: Site) -> None:
    """Add the addresses of pictures."""
    library = site.library

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
        image_id = urls.decode_id(request.path_params["encoded_id"])
        collection.record(image_id)  # an unknown one is told as such
        with told_to_anybody(site):
            data = collection.original(image_id)
        kind = image_type(data)
        headers = {"Cache-Control": "private, max-age=3600"}
        if not kind:
            headers["Content-Disposition"] = "attachment"
        return Response(data, media_type=kind or "application/octet-stream", headers=headers)

    site.get(urls.THUMBNAIL, thumbnail)
    site.get(urls.ORIGINAL, original)
