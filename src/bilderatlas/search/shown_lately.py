"""Records that answers showed lately: one question after the other shows much the same works."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeAlias

from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import StoredImage

MAX_REMEMBERED = 4000  # records of all collections together; one has some kilobytes

_Key: TypeAlias = tuple[str, str, int, str]  # folder, when it was made, version, image
_LOCK = threading.Lock()
_SHOWN: OrderedDict[_Key, StoredImage] = OrderedDict()


def read_images(
    collection: CollectionStore, version: int, image_ids: Sequence[str]
) -> list[StoredImage]:
    """Return images of a collection in the order of `image_ids`; those shown lately from memory.

    Args:
        collection: Where they are.
        version: Of the answer. What was read while a writer came in between is not remembered.
        image_ids: Which.

    Raises:
        NotFoundError: for the first id that is not there.
    """
    state = (str(collection.folder), str(collection.created_at), version)
    known: dict[str, StoredImage] = {}
    with _LOCK:
        for image_id in image_ids:
            if (image := _SHOWN.get((*state, image_id))) is not None:
                _SHOWN.move_to_end((*state, image_id))
                known[image_id] = image
    unknown = [image_id for image_id in dict.fromkeys(image_ids) if image_id not in known]
    if unknown:
        read = {image.image_id: image for image in collection.get_records(unknown)}
        known |= read
        if collection.version == version:
            _keep({(*state, image_id): image for image_id, image in read.items()})
    return [known[image_id] for image_id in image_ids]


def _keep(images: dict[_Key, StoredImage]) -> None:
    with _LOCK:
        _SHOWN.update(images)
        while len(_SHOWN) > MAX_REMEMBERED:
            _SHOWN.popitem(last=False)
