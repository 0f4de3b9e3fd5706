"""`bilderatlas index`: bring a collection up to date with a source."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from bilderatlas.api import create
from bilderatlas.api import index as run_index
from bilderatlas.api.index import check_source
from bilderatlas.cli.options import (
    CollectionOption,
    ColumnsOption,
    ExtractorsOption,
    ImagesOption,
    JsonOption,
    LibraryOption,
    parse_source_options,
)
from bilderatlas.cli.output import print_json, print_report, say, say_plan, shown_progress
from bilderatlas.indexing import IndexOptions
from bilderatlas.settings import LIBRARY_FILE, find_library


class Precision(StrEnum):
    """How neural extractors compute."""

    FP32 = "fp32"
    BF16 = "bf16"


def index(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, a table, or museum://?works=600.")
    ],
    collection: CollectionOption,
    extractor: ExtractorsOption = None,
    columns: ColumnsOption = None,
    images: ImagesOption = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try pictures again that failed before.")
    ] = False,
    keep_first: Annotated[
        bool,
        typer.Option("--keep-first", help="Of rows that share an id, index the first."),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(min=0, max=256, help="Decoding processes and threads; 0: one a processor."),
    ] = 0,
    device: Annotated[
        str, typer.Option(help="Where neural extractors run: cpu, or cuda for a GPU.")
    ] = "cpu",
    precision: Annotated[
        Precision,
        typer.Option(help="bf16 is faster where the processor has it; it must pass a gate."),
    ] = Precision.FP32,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Index SOURCE as a collection: resumable, and again adds only what is new.

    Stop it with Ctrl-C whenever you like: the same command goes on where it was.
    """
    source_options = parse_source_options(columns, images)
    if not (find_library(library) / LIBRARY_FILE).exists():
        check_source(source, source_options)  # a source that cannot be read makes no library
    with create(library) as opened:
        say(f"Library: {opened.root}")
        with shown_progress(collection) as on_progress:
            options = IndexOptions(
                extractors=tuple(extractor or ()),
                workers=workers,
                retry_failed=retry_failed,
                keep_first=keep_first,
                device=device,
                precision=precision.value,
                on_plan=say_plan,
                on_progress=on_progress,
            )
            report = run_index(
                opened, source, collection, source_options=source_options, options=options
            )
    if as_json:
        print_json(report.to_json())
    else:
        print_report(report)
