"""Jobs: what is being worked on, live."""

from __future__ import annotations

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response, StreamingResponse

from bilderatlas.web import urls
from bilderatlas.web.pages.jobs import JobRow, act_on_job, job_events, job_page, jobs_page
from bilderatlas.web.rendering import Page
from bilderatlas.web.site import Site


def add_jobs(site: Site) -> None:
    """Add the pages of jobs, their streams of events, and what can be done to them."""
    library = site.library

    def jobs(request: Request) -> Page:
        return jobs_page(library)

    def job(request: Request) -> Page:
        return job_page(library, request.path_params["job_id"])

    async def events(request: Request) -> Response:
        job_id = request.path_params["job_id"]

        def read() -> JobRow:
            return JobRow(library.jobs.get(job_id))

        await run_in_threadpool(read)  # an unknown job is a 404, not a stream that breaks off
        last = request.headers.get("last-event-id", "")
        stream = job_events(read, last)
        return StreamingResponse(stream, media_type="text/event-stream")

    def act(request: Request) -> Response:
        act_on_job(library, request.path_params["job_id"], request.path_params["action"])
        return RedirectResponse(urls.JOBS, status_code=303)

    site.get(urls.JOB_EVENTS, events)
    site.post(urls.JOB_ACTION, act)
    site.twins(urls.JOBS, jobs)
    site.twins(urls.JOB, job)
