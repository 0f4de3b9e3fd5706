"""The same code over PostgreSQL: records, words, columns, backups."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import inspect, text

from bilderatlas.errors import ConflictError, NotFoundError
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.panels import NewItem, PanelStore
from bilderatlas.store.schema import metadata
from bilderatlas.store.seen import SeenStore
from bilderatlas.store.writer import NewImage
from tests.store.building import card, commit, filled, sha256_of, vector_of
from tests.store.test_fulltext import RECORDS

MODEL = "colour.test"


def program(name: str) -> str:
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if found is None and not places:
        pytest.skip(f"needs PostgreSQL's program {name}")
    return found or str(places[-1])


def as_postgres(*command: str) -> None:
    """Run as the user that PostgreSQL asks for: never root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"PostgreSQL does not start here: {done.stderr.strip()[-300:]}")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server of our own on a socket; return the URL without the database's name."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("needs the package psycopg")
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="bilderatlas-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, options = folder / "data", f"-c listen_addresses='' -k {folder} -c fsync=off"
    try:
        as_postgres(initdb, "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8")
        as_postgres(pg_ctl, "-D", str(data), "-w", "-o", options, "-l", f"{folder}/log", "start")
        yield f"postgresql+psycopg://tester@/postgres?host={folder}"
        as_postgres(pg_ctl, "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pg_library(server: str, tmp_path: Path) -> Iterator[LibraryStore]:
    with LibraryStore.create(tmp_path / "library", database_url=server) as library:
        yield library
        with library.database.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))


def test_a_life_in_postgres(pg_library: LibraryStore, tmp_path: Path) -> None:
    assert not (pg_library.root / "library.sqlite").exists()
    works = filled(pg_library)
    assert works.check() == []
    with works.writer() as writer:
        commit(writer, ["w3"], [MODEL], content=1)
        writer.retire(["w5"])
        assert writer.missing("details.test") == ["w3"]
        with pytest.raises(ConflictError):
            works.writer()
        writer.purge()
    view = works.space(MODEL).snapshot()
    assert np.array_equal(view.vectors_of("w3"), vector_of("w3", 1))
    with pytest.raises(NotFoundError, match="'w1'"):
        works.get_record("w1000")
    assert works.columns.n == works.n_images == 11
    with LibraryStore.open(pg_library.root) as again:
        assert again.get_collection("works").check() == []
    pg_library.backup(tmp_path / "copy.tar")
    with LibraryStore.restore(tmp_path / "copy.tar", tmp_path / "in_sqlite") as restored:
        copied = restored.get_collection("works")
        assert restored.database.dialect.name == "sqlite"
        assert copied.check() == []
        assert copied.match_text("w3").tolist() == works.match_text("w3").tolist()
        with copied.writer() as writer:
            writer.ensure_space(card("more.test"))
            commit(writer, ["later"], ["more.test"])
    works.database.dispose()
    pg_library.remove_collection("works")
    assert pg_library.thumbnails.path(sha256_of("w0"), 64) is None


def test_words_in_postgres(pg_library: LibraryStore) -> None:
    collection = pg_library.create_collection("a", source_kind="folder", source_address="/")
    with collection.writer() as writer:
        writer.commit_batch([NewImage(record) for record in RECORDS], {})
    ids = {image.key: image.image_id for image in collection.iter_images()}
    expected = {
        "MADCHEN": "a",
        "perlenohr*": "a",
        "water*": "bc",
        "delft water": "b",
        '"view of delft"': "b",
        '"delft of view"': "",
        '"river ba"*': "c",
        '"blessing hand"': "e",
        "oil-on-canvas": "d",
        "' & | ! <-> :* \\": "",
        "it's": "",
        "": "",
    }
    for typed, found in expected.items():
        assert "".join(ids[key] for key in collection.match_text(typed).tolist()) == found, typed


def test_migrations_in_postgres_leave_what_the_schema_says(pg_library: LibraryStore) -> None:
    found = inspect(pg_library.database)
    for table in metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}


def test_panels_in_postgres(pg_library: LibraryStore, tmp_path: Path) -> None:
    panels = PanelStore(pg_library)
    panel = panels.create("Turbans", items=[NewItem("works", one) for one in "abc"])
    moved = panels.move(panel.id, [panel.items[2].item_id], panel.items[0].item_id)
    assert [item.image_id for item in moved.items] == ["c", "a", "b"]
    SeenStore(pg_library).mark("works", ["a"])
    pg_library.backup(tmp_path / "copy.tar")
    with LibraryStore.restore(tmp_path / "copy.tar", tmp_path / "in_sqlite") as restored:
        assert PanelStore(restored).get(panel.id) == moved
        assert PanelStore(restored).undo(panel.id).items == panel.items
        assert SeenStore(restored).ids("works") == {"a"}
    assert panels.undo(panel.id, version=moved.version).items == panel.items


def test_an_older_format_in_postgres_is_backed_up_and_upgraded(
    pg_library: LibraryStore, tmp_path: Path
) -> None:
    pg_library.create_collection("works", source_kind="folder", source_address="/r")
    with pg_library.database.begin() as connection:
        for table in ("panel_actions", "panel_items", "panels", "seen_images"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE collections DROP COLUMN source_options_json"))
        connection.execute(text("DELETE FROM migrations WHERE number > 1"))
    with LibraryStore.open(pg_library.root) as upgraded:
        assert PanelStore(upgraded).create("One").name == "One"
    (backup,) = (pg_library.root / "backups").iterdir()
    with LibraryStore.restore(backup, tmp_path / "old") as old:
        assert [info.name for info in old.list_collections()] == ["works"]
        assert PanelStore(old).list_panels() == []
