"""`bilderatlas train contrastive`, from painting to a model that both runtimes take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bilderatlas.cli.main import run


def test_help_tells_how_to_go_on(capsys) -> None:
    assert run(["train", "contrastive", "--help"]) == 0
    assert "same command goes on" in capsys.readouterr().out


def test_too_few_works_end_in_a_sentence(capsys, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert run(["train", "contrastive", "--works", "9", "--out", str(tmp_path)]) == 2
    assert "at least 100" in capsys.readouterr().err


@pytest.mark.slow
def test_a_model_is_made_from_nothing(capsys, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    command = ["train", "contrastive", "--works", "110", "--seed", "3", "--epochs", "2"]
    assert run([*command, "--processes", "1", "--out", str(tmp_path), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["min_cosine"] >= 0.9999
    assert sum(facts["size_bytes"] for facts in report["files"].values()) <= 5_000_000
    assert {path.name for path in tmp_path.iterdir()} >= set(report["files"])
