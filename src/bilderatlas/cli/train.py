"""`bilderatlas train`: make the project's own models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bilderatlas.api.training import Recipe, train_museum_clip
from bilderatlas.cli.options import JsonOption
from bilderatlas.cli.output import print_json, say, shown_progress
from bilderatlas.indexing import Progress

app = typer.Typer(help="Train the project's own models.", no_args_is_help=True)


@app.callback()
def _room() -> None:
    """Train the project's own models."""


@app.command("contrastive")
def contrastive(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the model and its log go.")
    ],
    works: Annotated[int, typer.Option(min=1, help="How many works to paint.")] = Recipe.works,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the museum and of all chance.")
    ] = Recipe.seed,
    epochs: Annotated[
        int, typer.Option(min=1, help="How often each work is seen.")
    ] = Recipe.epochs,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Painted works; default: painted in --out."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processors that learn.")] = 1,
    processes: Annotated[int, typer.Option(min=0, help="That paint; 0: one a processor.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Paint a museum and train words and pictures on it: the model museum_clip.synthetic.

    Stopped at any moment, the same command goes on where it was.
    """
    recipe = Recipe.sized(works, seed, epochs)
    with shown_progress("Painted") as shown:
        report = train_museum_clip(
            out,
            recipe,
            cache=cache,
            threads=threads,
            processes=processes,
            on_painted=lambda done, total: shown(Progress(done, total, 0, "")),
            on_epoch=lambda line: say(_told(line, recipe.epochs)),
        )
    if as_json:
        print_json(report.to_json())
        return
    for name, facts in report.files.items():
        typer.echo(f"{name}\t{facts['size_bytes']}\t{facts['sha256']}")


def _told(line: dict[str, Any], epochs: int) -> str:
    seen = f", AP {line['AP']:.3f}" if "AP" in line else ""
    return f"Epoch {line['epoch']} of {epochs}: loss {line['loss']:.3f}{seen}, {line['seconds']} s"
