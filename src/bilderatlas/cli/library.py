"""`bilderatlas library`: the folder as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.api import open as open_library
from bilderatlas.api import restore as restore_library
from bilderatlas.cli.options import JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, say

app = typer.Typer(help="Back up and restore a library.", no_args_is_help=True)


@app.command("backup")
def backup(
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="Where to write it.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a consistent copy of the library, also while others use it."""
    with open_library(library) as opened:
        say(f"Library: {opened.root}")
        opened.backup(destination)
    if as_json:
        print_json({"backup": str(destination)})
    else:
        typer.echo(f"Backed up to {destination}.")


@app.command("restore")
def restore(
    backup_: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `backup` wrote.")],
    destination: Annotated[Path, typer.Argument(metavar="DIR", help="A folder, new or empty.")],
    as_json: JsonOption = False,
) -> None:
    """Make a library from a backup; never over another one."""
    restore_library(backup_, destination)
    if as_json:
        print_json({"library": str(destination)})
        return
    typer.echo(f"Restored to {destination}. Use it with: --library {destination}")
