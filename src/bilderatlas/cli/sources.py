"""`bilderatlas sources`: what can be indexed, and what a source would give."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.api.index import preview_source
from bilderatlas.cli.options import ColumnsOption, ImagesOption, JsonOption, parse_source_options
from bilderatlas.cli.output import print_json, print_table, shown_cell
from bilderatlas.sources import SOURCES

app = typer.Typer(help="List kinds of sources, preview one.", no_args_is_help=True)


@app.command("list")
def list_sources(as_json: JsonOption = False) -> None:
    """List the kinds of sources."""
    kinds = [{"name": kind.name, "example": kind.example} for kind in SOURCES]
    if as_json:
        print_json(kinds)
        return
    print_table(("source", "example"), [(kind["name"], kind["example"]) for kind in kinds])


@app.command("preview")
def preview(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="What `index` would take.")],
    columns: ColumnsOption = None,
    images: ImagesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how a source would be read: its mapping, and rows without image, rights or date."""
    found = preview_source(source, parse_source_options(columns, images))
    if as_json:
        print_json(found)
        return
    print_table(("", ""), [(key, shown_cell(value)) for key, value in found.items()])
