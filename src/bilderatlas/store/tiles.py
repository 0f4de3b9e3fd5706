"""Pyramids of tiles by the content hash of their picture: derived, bounded, made again at will.

One file a pyramid, `ab/abcd…-1.tiles`: a head, the places of all tiles, the tiles. It is written
under another name and renamed, so that it is whole or absent whoever is killed when; two processes
that make the same one write the same bytes. Files that nobody read for longest give way to new
ones, and those of pictures that no image shows any longer go with the next sweep.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from bilderatlas.store.database import in_chunks
from bilderatlas.store.disk import (
    TEMPORARY_PREFIX,
    explained_disk_errors,
    unlink_quietly,
    write_durably,
)
from bilderatlas.store.thumbnails import check_sha256

MAX_BYTES = 2_000_000_000
_MAGIC = b"BATILES1"
_HEAD = struct.Struct("<8sQQ")  # magic, length of the file, number of tiles
_PLACES = struct.Struct("<QQ")
_PLACE = struct.Struct("<Q")
_RENEWED_AFTER_S = 3600.0
_ABANDONED_AFTER_S = 3600.0


class TileStore:
    """Pyramids in one folder; for any number of threads and processes."""

    def __init__(self, folder: Path, layout: int, *, max_bytes: int = MAX_BYTES) -> None:
        """Keep pyramids of one `layout` in `folder`, at most `max_bytes` of them."""
        self.folder = folder
        self.layout = layout
        self.max_bytes = max_bytes

    def _place(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{check_sha256(sha256)}-{int(self.layout)}.tiles"

    def has(self, sha256: str) -> bool:
        """Tell whether there is a pyramid of this picture."""
        return self._place(sha256).is_file()

    def find(self, sha256: str, number: int) -> bytes | None:
        """Return one tile; None where there is no (whole) pyramid, or no such tile in it.

        Raises:
            UsageError: when `sha256` is not the hash that it should be.
        """
        place = self._place(sha256)
        try:
            with place.open("rb") as file:
                head = file.read(_HEAD.size)
                status = os.fstat(file.fileno())
                if not _is_whole(head, status.st_size):
                    tile = None
                else:
                    tile = _read_tile(file, number, _HEAD.unpack(head)[2])
        except FileNotFoundError:
            return None
        if tile is None and not _is_whole(head, status.st_size):
            unlink_quietly(place)  # the power went before its bytes were on the disk
        elif time.time() - status.st_mtime > _RENEWED_AFTER_S:
            _renew(place)
        return tile

    def put(self, sha256: str, tiles: Sequence[bytes | memoryview]) -> None:
        """Keep a pyramid; harmless when it is there already.

        Raises:
            DiskFullError: when there is no space; nothing is left behind.
        """
        place = self._place(sha256)
        with explained_disk_errors(self.folder.parent):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                write_durably(place, _chunks(tiles))
            except (FileExistsError, PermissionError):
                if not place.is_file():  # Windows replaces no file that somebody reads
                    raise

    def sweep(self, shown: Callable[[list[str]], set[str]]) -> int:
        """Remove what nobody can ask for, then what was not read for longest; return how many.

        Args:
            shown: Returns which of some hashes images of the library show.
        """
        kept: list[tuple[float, int, Path]] = []
        n_removed = 0
        for place in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            try:
                status = place.stat()
            except FileNotFoundError:
                continue
            if place.name.startswith(TEMPORARY_PREFIX):
                if time.time() - status.st_mtime > _ABANDONED_AFTER_S:
                    n_removed += unlink_quietly(place)
            elif place.name.endswith(f"-{self.layout}.tiles"):
                kept.append((status.st_mtime, status.st_size, place))
            else:
                n_removed += unlink_quietly(place)  # of another layout
        seen: set[str] = set()
        for part in in_chunks(sorted({place.name[:64] for _, _, place in kept})):
            seen |= shown(list(part))
        n_bytes = 0
        for _, size, place in sorted(kept, reverse=True):
            n_bytes += size
            if place.name[:64] not in seen or n_bytes > self.max_bytes:
                n_removed += unlink_quietly(place)
        return n_removed


def _chunks(tiles: Sequence[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    at = _HEAD.size + _PLACE.size * (len(tiles) + 1)
    places = [at]
    for tile in tiles:
        at += len(tile)
        places.append(at)
    yield _HEAD.pack(_MAGIC, at, len(tiles)) + b"".join(map(_PLACE.pack, places))
    yield from tiles


def _is_whole(head: bytes, n_bytes: int) -> bool:
    if len(head) != _HEAD.size:
        return False
    magic, length, _ = _HEAD.unpack(head)
    return bool(magic == _MAGIC and length == n_bytes)


def _read_tile(file: BinaryIO, number: int, n_tiles: int) -> bytes | None:
    if not 0 <= number < n_tiles:
        return None
    file.seek(_HEAD.size + _PLACE.size * number)
    begin, end = _PLACES.unpack(file.read(_PLACES.size))
    file.seek(begin)
    return file.read(end - begin)


def _renew(place: Path) -> None:
    try:
        os.utime(place)
    except OSError:
        return  # swept at this very moment, or on a disk that cannot be written
