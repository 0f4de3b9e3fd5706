"""`bilderatlas museum`: paint the synthetic museum."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.cli.options import JsonOption
from bilderatlas.cli.output import print_json, say
from bilderatlas.museum import paint_museum

app = typer.Typer(help="Paint the synthetic museum.", no_args_is_help=True)


@app.callback()
def _room() -> None:
    """Paint the synthetic museum."""


@app.command("paint")
def paint(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write it.")],
    works: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of works.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")] = 7,
    processes: Annotated[int, typer.Option(min=0, help="0: one a processor.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Write pictures, their metadata and all their ground truth to a folder."""
    paint_museum(out, works, seed, processes)
    if as_json:
        print_json({"out": str(out), "works": works, "seed": seed})
    say(f"Painted {works} works to {out}. Index them with: bilderatlas index {out} -c painted")
