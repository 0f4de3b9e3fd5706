"""`bilderatlas collections`: list, show, check, remove."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from bilderatlas.api import open as open_library
from bilderatlas.cli.options import JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, print_table, say, shown_cell

app = typer.Typer(help="List, show, check and remove collections.", no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the collection.")]


@app.command("list")
def list_collections(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List the collections."""
    with open_library(library) as opened:
        say(f"Library: {opened.root}")
        found = opened.collections()
    if as_json:
        print_json([asdict(info) for info in found])
        return
    rows = [
        (info.name, info.n_images, info.n_failed, ", ".join(info.model_ids), info.updated_at)
        for info in found
    ]
    print_table(("collection", "works", "no picture", "criteria", "last change"), rows)
    if not found:
        say("There are none yet. Begin with: bilderatlas index FOLDER -c NAME")


@app.command("show")
def show(name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show one collection: its source, its criteria, its columns."""
    with open_library(library) as opened:
        collection = opened[name]
        info, spaces = collection.info, collection.spaces()
        columns = collection.columns()
    if as_json:
        print_json(
            asdict(info)
            | {"spaces": [asdict(space) for space in spaces]}
            | {"columns": [asdict(column) for column in columns]}
        )
        return
    print_table(("", ""), [(key, shown_cell(value)) for key, value in asdict(info).items()])
    print_table(
        ("criterion", "judged by", "works", "rows"),
        [(s.model_id, s.card["judges_by"], s.n_images, s.n_rows) for s in spaces],
    )
    print_table(
        ("column", "kind", "missing", "distinct"),
        [(c.name, c.kind, c.n_missing, c.n_distinct) for c in columns],
    )


@app.command("failures")
def failures(
    name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List the images that could not be used, each with its reason."""
    with open_library(library) as opened:
        found = opened[name].failures()
    if as_json:
        print_json([asdict(failure) for failure in found])
        return
    print_table(("image", "code", "reason"), [(f.subject, f.code, f.reason) for f in found])


@app.command("check")
def check(
    name: NameArgument,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is derived.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that records, rows, files and checksums agree; exit 1 when something is wrong."""
    with open_library(library) as opened:
        found = opened[name].check(repair=repair)
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        print_table(("severity", "what", "where"), [(f.severity, f.what, f.where) for f in found])
        if not found:
            say(f"Collection '{name}' is consistent.")
    if not repair and any(finding.severity == "error" for finding in found):
        raise typer.Exit(1)


@app.command("remove")
def remove(
    name: NameArgument,
    image: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Remove these images only.")
    ] = None,
    purge: Annotated[bool, typer.Option("--purge", help="Compact the files at once.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove images, or with no --image the whole collection; originals stay where they are."""
    with open_library(library) as opened:
        collection = opened[name]
        what = (
            f"{len(image)} images of '{name}'" if image else f"'{name}' ({len(collection)} works)"
        )
        if image:
            collection.records(image)  # an unknown id ends here, also in a rehearsal
        if dry_run:
            typer.echo(f"Would remove {what}.")
            return
        if not yes:
            typer.confirm(f"Remove {what}?", abort=True)
        if image:
            collection.remove(image, purge=purge)
        else:
            opened.remove(name)
    if as_json:
        print_json({"collection": name, "removed": image or "all"})
    else:
        typer.echo(f"Removed {what}.")
