"""Styles, scripts and fonts, named by their content."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import FileResponse, Response

from bilderatlas.errors import NotFoundError
from bilderatlas.web import urls
from bilderatlas.web.site import Site

TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


def add_static(site: Site) -> None:
    """Add the built front end."""
    manifest = site.renderer.manifest
    known = {*manifest.names.values(), "THIRD-PARTY.txt"}

    def static(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in known:
            raise NotFoundError("There is no such file.")
        path = manifest.folder / name
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return FileResponse(path, media_type=TYPES[path.suffix], headers=headers)

    site.get(urls.STATIC, static)
