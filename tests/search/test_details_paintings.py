"""A small form of `benchmarks/visitor_photographs.py`, on real paintings."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "visitor_photographs.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    name = "benchmark_visitor_photographs"
    spec = importlib.util.spec_from_file_location(name, BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_the_recipe_is_seeded(benchmark: ModuleType) -> None:
    painting = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    first, again, other = (
        benchmark.photograph(painting, seed=1, number=number, is_detail=False)
        for number in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert first.tilt_deg != other.tilt_deg
    assert max(first.pixels.shape) == benchmark.SIDE_PX


def test_photographs_are_as_the_recipe_says(benchmark: ModuleType) -> None:
    painting = np.full((150, 200, 3), 120, np.uint8)
    for number in range(12):
        is_detail = number % 3 == 2
        taken = benchmark.photograph(painting, seed=2, number=number, is_detail=is_detail)
        assert 0 <= taken.tilt_deg <= 35
        assert 0 <= taken.blur_px <= 1.5
        assert 60 <= taken.jpeg_quality <= 90
        if is_detail:
            assert 0.2 <= taken.visible_share <= 0.4 + 1e-6
        else:
            assert taken.visible_share > 0.999


def test_at_most_twenty_names_are_of_one_object(benchmark: ModuleType, paintings: Path) -> None:
    listed = benchmark.same_object_names()
    assert 2 <= len(listed) <= 20
    assert all((paintings / "images" / name).is_file() for name in listed)


def test_photographs_find_their_paintings(
    benchmark: ModuleType, paintings: Path, tmp_path: Path
) -> None:
    listed = benchmark.same_object_names()
    files = sorted((paintings / "images").iterdir())
    chosen = [file for place, file in enumerate(files) if place % 18 == 0 or file.name in listed]
    small = {file.name: benchmark.load_painting(file) for file in chosen}
    report = benchmark.evaluate(small, tmp_path, n=12, n_pairs=60)
    assert report["all"]["n"] == 12
    assert report["detail"]["n"] == 4
    assert report["all"]["R@1"] == 1.0
    assert report["all"]["verdicts"].get("same work", 0) >= 10
    assert report["all"]["false_same_work"] == []
    different = report["different_works"]
    assert different["n_pairs"] == 60
    assert different["n_false_same_work"] == 0
    sides = {
        found["verdict"]
        for found in different["verified"]
        if set(found["works"])
        == {
            "duccio_madonna-and-child-on-a-throne-front-1311.jpg",
            "duccio_view-the-back-side-1311.jpg",
        }
    }
    assert sides == {"same object or workshop"}
