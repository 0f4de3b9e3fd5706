"""`bilderatlas extractors`: what the criteria are, and how their weights come here."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from bilderatlas.api import extractors as api
from bilderatlas.cli.options import JsonOption
from bilderatlas.cli.output import PLAIN_EVERY_S, print_json, print_table, say, shown_cell
from bilderatlas.extractors.runtimes.fetch import FileProgress
from bilderatlas.extractors.runtimes.weights import shown_size

app = typer.Typer(
    help="List and show extractors; fetch, export and verify their weights.", no_args_is_help=True
)
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Id of the extractor, or onnx:FILE.")]
WeightsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--weights",
        metavar="FILE",
        help="Take this file instead of fetching: safetensors, ONNX, a PyTorch file or "
        "tokenizer.json, or a folder of them; repeat for several.",
    ),
]


@app.command("list")
def list_extractors(
    as_long: Annotated[
        bool, typer.Option("--long", help="On a terminal, too, tell what each of them sees.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the extractors, what each of them sees, and whether it can run here."""
    found = api.list_extractors()
    if as_json:
        print_json([one.to_json() for one in found])
        return
    n_shown = 6 if as_long or not sys.stdout.isatty() else 5
    rows = [
        (
            one.card.model_id,
            one.readiness.state,
            shown_size(one.to_fetch_bytes or None),
            one.card.judges_by,
            one.card.dim,
            one.card.sees,
        )
        for one in found
    ]
    headings = ("extractor", "state", "to fetch", "judges by", "dimension", "sees")
    print_table(headings[:n_shown], [row[:n_shown] for row in rows], whole=0)


@app.command("show")
def show(model_id: IdArgument, as_json: JsonOption = False) -> None:
    """Show an extractor's card, its files and where each checksum comes from."""
    found = api.show_extractor(model_id)
    if as_json:
        print_json(found.to_json())
        return
    card = {key: one for key, one in found.card.to_json().items() if key != "weights"}
    rows = [(key, shown_cell(one)) for key, one in card.items()]
    rows.append(("state", found.readiness.state))
    if found.readiness.sentence:
        rows.append(("to do", found.readiness.told_here))
    if found.runtimes:
        rows.append(("runs by", ", ".join(found.runtimes)))
    if found.folder is not None:
        rows.append(("folder", str(found.folder)))
    for one in found.files:
        size = shown_size(one.size_bytes)
        facts = (one.state, size, _sha256_told(one), one.known, one.source)
        rows.append((one.name, "; ".join(fact for fact in facts if fact)))
    print_table(("", ""), rows)


def _sha256_told(one: api.FileState) -> str:
    """Tell a file's checksum as what it is: on record; `verify` reads the file itself."""
    if one.sha256 is None:
        return "sha256 not known yet"
    return f"sha256 {'on record' if one.state == 'here' else 'expected'} {one.sha256}"


@app.command("fetch")
def fetch(model_id: IdArgument, weights: WeightsOption = None, as_json: JsonOption = False) -> None:
    """Fetch the weights of an extractor, or take in files that you have."""
    with _shown_download() as on_progress:
        report = api.fetch_weights(model_id, weights or [], on_progress=on_progress)
    readiness = api.show_extractor(model_id).readiness
    if as_json:
        fetched = [asdict(one) for one in report.fetched]
        print_json({**asdict(report), "fetched": fetched, "state": readiness.state})
        return
    rows = [(f.name, str(f.origin), shown_size(f.size_bytes), f.sha256) for f in report.fetched]
    rows += [(name, "was here", "", "") for name in report.kept]
    print_table(("file", "checksum", "size", "sha256"), rows)
    for note in report.notes:
        say(note)
    if readiness.state == "ready":
        say(f"'{report.model_id}' is ready.")
    else:
        say(readiness.told_here)


@app.command("export")
def export(model_id: IdArgument, as_json: JsonOption = False) -> None:
    """Export to ONNX for machines without the laboratory; proven on canary pictures."""
    report = api.export(model_id)
    if as_json:
        print_json(report.to_json())
        return
    print_table(
        ("network", "file", "canaries", "smallest cosine to torch"),
        [
            (tower, path, len(report.cosines[tower]), f"{min(report.cosines[tower]):.7f}")
            for tower, path in report.paths.items()
        ],
    )
    say("The two runtimes give the same space.")


@app.command("verify")
def verify(model_id: IdArgument, as_json: JsonOption = False) -> None:
    """Check checksums, and that every runtime here gives the same space; exit 1 if not."""
    report = api.verify(model_id)
    if as_json:
        print_json(report.to_json())
    else:
        rows = [
            ("ok" if f.ok else "!", f.name, "as recorded" if f.ok else _wrong(f.found, f.expected))
            for f in report.files
        ]
        rows += [
            (
                "ok" if s.ok else "!",
                f"{s.tower}: {s.one} and {s.other}",
                s.problem or f"{len(s.cosines)} canaries, smallest cosine {min(s.cosines):.7f}",
            )
            for s in report.spaces
        ]
        print_table(("", "what", "found"), rows)
        for note in report.notes:
            say(note)
    if not report.ok:
        raise typer.Exit(1)


def _wrong(found: str | None, expected: str) -> str:
    if found is None:
        return "not here"
    return f"sha256 {found}, recorded was {expected}"


@contextmanager
def _shown_download() -> Iterator[FileProgress]:
    """Yield what draws a bar of bytes, or plain lines off a terminal."""
    if not sys.stderr.isatty():
        yield _plain_download()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def on_progress(name: str, here: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=here, total=total)

        yield on_progress


def _plain_download() -> FileProgress:
    """Return what tells every two seconds how far a file is."""
    told = time.monotonic()

    def on_progress(name: str, here: int, total: int | None) -> None:
        nonlocal told
        if time.monotonic() - told >= PLAIN_EVERY_S:
            told = time.monotonic()
            say(f"{name}: {shown_size(here)}{f' of {shown_size(total)}' if total else ''}")

    return on_progress
