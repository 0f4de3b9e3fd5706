"""The extractor behind each space of a collection: by its name, or by its stored projection too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from bilderatlas.errors import BilderatlasError, QueryError, UnknownNameError
from bilderatlas.extractors import Extractor
from bilderatlas.extractors.base import differing_facts
from bilderatlas.extractors.reduced import MARK, Projection, ReducedExtractor
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.projections import read_projection

_BASE_FACTS = {"version", "weights_sha256", "preprocessing"}
_PROJECTION_FACTS: Mapping[str, type | tuple[type, ...]] = {
    "base": str,
    "base_dim": int,
    "dim": int,
    "whitened": bool,
    "file": str,
    "sha256": str,
    "fitted_on": str,
    "explained_variance": (int, float),
}
"""What has to be known to project; a card that came from elsewhere may say anything."""


@dataclass(slots=True)
class ChosenExtractors:
    """What a run of indexing has to do for the spaces that were asked for.

    Attributes:
        extractors: To be run on pictures, the bases of reduced spaces among them.
        reduced: Ids of reduced spaces, to be completed from the rows of their bases afterwards.
    """

    extractors: list[Extractor] = field(default_factory=list)
    reduced: list[str] = field(default_factory=list)


def extractor_of(collection: CollectionStore, model_id: str) -> Extractor:
    """Return the extractor of one of the collection's spaces, reduced ones included.

    Raises:
        UnknownNameError: when there is no such extractor, or no such reduced space here.
        QueryError: when the projection was fitted on rows of other weights than are here now.
        StoreError: when the file of the projection is gone or damaged.
    """
    if MARK not in model_id:
        return get_extractor(model_id)
    space = collection.space(model_id)
    facts = _projection_facts(space.card_json)
    base = get_extractor(facts["base"])
    if not is_of_base(space.card_json, base.card.to_json()):
        raise QueryError(
            f"Cannot embed into '{model_id}': it was fitted on rows of '{base.card.model_id}' with "
            "other weights, or other preparation of the pictures, than are here now. Index the "
            "collection again, then run `bilderatlas features reduce` with --refit."
        )
    projection = _read_projection(space.folder, facts["file"], facts["sha256"])
    return ReducedExtractor(base, projection, facts)


def choose_extractors(
    collection: CollectionStore | None, model_ids: Iterable[str]
) -> ChosenExtractors:
    """Tell reduced spaces, which are completed from stored rows, from extractors to be run.

    A reduced space follows its base where the collection has the base, or is to have it. Elsewhere
    (it came with a feature package) pictures are extracted and projected in one go.
    `collection` is None where there is none yet.

    Raises:
        UnknownNameError: for an extractor or a reduced space that there is not.
        QueryError: when a reduced space belongs to other weights than are here now.
    """
    asked = list(dict.fromkeys(model_ids))
    present = set(collection.model_ids()) if collection is not None else set()
    names: dict[str, None] = {}
    chosen = ChosenExtractors()
    for model_id in asked:
        if MARK not in model_id:
            names[model_id] = None
        elif collection is None:
            raise UnknownNameError(
                "space", model_id, (), advice="Index first, then run `bilderatlas features reduce`."
            )
        else:
            base = _projection_facts(collection.space(model_id).card_json)["base"]
            if base in present or base in asked:
                names[base] = None
                chosen.reduced.append(model_id)
            else:
                chosen.extractors.append(extractor_of(collection, model_id))
    chosen.extractors[:0] = [get_extractor(name) for name in names]
    return chosen


def spaces_to_complete(collection: CollectionStore) -> tuple[list[str], list[str]]:
    """Return the spaces that further pictures can come into here, and why the others cannot.

    Left alone are those whose extractor is not known or not ready here, and those that came in a
    feature package and were made otherwise than here: indexing would have to begin them anew.
    """
    chosen, notes = [], []
    for model_id in collection.model_ids():
        card_json = collection.space(model_id).card_json
        try:
            extractor = extractor_of(collection, model_id)
        except BilderatlasError as error:
            notes.append(f"'{model_id}' stays as it is: {error}")
            continue
        readiness = extractor.readiness()
        differing = differing_facts(card_json, extractor.card.to_json())
        if readiness.state != "ready":
            notes.append(f"'{model_id}' stays as it is: {readiness.sentence}")
        elif card_json.get("taken_from") and differing:
            notes.append(
                f"'{model_id}' stays as it is: its vectors were taken from "
                f"'{card_json['taken_from']}' and made otherwise than here "
                f"({', '.join(differing)}). To make them anew: --extractor {model_id}"
            )
        else:
            chosen.append(model_id)
    return chosen, notes


def is_of_base(reduced_json: Mapping[str, Any], base_json: Mapping[str, Any]) -> bool:
    """Tell whether a reduced card, as stored, still fits the card of its base.

    Weights that are not known yet on this machine are no contradiction.
    """
    if base_json.get("weights_sha256") is None:
        base_json = {**base_json, "weights_sha256": reduced_json.get("weights_sha256")}
    same_dim = _projection_facts(reduced_json)["base_dim"] == base_json["dim"]
    return same_dim and not _BASE_FACTS & set(differing_facts(reduced_json, base_json))


def _projection_facts(card_json: Mapping[str, Any]) -> dict[str, Any]:
    facts = card_json.get("projection") or {}
    if not all(isinstance(facts.get(name), kind) for name, kind in _PROJECTION_FACTS.items()):
        raise QueryError(
            f"Cannot embed into '{card_json['model_id']}': no projection came with its rows. "
            "Search by images of the collection itself."
        )
    return dict(facts)


@lru_cache(maxsize=4)
def _read_projection(folder: Path, file: str, sha256: str) -> Projection:
    """Read a projection once: its name and its sha256 say all about it."""
    facts = {"projection": {"file": file, "sha256": sha256}}
    return Projection.from_bytes(read_projection(folder, facts))
