"""Options that every command has, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.sources.base import SourceOptions

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        help="Folder of the library; else BILDERATLAS_LIBRARY, the nearest library.toml upward, "
        "or your data folder.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
CollectionOption = Annotated[
    str, typer.Option("--collection", "-c", metavar="NAME", help="Name of the collection.")
]
ExtractorsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--extractor",
        metavar="ID",
        help="Extractor to use; repeat for several. Default: those of the collection, or all "
        "that need no weights.",
    ),
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="FIELD=COLUMN",
        help="Say which column (name or number from 1) holds a field: --columns image=3.",
    ),
]


ImagesOption = Annotated[
    Path | None,
    typer.Option(
        "--images",
        metavar="DIR",
        help="Folder that the paths in a table start from; else the table's own.",
    ),
]


def parse_source_options(columns: list[str] | None, images: Path | None) -> SourceOptions | None:
    """Read what the user said about a source; None if nothing.

    Raises:
        BadParameter: when a column pair has no `=`.
    """
    if not columns and images is None:
        return None
    folder = str(images.expanduser().absolute()) if images is not None else ""
    return SourceOptions(columns=_parse_columns(columns), image_folder=folder)


def _parse_columns(pairs: list[str] | None) -> dict[str, str]:
    """Read `field=column` pairs.

    Raises:
        BadParameter: when a pair has no `=`.
    """
    found: dict[str, str] = {}
    for pair in pairs or []:
        field, separator, column = pair.partition("=")
        if not (field and separator and column):
            raise typer.BadParameter(
                f"expected FIELD=COLUMN, got '{pair}'. Example: --columns image=filename"
            )
        found[field.strip()] = column.strip()
    return found
