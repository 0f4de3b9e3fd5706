"""Pictures that a visitor brought along to search with: kept by content hash, for a while."""

from __future__ import annotations

import hashlib
import os
import re
import time
from pathlib import Path

from bilderatlas.errors import NotFoundError, UsageError
from bilderatlas.store.disk import explained_disk_errors, replace_file, unlink_quietly
from bilderatlas.store.thumbnails import check_sha256

_SUFFIX = re.compile(r"(\.[a-z0-9]{1,8})?\Z")


class UploadStore:
    """Files `ab/abcd….png`, named by what they hold; a visitor's file name never becomes a path."""

    def __init__(self, folder: Path) -> None:
        """Keep the uploads in `folder`."""
        self.folder = folder

    def put(self, content: bytes, suffix: str = "") -> str:
        """Store `content` and return its sha256; storing it again renews its time.

        Args:
            content: The bytes, already re-encoded by the caller.
            suffix: `.png`, `.webp` or nothing.

        Raises:
            UsageError: for a suffix that is more than a dot and a few letters.
            DiskFullError: when there is no space.
        """
        if not _SUFFIX.match(suffix):
            raise UsageError(f"Cannot store an upload as '{suffix[:40]}': expected a suffix .png.")
        sha256 = hashlib.sha256(content).hexdigest()
        with explained_disk_errors(self.folder):
            place = self.find_path(sha256)
            if place is not None and place.stat().st_size == len(content):
                os.utime(place)
            else:
                replace_file(self.folder / sha256[:2] / f"{sha256}{suffix}", content, durable=False)
        return sha256

    def find_path(self, sha256: str) -> Path | None:
        """Return the file of an upload, if it is still there.

        Raises:
            UsageError: when `sha256` is not the hash that it should be.
        """
        shard = self.folder / check_sha256(sha256)[:2]
        return next((p for p in sorted(shard.glob(f"{sha256}*")) if p.is_file()), None)

    def get(self, sha256: str) -> bytes:
        """Return the bytes of an upload, proved by their hash.

        Raises:
            NotFoundError: when it expired, was never there, or is damaged.
            UsageError: when `sha256` is not the hash that it should be.
        """
        place = self.find_path(sha256)
        try:
            content = place.read_bytes() if place is not None else None
        except FileNotFoundError:  # swept at this very moment
            content = None
        if content is None or hashlib.sha256(content).hexdigest() != sha256:
            raise NotFoundError(
                f"The uploaded picture {sha256[:12]}… is no longer here: uploads are kept for a "
                "limited time. Bring the picture again."
            )
        return content

    def remove(self, sha256: str) -> None:
        """Remove one upload; harmless when it is not there."""
        if (place := self.find_path(sha256)) is not None:
            unlink_quietly(place)

    def sweep(self, older_than_s: float) -> int:
        """Remove uploads that nobody brought again for `older_than_s` seconds; return how many."""
        limit = time.time() - older_than_s
        n_removed = 0
        for place in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            try:
                if place.stat().st_mtime <= limit:
                    n_removed += unlink_quietly(place)
            except FileNotFoundError:
                continue
        return n_removed
