"""`bilderatlas jobs`: long work in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from bilderatlas.api import open as open_library
from bilderatlas.cli.options import JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, print_table, shown_cell
from bilderatlas.jobs import Job, JobQueue

app = typer.Typer(help="List, pause, resume, cancel and run jobs.", no_args_is_help=True)
JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")]


@app.command("list")
def list_jobs(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List the jobs, the newest first."""
    with open_library(library) as opened:
        found = opened.jobs.list()
    if as_json:
        print_json([job.to_json() for job in found])
        return
    rows = [(j.id, j.kind, j.state, _progress(j), j.error or j.message) for j in found]
    print_table(("job", "kind", "state", "progress", ""), rows)


@app.command("show")
def show(job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show one job."""
    _each(library, lambda queue: queue.get(job), as_json)


@app.command("cancel")
def cancel(job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Cancel a job; what it has done stands."""
    _each(library, lambda queue: queue.cancel(job), as_json)


@app.command("pause")
def pause(job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Pause a job."""
    _each(library, lambda queue: queue.pause(job), as_json)


@app.command("resume")
def resume(job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Queue a paused, failed or cancelled job again."""
    _each(library, lambda queue: queue.resume(job), as_json)


@app.command("run")
def run(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Run the queued jobs here and now, then end."""
    with open_library(library) as opened:
        n = opened.run_jobs()
    if as_json:
        print_json({"jobs": n})
    else:
        typer.echo(f"Ran {n} job{'' if n == 1 else 's'}.")


def _each(library: LibraryOption, do: Callable[[JobQueue], Job], as_json: bool) -> None:
    with open_library(library) as opened:
        job = do(opened.jobs)
    if as_json:
        print_json(job.to_json())
        return
    print_table(("", ""), [(key, shown_cell(one)) for key, one in job.to_json().items()])


def _progress(job: Job) -> str:
    return f"{job.done} of {job.total}" if job.total else ""
