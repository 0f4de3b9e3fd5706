"""Rectangles on pictures, and pictures laid over each other: the front end's own TypeScript."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bilderatlas.search.query import parse_part
from tests.web.test_store import ROOT, Store, node

SHARES = st.floats(-0.5, 1.5)
STEPS = st.floats(-1, 1)


@pytest.fixture(scope="module")
def geometry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return the pure modules, bundled as the front end is."""
    bundle = tmp_path_factory.mktemp("geometry") / "geometry.mjs"
    esbuild = ROOT / "frontend" / "node_modules" / "esbuild" / "bin" / "esbuild"
    if not esbuild.exists():
        pytest.skip("needs esbuild: python frontend/build.py")
    driver = Path(__file__).with_name("geometry_driver.ts")
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"]
    subprocess.run([node(), esbuild, driver, *options, f"--outfile={bundle}"], check=True)
    started = Store(bundle)
    yield started
    started.close()


def inside(region: dict[str, float]) -> bool:
    x, y, w, h = (region[name] for name in "xywh")
    return min(x, y) >= 0 and min(w, h) >= 0.0099 and x + w <= 1.0001 and y + h <= 1.0001


@given(SHARES, SHARES, SHARES, SHARES, st.lists(st.tuples(st.booleans(), STEPS, STEPS), max_size=6))
def test_whatever_is_drawn_can_be_asked(
    geometry: Store,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    steps: list[tuple[bool, float, float]],
) -> None:
    region = geometry.call("region", "between", ax, ay, bx, by)
    assert inside(region)
    for moves, across, down in steps:
        old = region
        region = geometry.call("region", "moved" if moves else "resized", region, across, down)
        assert inside(region)
        kept = "wh" if moves else "xy"
        assert [region[name] for name in kept] == [old[name] for name in kept]
    part = parse_part(f"SK-C-5@{geometry.call('region', 'spelled', region)}")
    assert part.region is not None  # the server takes it
    asked = [part.region.x, part.region.y, part.region.w, part.region.h]
    assert asked == pytest.approx([region[name] for name in "xywh"], abs=2e-4)


def matrix_of(css: str) -> npt.NDArray[np.float64]:
    """Return the 3×3 part of `matrix3d(…)`, which is written column by column."""
    values = np.array([float(one) for one in css[9:-1].split(",")]).reshape(4, 4).T
    return values[np.ix_([0, 1, 3], [0, 1, 3])]


SMALL = st.floats(-0.2, 0.2)


@given(st.tuples(*[SMALL] * 8), st.floats(50, 900), st.floats(50, 900), st.booleans())
def test_the_upper_picture_lies_where_it_agrees(
    geometry: Store, bends: Any, width: float, height: float, mirrored: bool
) -> None:
    a, b, c, d, e, f, g, h = bends
    homography = np.array([[1 + a, b, c], [d, 1 + e, f], [g, h, 1]])
    if mirrored:
        homography = homography @ np.array([[-1.0, 0, 1], [0, 1, 0], [0, 0, 1]])
    assume(abs(np.linalg.det(homography)) > 0.05)
    lower = {"left": 30.0, "top": 10.0, "width": width, "height": height}
    upper = {"left": 80.0, "top": 25.0, "width": height, "height": width}
    css = geometry.call("overlay", "laidOver", homography.ravel().tolist(), lower, upper)
    matrix = matrix_of(css)
    for x, y in ((0.2, 0.3), (0.9, 0.1), (0.5, 0.8)):
        u, v = geometry.call("overlay", "sent", homography.ravel().tolist(), x, y)
        sent = matrix @ [u * upper["width"], v * upper["height"], 1]
        left, top = sent[:2] / sent[2]
        # from the upper picture's own corner, to where the lower one has that point
        assert left + upper["left"] == pytest.approx(lower["left"] + x * width, abs=0.1)
        assert top + upper["top"] == pytest.approx(lower["top"] + y * height, abs=0.1)


def test_what_is_no_matrix_lays_nothing_over(geometry: Store) -> None:
    box = {"left": 0, "top": 0, "width": 10, "height": 10}
    assert geometry.call("overlay", "parseMatrix", "1 0 0 0 1 0 0 0 1") == [
        1,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        1,
    ]
    for text in ("", "1 2 3", "1 0 0 0 1 0 0 0 x", None):
        assert geometry.call("overlay", "parseMatrix", text) is None
    assert geometry.call("overlay", "laidOver", [0] * 9, box, box) is None
