"""`bilderatlas extractors test`: what a criterion notices, measured on a collection."""

from __future__ import annotations

from typing import Annotated

import typer

from bilderatlas.api import open as open_library
from bilderatlas.api.invariance import MAX_WORKS, TestOptions, measure_invariances
from bilderatlas.cli.options import CollectionOption, JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, print_table, say, shown_progress
from bilderatlas.evaluation.invariance import Effect, Invariances
from bilderatlas.evaluation.transformations import get_transformation
from bilderatlas.evaluation.wording import caution_of, sentence_of, summary_of
from bilderatlas.indexing import Progress


def test_extractor(
    model_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the extractor.")],
    collection: CollectionOption,
    works: Annotated[
        int, typer.Option(min=1, max=MAX_WORKS, help="How many works are changed and searched.")
    ] = MAX_WORKS,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same works.")] = 0,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Test what an extractor notices on a collection: mirroring, lost colours, cropping, frames.

    Works are changed, embedded again and searched with: how many of their neighbours stay, and do
    they find themselves? The result stands on the extractor's page, too.
    """
    with open_library(library) as opened, shown_progress(model_id) as show:

        def tell(done: int, total: int) -> None:
            show(Progress(done, total, 0, ""))

        options = TestOptions(n_works=works, seed=seed, on_progress=tell)
        measured = measure_invariances(opened, collection, model_id, options)
    if as_json:
        sentences = {one.transformation: sentence_of(one, measured) for one in measured.effects}
        print_json(measured.to_json() | {"sentences": sentences, "summary": summary_of(measured)})
        return
    for line in (summary_of(measured), caution_of(measured)):
        if line:
            typer.echo(line)
    print_table(
        ("change", "works", "neighbours kept", "itself first", "median place", "cosine"),
        [_row(one, measured) for one in (measured.again, *measured.effects)],
    )
    say(f"{measured.n_works} of {measured.n_in_space} works; also on the extractor's page.")


def _row(effect: Effect, measured: Invariances) -> tuple[object, ...]:
    changed = effect is not measured.again
    name = get_transformation(effect.transformation).noun if changed else "none: read again"
    kept = "" if effect.overlap is None else f"{measured.k * effect.overlap:.1f} of {measured.k}"
    median = "" if effect.median_rank is None else f"{effect.median_rank:g}"
    angle = "" if effect.cosine is None else f"{effect.cosine:.3f}"
    return name, effect.n_works, kept, effect.n_first, median, angle
