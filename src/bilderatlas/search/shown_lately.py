"""Records that answers showed lately: one question after the other shows much the same works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.columns import Columns
from bilderatlas.store.images import StoredImage

MAX_REMEMBERED = 20_000  # records of each collection


@dataclass(slots=True)
class _Shown:
    """What was read while a collection was at one version; never more than one is kept."""

    version: int
    images: dict[str, StoredImage] = field(default_factory=dict)


_SHOWN: WeakKeyDictionary[Columns, _Shown] = WeakKeyDictionary()


def read_images(
    collection: CollectionStore, columns: Columns, version: int, image_ids: Sequence[str]
) -> list[StoredImage]:
    """Return images of a collection in the order of `image_ids`; those shown lately from memory.

    Args:
        collection: Where they are.
        columns: Of the answer: what is remembered lives as long as they do.
        version: Of the answer: what an older one showed is forgotten.
        image_ids: Which.

    Raises:
        NotFoundError: for the first id that is not there.
    """
    shown = _SHOWN.get(columns)
    if shown is None or shown.version != version:
        shown = _SHOWN[columns] = _Shown(version)
    known = {one: image for one in image_ids if (image := shown.images.get(one)) is not None}
    unknown = [one for one in dict.fromkeys(image_ids) if one not in known]
    if unknown:
        read = {image.image_id: image for image in collection.get_records(unknown)}
        known |= read
        if len(shown.images) + len(read) > MAX_REMEMBERED:
            shown.images = {}
        shown.images |= read
    return [known[one] for one in image_ids]
