"""`bilderatlas extractors`: weights on the command line, online, offline and by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bilderatlas.cli.main import run
from bilderatlas.extractors import EXTRACTORS
from bilderatlas.extractors.runtimes.weights import sha256_of
from tests.extractors.runtimes.hub import COMMIT, running_hub
from tests.extractors.runtimes.tiny import TinyExtractor, save_weights

pytest.importorskip("torch")
TINY = "tiny_grid.test"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Register the tiny network for one test, and keep models in a folder of its own."""
    EXTRACTORS.names()
    monkeypatch.setitem(EXTRACTORS._members, TINY, TinyExtractor())
    monkeypatch.setenv("BILDERATLAS_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("BILDERATLAS_HUB", "http://127.0.0.1:9")
    return tmp_path / "models"


def ask(capsys: pytest.CaptureFixture[str], *words: str, expect: int = 0) -> Any:
    capsys.readouterr()
    assert run(["extractors", *words, "--json"]) == expect
    return json.loads(capsys.readouterr().out)


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return next(one for one in ask(capsys, "list") if one["model_id"] == TINY)


def test_from_the_hub(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    before = listed(capsys)
    assert (before["state"], before["to_fetch_bytes"]) == ("to fetch", 13_000)
    assert "extractors fetch" in before["sentence"] and before["runtimes"] == []
    assert before["files"][0]["known"] == "not fetched yet"
    file = save_weights(tmp_path / "w.safetensors")
    with running_hub() as hub:
        hub.put("tests/tiny", "model.safetensors", file.read_bytes())
        monkeypatch.setenv("BILDERATLAS_HUB", hub.url)
        answer = ask(capsys, "fetch", TINY)
        assert ask(capsys, "fetch", TINY)["kept"] == ["weights.safetensors"]
    assert answer["state"] == "ready"
    assert answer["fetched"][0]["revision"] == COMMIT
    assert answer["fetched"][0]["origin"] == "recorded"
    shown = ask(capsys, "show", TINY)
    assert shown["files"][0]["known"].startswith("recorded at the first fetch on 20")
    assert shown["weights_sha256"] == shown["files"][0]["sha256"] == sha256_of(file)
    assert Path(shown["folder"]) == models / TINY


def test_without_a_network(models: Path, capsys: Any) -> None:
    error = ask(capsys, "fetch", TINY, expect=1)["error"]
    assert error["code"] == "network"
    put_at = str(models / TINY / "weights.safetensors")
    for part in ("/tests/tiny", "13 kB", put_at, "--weights FILE"):
        assert part in error["message"]
    assert ask(capsys, "export", TINY, expect=1)["error"]["code"] == "unavailable"
    report = ask(capsys, "verify", TINY)
    assert report["ok"] and "extractors fetch" in report["notes"][0]


def test_by_hand_exported_verified_and_damaged(models: Path, tmp_path: Path, capsys: Any) -> None:
    file = save_weights(tmp_path / "w.safetensors")
    assert ask(capsys, "fetch", TINY, "--weights", str(file))["fetched"][0]["origin"] == "given"
    assert ask(capsys, "show", TINY)["files"][0]["known"].startswith("given by you on 20")
    exported = ask(capsys, "export", TINY)
    assert exported["same_space"] and exported["min_cosine"] >= 0.9999
    assert ask(capsys, "verify", TINY)["ok"]
    assert listed(capsys)["runtimes"] == ["onnxruntime", "torch"]
    path = models / TINY / "weights.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    report = ask(capsys, "verify", TINY, expect=1)
    assert [one["name"] for one in report["files"] if not one["ok"]] == ["weights.safetensors"]
    path.unlink()
    assert listed(capsys)["state"] == "ready"  # by the ONNX files alone


def test_tables_for_people(models: Path, tmp_path: Path, capsys: Any) -> None:
    file = save_weights(tmp_path / "w.safetensors")
    assert run(["extractors", "list"]) == 0
    assert f"{TINY}\tto fetch\t13 kB" in capsys.readouterr().out
    assert run(["extractors", "fetch", TINY, "--weights", str(file)]) == 0
    printed = capsys.readouterr()
    assert "given" in printed.out and f"'{TINY}' is ready." in printed.err
    assert run(["extractors", "verify", TINY]) == 0
    assert "recorded now" in capsys.readouterr().err
    assert run(["extractors", "verify", TINY]) == 0
    assert "image: torch and recorded" in capsys.readouterr().out
    assert run(["extractors", "show", TINY]) == 0
    assert "runs by\ttorch" in capsys.readouterr().out


def test_what_has_no_weights(capsys: Any) -> None:
    for verb in ("fetch", "export", "verify"):
        error = ask(capsys, verb, "raw_32.pixels", expect=2)["error"]
        assert "has no weights" in error["message"]
    error = ask(capsys, "fetch", "raw_33.pixels", expect=2)["error"]
    assert "'raw_32.pixels'" in error["message"]
    error = ask(capsys, "show", "raw_32.pixels~int8", expect=2)["error"]
    assert "no weights that could be rounded" in error["message"]


def test_an_index_ends_before_it_begins(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures, library = tmp_path / "pictures", tmp_path / "library"
    pictures.mkdir()
    Image.new("RGB", (20, 30)).save(pictures / "a.png")
    words = ["index", str(pictures), "-c", "works", "--library", str(library)]
    assert run([*words, "--extractor", TINY]) == 1
    assert f"extractors fetch {TINY}" in capsys.readouterr().err
    assert run(["collections", "list", "--library", str(library), "--json"]) in {0, 1}
    assert "works" not in capsys.readouterr().out


def test_what_is_given_in_place_of_other_bytes_is_told(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    pinned = (replace(TinyExtractor.files[0], sha256="12" * 32),)
    made: type[TinyExtractor] = type("Pinned", (TinyExtractor,), {"files": pinned})
    monkeypatch.setitem(EXTRACTORS._members, TINY, made())
    first = save_weights(tmp_path / "first.safetensors")
    told = f"not the bytes that the program expects (sha256 {'12' * 32})"
    (note,) = ask(capsys, "fetch", TINY, "--weights", str(first))["notes"]
    assert note == f"'weights.safetensors' is given by you: {told}."
    shown = ask(capsys, "show", TINY)["files"][0]["known"]
    assert shown.startswith("given by you on 20") and shown.endswith(f": {told}")
    second = save_weights(tmp_path / "second.safetensors", scale=2.0)
    assert run(["extractors", "fetch", TINY, "--weights", str(second)]) == 0
    printed = capsys.readouterr().err
    assert told in printed and f"other weights (sha256 {sha256_of(first)})" in printed
    assert "must be indexed again" in printed.replace("\n", " ")
    assert not ask(capsys, "fetch", TINY, "--weights", str(second))["notes"][1:]
    assert run(["extractors", "show", TINY]) == 0
    assert "not the bytes that" in capsys.readouterr().out


def test_on_a_terminal_an_id_is_never_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["extractors", "list"]) == 0
    short = capsys.readouterr().out
    assert run(["extractors", "list", "--long"]) == 0
    long = capsys.readouterr().out
    for name in EXTRACTORS.names():
        assert name in short and name in long
    assert "sees" in long.splitlines()[0] and "sees" not in short.splitlines()[0]


def test_a_checksum_on_record_is_called_that(models: Path, tmp_path: Path, capsys: Any) -> None:
    file = save_weights(tmp_path / "w.safetensors")
    ask(capsys, "fetch", TINY, "--weights", str(file))
    assert run(["extractors", "show", TINY]) == 0
    assert f"sha256 on record {sha256_of(file)}" in capsys.readouterr().out


def test_the_doctor_says_in_a_line_what_is_to_fetch(models: Path, capsys: Any) -> None:
    assert run(["doctor"]) in {0, 1}
    [line] = [one for one in capsys.readouterr().out.splitlines() if TINY in one]
    mark, _, found, advice = line.split("\t")
    assert (mark, found) == ("–", "to fetch: about 13 kB")
    assert advice == f"To use it: bilderatlas extractors fetch {TINY}"
