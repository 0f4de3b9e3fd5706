"""Walk through a folder and sort what lies there: pictures, other files, links that lead out."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bilderatlas.settings import LIBRARY_FILE
from bilderatlas.sources.files import has_image_suffix, is_inside, natural_key

JUNK_FOLDERS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information"})
JUNK_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})


@dataclass(slots=True)
class Inventory:
    """What lies in a folder and all folders below it.

    Attributes:
        pictures: Relative paths with forward slashes, in natural order.
        others: Number of files that are no pictures, by lower-case extension.
        n_junk: Hidden files, thumbnails and folders of the operating system that were skipped.
        leads_out: Links that lead out of the folder.
        n_links_within: Links to folders within, whose pictures are found at their real place.
        unreadable: Folders (and entries that may be some) that cannot be read, with the reason.
    """

    pictures: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    n_junk: int = 0
    leads_out: list[str] = field(default_factory=list)
    n_links_within: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def is_junk(name: str) -> bool:
    """Tell whether a file or folder is hidden or litter of the operating system."""
    lowered = name.lower()
    return name.startswith(".") or lowered in JUNK_FILES or lowered in JUNK_FOLDERS


def take_inventory(root: Path) -> Inventory:
    """Walk through `root` (resolved) without leaving it.

    Links to files within are pictures like others; links to folders are never followed, so a
    loop of links cannot hold the walk.
    """
    found = Inventory()
    waiting: list[str] = [""]  # a stack, not recursion: folders may nest deeper than Python calls
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(root / below) as entries:
                listed = sorted(entries, key=lambda entry: natural_key(entry.name))
        except OSError as error:
            found.unreadable.append((below or ".", error.strerror or str(error)))
            continue
        if below and any(entry.name == LIBRARY_FILE for entry in listed):
            found.n_junk += 1  # a library keeps thumbnails; they are no works
            continue
        folders = [
            str(PurePosixPath(below, entry.name))
            for entry in listed
            if note_entry(entry, below, root, found)
        ]
        waiting.extend(reversed(folders))
    return found


def note_entry(entry: os.DirEntry[str], below: str, root: Path, found: Inventory) -> bool:
    """Enter one entry into the inventory; tell whether it is a folder to walk into."""
    path = str(PurePosixPath(below, entry.name))
    if is_junk(entry.name):
        found.n_junk += 1
        return False
    if entry.is_symlink() and not is_inside(root / path, [root]):
        found.leads_out.append(path)
        return False
    try:
        is_folder = entry.is_dir()
    except OSError as error:  # nobody knows whether pictures lie behind it
        found.unreadable.append((path, error.strerror or str(error)))
        return False
    if is_folder:
        found.n_links_within += entry.is_symlink()
        return not entry.is_symlink()
    if has_image_suffix(entry.name):
        found.pictures.append(path)
    else:
        found.others[PurePosixPath(entry.name).suffix.lower() or "(no extension)"] += 1
    return False
