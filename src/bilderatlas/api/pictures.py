"""The pictures themselves: originals from their source, uploads, cut to a region, embedded."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from bilderatlas.api.visitor import check_upload
from bilderatlas.arrays import Embeddings, Pixels
from bilderatlas.errors import BilderatlasError, NotFoundError, QueryError, UnknownNameError
from bilderatlas.exchange.source import FeaturesSource, refuse_other_extractor, refuse_other_words
from bilderatlas.extractors import Card, ImageRows
from bilderatlas.extractors.base import differing_facts
from bilderatlas.images.decoder import DecodedImage, Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.region import crop
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.indexing.spaces import extractor_of
from bilderatlas.search.query import Part, PartKind
from bilderatlas.settings import read_settings
from bilderatlas.sources import Source, open_source
from bilderatlas.sources.base import SourceOptions
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.spaces import SpaceStore

CACHED_PARTS = 256


class Pictures:
    """Reads and embeds single pictures for searches; thread-safe, with a small memory."""

    def __init__(self, store: LibraryStore) -> None:
        """Read pictures for the collections of `store`; children start at the first picture."""
        self._store = store
        self._lock = threading.RLock()
        self._decoder: Decoder | None = None
        self._sources: dict[str, tuple[object, Source]] = {}
        self._rows: OrderedDict[tuple[str, str, str], ImageRows] = OrderedDict()

    def close(self) -> None:
        """Stop the children and close the sources."""
        with self._lock:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None
            for _, source in self._sources.values():
                source.close()
            self._sources.clear()

    def decode(self, data: bytes, *, side_px: int, thumbnails: bool = False) -> DecodedImage:
        """Decode one picture in a child.

        Raises:
            ImageError: when it is refused.
        """
        return self.decoder.decode(data, side_px=side_px, thumbnails=thumbnails)

    @property
    def decoder(self) -> Decoder:
        """The children that decode; started at the first use."""
        with self._lock:
            if self._decoder is None:
                settings = read_settings()
                limits = DecodeLimits(
                    max_file_bytes=settings.max_file_bytes, max_pixels=settings.max_pixels
                )
                self._decoder = Decoder(limits, 1)
            return self._decoder

    def original(self, collection: CollectionStore, image_id: str) -> bytes:
        """Return the encoded picture as its source has it now.

        Raises:
            ImageError: when the source cannot give it.
            NotFoundError: when the collection has no such image.
        """
        record = collection.get_record(image_id).record
        return self._source(collection).read_image(record)

    def rows_of(self, collection: CollectionStore, model_id: str, part: Part) -> ImageRows:
        """Embed one part of a query by `model_id`.

        What another collection knows of its own picture is carried over where it was made alike.

        Raises:
            QueryError: when the part cannot be embedded by that extractor.
            ImageError: when its picture cannot be read.
        """
        space = collection.space(model_id)
        carried = self._stored_rows(collection, space, part)
        if carried is not None:
            return carried
        try:
            extractor = extractor_of(collection, model_id)
        except UnknownNameError as error:
            raise QueryError(
                f"Cannot embed into '{model_id}' of '{collection.name}': its vectors were made "
                "elsewhere with a model that is not here. Search by works of the collection itself."
            ) from error
        refuse_other_extractor(space.card_json, extractor, collection.name)
        if part.kind is PartKind.TEXT:
            refuse_other_words(space.card_json, extractor, collection.name)
            return ImageRows(extractor.embed_texts([part.value]))
        sha256 = self._sha256_of(collection, part)
        card = extractor.card
        key = (_identity_of(card), sha256, str(part.region))
        with self._lock:
            if key in self._rows:
                self._rows.move_to_end(key)
                return self._rows[key]
        pixels = self._pixels(collection, part, card.side_px)
        rows = extractor.extract_batch([pixels])[0]
        with self._lock:
            self._rows[key] = rows
            while len(self._rows) > CACHED_PARTS:
                self._rows.popitem(last=False)
        return rows

    def _stored_rows(
        self, collection: CollectionStore, space: SpaceStore, part: Part
    ) -> ImageRows | None:
        """Return the rows that another collection has of its picture in the same space, if any."""
        if part.kind is not PartKind.IMAGE or part.region is not None:
            return None
        owner, image_id = self._owner(collection, part.value)
        if owner.name == collection.name or space.model_id not in owner.model_ids():
            return None
        foreign = owner.space(space.model_id)
        if differing_facts(foreign.card_json, space.card_json):
            return None
        view, stored = foreign.snapshot(), owner.get_record(image_id)
        ordinal = view.columns.ordinal_of(image_id)
        if ordinal is None or ordinal not in view.covered_ordinals:
            return None  # not yet looked at there: embedded anew
        rows = view.rows_of(image_id)
        return ImageRows(view.vectors_at(rows), view.geometry_at(rows), stored.size_wh)

    def _sha256_of(self, collection: CollectionStore, part: Part) -> str:
        if part.kind is PartKind.UPLOAD:
            check_upload(self._store, part.value)  # before what is remembered of it, too
            return part.value
        owner, image_id = self._owner(collection, part.value)
        stored = owner.get_record(image_id)
        return stored.content_sha256 or f"{owner.name}/{image_id}"

    def _pixels(self, collection: CollectionStore, part: Part, side_px: int) -> Pixels:
        """Decode so large that the region, not the whole, has `side_px`."""
        region = part.region
        share = max(region.w, region.h) if region else 1.0
        side_px = min(round(side_px / share), 4 * side_px)
        if part.kind is PartKind.UPLOAD:
            pixels = self.decode(self._store.uploads.get(part.value), side_px=side_px).pixels
        else:
            pixels, _ = self.pixels(*self._owner(collection, part.value), side_px)
        if region is None:
            return pixels
        return crop(pixels, region.x, region.y, region.w, region.h)

    def pixels(
        self, collection: CollectionStore, image_id: str, side_px: int
    ) -> tuple[Pixels, bool]:
        """Decode the original, or where its source is silent the largest thumbnail; tell which.

        Returns:
            `(h, w, 3)`, the long side at most `side_px`; and whether it is the original.

        Raises:
            QueryError: when there is neither.
        """
        try:
            return self.decode(self.original(collection, image_id), side_px=side_px).pixels, True
        except BilderatlasError as error:
            try:
                return self.thumbnail(collection, image_id, side_px), False
            except NotFoundError:
                raise QueryError(
                    f"Cannot search for '{image_id}': its picture cannot be read ({error}) and "
                    "there is no thumbnail. Index the collection again, or choose another image."
                ) from error

    def thumbnail(
        self,
        collection: CollectionStore,
        image_id: str,
        side_px: int = THUMBNAIL_SIDES_PX[-1],
    ) -> Pixels:
        """Decode the largest thumbnail: `(h, w, 3)`, the long side at most `side_px`.

        Raises:
            NotFoundError: when there is none.
        """
        sha256 = collection.get_record(image_id).content_sha256
        path = self._store.thumbnails.path(sha256, THUMBNAIL_SIDES_PX[-1]) if sha256 else None
        if path is None:
            raise NotFoundError(f"'{image_id}' has no thumbnail: its picture could not be read.")
        return self.decode(path.read_bytes(), side_px=side_px).pixels

    def _owner(self, collection: CollectionStore, value: str) -> tuple[CollectionStore, str]:
        """Resolve `SK-C-5` here or `rijks/SK-C-5` in the library."""
        if collection.find_record(value) is not None or "/" not in value:
            return collection, value
        name, image_id = value.split("/", 1)
        known = {info.name for info in self._store.list_collections()}
        if name in known:
            return self._store.get_collection(name), image_id
        return collection, value

    def _source(self, collection: CollectionStore) -> Source:
        with self._lock:
            options = SourceOptions.from_json(collection.source_options)
            identity = (collection.id, collection.source_address, options)
            known, source = self._sources.get(collection.name, (None, None))
            if source is None or known != identity:
                if source is not None:
                    source.close()  # an old name may stand for a new collection
                if collection.source_kind == FeaturesSource.kind:
                    source = FeaturesSource(collection.source_address)
                else:
                    source = open_source(collection.source_address, options)
                self._sources[collection.name] = (identity, source)
            return source


def _identity_of(card: Card) -> str:
    """Return what makes the rows of a picture others: weights change while a server runs."""
    projected_by = (card.projection or {}).get("sha256", "")  # each collection has its own
    return f"{card.model_id}@{card.version}@{card.weights_sha256}@{projected_by}"


def embeddings_of(rows: ImageRows) -> Embeddings:
    """Return the vectors of one picture as `(m, d)` float32."""
    return np.asarray(rows.vectors, dtype=np.float32)
