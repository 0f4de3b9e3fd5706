"""The page 'Bring a model': its example runs, and it names every field that there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.extractors.brought import bring_model
from bilderatlas.extractors.brought_card import (
    OPTIONAL,
    REQUIRED,
    TEXT_OPTIONAL,
    TEXT_REQUIRED,
    parse_card,
)

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "bring-a-model.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_every_field_stands_in_its_table() -> None:
    rows = {
        name: default.strip(" `")
        for name, default in re.findall(r"^\| `([\w.]+)` \|([^|]*)\|", PAGE, re.MULTILINE)
    }
    fields = {*REQUIRED, *OPTIONAL, *(f"text.{name}" for name in (*TEXT_REQUIRED, *TEXT_OPTIONAL))}
    assert set(rows) == fields
    required = {*REQUIRED, *(f"text.{name}" for name in TEXT_REQUIRED)}
    assert {name for name, default in rows.items() if default == "required"} == required
    card = parse_card({name: json.loads(block("json"))[name] for name in REQUIRED}, "a card").card
    for name in ("normalised", "dtype", "version"):
        assert rows[name] == str(getattr(card, name))


def test_the_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("torchvision", reason="needs the laboratory")
    subprocess.run(
        [sys.executable, "-c", block("python")], cwd=tmp_path, check=True, capture_output=True
    )
    (tmp_path / "resnet18.card.json").write_text(block("json"), "utf-8")
    extractor = bring_model(tmp_path / "resnet18.onnx", tmp_path / "models")
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    (row,) = extractor.embed_images([pixels])
    assert row.shape == (512,) and np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
    assert extractor.card.model_id == "resnet18.mine"
