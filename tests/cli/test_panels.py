"""`bilderatlas panels`, from an empty panel to a zip."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.api import create, index
from bilderatlas.cli.main import run
from bilderatlas.indexing import IndexOptions


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("works")
    rows = ["file,title,rights"]
    for name, rights in (("a.png", "CC0"), ("b.png", "© the artist"), ("c.png", "")):
        Image.new("RGB", (60, 40), (200, 30, len(rows) * 40)).save(folder / name)
        rows.append(f"{name},=Work {name},{rights}")
    (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")
    made = tmp_path_factory.mktemp("library")
    with create(made) as library:
        index(library, str(folder), "works", options=IndexOptions(extractors=("raw_32.pixels",)))
    return made


def call(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str, status: int = 0) -> str:
    assert run(["panels", *arguments, "--library", str(root)]) == status
    captured = capsys.readouterr()
    return captured.out if status == 0 else captured.err


def test_a_panel_from_the_command_line(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(call(capsys, root, "create", "Turbans", "works/a.png", "--json"))
    assert (made["name"], made["n_items"]) == ("Turbans", 1)
    (tmp_path / "ids.txt").write_text("works/a.png\nworks/b.png\n\nworks/c.png@0,0,0.5,0.5\n")
    told = call(capsys, root, "add", "Turbans", "--from", str(tmp_path / "ids.txt"), "--note", "n")
    assert told == "Added 2; 'Turbans' has 3 works.\n"
    shown = json.loads(call(capsys, root, "show", "turbans", "--json"))
    assert [(one["image_id"], one["region"], one["note"]) for one in shown["works"]] == [
        ("a.png", None, ""),
        ("b.png", None, "n"),
        ("c.png", "0,0,0.5,0.5", "n"),
    ]
    assert "works/c.png@0,0,0.5,0.5" in call(capsys, root, "show", "Turbans")
    assert call(capsys, root, "remove", "Turbans", "works/b.png").startswith("Took 1 off")
    assert call(capsys, root, "undo", "Turbans").startswith("Undid 'remove'")
    assert call(capsys, root, "redo", "Turbans").startswith("Did 'remove' again")
    call(capsys, root, "undo", "Turbans")
    assert "Turbans\t3" in call(capsys, root, "list")

    target = tmp_path / "out.zip"
    call(capsys, root, "export", "Turbans", str(target))
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        left_out = archive.read("left-out.csv").decode()
        table = list(csv.DictReader(io.StringIO(archive.read("works.csv").decode(), newline="")))
    assert [name for name in names if name.startswith("pictures/")] == [
        "pictures/0001-works-a.webp"
    ]
    assert "claims copyright" in left_out and "says nothing about rights" in left_out
    assert table[0]["title"] == "'=Work a.png"
    assert "--force" in call(capsys, root, "export", "Turbans", str(target), status=1)
    assert not list(tmp_path.glob(".*.part"))
    assert "Did you mean" in call(capsys, root, "show", "Turban", status=2)
    assert "csv" in call(capsys, root, "export", "Turbans", "x.doc", status=2)
    assert "Name at least one" in call(capsys, root, "add", "Turbans", status=2)

    told = call(capsys, root, "remove", "Turbans", "--yes")
    assert made["id"] in told
    assert "Turbans" in call(capsys, root, "list", "--removed")
    call(capsys, root, "undo", made["id"])
    assert "Turbans" in call(capsys, root, "list")


def test_a_panel_to_stdout(root: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["panels", "create", "Two", "works/a.png", "--library", str(root)]) == 0
    assert run(["panels", "export", "Two", "-", "--as", "bib", "--library", str(root)]) == 0
    assert b"@misc{panel-" in capfdbinary.readouterr().out
