"""Look through the folders of this machine for something to index; nothing is opened or changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bilderatlas.errors import SourceError
from bilderatlas.sources.files import find_name_fault, has_image_suffix, natural_key, printable
from bilderatlas.sources.formats import TABLE_SUFFIXES, table_suffix

MAX_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Folder:
    """What lies in one folder, the folders below it not opened.

    Attributes:
        path: The folder.
        parent: The folder above; None at the top.
        folders: Names of the folders in it, in natural order.
        tables: Names of the tables in it.
        n_pictures: How many pictures lie in it.
        n_hidden: Folders and tables that are left out: hidden ones, names that are no text, and
            what is beyond the first `MAX_SHOWN`.
    """

    path: Path
    parent: Path | None
    folders: tuple[str, ...]
    tables: tuple[str, ...]
    n_pictures: int
    n_hidden: int


def look_into(address: str = "") -> Folder:
    """Return what lies in the folder `address`; the user's own where none is named.

    The operating system alone decides what may be seen: what this process may not read, it does
    not show.

    Raises:
        SourceError: when it is no folder, or may not be read.
    """
    folders: list[str] = []
    tables: list[str] = []
    n_pictures = n_hidden = 0
    try:
        path = (Path(address).expanduser() if address else Path.home()).resolve()
        with os.scandir(path) as entries:
            for entry in entries:
                kind = _kind_of(entry)
                if kind == "picture":
                    n_pictures += 1
                elif entry.name.startswith(".") or find_name_fault(entry.name):
                    n_hidden += bool(kind)
                elif kind == "folder":
                    folders.append(entry.name)
                elif kind == "table":
                    tables.append(entry.name)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"Cannot look into '{printable(address)}': {reason}.") from error
    n_hidden += max(len(folders) - MAX_SHOWN, 0) + max(len(tables) - MAX_SHOWN, 0)
    return Folder(
        path,
        path.parent if path.parent != path else None,
        tuple(sorted(folders, key=natural_key)[:MAX_SHOWN]),
        tuple(sorted(tables, key=natural_key)[:MAX_SHOWN]),
        n_pictures,
        n_hidden,
    )


def _kind_of(entry: os.DirEntry[str]) -> str:
    """Return `folder`, `table`, `picture`, or nothing for all else and what cannot be asked."""
    try:
        if entry.is_dir():
            return "folder"
        if not entry.is_file():
            return ""
    except OSError:
        return ""
    if table_suffix(Path(entry.name)) in TABLE_SUFFIXES:
        return "table"
    return "picture" if has_image_suffix(entry.name) else ""
