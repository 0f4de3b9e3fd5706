"""Small pictures by the content hash of the picture that they were made from.

Several collections may show one picture, each with a writer of its own. So one lock of the library
is held, for moments, by whoever commits images with their thumbnails and by whoever removes those
that no image shows any longer: an image that is committed has its thumbnails.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bilderatlas.errors import UsageError
from bilderatlas.store.database import in_chunks
from bilderatlas.store.disk import explained_disk_errors, replace_file, unlink_quietly
from bilderatlas.store.locks import FileLock

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_LOCK_WAIT_S = 60.0
_LET_OTHERS_S = 0.06  # longer than a waiting lock sleeps between two attempts


def check_sha256(text: str) -> str:
    """Return `text` if it is a sha256 in lower-case hex; nothing else ever becomes a path.

    Raises:
        UsageError: for anything else.
    """
    if not _SHA256.match(text):
        raise UsageError(
            f"Cannot look up '{text[:80]}': expected the 64 hexadecimal digits of a SHA-256."
        )
    return text


class ThumbnailStore:
    """WebP files `ab/abcd…-256.webp`; one picture in several collections has one set of them."""

    def __init__(self, folder: Path) -> None:
        """Keep the thumbnails in `folder`."""
        self.folder = folder

    def _place(self, sha256: str, side_px: int) -> Path:
        return self.folder / sha256[:2] / f"{check_sha256(sha256)}-{int(side_px)}.webp"

    def path(self, sha256: str, side_px: int) -> Path | None:
        """Return the file of the thumbnail that fits into a square of `side_px`, if it is there.

        Raises:
            UsageError: when `sha256` is not the hash that it should be.
        """
        place = self._place(sha256, side_px)
        return place if place.is_file() else None

    def put(self, sha256: str, thumbnails: Mapping[int, bytes]) -> None:
        """Store `{side in px: WebP bytes}`; each file is whole or absent.

        Raises:
            DiskFullError: when there is no space; what was there before stands.
        """
        with explained_disk_errors(self.folder):
            for side_px, webp in thumbnails.items():
                place = self._place(sha256, side_px)
                if not _holds(place, webp):
                    replace_file(place, webp, durable=False)  # can be made again at any time

    def remove(self, sha256: str) -> None:
        """Remove every size of one picture."""
        shard = self.folder / check_sha256(sha256)[:2]
        for place in shard.glob(f"{sha256}-*.webp"):
            unlink_quietly(place)

    @contextmanager
    def held(self, pictures: Mapping[str, Mapping[int, bytes]]) -> Iterator[None]:
        """Have `{sha256: {side in px: WebP bytes}}` in place while a commit makes them shown.

        Nobody removes thumbnails meanwhile; those that went since they were put are put again.

        Raises:
            ConflictError: when another process does not let go of the lock.
            DiskFullError: when there is no space.
        """
        if not any(pictures.values()):
            yield
            return
        with self._locked():
            for sha256, thumbnails in pictures.items():
                if any(self.path(sha256, side_px) is None for side_px in thumbnails):
                    self.put(sha256, thumbnails)
            yield

    def remove_unused(
        self, candidates: Iterable[str], shown: Callable[[list[str]], set[str]]
    ) -> None:
        """Remove the thumbnails of those pictures that no image of the library shows.

        Args:
            candidates: Their hashes.
            shown: Returns which of some hashes are shown; called under the lock, it must ask the
                database anew.

        Raises:
            ConflictError: when another process does not let go of the lock.
        """
        for place, part in enumerate(in_chunks(sorted(set(candidates)))):
            if place:
                time.sleep(_LET_OTHERS_S)
            with self._locked():
                for sha256 in set(part) - shown(part):
                    self.remove(sha256)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(
            self.folder.with_name("thumbnails.lock"), "commit or remove images with thumbnails"
        )
        lock.acquire(wait_s=_LOCK_WAIT_S)
        try:
            yield
        finally:
            lock.release()


def _holds(place: Path, content: bytes) -> bool:
    try:
        if place.stat().st_size != len(content):
            return False
        return zlib.crc32(place.read_bytes()) == zlib.crc32(content)
    except FileNotFoundError:
        return False
