"""What the vanitas shows: books, an hourglass, a lute."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Scene, ellipse, mix, paint_of, path_of
from bilderatlas.museum.school import School


def draw_stacked_books(scene: Scene, school: School, x: float, foot: float, wide: float) -> None:
    """Lay a stack of books in worn bindings."""
    rng = scene.rng
    with scene.object("books"):
        away = -float(np.sign(scene.light.towards[0]))
        scene.cast_shadow(
            ellipse(x + away * wide * 0.3, foot, wide * 0.75, wide * 0.1), wide * 0.05, 0.55
        )
        y = foot
        for _ in range(int(rng.integers(2, 5))):
            high = wide * float(rng.uniform(0.14, 0.22))
            left = x - wide * 0.5 + float(rng.normal(0, wide * 0.05))
            right = left + wide * float(rng.uniform(0.85, 1.0))
            cover = mix(
                school.pick(rng, "table"), school.pick(rng, "bright"), float(rng.uniform(0, 0.7))
            )
            scene.solid(
                [(left, y), (right, y), (right, y - high), (left, y - high)],
                cover,
                high * 0.3,
                bumps=0.5,
                gloss=0.15,
                fine=0.6,
            )
            pages = [
                (left + wide * 0.06, y - high * 0.14),
                (right + 1, y - high * 0.14),
                (right + 1, y - high * 0.84),
                (left + wide * 0.06, y - high * 0.84),
            ]
            scene.solid(pages, (0.87, 0.8, 0.64), high * 0.12, bumps=0.6, fine=0.6)
            with scene.ink(0.7, new_id=False) as canvas:
                for share in (0.3, 0.45, 0.6, 0.75):
                    line = [(left + wide * 0.07, y - high * share), (right, y - high * share)]
                    canvas.drawPath(path_of(line), paint_of((0.5, 0.42, 0.3), 0.5, 0.8))
            y -= high


def draw_hourglass(scene: Scene, x: float, foot: float, high: float) -> None:
    """Lay an hourglass in a wooden frame."""
    wood = (0.4, 0.24, 0.12)
    with scene.object("hourglass"):
        half = high * 0.24
        scene.cast_shadow(ellipse(x, foot, half * 1.4, half * 0.3), half * 0.15, 0.5)
        with scene.ink(0.8) as canvas:
            bulb = smooth_curve(
                [
                    (x - half * 0.7, foot - high * 0.08),
                    (x - half * 0.75, foot - high * 0.3),
                    (x - half * 0.1, foot - high * 0.5),
                    (x - half * 0.75, foot - high * 0.7),
                    (x - half * 0.7, foot - high * 0.92),
                    (x + half * 0.7, foot - high * 0.92),
                    (x + half * 0.75, foot - high * 0.7),
                    (x + half * 0.1, foot - high * 0.5),
                    (x + half * 0.75, foot - high * 0.3),
                    (x + half * 0.7, foot - high * 0.08),
                ],
                closed=True,
            )
            canvas.drawPath(path_of(bulb, True), paint_of((0.75, 0.8, 0.78), 0.4))
            sand = [
                (x - half * 0.6, foot - high * 0.09),
                (x, foot - high * 0.28),
                (x + half * 0.6, foot - high * 0.09),
            ]
            canvas.drawPath(path_of(sand, True), paint_of((0.8, 0.62, 0.36)))
            upper = [
                (x - half * 0.5, foot - high * 0.68),
                (x + half * 0.5, foot - high * 0.68),
                (x, foot - high * 0.51),
            ]
            canvas.drawPath(path_of(upper, True), paint_of((0.8, 0.62, 0.36)))
            canvas.drawPath(
                path_of(bulb, True), paint_of((0.9, 0.93, 0.9), 0.6, max(0.8, high * 0.008))
            )
        for side in (-1, 1):
            post = [
                (x + side * half * 0.92 - high * 0.018, foot),
                (x + side * half * 0.92 + high * 0.018, foot),
                (x + side * half * 0.92 + high * 0.018, foot - high),
                (x + side * half * 0.92 - high * 0.018, foot - high),
            ]
            scene.solid(post, wood, high * 0.02, gloss=0.4, fine=0.75)
        for y in (foot, foot - high * 0.94):
            board = [
                (x - half * 1.15, y),
                (x + half * 1.15, y),
                (x + half * 1.15, y - high * 0.07),
                (x - half * 1.15, y - high * 0.07),
            ]
            scene.solid(board, wood, high * 0.03, gloss=0.4, fine=0.75)


def draw_lute(scene: Scene, x: float, foot: float, long: float) -> None:
    """Lay a lute that leans on the table."""
    side = float(scene.rng.choice([-1.0, 1.0]))
    turn = -0.42
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    base_y = foot - long * 0.15

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [
            (x + side * long * (u * cos - v * sin), base_y + long * (u * sin + v * cos))
            for u, v in points
        ]

    with scene.object("lute"):
        scene.cast_shadow(ellipse(x, foot, long * 0.45, long * 0.06), long * 0.03, 0.5)
        body = [
            (-0.48, 0.0),
            (-0.4, -0.15),
            (-0.15, -0.2),
            (0.1, -0.1),
            (0.2, -0.035),
            (0.2, 0.035),
            (0.1, 0.1),
            (-0.15, 0.2),
            (-0.4, 0.15),
        ]
        outline = smooth_curve(at(body), closed=True)
        rim = smooth_curve(at([(u * 1.05 - 0.01, v * 1.12 + 0.03) for u, v in body]), closed=True)
        scene.solid(rim, (0.45, 0.24, 0.1), long * 0.08, gloss=0.5, fine=0.7)
        scene.solid(outline, (0.8, 0.58, 0.3), long * 0.03, gloss=0.25, fine=0.75)
        neck = at([(0.18, -0.032), (0.6, -0.026), (0.6, 0.026), (0.18, 0.032)])
        scene.solid(neck, (0.22, 0.13, 0.08), long * 0.02, gloss=0.4, fine=0.75)
        head = at([(0.59, -0.03), (0.65, -0.03), (0.6, 0.22), (0.55, 0.2)])
        scene.solid(head, (0.35, 0.2, 0.1), long * 0.02, gloss=0.4, fine=0.75)
        with scene.ink(0.9, new_id=False) as canvas:
            ((rx, ry),) = at([(-0.06, 0.0)])
            canvas.drawCircle(rx, ry, long * 0.06, paint_of((0.16, 0.09, 0.05)))
            canvas.drawCircle(
                rx, ry, long * 0.06, paint_of((0.5, 0.32, 0.14), 1, max(1.0, long * 0.008))
            )
            for shift in np.linspace(-0.02, 0.02, 6):
                canvas.drawPath(
                    path_of(at([(-0.36, float(shift) * 1.6), (0.6, float(shift))])),
                    paint_of((0.95, 0.9, 0.75), 0.8, max(0.6, long * 0.003)),
                )
            canvas.drawPath(
                path_of(at([(-0.36, -0.06), (-0.36, 0.06)])),
                paint_of((0.2, 0.12, 0.06), 1, max(1.0, long * 0.014)),
            )
            for fret in np.linspace(0.22, 0.56, 7):
                canvas.drawPath(
                    path_of(at([(float(fret), -0.028), (float(fret), 0.028)])),
                    paint_of((0.85, 0.8, 0.65), 0.7, max(0.6, long * 0.003)),
                )
            for peg in np.linspace(0.03, 0.18, 5):
                ((px, py),) = at([(0.66 - float(peg) * 0.25, float(peg))])
                canvas.drawCircle(px, py, max(0.8, long * 0.01), paint_of((0.12, 0.08, 0.05)))
