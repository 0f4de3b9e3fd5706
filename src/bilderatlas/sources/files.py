"""Read pictures from this machine's disk, and from nowhere but the folders that were named."""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from bilderatlas.errors import ImageError
from bilderatlas.settings import read_settings

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp"}
)
"""Extensions of the formats that the images room decodes, in lower case."""

MAX_ID_CHARS = 1000

_DIGITS = re.compile(r"([0-9]+)")


def has_image_suffix(name: str) -> bool:
    """Tell whether a file name or path ends like a picture that can be decoded."""
    stem, dot, extension = name.rpartition(".")
    return bool(dot) and f".{extension.lower()}" in IMAGE_SUFFIXES and stem[-1:] not in ("", "/")


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts `plate 2` before `plate 10`, whatever the case.

    >>> sorted(["b10", "B2", "a"], key=natural_key)
    ['a', 'B2', 'b10']
    """
    parts = _DIGITS.split(unicodedata.normalize("NFC", name).casefold())
    keys = [(0, int(p[:4000]), "") if p.isdecimal() else (1, 0, p) for p in parts if p]
    return (*keys, (2, 0, name))


def find_name_fault(name: str) -> str | None:
    """Say why `name` cannot be an identifier: unprintable, not text, too long; None if it can."""
    kinds = set() if name.isprintable() else {unicodedata.category(letter) for letter in name}
    if "Cs" in kinds:
        return "is not valid text (its bytes are not UTF-8)"
    if "Cc" in kinds:
        return "holds a control character such as a line break"
    if len(name) > MAX_ID_CHARS:
        return f"is longer than {MAX_ID_CHARS} characters"
    if name in ("", ".", ".."):
        return "is empty or stands for a folder"
    return None


def printable(name: str) -> str:
    """Return `name` with everything unprintable escaped, so that it can stand in a message."""
    shown = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown[:200])


def is_inside(path: Path, roots: Iterable[Path]) -> bool:
    """Tell whether `path`, all links followed, lies below one of the resolved `roots`."""
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError):  # a loop of links, or a name that the system refuses
        return False
    return any(resolved.is_relative_to(root) for root in roots)


def token_of(path: Path) -> str | None:
    """Return size and modification time of a file as a token; None when it cannot be asked."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    return f"{facts.st_size}-{facts.st_mtime_ns}"


def read_picture(path: Path, *, roots: Sequence[Path] | None, name: str) -> bytes:
    """Return the bytes of a regular file of at most `Settings.max_file_bytes`.

    Args:
        path: The file.
        roots: Resolved folders that it must lie in, all links followed; None for anywhere.
        name: How messages call it.

    Raises:
        ImageError: `outside`, `missing`, `unreadable` (no permission, not a regular file) or
            `too-large`.
    """
    if roots is not None and not is_inside(path, roots):
        raise ImageError(
            "outside", f"'{name}' leads out of the folder of its source, so it was not opened."
        )
    max_bytes = read_settings().max_file_bytes
    # Never wait for a writer when somebody put a named pipe where a picture should be.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as handle:
            facts = os.fstat(handle.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ImageError("unreadable", f"'{name}' is no regular file, so it was not read.")
            if facts.st_size > max_bytes:
                raise _too_large(name, max_bytes)
            content = handle.read(facts.st_size + 1)
    except (OSError, ValueError) as error:
        raise _as_image_error(error, name) from error
    if len(content) > max_bytes:  # it grew while it was read
        raise _too_large(name, max_bytes)
    return content


def _too_large(name: str, max_bytes: int) -> ImageError:
    return ImageError(
        "too-large",
        f"'{name}' has more than {max_bytes:,} bytes. Save a smaller copy, or raise "
        "BILDERATLAS_MAX_FILE_BYTES.",
    )


def _as_image_error(error: OSError | ValueError, name: str) -> ImageError:
    code = getattr(error, "errno", None)
    if code in (errno.ENOENT, errno.ENOTDIR):
        return ImageError("missing", f"There is no file '{name}' any more.")
    if code == errno.EISDIR:
        return ImageError("unreadable", f"'{name}' is a folder, not a picture.")
    why = os.strerror(code) if code else str(error)
    return ImageError("unreadable", f"'{name}' cannot be read: {why}.")
