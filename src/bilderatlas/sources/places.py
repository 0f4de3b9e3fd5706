"""Tell a path from a URL from a IIIF service, and keep paths where they belong."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from bilderatlas.sources.files import IMAGE_SUFFIXES, has_image_suffix

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:/")


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture lies; at most one of the first three is its best address.

    Attributes:
        path: Below the root of the source, or absolute; forward slashes.
        url: On the web.
        service: Base URL of a IIIF image service.
        outside: The path as written, when it leads out of the source's folder.
    """

    path: str | None = None
    url: str | None = None
    service: str | None = None
    outside: str | None = None


def is_url(text: str) -> bool:
    """Tell whether `text` is an address on the web rather than a path."""
    return bool(_SCHEME.match(text)) or text.startswith("//")


def url_is_picture(text: str) -> bool:
    """Tell whether the path of a URL ends like a picture."""
    return has_image_suffix(text.partition("?")[0].partition("#")[0])


def url_tail(url: str) -> str:
    """Return what identifies a picture within its server: path and query, without extension."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    path = parts.path.strip("/")
    if PurePosixPath(path).suffix.lower() in IMAGE_SUFFIXES and not parts.query:
        path = path[: -len(PurePosixPath(path).suffix)]
    return path + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True)
class Placement:
    """The rule by which the paths in a table are understood.

    Attributes:
        root: Resolved folder that relative paths start from and may not leave.
        absolute: Whether full paths to elsewhere are allowed.
    """

    root: Path
    absolute: bool

    def place(self, text: str, *, iiif: bool) -> Picture:
        """Say where a picture lies that a cell calls `text`; `iiif` if its column says so."""
        if is_url(text):
            url = f"https:{text}" if text.startswith("//") else text
            if url.endswith("/info.json"):
                return Picture(service=url.removesuffix("/info.json"))
            if iiif and not url_is_picture(url):
                return Picture(service=url.rstrip("/"))
            return Picture(url=url)
        return self._local(text.replace("\\", "/").replace("\0", ""))

    def _local(self, text: str) -> Picture:
        path = os.path.normpath(text).replace("\\", "/")
        if path.startswith("/") or _DRIVE.match(path):
            below = _below(path, self.root)
            if below is None:
                return Picture(path=path) if self.absolute else Picture(outside=text)
            path = below
        if path == ".." or path.startswith("../"):
            return Picture(outside=text)
        if has_image_suffix(path):
            return Picture(path=path)
        return Picture(path=self._with_suffix(path))

    def _with_suffix(self, path: str) -> str | None:
        """Return the file that `path` names without its extension, as VIKUS does, if there is."""
        try:
            if PurePosixPath(path).suffix and (self.root / path).is_file():
                return path
            for suffix in (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp"):
                if (self.root / (path + suffix)).is_file():
                    return path + suffix
        except (OSError, ValueError):  # too long for a file name, so it is none
            pass
        return None

    def find_file(self, path: str) -> Path:
        """Return the file that a record's `image_path` stands for."""
        return self.root / path


def _below(path: str, root: Path) -> str | None:
    try:
        return PurePosixPath(path).relative_to(root.as_posix()).as_posix()
    except ValueError:
        return None
