"""Bouquets: flowers of several kinds in a vase, and one that fell."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import Points, smooth_curve
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of, trace
from bilderatlas.museum.school import School
from bilderatlas.museum.things.held import draw_bloom
from bilderatlas.museum.things.trees import lay_clumps
from bilderatlas.museum.things.vessels import POT, VASE, draw_vessel


def draw_bouquet(scene: Scene, school: School, x: float, foot: float, unit: float) -> None:
    """Lay a vase with a bouquet that fills the upper half of the picture."""
    rng = scene.rng
    vase_h = unit * float(rng.uniform(0.32, 0.4))
    mouth_y = foot - vase_h
    rise, wide = min(mouth_y * 0.78, unit * 0.62), unit * 0.34
    green = mix(school.pick(rng, "foliage"), (0.25, 0.35, 0.15), 0.3)
    n = int(rng.integers(13, 19))
    sides = rng.uniform(-1, 1, n)
    height = 0.25 + 0.75 * rng.uniform(0, 1, n) * np.sqrt(np.clip(1 - sides**2 * 0.75, 0, 1))
    heads = np.stack([x + sides * wide, mouth_y - height * rise], 1)
    with scene.object("flowers"):
        _stems(scene, heads, x, mouth_y, unit, green)
        leaves = np.c_[
            x + rng.uniform(-0.85, 0.85, 20) * wide,
            mouth_y - rng.uniform(0.02, 0.62, 20) * rise,
            rng.uniform(0.045, 0.09, 20) * unit,
        ]
        lay_clumps(scene, leaves, green, unit * 0.018, 14)
        for hx, hy in heads[np.argsort(heads[:, 1])].tolist():
            size, kind = (
                unit * float(rng.uniform(0.045, 0.082)),
                int(rng.choice([0, 0, 1, 2, 3, 3])),
            )
            draw_bloom(scene, hx, hy, size, school.pick(rng, "flower"), kind)
    with scene.object("vase"):
        share = float(rng.uniform(0.1, 0.7))
        glazed = mix(school.pick(rng, "bright"), school.pick(rng, "stone"), share)
        draw_vessel(scene, VASE if rng.random() < 0.6 else POT, x, foot, vase_h, glazed, gloss=0.75)
        _leaves_over_rim(scene, x, mouth_y, unit, green)


def _stems(
    scene: Scene, heads: Points, x: float, mouth_y: float, unit: float, green: Colour
) -> None:
    """Lay stems from the vase's mouth to each flower."""
    with scene.ink(0.6) as canvas:
        for hx, hy in heads.tolist():
            low = (x + (hx - x) * 0.08, mouth_y + unit * 0.035)
            bend = (x + (hx - x) * 0.55, (hy + mouth_y) / 2 + unit * 0.03)
            tint = mix(green, (0.1, 0.1, 0.05), float(scene.rng.uniform(0.1, 0.5)))
            trace(canvas, smooth_curve([low, bend, (hx, hy)]), tint, max(1.2, unit * 0.008))


def _leaves_over_rim(scene: Scene, x: float, mouth_y: float, unit: float, green: Colour) -> None:
    """Lay a few leaves that hang over the vase's rim."""
    with scene.ink(0.5) as canvas:
        for _ in range(7):
            away = float(scene.rng.uniform(-0.12, 0.12)) * unit
            leaf = [(x + away * 0.4, mouth_y + 2), (x + away, mouth_y - unit * 0.03)]
            leaf += [(x + away * 1.5, mouth_y + unit * 0.03)]
            tint = mix(green, (0.05, 0.08, 0.03), float(scene.rng.uniform(0, 0.5)))
            trace(canvas, smooth_curve(leaf), tint, unit * 0.016)


def draw_fallen_flower(scene: Scene, school: School, x: float, foot: float, size: float) -> None:
    """Lay a flower that fell on the table."""
    with scene.object("flower"):
        scene.cast_shadow(ellipse(x, foot, size * 2.0, size * 0.4), size * 0.2, 0.5)
        with scene.ink(0.6) as canvas:
            stem = smooth_curve(
                [
                    (x - size * 3.2, foot + size * 0.1),
                    (x - size * 1.5, foot - size * 0.2),
                    (x, foot - size * 0.4),
                ]
            )
            canvas.drawPath(path_of(stem), paint_of((0.25, 0.33, 0.14), 1, max(1.2, size * 0.14)))
        draw_bloom(
            scene,
            x,
            foot - size * 0.55,
            size,
            school.pick(scene.rng, "flower"),
            int(scene.rng.integers(0, 4)),
        )
