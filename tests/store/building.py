"""Small libraries whose content can be computed in the head: vectors follow from the image id."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import numpy as np

from bilderatlas.arrays import Metric
from bilderatlas.errors import Failure
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.records import Record
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import CollectionWriter, NewImage

DIM = 8


def card(model_id: str = "colour.test", *, dtype: str = "f32", **facts: object) -> Card:
    """Return a card of 8 dimensions; `facts` override."""
    values: dict[str, object] = {
        "judges_by": "numbers",
        "sees": "Pictures with like numbers.",
        "dim": DIM,
        "metrics": (Metric.ANGULAR,),
        "side_px": 64,
        "preprocessing": (),
    }
    return Card(model_id=model_id, dtype=dtype, **(values | facts))  # type: ignore[arg-type]


def sha256_of(image_id: str, content: int = 0) -> str:
    """Return the content hash of an image whose picture has been changed `content` times."""
    return hashlib.sha256(f"{image_id}/{content}".encode()).hexdigest()


def vector_of(image_id: str, content: int = 0, *, dim: int = DIM) -> np.ndarray:
    """Return the one row `(1, d)` that an image of this content has, small whole numbers."""
    seed = zlib.crc32(f"{image_id}/{content}".encode())
    return np.random.default_rng(seed).integers(0, 200, (1, dim)).astype(np.float32)


def rows_of(image_id: str, content: int = 0, *, dim: int = DIM) -> ImageRows:
    """Return the same as what an extractor returns."""
    return ImageRows(vector_of(image_id, content, dim=dim))


def details_of(image_id: str, content: int = 0) -> ImageRows:
    """Return none to four rows with geometry, as local features have them."""
    seed = zlib.crc32(f"{image_id}/{content}".encode())
    m = seed % 5
    rng = np.random.default_rng(seed)
    vectors = rng.integers(0, 256, (m, DIM)).astype(np.uint8)
    return ImageRows(vectors, rng.random((m, 4)).astype(np.float32))


THUMBNAILS = {side: b"RIFF" + bytes([side % 251]) * 20 for side in THUMBNAIL_SIDES_PX}


def new_image(image_id: str, content: int = 0, **fields: object) -> NewImage:
    """Return an image whose picture was read."""
    record = Record(image_id, **({"title": f"Work {image_id}"} | fields))  # type: ignore[arg-type]
    return NewImage(
        record, sha256_of(image_id, content), f"f{content}", (640, 480), thumbnails=THUMBNAILS
    )


def failed_image(image_id: str, *, content: int | None = None) -> NewImage:
    """Return an image whose picture could not be fetched, or, with a content, not be read."""
    failure = Failure(image_id, "decode", "truncated", "The file ends too early.")
    sha256 = None if content is None else sha256_of(image_id, content)
    return NewImage(Record(image_id), sha256, None, None, failure)


def commit(
    writer: CollectionWriter, ids: Sequence[str], models: Sequence[str], content: int = 0
) -> int:
    """Commit images with thumbnails and one row in each of the spaces."""
    return writer.commit_batch(
        [new_image(image_id, content) for image_id in ids],
        {model: [(image_id, rows_of(image_id, content)) for image_id in ids] for model in models},
    )


def thumbnail_names(library: LibraryStore) -> list[str]:
    """Return the names of all thumbnails of a library, in order."""
    return sorted(path.name for path in library.thumbnails.folder.glob("*/*"))


def filled(library: LibraryStore, name: str = "works", n: int = 12) -> CollectionStore:
    """Return a collection of `n` images `w0` … in two spaces, f16 and local features."""
    collection = library.create_collection(name, source_kind="folder", source_address=f"/{name}")
    with collection.writer() as writer:
        writer.ensure_space(card("colour.test", dtype="f16"))
        writer.ensure_space(card("details.test", dtype="u8", many_rows=True))
        ids = [f"w{number}" for number in range(n)]
        for start in range(0, n, 5):
            commit(writer, ids[start : start + 5], ["colour.test"])
        writer.commit_batch([], {"details.test": [(name, details_of(name)) for name in ids]})
    return collection
