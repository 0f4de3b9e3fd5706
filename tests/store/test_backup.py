"""A restored backup equals the original; damaged and foreign ones are refused."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import tarfile
import threading
from pathlib import Path

import pytest

from bilderatlas.errors import ConflictError, NotFoundError, StoreError
from bilderatlas.store.library import LibraryStore
from tests.store.building import card, commit, filled


def files_of(root: Path) -> dict[str, str]:
    """Return the sha256 of every file that is neither derived nor the database."""
    derived = {"columns", "engine"}
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not derived & set(path.parts)
        and path.suffix not in {".lock", ".sqlite", ".sqlite-wal", ".sqlite-shm"}
    }


def rows_in(root: Path) -> list[str]:
    """Return the database as SQL."""
    connection = sqlite3.connect(root / "library.sqlite")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["copy.tar", "copy"])
def test_a_restored_library_equals_the_original(
    library: LibraryStore, tmp_path: Path, name: str
) -> None:
    works = filled(library)
    upload = library.uploads.put(b"picture", ".png")
    works.columns  # noqa: B018  derived: not copied
    library.backup(tmp_path / name)
    with LibraryStore.restore(tmp_path / name, tmp_path / "restored") as restored:
        assert restored.id == library.id
        assert restored.uploads.get(upload) == b"picture"
        assert restored.get_collection("works").check() == []
    assert rows_in(tmp_path / "restored") == rows_in(library.root)
    assert files_of(tmp_path / "restored") == files_of(library.root)


def test_nothing_is_overwritten(library: LibraryStore, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    with pytest.raises(ConflictError, match="there already"):
        library.backup(taken)
    library.backup(tmp_path / "b.tar")
    (taken / "mine.txt").write_text("mine")
    with pytest.raises(ConflictError, match="not empty"):
        LibraryStore.restore(tmp_path / "b.tar", taken)
    assert [path.name for path in taken.iterdir()] == ["mine.txt"]
    with pytest.raises(NotFoundError):
        LibraryStore.restore(taken, tmp_path / "new")
    with pytest.raises(NotFoundError):
        LibraryStore.restore(taken / "mine.txt", tmp_path / "new")
    with pytest.raises(NotFoundError):
        LibraryStore.restore(tmp_path / "nothing", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_every_flipped_bit_in_a_backup_is_found(library: LibraryStore, tmp_path: Path) -> None:
    filled(library, n=3)
    folder = library.backup(tmp_path / "copy")
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name == "backup.json":
            continue
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 4]))
        with pytest.raises(StoreError, match="damaged"):
            LibraryStore.restore(folder, tmp_path / "new")
        assert not (tmp_path / "new").exists()
        path.unlink()
        with pytest.raises(StoreError, match="missing"):
            LibraryStore.restore(folder, tmp_path / "new")
        path.write_bytes(content)
    LibraryStore.restore(folder, tmp_path / "new").close()


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "collections/../../evil", "other/evil", "c:x"]
)
def test_names_that_leave_the_library_are_refused(tmp_path: Path, name: str) -> None:
    said = {
        "format": "bilderatlas-backup",
        "files": {name: {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}},
    }
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        for member_name, content in ((name, b"x"), ("backup.json", json.dumps(said).encode())):
            member = tarfile.TarInfo(member_name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    with pytest.raises(StoreError, match="outside a library"):
        LibraryStore.restore(tmp_path / "evil.tar", tmp_path / "deep" / "new")
    assert not list(tmp_path.rglob("evil"))


def test_backups_while_others_write(library: LibraryStore, tmp_path: Path) -> None:
    """Each backup is one version, whole, though segments are merged and swept meanwhile."""
    collection = library.create_collection("a", source_kind="folder", source_address="/")
    with collection.writer() as writer:
        writer.ensure_space(card())
    stop = threading.Event()

    def write() -> None:
        with LibraryStore.open(library.root) as own:
            number = 0
            while not stop.is_set() and number < 400:
                with own.get_collection("a").writer() as writer:
                    for _ in range(6):
                        commit(writer, [f"n{number}"], ["colour.test"])
                        number += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for number in range(4):
            library.backup(tmp_path / f"{number}.tar")
    finally:
        stop.set()
        writing.join()
    for number in range(4):
        with LibraryStore.restore(tmp_path / f"{number}.tar", tmp_path / f"r{number}") as restored:
            copied = restored.get_collection("a")
            assert copied.check() == []
            assert copied.space("colour.test").n_rows == copied.n_images
    assert collection.check() == []
