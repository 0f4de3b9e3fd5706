"""Small pictures by the content hash of the picture that they were made from."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bilderatlas.errors import UsageError
from bilderatlas.store.disk import explained_disk_errors, replace_file, unlink_quietly

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_FILE = re.compile(r"([0-9a-f]{64})-(\d{1,5})\.webp\Z")


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

    def iter_sides(self) -> Iterator[tuple[str, int]]:
        """Yield `(sha256, side_px)` of every file, shard by shard."""
        for shard in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            for place in sorted(shard.iterdir()):
                if match := _FILE.match(place.name):
                    yield match[1], int(match[2])


def _holds(place: Path, content: bytes) -> bool:
    try:
        if place.stat().st_size != len(content):
            return False
        return zlib.crc32(place.read_bytes()) == zlib.crc32(content)
    except FileNotFoundError:
        return False
