"""Tiles of the pictures of a library: made from the originals when somebody looks closely."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import weakref
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from bilderatlas.errors import ImageError, NotFoundError, UnavailableError
from bilderatlas.images.decoder import Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.tiles import LAYOUT, Pyramid
from bilderatlas.settings import read_settings
from bilderatlas.store.tiles import MAX_BYTES, TileStore

if TYPE_CHECKING:
    from bilderatlas.api.collection import Collection
    from bilderatlas.api.library import Library
    from bilderatlas.store.images import StoredImage

MAX_WAITING = 8  # requests for pictures that are being cut; more are asked to come back


class Tiles:
    """Pyramids by content hash; for any number of threads.

    One picture is cut at a time, in a child of its own that ends with it; whoever wants the same
    picture meanwhile waits for it.
    """

    def __init__(
        self, library: Library, *, max_bytes: int = MAX_BYTES, in_library: bool = True
    ) -> None:
        """Keep the tiles below the folder of `library`.

        Where that is read-only, or must stay as it is (not `in_library`), they lie in a temporary
        folder, which goes with this object.
        """
        self._library = library
        self._removal: weakref.finalize[..., Tiles] | None = None
        folder = library.root / "tiles"
        if library.store.read_only or not in_library:
            folder = Path(tempfile.mkdtemp(prefix="bilderatlas-tiles-"))
            self._removal = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._store = TileStore(folder, LAYOUT, max_bytes=max_bytes)
        self._lock = threading.Lock()
        self._cutting = threading.Lock()
        self._futures: dict[str, Future[None]] = {}
        self._n_waiting = 0
        if folder.is_dir():
            self.sweep()

    def prepare(self, collection: Collection, image_id: str) -> Pyramid:
        """Make sure that the tiles of a picture are there, and return how they are cut.

        Raises:
            NotFoundError: when there is no such picture, or another one by now.
            ImageError: when it cannot be read.
            UnavailableError: when too many wait already.
        """
        stored = collection.record(image_id)
        pyramid, sha256 = _pyramid_of(stored)
        if not self._store.has(sha256):
            self._make(collection, stored, pyramid, sha256)
        return pyramid

    def close(self) -> None:
        """Remove the temporary folder, where there is one."""
        if self._removal is not None:
            self._removal()

    def tile(
        self, collection: Collection, image_id: str, level: int, column: int, row: int
    ) -> bytes:
        """Return one tile as JPEG.

        Raises:
            NotFoundError: when there is no such tile.
            ImageError: when the picture cannot be read.
            UnavailableError: when too many wait already.
        """
        stored = collection.record(image_id)
        pyramid, sha256 = _pyramid_of(stored)
        number = pyramid.number_of(level, column, row)
        if number is None:
            raise NotFoundError(f"There is no tile {level}/{column}/{row} of this picture.")
        found = self._store.find(sha256, number)
        if found is None:
            self._make(collection, stored, pyramid, sha256)
            found = self._store.find(sha256, number)
        if found is None:
            raise UnavailableError("The tiles of this picture gave way to others. Ask again.")
        return found

    def sweep(self) -> int:
        """Remove tiles of pictures that no collection shows, and those above the limit."""
        return self._store.sweep(self._library.store.shown)

    def _make(
        self, collection: Collection, stored: StoredImage, pyramid: Pyramid, sha256: str
    ) -> None:
        """Cut a picture, or wait for the thread that does."""
        with self._lock:
            if self._n_waiting >= MAX_WAITING:
                raise UnavailableError(
                    "Many pictures are being made ready to be looked at closely. Try again in a "
                    "few seconds."
                )
            self._n_waiting += 1
            future = self._futures.get(sha256)
            is_first = future is None
            if future is None:
                future = self._futures[sha256] = Future()
        try:
            if is_first:
                self._fulfil(future, collection, stored, pyramid, sha256)
            future.result()
        finally:
            with self._lock:
                self._n_waiting -= 1

    def _fulfil(
        self,
        future: Future[None],
        collection: Collection,
        stored: StoredImage,
        pyramid: Pyramid,
        sha256: str,
    ) -> None:
        try:
            with self._cutting:
                if not self._store.has(sha256):
                    self._cut(collection, stored, pyramid, sha256)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)
        finally:
            with self._lock:
                del self._futures[sha256]

    def _cut(
        self, collection: Collection, stored: StoredImage, pyramid: Pyramid, sha256: str
    ) -> None:
        data = collection.original(stored.image_id)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise NotFoundError(
                "The picture at its source is another one than when it was indexed. Index the "
                "collection again to look at it closely."
            )
        settings = read_settings()
        limits = DecodeLimits(
            max_file_bytes=settings.max_file_bytes, max_pixels=settings.max_pixels
        )
        with Decoder(limits, 1) as decoder:
            tiles = decoder.make_tiles(data, stored.size_wh or (1, 1))
        if len(tiles) != pyramid.n_tiles:
            raise ImageError("bad-answer", "The picture was cut into other tiles than expected.")
        self._store.put(sha256, tiles)
        self.sweep()


def _pyramid_of(stored: StoredImage) -> tuple[Pyramid, str]:
    if stored.content_sha256 is None or not stored.size_wh:
        raise NotFoundError("There is no picture of this work here.")
    return Pyramid.of(stored.size_wh), stored.content_sha256
