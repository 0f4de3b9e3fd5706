"""Rows that the library holds already: the same content under the same card, in any collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import select

from bilderatlas.arrays import Ints
from bilderatlas.errors import StoreError
from bilderatlas.extractors.base import Card, ImageRows, differing_facts
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.database import in_chunks
from bilderatlas.store.images import ImageState
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import collections, images, spaces
from bilderatlas.store.segments import Segment, SegmentEntry, broken_files
from bilderatlas.store.spaces import SpaceEntry, select_spaces


class KnownRows:
    """Looks rows up in all collections of a library; one object serves a run of indexing.

    Rows that came from elsewhere, in a feature package, are never taken: what their maker says of
    them is a claim. Nor are rows of a segment whose checksum is wrong.
    """

    def __init__(self, library: LibraryStore) -> None:
        """Look in `library`."""
        self._library = library
        self._is_sound: dict[tuple[Path, int, int], bool] = {}

    def find(self, card: Card, contents: Iterable[str]) -> dict[str, ImageRows]:
        """Return, by content, the rows that some space of the library already has under `card`.

        Args:
            card: Spaces whose card differs in a fact that changes embeddings are passed over.
            contents: sha256 of encoded pictures.

        Returns:
            Rows in the stored precision, float32 or uint8; contents that no space has are left out.
        """
        wanted = set(contents)
        found: dict[str, ImageRows] = {}
        for collection, entry in self._spaces_of(card) if wanted else ():
            keys = _keys_of(collection, sorted(wanted - found.keys()))
            if keys:
                found |= self._rows_by_content(collection, entry, keys)
        return found

    def _spaces_of(self, card: Card) -> list[tuple[CollectionStore, SpaceEntry]]:
        facts = card.to_json()
        chosen = (
            select(collections.c.name)
            .join(spaces, spaces.c.collection_id == collections.c.id)
            .where(spaces.c.model_id == card.model_id)
            .order_by(collections.c.id)
        )
        with self._library.database.connect() as connection:
            names = list(connection.execute(chosen).scalars())
        found = []
        for name in names:
            collection = self._library.get_collection(name)
            with collection.reading() as connection:
                entry = select_spaces(connection, collection.id, card.model_id).get(card.model_id)
            if entry is None or entry.card_json.get("taken_from"):
                continue
            made = {one for one in entry.card_json.get("computed", ()) if one[:4] != "fp32"}
            if not made <= set(card.computed):
                continue  # made in a lower precision than is asked for: near, and not the same
            if entry.segments and not differing_facts(entry.card_json, facts):
                found.append((collection, entry))
        return found

    def _rows_by_content(
        self, collection: CollectionStore, entry: SpaceEntry, keys: Mapping[str, int]
    ) -> dict[str, ImageRows]:
        folder = collection.space_folder(entry.model_id)
        contents = {key: content for content, key in keys.items()}
        asked = np.fromiter(sorted(contents), np.int64, len(contents))
        found: dict[str, ImageRows] = {}
        for part in entry.segments:
            try:
                segment = Segment(folder, part, entry.dim, entry.dtype)
                covered = asked[np.isin(asked, segment.covered_keys)]
                if not len(covered) or not self._sound(folder, part):
                    continue
                rows = _rows_at(segment, covered)
            except (OSError, StoreError):
                continue  # merged or damaged meanwhile: what it held is embedded again
            found |= {contents[key]: one for key, one in rows.items()}
        return found

    def _sound(self, folder: Path, part: SegmentEntry) -> bool:
        """Tell whether a segment's checksums hold; read once for each state of its files."""
        stats = [(folder / file.name).stat() for file in part.files.values()]
        key = (folder, part.number, max((one.st_mtime_ns for one in stats), default=0))
        if key not in self._is_sound:
            self._is_sound[key] = not broken_files(folder, part)
        return self._is_sound[key]


def _keys_of(collection: CollectionStore, contents: Sequence[str]) -> dict[str, int]:
    """Return the key of one indexed image for each content that the collection has."""
    found: dict[str, int] = {}
    with collection.reading() as connection:
        for chunk in in_chunks(list(contents)):
            chosen = select(images.c.content_sha256, images.c.key).where(
                images.c.content_sha256.in_(chunk),
                images.c.collection_id == collection.id,
                images.c.state == ImageState.INDEXED.value,
            )
            found |= {row.content_sha256: row.key for row in connection.execute(chosen)}
    return found


def _rows_at(segment: Segment, keys: Ints) -> dict[int, ImageRows]:
    """Return the rows of the images `keys` of one segment; an image may have none."""
    places = np.flatnonzero(np.isin(segment.image_keys, keys)) if len(keys) else keys
    owners = np.asarray(segment.image_keys)[places]
    return {int(key): _image_rows(segment, places[owners == key]) for key in keys}


def _image_rows(segment: Segment, places: Ints) -> ImageRows:
    vectors = np.asarray(segment.vectors[places])
    if vectors.dtype != np.uint8:
        vectors = vectors.astype(np.float32)
    geometry = None if segment.geometry is None else np.array(segment.geometry[places])
    return ImageRows(vectors, geometry)
