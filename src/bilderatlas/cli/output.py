"""How results and progress are shown: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from bilderatlas.indexing import IndexReport, PlanSummary, Progress

PLAIN_EVERY_S = 2.0
MAX_FAILURES_SHOWN = 5


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def say(message: str) -> None:
    """Tell something on stderr."""
    typer.echo(message, err=True)


@contextmanager
def ended_by_ctrl_c(farewell: str) -> Iterator[None]:
    """Let Ctrl-C be the ordinary way to end what runs inside, with a word of farewell."""
    try:
        yield
    except KeyboardInterrupt:
        say(farewell)


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, whole: int | None = None
) -> None:
    """Print a table on stdout; tab-separated, headings first, when that is not a terminal.

    The column `whole` is never broken into lines: what stands in it is there to be copied.
    """
    if not sys.stdout.isatty():
        if any(headings):
            typer.echo("\t".join(headings))
        for row in rows:
            typer.echo("\t".join(str(cell) for cell in row))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        longest = max((len(str(row[place])) for row in rows), default=0)
        min_width = longest if place == whole else None
        table.add_column(heading, overflow="fold", min_width=min_width)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console().print(table)


def shown_cell(value: Any) -> str:
    """Return a value as a reader of a table expects it: nothing of Python's own spelling."""
    if isinstance(value, dict):
        pairs = (f"{key}: {shown_cell(one)}" for key, one in value.items())
        return "; ".join(pairs)
    if isinstance(value, list | tuple):
        return ", ".join(shown_cell(one) for one in value)
    return "" if value is None else str(value)


class _RateColumn(ProgressColumn):
    """Images a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:.1f}/s" if speed else "", style="dim")


@contextmanager
def shown_progress(what: str) -> Iterator[Any]:
    """Yield an `on_progress` callable that draws a bar, or plain lines off a terminal."""
    if not sys.stderr.isatty():
        yield _PlainProgress(what)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        TextColumn("[dim]{task.fields[failed]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(what, total=None, failed="")

        def on_progress(progress: Progress) -> None:
            failed = f"{progress.failed} failed" if progress.failed else ""
            bar.update(task, completed=progress.done, total=progress.total, failed=failed)

        yield on_progress


class _PlainProgress:
    """One line every two seconds: done, total, rate, time left."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._started = time.monotonic()
        self._told = 0.0

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._told < PLAIN_EVERY_S and progress.done < progress.total:
            return
        self._told = now
        if not progress.done:
            say(f"{self._what}: {progress.total} to do")  # how fast it goes is not known yet
            return
        rate = progress.done / max(now - self._started, 1e-6)
        left = (progress.total - progress.done) / rate
        say(
            f"{self._what}: {progress.done} of {progress.total}, {rate:.1f}/s, "
            f"{left:.0f} s left, {progress.failed} failed"
        )


def say_plan(summary: PlanSummary) -> None:
    """Tell how extractors run and what is read again, before it is."""
    for note in summary.notes:
        say(note)
    if summary.n_read_again:
        pictures = "picture is" if summary.n_read_again == 1 else "pictures are"
        say(
            f"{summary.n_read_again:,} unchanged {pictures} read again from the source, since the "
            "library keeps embeddings and thumbnails only. Stop with Ctrl-C if that is too many."
        )


def print_report(report: IndexReport) -> None:
    """Tell in words what indexing did."""
    counts = [
        (report.added, "added"),
        (report.updated, "updated"),
        (report.completed, "came into a further space"),
        (report.reused, "embeddings taken over from the library"),
        (report.without_picture, "recorded without a picture"),
        (report.unchanged, "unchanged"),
        (report.retired, "no longer in the source"),
        (report.kept_back, "kept, since a part of the source could not be read"),
        (report.failed, "failed"),
    ]
    told = ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing to do"
    typer.echo(f"{report.collection}: {told} ({report.seconds:.1f} s)")
    for failure in report.failures[:MAX_FAILURES_SHOWN]:
        say(f"  {failure.subject}: {failure.reason}")
    hidden = len(report.failures) - MAX_FAILURES_SHOWN
    if hidden > 0:
        say(f"  … and {hidden} more: bilderatlas collections failures {report.collection}")
    if report.stopped:
        say("Stopped. Run the same command again to go on.")
