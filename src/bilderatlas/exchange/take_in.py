"""Take published features in: as a collection of their own, or as a further space of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from bilderatlas.errors import ConflictError, Failure, PackageError, SpaceMismatchError
from bilderatlas.exchange.base import FeatureBatch, Features
from bilderatlas.exchange.projection import check_projection
from bilderatlas.exchange.source import SOURCE_KIND
from bilderatlas.extractors.base import Card, ImageRows, differing_facts
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.kept import engine_of
from bilderatlas.store.images import (
    ImageState,
    StoredImage,
    check_image_id,
    image_of,
    select_images,
)
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.projections import ensure_projected_space
from bilderatlas.store.segments import DTYPES
from bilderatlas.store.writer import CollectionWriter, NewImage

COMMIT_BYTES = 64 << 20
COMMIT_ITEMS = 24_576
MAX_LISTED = 1000


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        collection: Where to.
        model_id: The space.
        items: Items in the features.
        added: Images that are new in the collection.
        vectors: Vectors that are new in the space.
        failed: Items that the publisher could not read.
        matched: Images of the collection that were given a place in the space (`--merge`).
        refused: Items that fit no image, or one of another content, each with the reason; the
            first thousand.
        n_refused: How many of those there are.
        seconds: How long it took.
        notes: What a reader should know.
    """

    collection: str
    model_id: str
    items: int = 0
    added: int = 0
    vectors: int = 0
    failed: int = 0
    matched: int = 0
    refused: list[Failure] = field(default_factory=list)
    n_refused: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def refuse(self, image_id: str, code: str, reason: str) -> None:
        """Note an item that was not taken."""
        self.n_refused += 1
        if len(self.refused) < MAX_LISTED:
            self.refused.append(Failure(image_id, "import", code, reason))

    def to_json(self) -> dict[str, Any]:
        """Return what `features import --json` prints."""
        return asdict(self)


OnProgress = Callable[[int, int | None], None]


def import_features(
    library: LibraryStore,
    features: Features,
    name: str,
    *,
    merge: bool = False,
    title: str = "",
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Take `features` in as collection `name`; with `merge`, into the collection that is there.

    A new collection is called by `title`, else as the features are, else by its name.
    Everything is proved before anything is written. An import that was killed is taken up again by
    the same call.

    Raises:
        PackageError: the features cannot be used; nothing was changed.
        ConflictError: the name is taken, or somebody else is writing.
        SpaceMismatchError: the collection has another space of that name.
    """
    started = time.monotonic()
    report = ImportReport(name, features.card.model_id)
    if not merge:
        _refuse_taken_name(library, features, name)
    if not features.check():
        check_batches(features)
    check_projection(features.card, features.projection, needs_file=features.hands_out_projection)
    report.notes = list(features.notes)  # the proof may have had something to tell
    tell = on_progress or (lambda done, total: None)
    if merge:
        _merge(library.get_collection(name), features, report, tell)
    else:
        _fill(library, features, report, tell, title)
    _build_engine(library.get_collection(name), features.card)
    report.seconds = time.monotonic() - started
    return report


def _build_engine(collection: CollectionStore, card: Card) -> None:
    """Derive now what the first search among details would otherwise have to wait for."""
    if card.rows_are == "detail":
        space = collection.space(card.model_id)
        engine_of(collection, space).build(space.snapshot())


# A collection of their own


def _options_of(features: Features) -> dict[str, Any]:
    """Return what tells one content at an address from another."""
    return {"package_id": getattr(features, "package_id", "")}


def _refuse_taken_name(library: LibraryStore, features: Features, name: str) -> None:
    if name not in {info.name for info in library.list_collections()}:
        return
    known = library.get_collection(name)
    is_same = (known.source_kind, known.source_address) == (SOURCE_KIND, features.address)
    if not is_same:
        raise ConflictError(
            f"Cannot import '{features.address}' as '{name}': that collection belongs to "
            f"'{known.source_address}'. Choose another name, or add the features to the images "
            "that are there with --merge."
        )
    if known.source_options != _options_of(features):
        raise ConflictError(
            f"Cannot import '{features.address}' as '{name}' again: the features at that address "
            "are others than those that the collection was made of. Choose another name, or "
            f"remove it first with `bilderatlas collections remove {name}`."
        )


def _fill(
    library: LibraryStore,
    features: Features,
    report: ImportReport,
    tell: OnProgress,
    title: str,
) -> None:
    collection = library.create_collection(
        report.collection,
        source_kind=SOURCE_KIND,
        source_address=features.address,
        title=title or features.title or None,
        source_options=_options_of(features),
    )
    n_before = collection.n_images
    n_rows_before = _n_rows(collection, report.model_id)
    with collection.writer() as writer:
        _ensure_space(writer, features)
        for batch in _joined(features):
            rows = [(batch.records[place].image_id, found) for place, found in batch.rows()]
            writer.commit_batch(_new_images(batch), {report.model_id: rows}, are_new=n_before == 0)
            report.items += len(batch)
            report.failed += sum(failure is not None for failure in batch.failures)
            tell(report.items, features.n_items)
            del batch, rows  # the next one is read before this name is given to it
    report.added = collection.n_images - n_before
    report.vectors = collection.space(report.model_id).n_rows - n_rows_before


def _origin(features: Features) -> str:
    """Return what names the features to anybody: an address of the web, or an id, never a path."""
    if features.address.startswith(("http://", "https://")):
        return features.address
    package_id = getattr(features, "package_id", "")
    return f"package {package_id}" if package_id else "features from elsewhere"


def _ensure_space(writer: CollectionWriter, features: Features) -> None:
    card = replace(features.card, taken_from=_origin(features))
    if features.projection is not None:
        ensure_projected_space(writer, card, features.projection)
    else:
        writer.ensure_space(card)


def _n_rows(collection: CollectionStore, model_id: str) -> int:
    return collection.space(model_id).n_rows if model_id in collection.model_ids() else 0


def _new_images(batch: FeatureBatch) -> list[NewImage]:
    failures = batch.failures or [None] * len(batch)
    return [
        NewImage(record, sha256, None, size_wh, failure)
        for record, sha256, size_wh, failure in zip(
            batch.records, batch.content_sha256, batch.sizes_wh, failures, strict=True
        )
    ]


def _joined(features: Features) -> Iterator[FeatureBatch]:
    """Yield larger batches, as a commit takes a while however small it is."""
    waiting: list[FeatureBatch] = []
    n_items = n_bytes = 0
    for batch in features.batches():
        waiting.append(batch)
        n_items += len(batch)
        n_bytes += batch.vectors.nbytes
        del batch
        if n_items >= COMMIT_ITEMS or n_bytes >= COMMIT_BYTES:
            yield _one(waiting)
            n_items = n_bytes = 0
    if waiting:
        yield _one(waiting)


def _one(batches: list[FeatureBatch]) -> FeatureBatch:
    """Put batches together and empty the list, so that nobody holds their rows twice."""
    geometry = None
    if any(batch.geometry is not None for batch in batches):
        geometry = np.concatenate([_geometry_of(batch) for batch in batches])
    joined = FeatureBatch(
        [record for batch in batches for record in batch.records],
        [sha256 for batch in batches for sha256 in batch.content_sha256],
        [size_wh for batch in batches for size_wh in batch.sizes_wh],
        np.concatenate([batch.vectors for batch in batches]),
        np.concatenate([batch.n_rows for batch in batches]),
        np.concatenate([batch.covered for batch in batches]),
        geometry,
        [one for batch in batches for one in batch.failures or [None] * len(batch)],
    )
    batches.clear()
    return joined


def _geometry_of(batch: FeatureBatch) -> Any:
    if batch.geometry is not None:
        return batch.geometry
    return np.full((len(batch.vectors), 4), np.nan, np.float32)


# A further space of a collection that is there


def _merge(
    collection: CollectionStore, features: Features, report: ImportReport, tell: OnProgress
) -> None:
    refuse_other_space(collection, features.card)
    if not any(fit for batch in features.batches() for fit in _fitting(collection, batch, None)):
        raise PackageError(
            "no-match",
            f"Cannot add '{features.address}' to '{collection.name}': none of its items has the id "
            "and the sha256 of an image there. Import it as a collection of its own, without "
            "--merge.",
        )
    n_rows_before = _n_rows(collection, report.model_id)
    with collection.writer() as writer:
        _ensure_space(writer, features)
        for batch in _joined(features):
            _merge_batch(writer, collection, batch, report)
            tell(report.items, features.n_items)
    report.vectors = collection.space(report.model_id).n_rows - n_rows_before


def _merge_batch(
    writer: CollectionWriter,
    collection: CollectionStore,
    batch: FeatureBatch,
    report: ImportReport,
) -> None:
    fitting = _fitting(collection, batch, report)
    rows: list[tuple[str, ImageRows]] = [
        (batch.records[place].image_id, found) for place, found in batch.rows() if fitting[place]
    ]
    if rows:
        writer.commit_batch([], {report.model_id: rows})
    report.items += len(batch)
    report.matched += len(rows)
    report.failed += sum(failure is not None for failure in batch.failures)


def _fitting(
    collection: CollectionStore, batch: FeatureBatch, report: ImportReport | None
) -> list[bool]:
    """Tell which items of a batch are images of the collection, by id *and* content."""
    with collection.reading() as connection:
        ids = [record.image_id for record in batch.records]
        known = {
            image_id: image_of(row)
            for image_id, row in select_images(connection, collection.id, ids).items()
        }
    fits = []
    for record, sha256, is_covered in zip(
        batch.records, batch.content_sha256, batch.covered.tolist(), strict=True
    ):
        stored = known.get(record.image_id)
        problem = _why_not(stored, sha256) if is_covered else ("failed", "It has no vector.")
        fits.append(problem is None)
        if problem is not None and is_covered and report is not None:
            report.refuse(record.image_id, *problem)
    return fits


def _why_not(stored: StoredImage | None, sha256: str | None) -> tuple[str, str] | None:
    if stored is None:
        return "unknown-image", "The collection has no image of this id."
    if sha256 is None:
        return "no-sha256", "The features do not say of which picture the vector is."
    if stored.content_sha256 is None or stored.state is not ImageState.INDEXED:
        return "no-picture", "The collection has no picture of this image."
    if stored.content_sha256 != sha256:
        return (
            "other-picture",
            f"The vector is of another picture: sha256 {sha256[:12]}…, here "
            f"{stored.content_sha256[:12]}….",
        )
    return None


def refuse_other_space(collection: CollectionStore, card: Card) -> None:
    """Refuse a card whose name a space with other facts has already.

    Raises:
        SpaceMismatchError: naming the facts.
    """
    if card.model_id not in collection.model_ids():
        return
    differing = differing_facts(collection.space(card.model_id).card_json, card.to_json())
    if differing:
        raise SpaceMismatchError(
            f"Cannot add the features to '{collection.name}': its space '{card.model_id}' is "
            f"another one ({', '.join(differing)} differ). Old and new vectors must not be "
            "compared; import them as a collection of their own."
        )


def check_batches(features: Features) -> None:
    """Read all batches once and refuse what no space may hold.

    Raises:
        PackageError: naming the item and what is wrong with it.
    """
    card, seen = features.card, set[bytes]()
    for batch in features.batches():
        _check_shapes(batch, card, features.address)
        for record in batch.records:
            check_image_id(record.image_id)
            name = record.image_id.encode()
            if name in seen:
                raise PackageError(
                    "duplicate-id",
                    f"Cannot import '{features.address}': the id '{record.image_id}' occurs twice. "
                    "An id names one item.",
                )
            seen.add(name)
        bad = ~np.isfinite(batch.vectors).all(axis=1) if batch.vectors.dtype.kind == "f" else None
        if bad is not None and bad.any():
            owner = int(np.repeat(np.arange(len(batch)), batch.n_rows)[np.flatnonzero(bad)[0]])
            raise PackageError(
                "not-finite",
                f"Cannot import '{features.address}': the vector of "
                f"'{batch.records[owner].image_id}' has a number that is not finite.",
            )


def _check_shapes(batch: FeatureBatch, card: Card, address: str) -> None:
    n = len(batch)
    expected = DTYPES[card.dtype]
    if batch.vectors.ndim != 2 or batch.vectors.shape[1] != card.dim:
        raise PackageError(
            "dim",
            f"Cannot import '{address}': vectors of shape {batch.vectors.shape}, the card of "
            f"'{card.model_id}' says dimension {card.dim}.",
        )
    if batch.vectors.dtype != expected:
        raise PackageError(
            "dtype",
            f"Cannot import '{address}': numbers of type {batch.vectors.dtype}, the card of "
            f"'{card.model_id}' says {card.dtype}.",
        )
    lengths = (len(batch.content_sha256), len(batch.sizes_wh), len(batch.n_rows))
    if lengths != (n, n, n) or int(batch.n_rows.sum()) != len(batch.vectors):
        raise PackageError(
            "count", f"Cannot import '{address}': {len(batch.vectors)} vectors for {n} items."
        )
    if not card.many_rows and bool((batch.n_rows > 1).any()):
        raise PackageError(
            "count", f"Cannot import '{address}': an item has several vectors, the card says one."
        )
