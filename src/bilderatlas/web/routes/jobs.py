"""Jobs: what is being worked on, live."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from bilderatlas.web import urls
from bilderatlas.web.pages.jobs import (
    JobRow,
    act_on_job,
    job_events,
    job_page,
    jobs_page,
    read_rows,
)
from bilderatlas.web.rendering import Page, json_response
from bilderatlas.web.site import Site, wants_json


def add_jobs(site: Site) -> None:
    """Add the pages of jobs, their streams of events, and what can be done to them."""
    library = site.library

    def jobs(request: Request) -> Page:
        return jobs_page(library)

    def job(request: Request) -> Page:
        params = request.query_params.multi_items()
        return job_page(library, request.path_params["job_id"], params)

    async def events(request: Request) -> Response:
        named = request.path_params.get("job_id")
        job_ids = [named] if named else request.query_params.getlist("id")

        def read() -> list[JobRow]:
            return read_rows(library, job_ids)

        await run_in_threadpool(read)  # an unknown job is a 404, not a stream that breaks off
        last = request.headers.get("last-event-id", "")
        stream = job_events(read, last)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def act(request: Request) -> Response:
        job_id, action = request.path_params["job_id"], request.path_params["action"]
        async with request.form(max_files=0, max_fields=10) as form:
            back = urls.JOBS if form.get("from") == "jobs" else urls.job(job_id)
        row = await run_in_threadpool(act_on_job, library, job_id, action)
        if wants_json(request):
            return json_response(row.to_event())
        return RedirectResponse(back, status_code=303)

    site.get(urls.JOBS_EVENTS, events)
    site.get(urls.JOB_EVENTS, events)
    site.post(urls.JOB_ACTION, act)
    site.twins(urls.JOBS, jobs)
    site.twins(urls.JOB, job)
