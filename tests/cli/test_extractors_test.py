"""`bilderatlas extractors test`: sentences and numbers for people, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bilderatlas.api as ba
from bilderatlas.api.invariance import find_invariances
from bilderatlas.cli.main import run
from bilderatlas.indexing import IndexOptions

MODEL_ID = "palette_lab.pixels"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a library with eight pictures of random colours."""
    source = tmp_path_factory.mktemp("pictures")
    for seed in range(8):
        colours = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
        Image.fromarray(colours).resize((70, 50), Image.Resampling.NEAREST).save(
            source / f"{seed}.png"
        )
    root = tmp_path_factory.mktemp("library")
    with ba.create(root) as made:
        options = IndexOptions(extractors=(MODEL_ID,), workers=1)
        ba.index(made, str(source), "patches", options=options)
    return root


def test_a_test_in_words_and_numbers(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["extractors", "test", MODEL_ID, "-c", "patches", "--library", str(library)]
    assert run(call) == 0
    told = capsys.readouterr().out
    assert "hardly notices mirroring" in told and "8 works are few" in told
    rows = dict(line.split("\t", 1) for line in told.splitlines() if "\t" in line)
    assert rows["mirroring"].startswith("8\t2.0 of 2\t8\t1\t1.000")
    assert run([*call, "--works", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_works"], found["n_in_space"], found["k"]) == (5, 8, 2)
    assert found["sentences"]["turned"].startswith("Turned by a quarter, a work keeps all of its 2")
    with ba.open(library) as opened:
        measured = find_invariances(opened["patches"], MODEL_ID)
    assert measured is not None and measured.n_works == 5  # the last one is kept


def test_what_there_is_not(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["extractors", "test", "palette.pixels", "-c", "patches", "--library", str(library)]
    assert run(call) == 2
    assert MODEL_ID in capsys.readouterr().err
