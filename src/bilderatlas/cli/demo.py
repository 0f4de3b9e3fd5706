"""`bilderatlas demo`: the synthetic museum, indexed and served, in one command."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated, Any

import typer

from bilderatlas.api import Library, create
from bilderatlas.api import index as run_index
from bilderatlas.api.index import submit_index
from bilderatlas.api.worker import start_worker
from bilderatlas.cli.options import JsonOption, LibraryOption
from bilderatlas.cli.output import ended_by_ctrl_c, print_json, say, shown_progress
from bilderatlas.errors import ConflictError
from bilderatlas.extractors import default_extractors
from bilderatlas.indexing import IndexOptions, IndexReport
from bilderatlas.settings import DEFAULT_PORT

NAME = "museum"
FIRST_ROOMS_S = 9.0


def demo(
    do_serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve it, or search once and end.")
    ] = True,
    works: Annotated[int, typer.Option(min=20, max=1_000_000, help="Works to paint.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same museum.")] = 7,
    port: Annotated[int, typer.Option(help="Port to listen on.")] = DEFAULT_PORT,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the browser.")
    ] = True,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Paint the synthetic museum, index it as the collection `museum`, and serve it.

    It serves as soon as the first rooms are hung and can be searched by one criterion; the other
    works and criteria follow as a job that the pages show.
    """
    started = time.monotonic()
    address = f"museum://?works={works}&seed={seed}"
    with create(library) as opened:
        say(f"Library: {opened.root}")
        with shown_progress("Painting and indexing the museum") as on_progress:
            options = IndexOptions(extractors=_criteria(), on_progress=on_progress)
            if do_serve:
                options = _first_rooms(options, started)
            report = run_index(opened, address, NAME, options=options)
        if not do_serve:
            _tell(opened, report, started, as_json)
            return
        _submit_rest(opened, address, report)
        say(f"Searchable after {time.monotonic() - started:.1f} s.")
        from bilderatlas.web.server import serve as run_server

        with ended_by_ctrl_c("Stopped. What was painted and indexed stands."):
            run_server(
                opened, port=port, open_browser=browser, start_worker=start_worker, announce=say
            )


def _criteria() -> tuple[str, ...]:
    return tuple(extractor.card.model_id for extractor in default_extractors(NAME))


def _first_rooms(options: IndexOptions, started: float) -> IndexOptions:
    """Index by the first criterion only, and leave the rest to the job after some seconds."""
    return replace(
        options,
        extractors=options.extractors[:1],
        should_stop=lambda: time.monotonic() - started > FIRST_ROOMS_S,
    )


def _submit_rest(opened: Library, address: str, report: IndexReport) -> None:
    present = set(opened[NAME].store.model_ids())
    if not report.stopped and present >= set(_criteria()):
        return
    try:
        submit_index(opened, address, NAME, extractors=_criteria())
        say("The remaining works and criteria follow as a job; the pages show it.")
    except ConflictError:
        say("The remaining works and criteria are already on their way as a job.")


def _tell(opened: Library, report: IndexReport, started: float, as_json: bool) -> None:
    """Search once, by the first work, and print what was built and found."""
    collection = opened[NAME]
    example = next(collection.store.iter_images("indexed")).record
    hits = collection.search(like=[example.image_id], k=5)
    built: dict[str, Any] = {
        "library": str(opened.root),
        "collection": NAME,
        "works": len(collection),
        "spaces": {space.model_id: space.n_images for space in collection.spaces()},
        "index": report.to_json(),
        "search": hits.to_json(),
        "seconds": round(time.monotonic() - started, 3),
    }
    if as_json:
        print_json(built)
        return
    typer.echo(f"{built['works']} works, {len(built['spaces'])} criteria, {built['seconds']} s.")
    typer.echo(f"Like {example.label}:")
    for hit in hits:
        typer.echo(f"  {hit.rank}. {hit.record.label} ({hit.image_id})")
