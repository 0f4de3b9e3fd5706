"""Folders and tar files as the same thing: named files that go in once and come out in order."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from bilderatlas.errors import NotFoundError

_CHUNK_BYTES = 1 << 20


class Archive(ABC):
    """An archive that is being written.

    Attributes:
        path: Where it is written.
        files: `{name: {bytes, sha256}}` of what went in; sha256 is None for linked files.
    """

    def __init__(self, path: Path) -> None:
        """Begin an archive at `path`, where nothing stands."""
        self.path = path
        self.files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, path: Path) -> None:
        """Copy the file `path` into the archive under `name`."""
        with path.open("rb") as file:
            reader = _HashingReader(file)
            self._write(name, reader, os.fstat(file.fileno()).st_size)
        self.files[name] = {"bytes": reader.n_bytes, "sha256": reader.digest.hexdigest()}

    def add_if_there(self, name: str, path: Path) -> None:
        """Copy a file that may be removed at any moment."""
        try:
            self.add(name, path)
        except FileNotFoundError:
            return

    def add_bytes(self, name: str, content: bytes) -> None:
        """Put `content` into the archive under `name`."""
        self._write(name, _HashingReader(io.BytesIO(content)), len(content))
        digest = hashlib.sha256(content).hexdigest()
        self.files[name] = {"bytes": len(content), "sha256": digest}

    def link(self, name: str, path: Path) -> None:
        """Put in a file that never changes, without copying it where that is possible."""
        self.add(name, path)

    @abstractmethod
    def _write(self, name: str, reader: _HashingReader, n_bytes: int) -> None:
        """Write one file of known length."""

    @abstractmethod
    def close(self) -> None:
        """Finish the archive and sync it."""

    def __enter__(self) -> Archive:
        """Return the archive."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the archive, also one that will be thrown away."""
        self.close()


class _HashingReader:
    """Reads a file and hashes what went by."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.n_bytes = 0

    def read(self, n_bytes: int = -1) -> bytes:
        chunk = self._file.read(n_bytes)
        self.digest.update(chunk)
        self.n_bytes += len(chunk)
        return chunk


class FolderArchive(Archive):
    """A folder with the files under their names."""

    def _place(self, name: str) -> Path:
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _write(self, name: str, reader: _HashingReader, n_bytes: int) -> None:
        del n_bytes
        with self._place(name).open("xb") as file:
            shutil.copyfileobj(reader, file, _CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())

    def link(self, name: str, path: Path) -> None:
        """Link the file if the disk can, else copy it."""
        try:
            self._place(name).hardlink_to(path)
        except OSError:
            self.add(name, path)
        else:
            self.files[name] = {"bytes": path.stat().st_size, "sha256": None}

    def close(self) -> None:
        """Nothing is left to do: every file was synced by itself."""


class TarArchive(Archive):
    """A tar file, uncompressed: vectors and pictures hardly compress."""

    def __init__(self, path: Path) -> None:
        """Begin a tar file."""
        super().__init__(path)
        self._file = path.open("xb")
        self._tar = tarfile.TarFile(fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT)

    def _write(self, name: str, reader: _HashingReader, n_bytes: int) -> None:
        member = tarfile.TarInfo(name)
        member.size = n_bytes
        member.mode = 0o644
        self._tar.addfile(member, reader)

    def close(self) -> None:
        """Write the end of the tar file and sync it."""
        try:
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()


def open_archive(source: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield `(name, chunks)` of each plain file in a folder or tar file; read chunks at once.

    Raises:
        NotFoundError: when `source` is neither.
        OSError: when a file cannot be read.
        ValueError: when a tar file is damaged.
    """
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as file:
                    yield path.relative_to(source).as_posix(), _chunks(file)
    elif source.is_file():
        try:
            with tarfile.open(source, mode="r:") as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.isreg() else None
                    if content is not None:
                        yield member.name, _chunks(content)
        except tarfile.TarError as error:
            raise ValueError(f"the tar file is damaged: {error}") from error
    else:
        raise NotFoundError(f"Cannot restore '{source}': there is no such file or folder.")


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
