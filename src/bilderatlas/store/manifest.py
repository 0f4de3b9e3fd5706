"""`library.toml`: what marks a folder as a library, and which version may open it."""

from __future__ import annotations

import json
import tomllib
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bilderatlas import __version__
from bilderatlas.errors import LibraryVersionError, NotFoundError, StoreError
from bilderatlas.store.database import utc_now
from bilderatlas.store.disk import replace_file
from bilderatlas.store.migrations import FORMAT_VERSION

MANIFEST_FILE = "library.toml"
_OWN_KEYS = ("format_version", "id", "created_at", "written_by")


@dataclass(frozen=True, slots=True)
class LibraryManifest:
    """The facts of a library that must be known before its database is opened.

    Attributes:
        format_version: Number of the newest migration that was applied.
        id: Random; a backup keeps it.
        created_at: ISO 8601, UTC.
        written_by: Version of the program that applied the newest migration.
        database_url: Where the records are, if not in the folder.
        text: The file as it was read: settings of other rooms stand there too and are kept.
    """

    format_version: int
    id: str
    created_at: str
    written_by: str
    database_url: str | None = None
    text: str = ""

    @classmethod
    def new(cls, database_url: str | None) -> LibraryManifest:
        """Return the manifest of a library that is being made."""
        return cls(FORMAT_VERSION, uuid.uuid4().hex, utc_now(), __version__, database_url)

    @staticmethod
    def path_in(root: Path) -> Path:
        """Return where the manifest of a library lies."""
        return root / MANIFEST_FILE

    @classmethod
    def read(cls, root: Path) -> LibraryManifest:
        """Read the manifest of a library.

        Raises:
            NotFoundError: when there is none.
            LibraryVersionError: when a newer version wrote it.
            StoreError: when it cannot be read.
        """
        path = cls.path_in(root)
        try:
            text = path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(
                f"There is no library in '{root}': it has no {MANIFEST_FILE}. Name another folder "
                "with --library, or make one by indexing something."
            ) from error
        try:
            said: dict[str, Any] = tomllib.loads(text)
            manifest = cls(
                int(said["format_version"]),
                str(said["id"]),
                str(said.get("created_at", "")),
                str(said.get("written_by", "")),
                said.get("database", {}).get("url"),
                text,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(
                f"Cannot read '{path}': {error}. Expected format_version and id, as every library "
                "has them; take them from a backup."
            ) from error
        refuse_newer(root, manifest.format_version, manifest.written_by)
        return manifest

    def write(self, root: Path) -> None:
        """Write the manifest, keeping what other rooms wrote there."""
        replace_file(self.path_in(root), self.to_toml().encode())

    def to_toml(self) -> str:
        """Return the file's text."""
        values = {name: getattr(self, name) for name in _OWN_KEYS}
        own = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
        if not self.text:
            database = ["", "[database]", f"url = {json.dumps(self.database_url)}"]
            return "\n".join([*own, *(database if self.database_url else []), ""])
        kept = [line for line in self.text.splitlines() if not _is_own(line)]
        return "\n".join([*own, *kept, ""])

    def upgraded(self) -> LibraryManifest:
        """Return the manifest after all migrations."""
        return replace(self, format_version=FORMAT_VERSION, written_by=__version__)


def _is_own(line: str) -> bool:
    name, equals, _ = line.partition("=")
    return bool(equals) and name.strip() in _OWN_KEYS


def refuse_newer(root: Path, format_version: int, written_by: str) -> None:
    """Refuse a library whose format is newer than we know.

    Raises:
        LibraryVersionError: if it is; nothing was touched.
    """
    if format_version > FORMAT_VERSION:
        raise LibraryVersionError(
            f"Cannot open the library in '{root}': it was written by version "
            f"{written_by or 'unknown'} of Bilderatlas (format {format_version}), and this is "
            f"version {__version__} (format {FORMAT_VERSION}). Install a newer Bilderatlas."
        )
