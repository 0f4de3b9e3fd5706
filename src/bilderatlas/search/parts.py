"""The parts of a query become vectors: stored rows for images, the embedder for everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bilderatlas.arrays import Embeddings, check_dimension
from bilderatlas.errors import NotFoundError, QueryError, UnknownNameError
from bilderatlas.search.combine import Examples
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns
from bilderatlas.store.images import ImageState
from bilderatlas.store.spaces import SpaceView

MAX_PARTS = 100

Embed: TypeAlias = Callable[[Part], Embeddings]  # uploads, regions, texts, foreign images → (m, d)


@dataclass(frozen=True, slots=True)
class GatheredParts:
    """The parts of a query as vectors, and which of them had to be left out, and why."""

    positives: Examples
    negatives: Examples
    notes: tuple[str, ...] = ()


def gather_parts(
    collection: CollectionStore, view: SpaceView, query: Query, embed: Embed
) -> GatheredParts:
    """Turn the parts of `query` into vectors of the space.

    A part that cannot be found, or has no place in the space, is left out with a note.

    Raises:
        QueryError: when no part is left, or no example where there were some; when the space
            cannot take a part, such as words without a text side; when there are too many.
        SpaceMismatchError: when `embed` returns vectors of another dimension.
    """
    if len(query.parts) > MAX_PARTS:
        raise QueryError(
            f"Cannot search by {len(query.parts)} parts at once: at most {MAX_PARTS}. Leave out "
            "those that repeat others."
        )
    found: dict[int, list[tuple[Embeddings, float]]] = {1: [], -1: []}
    notes: list[str] = []
    for part in query.parts:
        try:
            vectors = _vectors_of(part, collection, view, embed)
        except NotFoundError as error:
            notes.append(f"The part '{part}' was left out. {error}")
            continue
        check_dimension(vectors, view.dim, view.model_id)
        found[1 if part.sign > 0 else -1].append((vectors, part.weight))
    # Counter-examples alone would turn the question round: least similar first.
    if not any(found.values()) or (query.positives and not found[1]):
        raise QueryError(
            "Cannot search: none of the pictures and words that hits should be "
            f"{'like' if query.positives else 'unlike'} can be used. {' '.join(notes)}"
        )
    positives, negatives = (Examples.join(found[sign], view.dim) for sign in (1, -1))
    return GatheredParts(positives, negatives, tuple(notes))


def own_images(collection_name: str, columns: Columns, query: Query) -> frozenset[str]:
    """Return the ids of this collection's images of which parts of the query are made."""
    images = (part for part in query.parts if part.kind is PartKind.IMAGE)
    found = (local_id(collection_name, columns, part.value) for part in images)
    return frozenset(image_id for image_id in found if image_id is not None)


def local_id(collection_name: str, columns: Columns, value: str) -> str | None:
    """Return the id that `value`, an id or `collection/id`, has in this collection, if it does."""
    prefix = f"{collection_name}/"
    candidates = (value, value.removeprefix(prefix)) if value.startswith(prefix) else (value,)
    return next((each for each in candidates if columns.ordinal_of(each) is not None), None)


def _vectors_of(
    part: Part, collection: CollectionStore, view: SpaceView, embed: Embed
) -> Embeddings:
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
