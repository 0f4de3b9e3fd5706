"""Sweeping: files that no commit names, left by a killed writer or replaced by a merge."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bilderatlas.store.disk import TEMPORARY_PREFIX, unlink_quietly
from bilderatlas.store.locks import FileLock
from bilderatlas.store.projections import PROJECTION_NAME, projection_file
from bilderatlas.store.segments import FILE_NAME
from bilderatlas.store.spaces import SpaceEntry

if TYPE_CHECKING:
    from bilderatlas.store.collection import CollectionStore


def files_lock(root: Path) -> FileLock:
    """Return the lock under which files must not vanish: a backup holds it while it copies."""
    return FileLock(root / "files.lock", f"copy the files of the library in '{root}'")


def iter_orphans(folder: Path, entries: Mapping[str, SpaceEntry]) -> Iterator[Path]:
    """Yield the files and folders below `features/` that no commit names.

    Args:
        folder: The collection's `features` folder.
        entries: The spaces as SQL has them.
    """
    if not folder.is_dir():
        return
    for space_folder in sorted(folder.iterdir()):
        entry = entries.get(space_folder.name)
        if entry is None:
            yield space_folder
            continue
        named = {file.name for part in entry.segments for file in part.files.values()}
        named |= {name for name in [projection_file(entry.card_json)] if name}
        for path in sorted(space_folder.iterdir()):
            is_ours = (
                FILE_NAME.match(path.name)
                or PROJECTION_NAME.match(path.name)
                or path.name.startswith(TEMPORARY_PREFIX)
            )
            if is_ours and path.name not in named:
                yield path


def iter_left_over(folder: Path, entries: Mapping[str, SpaceEntry]) -> Iterator[Path]:
    """Yield those orphans that a killed writer left; replaced segments are in good order.

    A merge or a purge leaves its sources in place for readers that have them mapped; a projection
    that was fitted anew leaves the earlier one.
    """
    for path in iter_orphans(folder, entries):
        entry, match = entries.get(path.parent.name), FILE_NAME.match(path.name)
        if entry is not None and PROJECTION_NAME.match(path.name):
            continue
        if entry is None or match is None or int(match[2]) >= entry.next_segment:
            yield path


def sweep_collection(
    collection: CollectionStore, entries: Mapping[str, SpaceEntry], records_version: int
) -> None:
    """Remove what no commit names; called by the one writer when it opens.

    While a backup copies, everything stays: the next writer sweeps.
    """
    lock = files_lock(collection.root)
    if not lock.try_acquire():
        return
    try:
        for path in iter_orphans(collection.folder / "features", entries):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                unlink_quietly(path)
        collection.sweep_columns(records_version)
    finally:
        lock.release()
