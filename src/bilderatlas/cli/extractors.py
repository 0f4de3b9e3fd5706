"""`bilderatlas extractors`: what the criteria are."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.cli.options import JsonOption
from bilderatlas.cli.output import print_json, print_table, shown_cell
from bilderatlas.extractors import EXTRACTORS

app = typer.Typer(help="List and show extractors.", no_args_is_help=True)


@app.command("list")
def list_extractors(as_json: JsonOption = False) -> None:
    """List the extractors and what each of them sees."""
    cards = [extractor.card for extractor in EXTRACTORS]
    if as_json:
        print_json([card.to_json() for card in cards])
        return
    print_table(
        ("extractor", "judges by", "dimension", "sees"),
        [(card.model_id, card.judges_by, card.dim, card.sees) for card in cards],
    )


@app.command("show")
def show(
    model_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the extractor.")],
    as_json: JsonOption = False,
) -> None:
    """Show an extractor's card."""
    card = EXTRACTORS.get(model_id).card
    if as_json:
        print_json(card.to_json())
        return
    print_table(("", ""), [(key, shown_cell(one)) for key, one in card.to_json().items()])
