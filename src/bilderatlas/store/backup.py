"""Backups: a consistent copy of a library while others read and write, and the way back.

A backup is a folder or a tar file with the library's own layout and `backup.json`, which lists
every file with its length and sha256. Derived files (columns, engines) are left out. The records
are copied first, by the database's own means, as of one moment; the segments that they name
cannot change, and a lock keeps every sweep away until they are copied.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import Engine, select

from bilderatlas import __version__
from bilderatlas.errors import ConflictError, NotFoundError, StoreError
from bilderatlas.store.archives import Archive, FolderArchive, TarArchive, open_archive
from bilderatlas.store.database import DATABASE_FILE, open_database, utc_now
from bilderatlas.store.disk import explained_disk_errors, replace_file, sync_folder
from bilderatlas.store.projections import PROJECTION_NAME, projection_file
from bilderatlas.store.records_copy import copy_records
from bilderatlas.store.schema import collections
from bilderatlas.store.segments import FILE_NAME
from bilderatlas.store.space_writer import manifest_bytes
from bilderatlas.store.spaces import SpaceEntry, select_spaces
from bilderatlas.store.sweep import files_lock

BACKUP_FILE = "backup.json"
_MANIFEST_FILE = "library.toml"
_TOP_NAMES = {_MANIFEST_FILE, DATABASE_FILE, "collections", "thumbnails", "uploads"}
_LOCK_WAIT_S = 60.0


def write_backup(root: Path, database: Engine, dest: Path, *, link_files: bool = False) -> Path:
    """Copy the library in `root` to `dest`, a new folder or a new `.tar` file.

    Args:
        root: The library's folder.
        database: Its records.
        dest: Where the backup will stand; it appears there whole or not at all.
        link_files: Link the segments instead of copying them and leave the thumbnails: quick, on
            the same disk, for the backup before a migration. Needs no knowledge of the tables.

    Raises:
        ConflictError: when `dest` is there already, or another backup takes too long.
        DiskFullError: when there is no space; nothing is left at `dest`.
    """
    if dest.exists():
        raise ConflictError(
            f"Cannot write a backup to '{dest}': it is there already. Choose a new name."
        )
    with explained_disk_errors(_existing(dest)):
        dest.parent.mkdir(parents=True, exist_ok=True)
        partial = dest.with_name(f".{dest.name}-{uuid.uuid4().hex[:8]}")
        try:
            lock = files_lock(root)
            lock.acquire(wait_s=_LOCK_WAIT_S)
            try:
                with _new_archive(partial, dest) as archive:
                    _fill(archive, root, database, link_files=link_files)
            finally:
                lock.release()
            partial.rename(dest)
            sync_folder(dest.parent)
        except BaseException:
            _remove(partial)
            raise
    return dest


def _existing(path: Path) -> Path:
    return next(parent for parent in path.parents if parent.exists())


def _new_archive(partial: Path, dest: Path) -> Archive:
    return TarArchive(partial) if dest.suffix == ".tar" else FolderArchive(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _fill(archive: Archive, root: Path, database: Engine, *, link_files: bool) -> None:
    with tempfile.TemporaryDirectory(dir=archive.path.parent, prefix=".backup-") as staging:
        copied = Path(staging) / DATABASE_FILE
        copy_records(database, copied)
        archive.add(DATABASE_FILE, copied)
        if link_files:
            for path in _segment_files(root):
                archive.link(path.relative_to(root).as_posix(), path)
        else:
            entries = _spaces_in(Path(staging))
            for name, content in _features_of(entries):
                archive.add_bytes(name, content)
            for name in _named_files(entries):
                archive.add(name, root / name)
    archive.add_bytes(_MANIFEST_FILE, _manifest_text(root))
    if not link_files:
        for folder in ("thumbnails", "uploads"):
            for path in sorted((root / folder).glob("[0-9a-f][0-9a-f]/[0-9a-f]*")):
                archive.add_if_there(path.relative_to(root).as_posix(), path)
    said = {
        "format": "bilderatlas-backup",
        "format_version": 1,
        "created_at": utc_now(),
        "written_by": __version__,
        "files": archive.files,
    }
    archive.add_bytes(BACKUP_FILE, json.dumps(said, indent=1).encode())


def _manifest_text(root: Path) -> bytes:
    """Return `library.toml` without the address of a database server: the copy brings its own."""
    kept, in_database = [], False
    for line in (root / _MANIFEST_FILE).read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("["):
            in_database = line.strip() == "[database]"
        if not in_database:
            kept.append(line)
    return ("\n".join(kept) + "\n").encode()


def _segment_files(root: Path) -> Iterator[Path]:
    for path in sorted(root.glob("collections/*/features/*/*")):
        is_kept = FILE_NAME.match(path.name) or PROJECTION_NAME.match(path.name)
        if is_kept or path.name == "features.json":
            yield path


def _spaces_in(folder: Path) -> dict[str, dict[str, SpaceEntry]]:
    """Return `{collection: {model_id: space}}` as the copied records have them."""
    engine = open_database(folder, None)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(collections.c.id, collections.c.name)).all()
            return {row.name: select_spaces(connection, row.id) for row in rows}
    finally:
        engine.dispose()


def _features_of(entries: Mapping[str, Mapping[str, SpaceEntry]]) -> Iterator[tuple[str, bytes]]:
    for collection, spaces in entries.items():
        for model_id, entry in spaces.items():
            name = f"collections/{collection}/features/{model_id}/features.json"
            yield name, manifest_bytes(entry, collection)


def _named_files(entries: Mapping[str, Mapping[str, SpaceEntry]]) -> Iterator[str]:
    for collection, spaces in entries.items():
        for model_id, entry in spaces.items():
            names = [file.name for part in entry.segments for file in part.files.values()]
            projection = projection_file(entry.card_json)
            for name in [*names, *([projection] if projection else [])]:
                yield f"collections/{collection}/features/{model_id}/{name}"


def restore_backup(source: Path, dest: Path) -> None:
    """Make a library in the new or empty folder `dest` from a backup.

    Raises:
        NotFoundError: when `source` is no backup.
        ConflictError: when `dest` is not empty.
        StoreError: when a file is missing, damaged or does not belong; nothing is left at `dest`.
    """
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise ConflictError(
            f"Cannot restore to '{dest}': it is not empty. Choose a new or an empty folder."
        )
    said = _read_backup_file(source)
    with explained_disk_errors(_existing(dest)):
        dest.parent.mkdir(parents=True, exist_ok=True)
        partial = dest.with_name(f".{dest.name}-{uuid.uuid4().hex[:8]}")
        try:
            _unpack(source, partial, said["files"])
            for folder in ("collections", "thumbnails", "uploads"):
                (partial / folder).mkdir(exist_ok=True)
            if dest.exists():
                dest.rmdir()
            partial.rename(dest)
            sync_folder(dest.parent)
        except BaseException:
            _remove(partial)
            raise


def _read_backup_file(source: Path) -> dict[str, Any]:
    try:
        for name, chunks in open_archive(source):
            if name == BACKUP_FILE:
                said: dict[str, Any] = json.loads(b"".join(chunks))
                if said["format"] == "bilderatlas-backup" and isinstance(said["files"], dict):
                    return said
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFoundError(f"Cannot restore '{source}': it is no backup ({error}).") from error
    raise NotFoundError(
        f"Cannot restore '{source}': expected a backup of a library, with a {BACKUP_FILE} in it."
    )


def _unpack(source: Path, target: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    wanted = dict(files)
    for name, chunks in open_archive(source):
        if name == BACKUP_FILE or name not in wanted:
            continue
        said = wanted.pop(name)
        _refuse_strange_name(source, name)
        digest, parts = hashlib.sha256(), []
        n_bytes = 0
        for chunk in chunks:
            digest.update(chunk)
            n_bytes += len(chunk)
            parts.append(chunk)
        proved = said["sha256"] in (None, digest.hexdigest()) and said["bytes"] == n_bytes
        if not proved:
            raise StoreError(
                f"Cannot restore '{source}': '{name}' in it is damaged. Use another backup."
            )
        replace_file(target / name, b"".join(parts), durable=False)
    if wanted:
        raise StoreError(
            f"Cannot restore '{source}': {len(wanted)} of its files are missing, '{min(wanted)}' "
            "among them. Use another backup."
        )


def _refuse_strange_name(source: Path, name: str) -> None:
    parts = PurePosixPath(name).parts
    if (
        not parts
        or parts[0] not in _TOP_NAMES
        or ".." in parts
        or "\\" in name
        or ":" in name
        or "\0" in name
    ):
        raise StoreError(f"Cannot restore '{source}': it names a file '{name}' outside a library.")
