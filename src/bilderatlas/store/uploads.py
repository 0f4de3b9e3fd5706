"""Pictures that a visitor brought along to search with: kept by content hash, for a while.

Beside the pictures stand the claims of the browsers that brought them, one small file each: two
browsers that bring one picture share its bytes and know nothing of each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.errors import NotFoundError, UsageError
from bilderatlas.store.disk import explained_disk_errors, replace_file, unlink_quietly
from bilderatlas.store.thumbnails import check_sha256

_SUFFIX = re.compile(r"(\.[a-z0-9]{1,8})?\Z")
_CLAIMS = "owners"
MAX_NAME_CHARS = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """That a browser brought a picture.

    Attributes:
        sha256: Of the picture.
        name: What its file was called there; shown, never opened.
        size_wh: Width and height of the picture, px.
        brought_at_s: Seconds since 1970 when it was brought last.
    """

    sha256: str
    name: str
    size_wh: tuple[int, int]
    brought_at_s: float


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

    def claim(
        self, owner: str, sha256: str, *, name: str = "", size_wh: tuple[int, int] = (0, 0)
    ) -> None:
        """Note that `owner` brought a picture; noting it again renews the time.

        Args:
            owner: The sha256 of a browser's secret; the secret itself is never stored.
            sha256: Of the picture, which `put` returned.
            name: What its file was called.
            size_wh: Its width and height, px.

        Raises:
            UsageError: when one of the hashes is none.
            DiskFullError: when there is no space.
        """
        told = {"name": name[:MAX_NAME_CHARS], "size_wh": list(size_wh)}
        content = json.dumps(told).encode("utf-8")
        with explained_disk_errors(self.folder):
            replace_file(self._claim_path(owner, sha256), content, durable=False)

    def claims(self, owner: str, *, younger_than_s: float) -> list[Claim]:
        """Return what `owner` brought in the last `younger_than_s` seconds, the newest first."""
        limit = time.time() - younger_than_s
        found = []
        for place in self._claim_path(owner, "0" * 64).parent.glob("[0-9a-f]*.json"):
            claim = _read_claim(place)
            if claim is not None and claim.brought_at_s > limit and self.find_path(claim.sha256):
                found.append(claim)
        return sorted(found, key=lambda one: (-one.brought_at_s, one.sha256))

    def is_claimed(self, owner: str, sha256: str, *, younger_than_s: float) -> bool:
        """Tell whether `owner` brought this picture lately enough.

        Raises:
            UsageError: when `sha256` is not the hash that it should be.
        """
        try:
            brought_at_s = self._claim_path(owner, sha256).stat().st_mtime
        except FileNotFoundError:
            return False
        return brought_at_s > time.time() - younger_than_s

    def release(self, owner: str, sha256: str) -> bool:
        """Forget that `owner` brought a picture, and the picture if nobody else did.

        Returns:
            Whether it was theirs.
        """
        place = self._claim_path(owner, sha256)
        if not place.exists():
            return False
        unlink_quietly(place)
        if not any(self.folder.glob(f"{_CLAIMS}/*/{sha256}.json")):
            self.remove(sha256)
        return True

    def sweep(self, older_than_s: float) -> int:
        """Remove uploads that nobody brought again for `older_than_s` seconds; return how many.

        Claims of that age go with them.
        """
        limit = time.time() - older_than_s
        for place in self.folder.glob(f"{_CLAIMS}/*/*.json"):
            _remove_if_older(place, limit)
        pictures = self.folder.glob("[0-9a-f][0-9a-f]/*")
        return sum(_remove_if_older(place, limit) for place in pictures)

    def _claim_path(self, owner: str, sha256: str) -> Path:
        return self.folder / _CLAIMS / check_sha256(owner) / f"{check_sha256(sha256)}.json"


def _read_claim(place: Path) -> Claim | None:
    try:
        told = json.loads(place.read_bytes())
        width, height = (int(side) for side in told["size_wh"])
        return Claim(place.stem, str(told["name"]), (width, height), place.stat().st_mtime)
    except (OSError, ValueError, KeyError, TypeError):  # swept just now, or damaged
        return None


def _remove_if_older(place: Path, limit: float) -> bool:
    try:
        return place.stat().st_mtime <= limit and unlink_quietly(place)
    except FileNotFoundError:
        return False
