"""Pictures that a viewer brings along."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bilderatlas.errors import BilderatlasError
from bilderatlas.web import urls
from bilderatlas.web.pages.uploads import (
    MAX_FILES,
    Taken,
    forget_upload,
    forget_uploads,
    question_of,
    read_files,
    take_uploads,
    uploads_page,
)
from bilderatlas.web.rendering import Page, json_response
from bilderatlas.web.site import Site, wants_json
from bilderatlas.web.visitors import visitor_of

# an hour, not for ever: what is forgotten here shall not live on in the browser's memory
CACHE_CONTROL = "private, max-age=3600"


def add_uploads(site: Site) -> None:
    """Add where pictures are posted, listed and forgotten, and their thumbnails."""
    library = site.library

    async def upload(request: Request) -> Response:
        visitor = visitor_of(request)
        async with request.form(max_files=MAX_FILES, max_fields=300) as form:
            try:
                files = await read_files(form)
                taken = await run_in_threadpool(take_uploads, library, form, files, visitor.owner)
            except BilderatlasError as error:
                question = await run_in_threadpool(question_of, library, form)
                back = question.url() if question else ""
                return site.refuse(request, error, back_url=back)
        visitor.kept = True
        return await run_in_threadpool(answer, request, taken, visitor.owner)

    def answer(request: Request, taken: Taken, owner: str) -> Response:
        if wants_json(request):
            return json_response(taken.to_json(), 201)
        if taken.refused:
            return site.renderer.html(uploads_page(library, owner, taken))
        return RedirectResponse(taken.url, status_code=303)

    def uploads(request: Request) -> Page:
        return uploads_page(library, visitor_of(request).owner)

    def thumbnail(request: Request) -> Response:
        data = library.upload_thumbnail(request.path_params["sha256"])
        headers = {"Cache-Control": CACHE_CONTROL}
        return Response(data, media_type="image/webp", headers=headers)

    def forget(request: Request) -> Response:
        forget_upload(library, visitor_of(request).owner, request.path_params["sha256"])
        return RedirectResponse(urls.UPLOADS, status_code=303)

    def forget_all(request: Request) -> Response:
        forget_uploads(library, visitor_of(request).owner)
        return RedirectResponse(urls.UPLOADS, status_code=303)

    site.post(urls.UPLOADS, upload)
    site.post(urls.UPLOADS_FORGET, forget_all)
    site.post(urls.UPLOAD_FORGET, forget)
    site.twins(urls.UPLOADS, uploads)
    site.get(urls.UPLOAD_THUMBNAIL, thumbnail)
