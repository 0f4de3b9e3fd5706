"""`bilderatlas panels`: named, ordered sets of chosen works, with notes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.api import Library
from bilderatlas.api import open as open_library
from bilderatlas.api.exports import KINDS, export_panel
from bilderatlas.api.panels import Panel, PanelInfo, spell_work
from bilderatlas.cli.options import JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, print_table, say
from bilderatlas.errors import ConflictError, UnknownNameError, UsageError

app = typer.Typer(help="Compile works into panels, and take them along.", no_args_is_help=True)
PanelArgument = Annotated[str, typer.Argument(metavar="PANEL", help="Name or id of the panel.")]
WorksArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[WORK]…", help="Works: COLLECTION/ID, a detail: COLLECTION/ID@x,y,w,h."
    ),
]
NoteOption = Annotated[str, typer.Option(help="A note to keep beside it.")]


@app.command("list")
def list_panels(
    removed: Annotated[bool, typer.Option("--removed", help="Those that were removed.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the panels, the one changed last first."""
    with open_library(library) as opened:
        found = opened.panels.list_panels(removed=removed)
    if as_json:
        print_json([info.to_json() for info in found])
        return
    rows = [(one.id, one.name, one.n_items, one.updated_at[:10]) for one in found]
    print_table(("panel", "name", "works", "changed"), rows)


@app.command("show")
def show(panel: PanelArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show a panel: its works in order, with their notes."""
    with open_library(library) as opened:
        found = opened.panels[panel]
        works = opened.panels.works(found)
    if as_json:
        print_json(found.info.to_json() | {"works": [work.to_json() for work in works]})
        return
    if found.info.note:
        say(found.info.note)
    rows = [
        (number, spell_work(work.item), work.item.label, work.gone or work.item.note)
        for number, work in enumerate(works, 1)
    ]
    print_table(("", "work", "", "note"), rows)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    works: WorksArgument = None,
    note: NoteOption = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a panel, with works on it or without."""
    with open_library(library) as opened:
        made = opened.panels.create(name, note=note, works=works or ())
    _tell(made.info, f"Made the panel '{made.name}' ({made.id}) with {_works(made)}.", as_json)


@app.command("add")
def add(
    panel: PanelArgument,
    works: WorksArgument = None,
    ids_from: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Also the works in this file, one a line."),
    ] = None,
    note: NoteOption = "",
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put works at the end of a panel; those that are on it already stay where they are."""
    named = [*(works or ()), *(_lines(ids_from) if ids_from else ())]
    if not named:
        raise UsageError("Name at least one work to add, as COLLECTION/ID, or a file with --from.")
    with open_library(library) as opened:
        before = len(opened.panels[panel])
        now = opened.panels.add(panel, named, note=note)
    _tell(now.info, f"Added {len(now) - before}; '{now.name}' has {_works(now)}.", as_json)


@app.command("remove")
def remove(
    panel: PanelArgument,
    works: WorksArgument = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take works off a panel, or with none named put the panel away; undo brings either back."""
    with open_library(library) as opened:
        found = opened.panels[panel]
        if works:
            now = opened.panels.remove(found.id, works)
            told = f"Took {len(found) - len(now)} off '{now.name}', which has {_works(now)} now."
        else:
            if not yes:
                typer.confirm(
                    f"Put the panel '{found.name}' with {_works(found)} away?", abort=True
                )
            now = opened.panels.put_away(found.id)
            told = f"Put '{now.name}' away. Bring it back with: bilderatlas panels undo {now.id}"
    _tell(now.info, told, as_json)


@app.command("undo")
def undo(panel: PanelArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Take back the last change of a panel; again and again, to its beginning."""
    with open_library(library) as opened:
        kind = opened.panels[panel].undoable
        now = opened.panels.undo(panel)
    _tell(now.info, f"Undid '{kind}'; '{now.name}' has {_works(now)}.", as_json)


@app.command("redo")
def redo(panel: PanelArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Do again what was undone last."""
    with open_library(library) as opened:
        kind = opened.panels[panel].redoable
        now = opened.panels.redo(panel)
    _tell(now.info, f"Did '{kind}' again; '{now.name}' has {_works(now)}.", as_json)


@app.command("export")
def export(
    panel: PanelArgument,
    destination: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Where to write it: .csv, .json, .zip, .txt or .bib; - for stdout."
        ),
    ],
    kind: Annotated[
        str, typer.Option("--as", metavar="KIND", help="csv, json, zip, txt or bib.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Write over an older file.")] = False,
    library: LibraryOption = None,
) -> None:
    """Take a panel along: a table, JSON, a zip of pictures where rights allow, a citation."""
    chosen = kind or destination.suffix.removeprefix(".").lower()
    if chosen not in KINDS:
        raise UnknownNameError("kind of export", chosen, KINDS)
    with open_library(library) as opened:
        n = _write(opened, panel, destination, chosen, force=force)
    say(f"Wrote {n} works to {destination}.")


def _write(library: Library, panel: str, destination: Path, kind: str, *, force: bool) -> int:
    found = library.panels[panel]
    made = export_panel(library, found, page_of=lambda collection, image_id: "")
    if str(destination) == "-":
        for chunk in made.chunks(kind):
            sys.stdout.buffer.write(chunk)
        return len(found)
    if destination.exists() and not force:
        raise ConflictError(f"There is a file '{destination}' already. Write over it with --force.")
    partial = destination.with_name(f".{destination.name}.part")
    try:
        with partial.open("wb") as file:
            for chunk in made.chunks(kind):
                file.write(chunk)
        partial.replace(destination)
    finally:
        partial.unlink(missing_ok=True)
    return len(found)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]


def _works(panel: Panel) -> str:
    return "1 work" if len(panel) == 1 else f"{len(panel):,} works"


def _tell(info: PanelInfo, message: str, as_json: bool) -> None:
    if as_json:
        print_json(info.to_json())
    else:
        typer.echo(message)
