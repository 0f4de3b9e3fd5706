"""Pictures that a viewer brings along."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from bilderatlas.errors import BilderatlasError
from bilderatlas.web import urls
from bilderatlas.web.pages.uploads import question_of, read_file, take_upload
from bilderatlas.web.rendering import json_response
from bilderatlas.web.site import IMMUTABLE, Site, wants_json


def add_uploads(site: Site) -> None:
    """Add where pictures are posted, and their thumbnails."""
    library = site.library

    async def upload(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=300) as form:
            try:
                data = await read_file(form)
                taken = await run_in_threadpool(take_upload, library, form, data)
            except BilderatlasError as error:
                question = await run_in_threadpool(question_of, library, form)
                return site.refuse(request, error, back_url=question.url() if question else "")
        if wants_json(request):
            return json_response(taken.to_json(), 201)
        return RedirectResponse(taken.state.url(), status_code=303)

    def thumbnail(request: Request) -> Response:
        data = library.upload_thumbnail(request.path_params["sha256"])
        return Response(data, media_type="image/webp", headers={"Cache-Control": IMMUTABLE})

    site.post(urls.UPLOADS, upload)
    site.get(urls.UPLOAD_THUMBNAIL, thumbnail)
