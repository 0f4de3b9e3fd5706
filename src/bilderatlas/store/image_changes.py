"""What a batch of images does to the records: which are new, which changed, which key they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from bilderatlas.errors import UsageError
from bilderatlas.records import Record
from bilderatlas.store.images import (
    ImageState,
    NewImage,
    check_image_id,
    failure_of,
    first_key,
    row_of,
)


@dataclass(slots=True)
class ImageChanges:
    """The changes of one commit, ready for SQL.

    Attributes:
        next_key: Number of the next new key, without the collection's bits.
        added: Rows to insert.
        updated: Rows to update; each has its `key`.
        removed_keys: Keys whose rows and words go.
        reworded_keys: Keys that stay and whose words are replaced.
        texts: `(key, record)` whose words are indexed.
        keys: The key of every image of the batch.
        unused_sha256: Contents that the batch stopped showing.
        n_images: Change of the number of images.
        n_failed: Change of the number of failed ones.
    """

    next_key: int
    added: list[dict[str, Any]] = field(default_factory=list)
    updated: list[dict[str, Any]] = field(default_factory=list)
    removed_keys: list[int] = field(default_factory=list)
    reworded_keys: list[int] = field(default_factory=list)
    texts: list[tuple[int, Record]] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    unused_sha256: list[str] = field(default_factory=list)
    n_images: int = 0
    n_failed: int = 0

    def counters(self) -> dict[str, int]:
        """Return what the collection's own row has to take over."""
        if not (self.added or self.updated or self.removed_keys):
            return {}
        return {
            "n_images": self.n_images,
            "n_failed": self.n_failed,
            "next_key": self.next_key,
            "records_version": 0,  # the writer puts the new version here
        }


def plan_changes(
    new_images: Sequence[NewImage],
    known: Mapping[str, Row[Any]],
    collection_id: int,
    version: int,
    next_key: int,
) -> ImageChanges:
    """Return what a batch changes, given the SQL rows of the images that are there.

    Raises:
        UsageError: for an id that occurs twice in the batch or cannot be stored.
    """
    changes = ImageChanges(next_key=next_key)
    for new in new_images:
        image_id = new.record.image_id
        check_image_id(image_id)
        if image_id in changes.keys:
            raise UsageError(
                f"Cannot store a batch in which image '{image_id}' occurs twice: an id names one "
                "image. Give each row of the source its own id."
            )
        _plan_one(changes, new, known.get(image_id), collection_id, version)
    return changes


def _plan_one(
    changes: ImageChanges,
    new: NewImage,
    old: Row[Any] | None,
    collection_id: int,
    version: int,
) -> None:
    if old is None:
        changes.n_images += 1
        changes.n_failed += new.state is ImageState.FAILED
        _add(changes, new, collection_id, version)
        return
    was_failed = old.state == ImageState.FAILED.value
    if _says_nothing_of_the_picture(new, old):
        row = row_of(new, old.key, collection_id, version) | failure_of(new.failure)
        kept = ("state", "content_sha256", "fingerprint", "width_px", "height_px")
        _update(changes, row | {name: getattr(old, name) for name in kept}, new)
        return
    changes.n_failed += (new.state is ImageState.FAILED) - was_failed
    if old.content_sha256 is not None and old.content_sha256 != new.content_sha256:
        changes.removed_keys.append(old.key)
        changes.unused_sha256.append(old.content_sha256)
        _add(changes, new, collection_id, version)
        return
    row = row_of(new, old.key, collection_id, version)
    if new.size_wh is None:
        row |= {"width_px": old.width_px, "height_px": old.height_px}
    _update(changes, row, new)


def _says_nothing_of_the_picture(new: NewImage, old: Row[Any]) -> bool:
    """Tell whether the picture could not be reached, or is the very one that we have rows of."""
    return (
        new.content_sha256 in (None, old.content_sha256)
        and old.state == ImageState.INDEXED.value
        and new.state is not ImageState.INDEXED
    )


def _add(changes: ImageChanges, new: NewImage, collection_id: int, version: int) -> None:
    key = first_key(collection_id) + changes.next_key
    changes.next_key += 1
    changes.added.append(row_of(new, key, collection_id, version))
    changes.texts.append((key, new.record))
    changes.keys[new.record.image_id] = key


def _update(changes: ImageChanges, row: dict[str, Any], new: NewImage) -> None:
    changes.updated.append(row)
    changes.reworded_keys.append(row["key"])
    changes.texts.append((row["key"], new.record))
    changes.keys[new.record.image_id] = row["key"]
