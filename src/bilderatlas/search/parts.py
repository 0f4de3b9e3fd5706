"""The parts of a query become vectors: stored rows for images, the embedder for everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bilderatlas.arrays import Embeddings, Mask, check_dimension
from bilderatlas.errors import (
    BilderatlasError,
    ImageError,
    NotFoundError,
    QueryError,
    SourceError,
    UnavailableError,
    UnknownNameError,
    WeightsError,
)
from bilderatlas.search.combine import Examples
from bilderatlas.search.hits import Inactive
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.restrict import listed_mask
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns
from bilderatlas.store.images import ImageState
from bilderatlas.store.spaces import SpaceView

MAX_PARTS = 100

Embed: TypeAlias = Callable[[Part], Embeddings]  # uploads, regions, texts, foreign images → (m, d)


# What may be wrong with one part; a search goes on without it. Anything else ends the search.
OF_ONE_PART = (
    ImageError,  # its picture cannot be read
    NotFoundError,  # it is not here, or has no place in the space
    QueryError,  # the space cannot take it: words without a text side, another dimension
    SourceError,
    UnavailableError,  # what would embed it is not here
    UnknownNameError,  # it names a collection that is not here
    WeightsError,
)


class LeftOut:
    """The parts that take no part in a search, each with its reason."""

    def __init__(self) -> None:
        """Begin with none."""
        self._parts: list[Inactive] = []
        self._errors: list[BilderatlasError] = []

    def add(self, part: Part, error: BilderatlasError) -> None:
        """Leave `part` out because of `error`."""
        self._parts.append(Inactive(str(part), part.kind.value, part.sign, str(error)))
        self._errors.append(error)

    @property
    def inactive(self) -> tuple[Inactive, ...]:
        """Return the parts with their reasons."""
        return tuple(self._parts)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return a note on each part."""
        return tuple(f"The part '{each.part}' was left out. {each.reason}" for each in self._parts)

    def nothing_left(self, query: Query, things: str) -> BilderatlasError:
        """Return the error of a query none of whose parts can be used.

        One part alone is answered with what is wrong with it: weights that can be fetched, say.
        """
        only = self._errors[0]
        if len(query.parts) == 1 and not isinstance(only, NotFoundError):
            if isinstance(only, QueryError):
                only.inactive = self.inactive
            return only
        return QueryError(
            f"Cannot search: none of the {things} that hits should be "
            f"{'like' if query.positives else 'unlike'} can be used. {' '.join(self.notes)}",
            inactive=self.inactive,
        )


@dataclass(frozen=True, slots=True)
class GatheredParts:
    """The parts of a query as vectors, and which of them had to be left out."""

    positives: Examples
    negatives: Examples
    left_out: LeftOut


def gather_parts(
    collection: CollectionStore, view: SpaceView, query: Query, embed: Embed
) -> GatheredParts:
    """Turn the parts of `query` into vectors of the space.

    A part that cannot be found or embedded, or has no place in the space, is left out.

    Raises:
        QueryError: when no part is left, or no example where there were some; when there are too
            many.
        BilderatlasError: what is wrong with the part, where there is only one.
    """
    check_number_of_parts(query)
    found: dict[int, list[tuple[Embeddings, float]]] = {1: [], -1: []}
    left_out = LeftOut()
    for part in query.parts:
        try:
            vectors = _vectors_of(part, collection, view, embed)
            check_dimension(vectors, view.dim, view.model_id)
        except OF_ONE_PART as error:
            left_out.add(part, error)
            continue
        found[1 if part.sign > 0 else -1].append((vectors, part.weight))
    # Counter-examples alone would turn the question round: least similar first.
    if not any(found.values()) or (query.positives and not found[1]):
        raise left_out.nothing_left(query, "pictures and words")
    positives, negatives = (Examples.join(found[sign], view.dim) for sign in (1, -1))
    return GatheredParts(positives, negatives, left_out)


def check_number_of_parts(query: Query) -> None:
    """Refuse a query of too many parts.

    Raises:
        QueryError: saying how many there may be.
    """
    if len(query.parts) > MAX_PARTS:
        raise QueryError(
            f"Cannot search by {len(query.parts)} parts at once: at most {MAX_PARTS}. Leave out "
            "those that repeat others."
        )


def whole_panel(part: Part) -> NotFoundError:
    """Return what is wrong with a panel whose pictures were not put in its place."""
    return NotFoundError(f"There is no panel '{part.value}' here, or it is empty.")


def own_images(collection_name: str, columns: Columns, query: Query) -> frozenset[str]:
    """Return the ids of this collection's images of which parts of the query are made."""
    images = (part for part in query.parts if part.kind is PartKind.IMAGE)
    found = (local_id(collection_name, columns, part.value) for part in images)
    return frozenset(image_id for image_id in found if image_id is not None)


def rankable_works(collection_name: str, columns: Columns, query: Query, in_space: Mask) -> Mask:
    """Return the works of the space `(n,)` that a query could find: all but its own images."""
    if query.include_query:
        return in_space
    return in_space & ~listed_mask(columns, own_images(collection_name, columns, query))[0]


def local_id(collection_name: str, columns: Columns, value: str) -> str | None:
    """Return the id that `value`, an id or `collection/id`, has in this collection, if it does."""
    prefix = f"{collection_name}/"
    candidates = (value, value.removeprefix(prefix)) if value.startswith(prefix) else (value,)
    return next((each for each in candidates if columns.ordinal_of(each) is not None), None)


def _vectors_of(
    part: Part, collection: CollectionStore, view: SpaceView, embed: Embed
) -> Embeddings:
    if part.kind is PartKind.PANEL:
        raise whole_panel(part)
    if part.kind is not PartKind.IMAGE:
        return _checked(embed(part), view)
    image_id = local_id(collection.name, view.columns, part.value)
    if image_id is None:
        return _foreign_vectors(part, collection, view, embed)
    if part.region is not None:
        return _checked(embed(part), view)
    vectors = view.vectors_of(image_id)
    if not len(vectors):
        raise NotFoundError(why_no_row(collection, view, image_id))
    return vectors


def _foreign_vectors(
    part: Part, collection: CollectionStore, view: SpaceView, embed: Embed
) -> Embeddings:
    """Embed an image of another collection, `collection/id`; ids may hold slashes themselves."""
    if "/" in part.value:
        try:
            return _checked(embed(part), view)
        except (NotFoundError, UnknownNameError):
            pass
    collection.get_record(part.value)  # raises, naming ids that look alike
    raise NotFoundError(f"'{part.value}' was added after this search began. Search again.")


def _checked(vectors: Embeddings, view: SpaceView) -> Embeddings:
    if not len(vectors):
        raise NotFoundError(f"It has no place in the space '{view.model_id}'.")
    return vectors


def why_no_row(collection: CollectionStore, view: SpaceView, image_id: str) -> str:
    """Say why an image of the collection has no row in the space."""
    stored = collection.get_record(image_id)
    if stored.state is ImageState.FAILED and stored.failure is not None:
        return f"Its picture could not be read: {stored.failure.reason}"
    ordinal = view.columns.ordinal_of(image_id)
    if ordinal is not None and ordinal in view.covered_ordinals:
        return f"'{view.model_id}' found nothing in the picture that it could compare."
    return (
        f"It is not yet in the space '{view.model_id}': index '{collection.name}' with that "
        "extractor again."
    )
