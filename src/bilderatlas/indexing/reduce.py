"""Reducing a space: fit a projection on the collection's own rows, project them, keep both.

No picture is read for it: the rows of a reduced space are projections of rows that are stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Mask
from bilderatlas.errors import UsageError
from bilderatlas.extractors import ImageRows
from bilderatlas.extractors.base import Card
from bilderatlas.extractors.reduced import Projection, fit_pca, reduced_card, reduced_id
from bilderatlas.indexing.report import Progress
from bilderatlas.indexing.spaces import is_of_base
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.projections import (
    damage_of_projection,
    ensure_projected_space,
    read_projection,
)
from bilderatlas.store.spaces import SpaceView
from bilderatlas.store.writer import CollectionWriter

BLOCK_ROWS = 2048
MAX_FIT_ROWS = 200_000
"""Of more rows an even sample is fitted on: it pins the directions down well enough."""
MAX_BASE_DIM = 4096
"""The covariance of more would not fit into the memory that we allow ourselves."""


@dataclass(slots=True)
class ReduceReport:
    """What a reduction did.

    Attributes:
        collection: Its name.
        model_id: The reduced space.
        dim: Its dimension.
        fitted: Whether the projection was fitted now; otherwise an earlier one was kept.
        n_fitted_on: Rows that it was fitted on.
        explained_variance: Share of their variance that it keeps, 0 to 1.
        n_projected: Images that came into the space now.
        seconds: Duration.
    """

    collection: str
    model_id: str
    dim: int
    fitted: bool
    n_fitted_on: int
    explained_variance: float
    n_projected: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return what `features reduce --json` prints."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}


def reduce_space(
    collection: CollectionStore,
    model_id: str,
    dim: int,
    *,
    whiten: bool = False,
    refit: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> ReduceReport:
    """Make the reduced space of `model_id`, or complete the one that there is.

    A projection that was fitted before is kept, so that what was embedded stays comparable, unless
    its base has other weights by now, its file is damaged, or `refit` asks for a new one.

    Raises:
        UnknownNameError: when the collection has no such space.
        UsageError: when the space cannot be reduced so far, or not at all.
        ConflictError: when somebody else is writing.
    """
    started = time.monotonic()
    with collection.writer() as writer:
        _refuse_unfit(collection.space(model_id).card_json, dim)
        target = reduced_id(model_id, dim, whiten=whiten)
        fitted = refit or not _is_usable(collection, model_id, target)
        if fitted:
            _fit(collection, writer, model_id, dim, whiten)
        facts = collection.space(target).card_json["projection"]
        report = ReduceReport(
            collection.name, target, dim, fitted, facts["n_rows"], facts["explained_variance"]
        )
        report.n_projected = _project(collection, writer, target, on_progress)
    report.seconds = time.monotonic() - started
    return report


def complete_reduced(
    collection: CollectionStore, writer: CollectionWriter, model_ids: Iterable[str]
) -> dict[str, int]:
    """Bring stored rows of the bases into reduced spaces; called when indexing has committed.

    A space whose base has other weights by now is left as it is: it has to be fitted anew.

    Returns:
        The number of images that came into each of the spaces.

    Raises:
        StoreError: when the file of a projection is gone or damaged.
    """
    known = set(collection.model_ids())
    return {
        model_id: _project(collection, writer, model_id, lambda progress: None)
        for model_id in model_ids
        if model_id in known and _fits_base(collection, model_id)
    }


def _refuse_unfit(card_json: dict[str, Any], dim: int) -> None:
    model_id, base_dim = card_json["model_id"], card_json["dim"]
    if card_json.get("projection"):
        base = card_json["projection"].get("base")
        advice = f" Reduce its base '{base}' instead." if base else ""
        raise UsageError(f"Cannot reduce '{model_id}': it is reduced already.{advice}")
    if card_json.get("many_rows") or card_json.get("rows_are", "image") != "image":
        raise UsageError(
            f"Cannot reduce '{model_id}': a picture has many rows there, or none, and they are "
            "compared by their places. Choose a space with one row a picture."
        )
    if not 1 <= dim < base_dim:
        raise UsageError(
            f"Cannot reduce '{model_id}' to {dim} numbers: it has {base_dim}. Choose a --dim from "
            f"1 to {base_dim - 1}."
        )
    if base_dim > MAX_BASE_DIM:
        raise UsageError(
            f"Cannot reduce '{model_id}': it has {base_dim} numbers, and the fit is made for at "
            f"most {MAX_BASE_DIM}. Choose another space."
        )


def _is_usable(collection: CollectionStore, model_id: str, target: str) -> bool:
    if target not in collection.model_ids():
        return False
    space = collection.space(target)
    is_whole = not damage_of_projection(space.folder, space.card_json)
    return is_whole and is_of_base(space.card_json, collection.space(model_id).card_json)


def _fits_base(collection: CollectionStore, model_id: str) -> bool:
    card_json = collection.space(model_id).card_json
    base = card_json["projection"]["base"]
    return base in collection.model_ids() and is_of_base(
        card_json, collection.space(base).card_json
    )


def _fit(
    collection: CollectionStore, writer: CollectionWriter, model_id: str, dim: int, whiten: bool
) -> None:
    space = collection.space(model_id)
    view = space.snapshot()
    step = -(-view.n_rows // MAX_FIT_ROWS) or 1

    def blocks() -> Iterator[npt.NDArray[Any]]:
        return (vectors[alive] for vectors, alive in _live_blocks(view, step))

    base = Card.from_json(space.card_json)
    fitted = fit_pca(blocks, dim, whiten=whiten)
    card = reduced_card(base, fitted.facts(base, f"{collection.name}@{view.version}"))
    ensure_projected_space(writer, card, fitted.projection.to_bytes())


def _live_blocks(view: SpaceView, step: int) -> Iterator[tuple[npt.NDArray[Any], Mask]]:
    """Yield every `step`-th row in blocks, and which of them belong to images that are there."""
    for start, vectors in view.blocks():
        first = -start % step
        ordinals = view.ordinals[start : start + len(vectors)][first::step]
        chosen = vectors[first::step]
        for begin in range(0, len(chosen), BLOCK_ROWS):
            part = slice(begin, begin + BLOCK_ROWS)
            yield chosen[part], ordinals[part] >= 0


def _project(
    collection: CollectionStore,
    writer: CollectionWriter,
    target: str,
    on_progress: Callable[[Progress], None],
) -> int:
    """Project the base's rows of the images that `target` lacks; commit block by block."""
    space = collection.space(target)
    view = collection.space(space.card_json["projection"]["base"]).snapshot()
    wanted = np.zeros(view.columns.n + 1, bool)  # the last place is for rows of images gone
    for image_id in writer.missing(target):
        ordinal = view.columns.ordinal_of(image_id)
        if ordinal is not None:
            wanted[ordinal] = True
    n_wanted, n_done = int(wanted[view.covered_ordinals].sum()), 0
    if not n_wanted:
        return 0
    projection = Projection.from_bytes(read_projection(space.folder, space.card_json))
    for start, vectors in view.blocks():
        ordinals = view.ordinals[start : start + len(vectors)]
        places = np.flatnonzero(wanted[ordinals])
        for begin in range(0, len(places), BLOCK_ROWS):
            part = places[begin : begin + BLOCK_ROWS]
            projected = projection.apply(vectors[part])
            image_ids = [view.columns.image_ids[ordinal] for ordinal in ordinals[part].tolist()]
            rows = [
                (image_id, ImageRows(row[None]))
                for image_id, row in zip(image_ids, projected, strict=True)
            ]
            writer.commit_batch([], {target: rows})
            n_done += len(rows)
            on_progress(Progress(n_done, n_wanted, 0, target))
    return n_done
