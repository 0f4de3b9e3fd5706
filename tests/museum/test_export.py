"""A museum on disk."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bilderatlas.errors import UsageError
from bilderatlas.museum import paint_museum, paint_work


def test_a_museum_is_written_whole(tmp_path: Path) -> None:
    paint_museum(tmp_path, works=10, seed=7, processes=2)
    with (tmp_path / "metadata.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert [row["id"] for row in rows] == [f"m7-{i:06d}" for i in range(10)]
    assert all((tmp_path / row["file"]).is_file() for row in rows)
    assert (tmp_path / rows[4]["file"]).read_bytes() == paint_work(7, 4)
    truths = [
        json.loads(line) for line in (tmp_path / "truth.jsonl").read_text("utf-8").splitlines()
    ]
    assert [truth["image_id"] for truth in truths] == [row["id"] for row in rows]
    with (tmp_path / "links.csv").open(encoding="utf-8") as table:
        links = list(csv.DictReader(table))
    assert [link["source"] for link in links] == [t["image_id"] for t in truths if t["link"]]
    for link in links:
        assert len(json.loads(link["matrix"])) == 3


def test_an_empty_museum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        paint_museum(tmp_path, works=0, seed=7)
