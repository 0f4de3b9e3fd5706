"""Making, opening, upgrading and refusing libraries; collections and their names."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect

from bilderatlas.errors import (
    ConflictError,
    ForbiddenError,
    LibraryVersionError,
    NotFoundError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from bilderatlas.store import migrate as migrate_module
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.migrations import FORMAT_VERSION, MIGRATIONS, Migration
from bilderatlas.store.schema import metadata
from tests.store.building import card, commit, filled, thumbnail_names


def test_a_library_is_made_and_opened(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "a") as made:
        assert made.list_collections() == []
    with LibraryStore.open(tmp_path / "a") as opened:
        assert opened.id == made.id
    with pytest.raises(ConflictError, match="one already"):
        LibraryStore.create(tmp_path / "a")
    with pytest.raises(NotFoundError, match=r"no library\.toml"):
        LibraryStore.open(tmp_path)


def test_migrations_leave_what_the_schema_says(library: LibraryStore) -> None:
    found = inspect(library.database)
    for table in metadata.sorted_tables:
        columns = {
            (column["name"], str(column["type"]), column["nullable"])
            for column in found.get_columns(table.name)
        }
        dialect = library.database.dialect
        expected = {
            (column.name, column.type.compile(dialect), bool(column.nullable))
            for column in table.columns
        }
        assert columns == expected, table.name
        indexed = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexed
    assert [step.number for step in MIGRATIONS] == list(range(1, FORMAT_VERSION + 1))


def test_a_newer_library_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "a"
    LibraryStore.create(root).close()
    toml = (root / "library.toml").read_text()
    newer = toml.replace(f"format_version = {FORMAT_VERSION}", "format_version = 99").replace(
        'written_by = "0.1.0"', 'written_by = "7.3"'
    )
    (root / "library.toml").write_text(newer)
    with pytest.raises(LibraryVersionError, match=r"version 7\.3 .* Install a newer Bilderatlas"):
        LibraryStore.open(root)
    (root / "library.toml").write_text(toml)
    with sqlite3.connect(root / "library.sqlite") as connection:
        connection.execute("INSERT INTO migrations VALUES (99, 'later', '2099', '8.0')")
    connection.close()
    with pytest.raises(LibraryVersionError, match=r"version 8\.0"):
        LibraryStore.open(root)


@pytest.mark.parametrize("text", ["", "format_version = 1", "id = [", "format_version = 'x'\nid=1"])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    LibraryStore.create(tmp_path / "a").close()
    (tmp_path / "a" / "library.toml").write_text(text)
    with pytest.raises(StoreError, match=r"library\.toml"):
        LibraryStore.open(tmp_path / "a")


def test_a_migration_is_preceded_by_a_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "a"
    with LibraryStore.create(root) as library:
        filled(library)
    with (root / "library.toml").open("a") as file:
        file.write("\n[serve]\nport = 8123\n")

    def upgrade(connection: object) -> None:
        connection.exec_driver_sql("ALTER TABLE jobs ADD COLUMN colour TEXT")  # type: ignore[attr-defined]

    later = (*MIGRATIONS, Migration(FORMAT_VERSION + 1, "colours", upgrade))
    for module in ("migrate", "manifest"):
        monkeypatch.setattr(f"bilderatlas.store.{module}.FORMAT_VERSION", FORMAT_VERSION + 1)
    monkeypatch.setattr(migrate_module, "MIGRATIONS", later)
    with pytest.raises(StoreError, match="read-only"):
        LibraryStore.open(root, read_only=True)
    with LibraryStore.open(root) as library:
        columns = {column["name"] for column in inspect(library.database).get_columns("jobs")}
        assert "colour" in columns
        assert library.get_collection("works").check() == []
    assert f"format_version = {FORMAT_VERSION + 1}" in (root / "library.toml").read_text()
    assert "port = 8123" in (root / "library.toml").read_text()
    monkeypatch.undo()
    with pytest.raises(LibraryVersionError):
        LibraryStore.open(root)
    (backup,) = (root / "backups").iterdir()
    with LibraryStore.restore(backup, tmp_path / "old") as old:
        assert old.get_collection("works").space("colour.test").n_rows == 12


def test_collections_have_names_and_sources(library: LibraryStore) -> None:
    made = library.create_collection("rijks", source_kind="folder", source_address="/r")
    again = library.create_collection("rijks", source_kind="folder", source_address="/r")
    assert again.id == made.id
    with pytest.raises(ConflictError, match="belongs to '/r'"):
        library.create_collection("rijks", source_kind="folder", source_address="/other")
    with pytest.raises(UnknownNameError, match="Did you mean 'rijks'"):
        library.get_collection("rijk")
    for name in ("", "Rijks", "../x", "a/b", "-a", "ä", "a" * 101, "a\n"):
        with pytest.raises(UsageError):
            library.create_collection(name, source_kind="folder", source_address="/r")


def test_a_removed_collection_leaves_nothing(library: LibraryStore) -> None:
    filled(library, "one")
    kept = filled(library, "two")  # the same pictures: thumbnails are shared
    folder = library.root / "collections" / "one"
    library.remove_collection("one")
    assert not folder.exists()
    assert kept.check() == []
    library.remove_collection("two")
    assert thumbnail_names(library) == []
    assert library.list_collections() == []
    fresh = filled(library, "one")
    assert fresh.check() == []
    assert fresh.version < 10


def test_a_collection_is_removed_where_folders_with_open_files_cannot_move(
    library: LibraryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no folder in which a file is open: be as strict as it is."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("needs /proc to know which files are open")
    rename = Path.rename

    def strict_rename(folder: Path, target: Path) -> Path:
        opened = [Path(os.path.realpath(link)) for link in descriptors.iterdir()]
        if any(path.is_relative_to(folder) for path in opened):
            raise PermissionError(13, "The process cannot access the file", str(folder))
        return rename(folder, target)

    folder = filled(library, "one").folder
    monkeypatch.setattr(Path, "rename", strict_rename)
    with (folder / "open").open("wb"), pytest.raises(PermissionError):
        folder.rename(folder.with_name("elsewhere"))
    library.remove_collection("one")
    assert not folder.exists()


def test_collections_at_a_glance(library: LibraryStore) -> None:
    filled(library)
    (info,) = library.list_collections()
    assert (info.n_images, info.n_failed) == (12, 0)
    assert info.model_ids == ("colour.test", "details.test")
    assert info == library.get_collection("works").info()


def test_read_only_refuses_every_change(library: LibraryStore) -> None:
    shutil.rmtree(filled(library).folder / "columns")
    with LibraryStore.open(library.root, read_only=True) as reader:
        collection = reader.get_collection("works")
        assert collection.columns.n == 12
        assert not (collection.folder / "columns").exists()
        assert len(collection.space("colour.test").snapshot().vectors_of("w3")) == 1
        assert collection.check() == []
        for change in (
            lambda: reader.create_collection("b", source_kind="folder", source_address="/"),
            lambda: reader.remove_collection("works"),
            collection.writer,
            lambda: collection.check(repair=True) or collection.writer(),
        ):
            with pytest.raises(ForbiddenError, match="read-only"):
                change()


def test_one_writer_and_it_is_named(library: LibraryStore) -> None:
    collection = filled(library)
    with collection.writer() as writer:
        with pytest.raises(ConflictError, match=r"process \d+ on '.+' is doing so since"):
            library.get_collection("works").writer()
        with pytest.raises(ConflictError):
            library.remove_collection("works")
        commit(writer, ["late"], ["colour.test"])
    with collection.writer():
        pass


def test_readers_and_a_writer_at_once(library: LibraryStore) -> None:
    """Readers see whole batches only: every view has as many rows as its columns say."""
    collection = library.create_collection("a", source_kind="folder", source_address="/")
    with collection.writer() as writer:
        writer.ensure_space(card())
    stop, wrong = threading.Event(), []

    def read() -> None:
        with LibraryStore.open(library.root) as own:
            space = own.get_collection("a").space("colour.test")
            while not stop.is_set():
                view = space.snapshot()
                ordinals = view.ordinals[view.ordinals >= 0]
                if len(ordinals) != view.columns.n or len(set(ordinals.tolist())) != len(ordinals):
                    wrong.append((view.version, view.n_rows, view.columns.n))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        with collection.writer() as writer:
            for batch in range(40):
                commit(writer, [f"b{batch}-{number}" for number in range(3)], ["colour.test"])
                if batch % 10 == 9:
                    writer.retire([f"b{batch}-0"])
                    writer.purge()
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []
    assert collection.space("colour.test").n_rows == 116
