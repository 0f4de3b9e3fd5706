"""Reduced spaces: fitted on a collection's own rows, filled from them, and used like any other.

No picture is read for a reduced space: its rows are projections of rows that are stored already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.errors import QueryError, UsageError
from bilderatlas.extractors import EXTRACTORS, Extractor, ImageRows
from bilderatlas.extractors.base import Card
from bilderatlas.extractors.reduced import (
    MARK,
    Projection,
    ReducedExtractor,
    fit_pca,
    reduced_card,
    reduced_id,
)
from bilderatlas.indexing.report import Progress
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.projections import (
    damage_of_projection,
    ensure_projected_space,
    read_projection,
)
from bilderatlas.store.spaces import SpaceStore, SpaceView
from bilderatlas.store.writer import CollectionWriter

BLOCK_ROWS = 2048
MAX_FIT_ROWS = 200_000
"""Of more rows an even sample is fitted on: the directions do not change any more."""
MAX_DIM = 4096
_BASE_FACTS = ("version", "weights_sha256", "preprocessing")


@dataclass(slots=True)
class ReduceReport:
    """What a reduction did.

    Attributes:
        collection: Its name.
        model_id: The reduced space.
        dim: Its dimension.
        fitted: Whether the projection was fitted now, or an earlier one was kept.
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


@dataclass(slots=True)
class ChosenExtractors:
    """What a run of indexing has to do for the spaces that were asked for.

    Attributes:
        extractors: To be run on pictures, the bases of reduced spaces among them.
        reduced: Ids of reduced spaces, to be completed from the rows of their bases afterwards.
    """

    extractors: list[Extractor] = field(default_factory=list)
    reduced: list[str] = field(default_factory=list)


# Extractors of a collection ------------------------------------------------------------------


def extractor_of(collection: CollectionStore, model_id: str) -> Extractor:
    """Return the extractor of one of the collection's spaces, reduced ones included.

    Raises:
        UnknownNameError: when there is no such extractor, or no such reduced space here.
        QueryError: when the projection was fitted on rows of other weights than are here now.
        StoreError: when the file of the projection is gone or damaged.
    """
    if MARK not in model_id:
        return EXTRACTORS.get(model_id)
    space = collection.space(model_id)
    facts = space.card_json.get("projection") or {}
    base = EXTRACTORS.get(str(facts.get("base", model_id.partition(MARK)[0])))
    if _is_of_other_base(space.card_json, base.card.to_json()):
        raise QueryError(
            f"Cannot embed into '{model_id}': it was fitted on rows of '{base.card.model_id}' with "
            "other weights or another preparation of pictures than are here now. Index the "
            "collection again, then run `bilderatlas features reduce` with --refit."
        )
    return ReducedExtractor(base, _projection(space.folder, facts["sha256"], space), facts)


def choose_extractors(collection: CollectionStore, model_ids: Iterable[str]) -> ChosenExtractors:
    """Tell reduced spaces, which are completed from stored rows, from extractors to be run.

    A reduced space brings its base along.

    Raises:
        UnknownNameError: for an extractor or a reduced space that there is not.
    """
    chosen = ChosenExtractors()
    names: dict[str, None] = {}
    for model_id in model_ids:
        if MARK in model_id:
            facts = collection.space(model_id).card_json["projection"]
            chosen.reduced.append(model_id)
            names[facts["base"]] = None
        else:
            names[model_id] = None
    chosen.extractors = [EXTRACTORS.get(name) for name in names]
    return chosen


def reduced_ids(collection: CollectionStore) -> list[str]:
    """Return the reduced spaces of a collection, in the order of their making."""
    return [model_id for model_id in collection.model_ids() if MARK in model_id]


_PROJECTIONS: dict[tuple[Path, str], Projection] = {}


def _projection(folder: Path, sha256: str, space: SpaceStore) -> Projection:
    return _read_projection(folder, sha256, _Card(space.card_json))


class _Card:
    """A card that a cache may carry: two are alike, whatever they say."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Card)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def _read_projection(folder: Path, sha256: str, card: _Card) -> Projection:
    return Projection.from_bytes(read_projection(folder, card.facts))
