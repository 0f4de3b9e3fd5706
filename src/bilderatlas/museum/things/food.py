"""Food: fruit, grapes, lemon, bread, cheese, fish, a knife."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of, spread, trace


def _ground_shadow(scene: Scene, x: float, foot: float, wide: float) -> None:
    away = -float(np.sign(scene.light.towards[0]))
    scene.cast_shadow(
        ellipse(x + away * wide * 0.55, foot, wide * 1.15, wide * 0.24), wide * 0.13, 0.62
    )


def draw_fruit(
    scene: Scene,
    x: float,
    foot: float,
    radius: float,
    colour: Colour,
    kind: str,
    shadow: bool = True,
) -> None:
    """Lay an apple, pear or onion that stands at (x, foot)."""
    if shadow:
        _ground_shadow(scene, x, foot, radius)
    cy = foot - radius * 0.9
    turn = float(scene.rng.normal(0, 0.18))
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    turned = [(u * cos - v * sin, u * sin + v * cos) for u, v in _FRUIT[kind]]
    outline = smooth_curve(spread(turned, x, cy, radius), closed=True)
    scene.solid(outline, colour, radius * 0.92, gloss=0.55, fine=0.7)
    with scene.ink(0.8, new_id=False) as canvas:
        if kind == "onion":
            skin = mix(colour, (0.3, 0.12, 0.05), 0.6)
            for bend in (-0.5, -0.2, 0.2, 0.5):
                line = spread([(0, -0.9), (bend * 1.2, 0), (bend * 0.4, 0.8)], x, cy, radius)
                trace(canvas, smooth_curve(line), skin, radius * 0.03, 0.5)
        else:
            top = 0.7 if kind == "apple" else 1.1
            stem = [
                (0.75 * sin, -top),
                (0.75 * sin + 0.06, -top - 0.25),
                (0.75 * sin + 0.2, -top - 0.4),
            ]
            line = spread(stem, x, cy, radius)
            trace(canvas, smooth_curve(line), (0.2, 0.13, 0.07), max(1.0, radius * 0.09))


_RIGHT_HALVES: dict[str, list[tuple[float, float]]] = {
    "pear": [(0.0, -1.2), (0.24, -1.05), (0.45, -0.45), (0.86, 0.15), (0.75, 0.7), (0.0, 0.95)],
    "onion": [(0.02, -1.35), (0.12, -0.95), (0.6, -0.6), (0.98, 0.05), (0.7, 0.7), (0.0, 0.9)],
    "apple": [(0.0, -0.74), (0.35, -0.86), (0.86, -0.5), (0.98, 0.25), (0.6, 0.88), (0.0, 0.88)],
}
_FRUIT = {kind: half + [(-u, v) for u, v in half[-2:0:-1]] for kind, half in _RIGHT_HALVES.items()}


def draw_grapes(scene: Scene, x: float, foot: float, size: float, colour: Colour) -> None:
    """Lay a bunch of grapes with a leaf."""
    rng = scene.rng
    grape = (
        mix(colour, (0.3, 0.15, 0.3), 0.55)
        if rng.random() < 0.6
        else mix(colour, (0.65, 0.7, 0.3), 0.6)
    )
    with scene.object("grapes"):
        _ground_shadow(scene, x, foot, size * 0.5)
        r = size * 0.115
        leaf = [
            (-0.1, -0.5),
            (-0.5, -0.75),
            (-0.4, -0.5),
            (-0.75, -0.35),
            (-0.4, -0.25),
            (-0.2, -0.1),
        ]
        scene.solid(
            smooth_curve([(x + u * size, foot + v * size) for u, v in leaf], closed=True, steps=3),
            (0.33, 0.4, 0.16),
            size * 0.08,
            bumps=size * 0.02,
            fine=0.6,
        )
        for row in range(5):
            for step in range(6 - row):
                px = x + (step - (5 - row) / 2) * r * 1.7 + float(rng.normal(0, r * 0.15))
                py = foot - r - row * r * 1.35 + float(rng.normal(0, r * 0.12))
                tint = mix(grape, (0.05, 0.03, 0.06), float(rng.uniform(0, 0.3)))
                scene.solid(ellipse(px, py, r, r * 1.06, n=18), tint, r * 0.95, gloss=0.8, fine=0.8)


def draw_lemon(scene: Scene, x: float, foot: float, radius: float) -> None:
    """Lay a lemon, half peeled, its peel curling from it."""
    with scene.object("lemon"):
        _ground_shadow(scene, x, foot, radius * 1.3)
        body = [
            (-1.5, 0.0),
            (-1.15, -0.3),
            (-0.6, -0.82),
            (0.2, -0.92),
            (0.9, -0.5),
            (1.15, 0.05),
            (0.8, 0.62),
            (0, 0.88),
            (-0.75, 0.68),
            (-1.2, 0.25),
        ]
        cy = foot - radius * 0.85
        scene.solid(
            smooth_curve([(x + u * radius, cy + v * radius) for u, v in body], closed=True),
            (0.88, 0.74, 0.16),
            radius * 0.8,
            bumps=radius * 0.03,
            gloss=0.5,
            fine=0.8,
        )
        cut = ellipse(x + radius * 0.75, cy + radius * 0.02, radius * 0.42, radius * 0.7, 0.2)
        scene.solid(cut, (0.96, 0.92, 0.66), radius * 0.12, fine=0.85)
        with scene.ink(0.85, new_id=False) as canvas:
            for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
                end = (
                    x + radius * (0.75 + 0.32 * float(np.cos(angle))),
                    cy + radius * (0.02 + 0.56 * float(np.sin(angle))),
                )
                canvas.drawPath(
                    path_of([(x + radius * 0.75, cy), end]),
                    paint_of((0.85, 0.72, 0.3), 0.8, max(0.8, radius * 0.05)),
                )
        peel = smooth_curve(
            [
                (x + radius * 1.0, cy + radius * 0.6),
                (x + radius * 1.7, cy + radius * 0.95),
                (x + radius * 1.5, cy + radius * 1.7),
                (x + radius * 2.2, cy + radius * 1.9),
                (x + radius * 2.0, cy + radius * 2.6),
            ]
        )
        with scene.ink(0.8) as canvas:
            canvas.drawPath(path_of(peel), paint_of((0.95, 0.9, 0.68), 1, radius * 0.34))
            canvas.drawPath(
                path_of(peel + np.array([radius * 0.1, radius * 0.05])),
                paint_of((0.87, 0.72, 0.14), 1, radius * 0.2),
            )


def draw_bread(scene: Scene, x: float, foot: float, size: float) -> None:
    """Lay a round loaf with cuts in its crust."""
    with scene.object("bread"):
        _ground_shadow(scene, x, foot, size * 0.75)
        loaf = [
            (-0.85, -0.02),
            (-0.82, -0.4),
            (-0.4, -0.72),
            (0.2, -0.75),
            (0.72, -0.5),
            (0.88, -0.05),
            (0.5, 0.1),
            (-0.5, 0.1),
        ]
        outline = smooth_curve([(x + u * size, foot + v * size) for u, v in loaf], closed=True)
        scene.solid(
            outline, (0.7, 0.44, 0.2), size * 0.42, bumps=size * 0.028, gloss=0.12, fine=0.65
        )
        for shift in (-0.35, 0.0, 0.35):
            cut = smooth_curve(
                [
                    (x + (shift - 0.12) * size, foot - size * 0.58),
                    (x + shift * size, foot - size * 0.5),
                    (x + (shift + 0.14) * size, foot - size * 0.3),
                ]
            )
            with scene.ink(0.7, new_id=False) as canvas:
                canvas.drawPath(path_of(cut), paint_of((0.92, 0.78, 0.52), 0.9, size * 0.05))
                canvas.drawPath(
                    path_of(cut + np.array([0, size * 0.03])),
                    paint_of((0.4, 0.2, 0.08), 0.7, size * 0.022),
                )


def draw_cheese(scene: Scene, x: float, foot: float, size: float) -> None:
    """Lay a wedge cut from a wheel of cheese."""
    with scene.object("cheese"):
        _ground_shadow(scene, x, foot, size * 0.7)
        top = [(-0.8, -0.42), (0.3, -0.62), (0.85, -0.36), (-0.1, -0.2)]
        left = [(-0.8, -0.42), (-0.1, -0.2), (-0.1, 0.16), (-0.8, -0.04)]
        right = [(-0.1, -0.2), (0.85, -0.36), (0.85, 0.0), (-0.1, 0.16)]
        sun = scene.light.towards[0]
        for points, share in (
            (top, 0.05),
            (left, 0.12 if sun < 0 else 0.5),
            (right, 0.5 if sun < 0 else 0.12),
        ):
            tint = mix((0.93, 0.8, 0.45), scene.light.shadow_colour, share)
            scene.solid(
                [(x + u * size, foot + v * size) for u, v in points],
                tint,
                size * 0.03,
                bumps=size * 0.01,
                fine=0.6,
            )


def draw_fish(scene: Scene, x: float, y: float, size: float) -> None:
    """Lay a silver fish."""
    side = 1.0
    tint = mix((0.62, 0.64, 0.64), (0.55, 0.45, 0.35), float(scene.rng.uniform(0, 0.6)))
    scene.cast_shadow(ellipse(x, y + size * 0.08, size * 0.5, size * 0.07), size * 0.04, 0.55)
    tail = [(-0.4, 0.0), (-0.58, -0.13), (-0.54, 0.0), (-0.58, 0.12)]
    scene.solid(
        [(x + side * u * size, y + v * size) for u, v in tail],
        mix(tint, (0.3, 0.25, 0.2), 0.4),
        size * 0.03,
        fine=0.7,
    )
    body = [
        (0.5, 0.0),
        (0.38, -0.075),
        (0.1, -0.12),
        (-0.2, -0.075),
        (-0.42, -0.02),
        (-0.42, 0.025),
        (-0.2, 0.08),
        (0.1, 0.115),
        (0.38, 0.075),
    ]
    scene.solid(
        smooth_curve([(x + side * u * size, y + v * size) for u, v in body], closed=True),
        tint,
        size * 0.1,
        bumps=size * 0.006,
        gloss=0.9,
        fine=0.75,
    )
    with scene.ink(0.85, new_id=False) as canvas:
        dark = (0.12, 0.11, 0.12)
        back = smooth_curve(
            [
                (x + side * 0.4 * size, y - size * 0.06),
                (x + side * 0.1 * size, y - size * 0.095),
                (x - side * 0.35 * size, y - size * 0.03),
            ]
        )
        canvas.drawPath(path_of(back), paint_of(mix(tint, (0.1, 0.15, 0.2), 0.7), 0.7, size * 0.03))
        canvas.drawCircle(
            x + side * size * 0.41, y - size * 0.02, size * 0.017, paint_of((0.9, 0.85, 0.6))
        )
        canvas.drawCircle(x + side * size * 0.41, y - size * 0.02, size * 0.009, paint_of(dark))
        gill = smooth_curve(
            [
                (x + side * size * 0.32, y - size * 0.07),
                (x + side * size * 0.29, y),
                (x + side * size * 0.32, y + size * 0.07),
            ]
        )
        canvas.drawPath(path_of(gill), paint_of(dark, 0.7, max(0.8, size * 0.01)))


def draw_knife(scene: Scene, x: float, y: float, size: float) -> None:
    """Lay a knife across the table's edge."""
    turn = float(scene.rng.choice([-1, 1]) * scene.rng.uniform(0.3, 0.7))
    cos, sin = float(np.cos(turn)), float(np.sin(turn))

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + size * (u * cos - v * sin), y + size * (u * sin + v * cos)) for u, v in points]

    with scene.object("knife"):
        scene.cast_shadow(
            at([(-0.5, 0.02), (0.5, 0.02), (0.5, 0.1), (-0.5, 0.1)]), size * 0.03, 0.45
        )
        scene.solid(
            at([(0.0, -0.03), (0.42, -0.03), (0.52, 0.02), (0.0, 0.045)]),
            (0.75, 0.76, 0.76),
            size * 0.03,
            gloss=0.9,
            fine=0.8,
        )
        scene.solid(
            at([(-0.45, -0.04), (0.02, -0.035), (0.02, 0.045), (-0.45, 0.05)]),
            (0.22, 0.14, 0.09),
            size * 0.04,
            gloss=0.5,
            fine=0.75,
        )
