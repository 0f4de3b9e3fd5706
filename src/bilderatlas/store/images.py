"""An image as the records know it: what is handed in, what comes back, and its row in SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from bilderatlas.errors import Failure, UsageError
from bilderatlas.records import Record
from bilderatlas.store.database import in_chunks
from bilderatlas.store.schema import images

# The key of an image holds its collection in the upper bits: keys are unique in the library (the
# full-text index needs that) and still rise by one inside a collection.
_KEY_BITS = 32
_to_json = json.JSONEncoder(default=str).encode  # json.dumps would make an encoder each time


class ImageState(StrEnum):
    """What became of an image."""

    INDEXED = "indexed"  # its picture was read
    FAILED = "failed"  # its picture could not be read; the failure says why
    RECORDED = "recorded"  # a record alone, no picture was asked for


@dataclass(frozen=True, slots=True)
class NewImage:
    """One image to commit.

    Attributes:
        record: Its metadata.
        content_sha256: Of the encoded picture; None where it could not be read.
        fingerprint: The source's cheap token for "may have changed".
        size_wh: Width and height of the oriented picture.
        failure: Why there is no usable picture; None if there is one, or none was asked for.
        thumbnails: `{side in px: WebP bytes}`; they are there as soon as the image is.
    """

    record: Record
    content_sha256: str | None = None
    fingerprint: str | None = None
    size_wh: tuple[int, int] | None = None
    failure: Failure | None = None
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def state(self) -> ImageState:
        """Return the state that a new image of this kind has."""
        if self.failure is not None:
            return ImageState.FAILED
        return ImageState.INDEXED if self.content_sha256 else ImageState.RECORDED


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image as it stands in a collection.

    Attributes:
        record: Its metadata.
        key: Number of this image *with this content*: rising, never used again. A picture that
            changed gets a new key, and with that its old rows are dead in every space at once.
        content_sha256: Of the encoded picture.
        size_wh: Width and height of the oriented picture.
        state: Whether the picture was read.
        fingerprint: The source's token when it was.
        failure: Why it could not be read, or, beside an indexed picture, not read again.
    """

    record: Record
    key: int
    content_sha256: str | None
    size_wh: tuple[int, int] | None
    state: ImageState
    fingerprint: str | None
    failure: Failure | None

    @property
    def image_id(self) -> str:
        """Return the id of the image in its collection."""
        return self.record.image_id


def first_key(collection_id: int) -> int:
    """Return the smallest key that an image of this collection can have."""
    return collection_id << _KEY_BITS


def last_key(collection_id: int) -> int:
    """Return the largest key that an image of this collection can have."""
    return ((collection_id + 1) << _KEY_BITS) - 1


def check_image_id(image_id: str) -> None:
    """Refuse ids that no database, URL or file of ids can carry.

    Raises:
        UsageError: for an empty id, a NUL, or half of a surrogate pair.
    """
    try:
        image_id.encode("utf-8")
    except UnicodeEncodeError:
        broken = True
    else:
        broken = not image_id or "\0" in image_id
    if broken:
        shown = image_id.encode("utf-8", "backslashreplace").decode()[:80]
        raise UsageError(
            f"Cannot store an image under the id {shown!r}: expected at least one character, all "
            "of them valid Unicode and none NUL. Rename the file, or fix the id column."
        )


def row_of(new: NewImage, key: int, collection_id: int, version: int) -> dict[str, Any]:
    """Return the SQL row of a new image."""
    return {
        "key": key,
        "collection_id": collection_id,
        "image_id": new.record.image_id,
        "state": new.state.value,
        "content_sha256": new.content_sha256,
        "fingerprint": new.fingerprint,
        "width_px": new.size_wh[0] if new.size_wh else None,
        "height_px": new.size_wh[1] if new.size_wh else None,
        "record_json": _to_json(new.record.to_json()),
        "changed_version": version,
    } | failure_of(new.failure)


def failure_of(failure: Failure | None) -> dict[str, Any]:
    """Return the columns that hold a failure, or its absence."""
    return {
        "failure_stage": failure.stage if failure else None,
        "failure_code": failure.code if failure else None,
        "failure_reason": _storable(failure.reason) if failure else None,
    }


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "backslashreplace").decode()


def image_of(row: Row[Any]) -> StoredImage:
    """Return the image that an SQL row of `images` describes."""
    size_wh = (row.width_px, row.height_px) if row.width_px and row.height_px else None
    failure = None
    if row.failure_code is not None:
        failure = Failure(row.image_id, row.failure_stage, row.failure_code, row.failure_reason)
    return StoredImage(
        record=Record.from_json(json.loads(row.record_json)),
        key=row.key,
        content_sha256=row.content_sha256,
        size_wh=size_wh,
        state=ImageState(row.state),
        fingerprint=row.fingerprint,
        failure=failure,
    )


def select_images(
    connection: Connection,
    collection_id: int,
    image_ids: Sequence[str],
    columns: Sequence[ColumnElement[Any]] = (),
) -> dict[str, Row[Any]]:
    """Return `{image_id: row}` of those images that are there; one statement per 500 ids."""
    found: dict[str, Row[Any]] = {}
    asked = [image_id for image_id in dict.fromkeys(image_ids) if _askable(image_id)]
    wanted = columns or list(images.c)
    for part in in_chunks(asked):
        statement = select(*wanted).where(
            images.c.collection_id == collection_id, images.c.image_id.in_(part)
        )
        found |= {row.image_id: row for row in connection.execute(statement)}
    return found


def shown_contents(connection: Connection, contents: Sequence[str]) -> set[str]:
    """Return which of some content hashes, at most 500, images of the library have."""
    chosen = select(images.c.content_sha256).where(images.c.content_sha256.in_(contents))
    return set(connection.execute(chosen).scalars())


def _askable(image_id: str) -> bool:
    try:
        check_image_id(image_id)
    except UsageError:
        return False
    return True


def count_images(connection: Connection, collection_id: int) -> tuple[int, int]:
    """Return how many images there are by the table itself: all, and failed ones."""
    failed = images.c.state == ImageState.FAILED.value
    own = images.c.key.between(first_key(collection_id), last_key(collection_id))
    n_images = connection.execute(select(func.count()).select_from(images).where(own))
    n_failed = connection.execute(select(func.count()).select_from(images).where(own, failed))
    return int(n_images.scalar_one()), int(n_failed.scalar_one())
