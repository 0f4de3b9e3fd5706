"""How bytes reach the disk so that a killed process or a full disk leaves nothing half done."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, IntegrityError

from bilderatlas.errors import DiskFullError, StoreError

TEMPORARY_PREFIX = "tmp-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NEARLY_NOTHING_BYTES = 256 * 1024


@contextmanager
def explained_disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full disk below `folder`, met by us or by the database, into a `DiskFullError`.

    Raises:
        DiskFullError: when there was no space.
        StoreError: when the database could not read or write for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _disk_full(folder) from error
        raise
    except IntegrityError:
        raise  # the caller asked for something that cannot be, the disk is not to blame
    except sqlite3.Error as error:
        if _is_full(error, folder):
            raise _disk_full(folder) from error
        raise
    except DBAPIError as error:
        if _is_full(error, folder):
            raise _disk_full(folder) from error
        raise StoreError(
            f"Cannot use the records of the library in '{folder}': the database answered "
            f"'{error.orig}'. Run `bilderatlas collections check`; if it was busy, try again."
        ) from error


def _is_full(error: DBAPIError | sqlite3.Error, folder: Path) -> bool:
    message = str(getattr(error, "orig", error)).lower()
    if "disk is full" in message or "no space left" in message:
        return True
    if "disk i/o error" not in message:
        return False
    try:  # SQLite calls a write that met a full disk or a file limit an I/O error at times
        return shutil.disk_usage(folder).free < _NEARLY_NOTHING_BYTES or _has_file_limit()
    except OSError:
        return False


def _has_file_limit() -> bool:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return False
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY


def _disk_full(folder: Path) -> DiskFullError:
    return DiskFullError(
        f"Cannot write to '{folder}': the disk is full. What was confirmed before stands, nothing "
        "was half done. Free some space and run the same again."
    )


def write_durably(path: Path, chunks: Iterable[bytes | memoryview]) -> tuple[int, int]:
    """Write a new file that is whole or absent: temporary name, fsync, rename.

    The folder itself is not synced: call `sync_folder` once after the last file.

    Returns:
        Length in bytes, and CRC-32.

    Raises:
        FileExistsError: when `path` exists; files of the store are never overwritten this way.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "a file of the store is never overwritten", str(path))
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}-{path.name}")
    n_bytes = crc32 = 0
    try:
        with temporary.open("xb") as file:
            for chunk in chunks:
                file.write(chunk)
                crc32 = zlib.crc32(chunk, crc32)
                n_bytes += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105  one name for the rename, here and in tests
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return n_bytes, crc32


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put `content` at `path` in one step, replacing what stands there (small, unmapped files)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}-{path.name}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut (Windows does so by itself)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checksum(path: Path, *, chunk_bytes: int = 1 << 20) -> tuple[int, int]:
    """Read a file once: its length in bytes and its CRC-32."""
    n_bytes = crc32 = 0
    with path.open("rb") as file:
        while chunk := file.read(chunk_bytes):
            n_bytes += len(chunk)
            crc32 = zlib.crc32(chunk, crc32)
    return n_bytes, crc32


def unlink_quietly(path: Path) -> bool:
    """Remove a file if possible; a file that somebody maps on Windows stays for the next sweep."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        return False
    return True
