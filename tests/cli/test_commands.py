"""The command line as a stranger uses it: results on stdout, the rest on stderr, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.cli.main import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        Image.new("RGB", (50, 40), (40 * number, 100, 250 - 40 * number)).save(
            folder / f"{number}.png"
        )
    return folder


@pytest.fixture
def indexed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Index the folder and return the options that name library and collection."""
    library = ["--library", str(tmp_path / "library")]
    arguments = ["index", str(folder), "-c", "works", "--extractor", "raw_32.pixels"]
    assert run([*arguments, *library]) == 0
    capsys.readouterr()
    return ["-c", "works", *library]


def test_index_prints_its_report(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    arguments = ["index", str(folder), "-c", "works", "--library", str(library), "--json"]
    assert run([*arguments, "--extractor", "raw_32.pixels"]) == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert (report["added"], report["unchanged"], report["failed"]) == (6, 0, 0)
    assert str(library) in printed.err, "the library is named on stderr"


def test_search_prints_json_as_documented(
    indexed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", *indexed, "--like", "0.png", "-k", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) >= {"query", "criterion", "recall", "hits"}
    assert set(answer["criterion"]) >= {"model_id", "metric", "rule", "weights_sha256"}
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2]
    assert answer["hits"][0]["image_id"] == "1.png"
    assert set(answer["hits"][0]) >= {"rank", "image_id", "score", "percentile", "record"}


def test_within_and_without_files(
    indexed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = tmp_path / "ids.txt"
    chosen.write_text("4.png\n5.png\n")
    run(["search", *indexed, "--like", "0.png", "--within", str(chosen), "--json"])
    inside = [hit["image_id"] for hit in json.loads(capsys.readouterr().out)["hits"]]
    run(["search", *indexed, "--like", "0.png", "--without", str(chosen), "--json"])
    outside = [hit["image_id"] for hit in json.loads(capsys.readouterr().out)["hits"]]
    assert inside == ["4.png", "5.png"]
    assert outside == ["1.png", "2.png", "3.png"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["search", "-c", "wroks"], 2, "'works'"),
        (["search", "-c", "works", "--like", "9.png"], 1, "no such file"),
        (["search", "-c", "works", "a turban"], 2, "compares pictures only"),
        (["search", "-c", "works", "--where", "yaer > 1"], 2, "yaer"),
        (["search", "-c", "works", "--where", "title ="], 2, "character 8"),
        (["search", "-c", "works", "--like", "0.png", "--rule", "differnce"], 2, "'difference'"),
        (["search", "-c", "works", "--like", "0.png", "--extractor", "x"], 2, "raw_32.pixels"),
        (["search", "-c", "works", "--like", "0.png^0"], 2, "larger than 0"),
        (["search", "-c", "works", "--like", "0.png@0.5,0.5,0.9,0.9"], 2, "region"),
        (["search", "-c", "works", "-k", "0", "--like", "0.png"], 2, "1 to 1,000"),
        (["collections", "show", "x"], 2, "works"),
        (["jobs", "show", "x"], 1, "no job"),
        (["serve", "--host", "0.0.0.0", "--no-browser"], 2, "--mode public"),
        (["serve", "--mode", "open", "--no-browser"], 2, "mode"),
    ],
)
def test_bad_requests_end_in_one_sentence(
    indexed: list[str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    assert run([*arguments, *indexed[2:]]) == status
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_sources_that_cannot_be_indexed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = tmp_path / "library"
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.csv").write_text("name,colour\na,red\n")
    for address in ("nowhere", str(tmp_path / "empty"), "museum://?works=none"):
        assert run(["index", address, "-c", "works", "--library", str(library)]) == 1
        assert len(capsys.readouterr().err.strip().splitlines()) <= 3
    assert not library.exists(), "a source that cannot be read makes no library"


def test_libraries_that_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "one.png")
    file = tmp_path / "file"
    file.write_text("I am a file.")
    assert run(["index", str(tmp_path), "-c", "x", "--library", str(file)]) == 1
    assert "Name another folder" in capsys.readouterr().err
    assert run(["serve", "--library", str(tmp_path / "typo"), "--no-browser"]) == 1
    assert not (tmp_path / "typo").exists()


def test_a_setting_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BILDERATLAS_WORKERS", "abc")
    assert run(["collections", "list"]) == 2
    assert "BILDERATLAS_WORKERS" in capsys.readouterr().err


def test_rows_that_are_no_records_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    table = tmp_path / "t.csv"
    table.write_text("id,image,title\na,a.png,One\nb,a.png,Two,too,many\n")
    library = ["--library", str(tmp_path / "library")]
    assert run(["index", str(table), "-c", "t", *library, "--extractor", "raw_32.pixels"]) == 0
    capsys.readouterr()
    assert run(["collections", "failures", "t", *library, "--json"]) == 0
    assert [failure["code"] for failure in json.loads(capsys.readouterr().out)] == ["ragged-row"]


def test_errors_are_json_when_json_was_asked_for(
    indexed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "-c", "wroks", *indexed[2:], "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "unknown-name"
    assert "works" in error["message"]


def test_collections_check_and_remove(
    indexed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    library = indexed[2:]
    assert run(["collections", "check", "works", *library]) == 0
    assert run(["collections", "remove", "works", "--image", "0.png", "--dry-run", *library]) == 0
    assert run(["collections", "remove", "works", "--image", "0.png", "--yes", *library]) == 0
    capsys.readouterr()
    run(["collections", "show", "works", *library, "--json"])
    assert json.loads(capsys.readouterr().out)["n_images"] == 5
    assert run(["collections", "remove", "works", "--yes", *library]) == 0


def test_an_unknown_extractor_is_told_near_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["extractors", "show", "raw_23.pixels"]) == 2
    assert "Did you mean 'raw_32.pixels'" in capsys.readouterr().err
    assert run(["extractors", "list", "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert {"model_id", "sees", "dim", "preprocessing"} <= set(cards[0])


def test_a_misspelled_command_is_told_near_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serch"]) == 2
    assert "'search'" in capsys.readouterr().err


def test_backup_and_restore(
    indexed: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["library", "backup", str(tmp_path / "backup"), *indexed[2:]]) == 0
    restored = tmp_path / "restored"
    assert run(["library", "restore", str(tmp_path / "backup"), str(restored)]) == 0
    capsys.readouterr()
    assert run(["search", "-c", "works", "--library", str(restored), "--like", "0.png"]) == 0
    assert "1.png" in capsys.readouterr().out


def test_doctor_finds_a_healthy_installation(
    indexed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(["doctor", *indexed[2:], "--json"])
    findings = {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert findings["library"]["ok"]
    assert findings["extractor raw_32.pixels"]["ok"]


def test_the_demo_builds_a_searchable_museum(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["demo", "--no-serve", "--works", "20", "--json", "--library"]
    assert run([*arguments, str(tmp_path / "library")]) == 0
    built = json.loads(capsys.readouterr().out)
    assert built["works"] == 20
    assert len(built["spaces"]) >= 4
    assert len(built["search"]["hits"]) == 5
