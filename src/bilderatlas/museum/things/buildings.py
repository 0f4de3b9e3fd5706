"""Buildings: houses, church, castle, windmill, ruin, bridge, lighthouse."""

from __future__ import annotations

from typing import Any

import numpy as np

from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of, spread, trace

Quad = list[tuple[float, float]]


def _wall(scene: Scene, points: Quad, colour: Colour, facing: float, bumps: float = 0.6) -> None:
    """Lay a flat wall: `facing` -1 looks left, 1 right, 0 to us; the light decides its tone."""
    side = scene.light.towards[0] * facing
    share = 0.62 + 0.45 * side if facing else 0.7
    lit, shadow = np.asarray(scene.light.lit), np.asarray(scene.light.shadow)
    r, g, b = np.asarray(colour) * (shadow + (lit - shadow) * float(np.clip(share, 0.1, 1)))
    from bilderatlas.museum.noise import fractal_noise
    from bilderatlas.museum.scene import polygon_mask

    mask, at = polygon_mask(points)
    grain = fractal_noise(scene.rng, mask.shape, 7.0, 2) * np.float32(0.07 * bumps)
    plane = np.asarray((r, g, b), np.float32) * (1 + grain)[..., None]
    scene.lay(mask, np.clip(plane, 0, 1), at, fine=0.55)


def _windows(
    scene: Scene,
    x: float,
    y: float,
    wide: float,
    high: float,
    columns: int,
    rows: int,
    colour: Colour,
) -> None:
    with scene.ink(0.8) as canvas:
        import skia

        for column in range(columns):
            for row in range(rows):
                left = x + wide * (column + 0.3) / columns
                top = y + high * (row + 0.28) / rows
                rect = skia.Rect.MakeXYWH(left, top, wide * 0.36 / columns, high * 0.46 / rows)
                canvas.drawRect(rect, paint_of(colour, 0.9))


def draw_house(
    scene: Scene,
    x: float,
    base_y: float,
    wide: float,
    wall: Colour,
    roof: Colour,
    lit_window: bool = False,
) -> None:
    """Lay a gabled house whose corner is turned to us."""
    high = float(scene.rng.uniform(0.4, 0.55))
    side = -1.0 if scene.rng.random() < 0.5 else 1.0
    top = -high - high * float(scene.rng.uniform(0.65, 0.95))
    gable, corner, ridge, eaves = 0.38, 0.12, 0.31, -high * 0.94
    parts: tuple[tuple[Quad, Colour, float, float], ...] = (
        ([(-0.5, 0), (corner, 0), (corner, -high), (-0.5, -high)], wall, -side, 0.6),
        ([(corner, 0), (0.5, 0), (0.5, -high), (ridge, top), (corner, -high)], wall, side, 0.6),
        ([(-0.53, eaves), (corner, eaves), (ridge, top), (ridge - 0.62, top)], roof, -side, 1.6),
        (
            [(0.01, top + 0.02), (0.08, top + 0.02), (0.08, top - 0.12), (0.01, top - 0.12)],
            wall,
            0,
            0.6,
        ),
    )
    with scene.object("house"):
        for outline, colour, facing, bumps in parts:
            _wall(scene, spread(outline, x, base_y, wide, side), colour, facing, bumps)
        glow = (0.98, 0.8, 0.4) if lit_window else mix(wall, (0.08, 0.06, 0.06), 0.75)
        (x1, _), (x2, _), (x3, _) = spread(
            [(-0.5, 0), (corner, 0), (0.5, 0)], x, base_y, wide, side
        )
        upper = base_y - high * wide
        _windows(scene, min(x1, x2), upper, abs(x2 - x1), high * wide * 0.9, 3, 1, glow)
        _windows(scene, min(x2, x3), upper, gable * wide, high * wide, 1, 1, glow)


def draw_church(
    scene: Scene, x: float, base_y: float, size: float, wall: Colour, roof: Colour
) -> None:
    """Lay a church with nave, tower and spire."""
    side = -1.0 if scene.rng.random() < 0.5 else 1.0
    parts: tuple[tuple[Quad, Colour, float, float, float], ...] = (
        ([(0, 0), (0.62, 0), (0.62, -0.27), (0, -0.27)], wall, side, 0, 0.6),
        ([(0, -0.26), (0.62, -0.26), (0.58, -0.46), (0, -0.46)], roof, side, -0.6, 1.5),
        ([(-0.11, 0), (0.033, 0), (0.033, -0.66), (-0.11, -0.66)], wall, 1, -1, 0.6),
        ([(0.033, 0), (0.11, 0), (0.11, -0.66), (0.033, -0.66)], wall, 1, 1, 0.6),
        ([(-0.12, -0.65), (0.033, -0.65), (0, -1.12)], roof, 1, -1, 0.6),
        ([(0.033, -0.65), (0.12, -0.65), (0, -1.12)], roof, 1, 1, 0.6),
    )
    with scene.object("church"):
        for outline, colour, mirror, facing, bumps in parts:
            _wall(scene, spread(outline, x, base_y, size, mirror), colour, facing, bumps)
        dark = mix(wall, (0.06, 0.05, 0.06), 0.8)
        left = min(x + side * size * 0.11, x + side * size * 0.62)
        _windows(scene, left, base_y - size * 0.25, size * 0.51, size * 0.22, 4, 1, dark)
        _windows(
            scene, x - size * 0.11, base_y - size * 0.62, size * 0.143, size * 0.16, 1, 1, dark
        )
        with scene.ink(0.8, new_id=False) as canvas:
            iron = (0.1, 0.08, 0.07)
            for line in ([(0, -1.12), (0, -1.19)], [(-0.02, -1.165), (0.02, -1.165)]):
                trace(canvas, spread(line, x, base_y, size), iron, max(1.0, size * 0.012))


def draw_castle(
    scene: Scene, x: float, base_y: float, size: float, wall: Colour, roof: Colour
) -> None:
    """Lay a castle: round towers, a keep, battlements, cone roofs."""
    with scene.object("castle"):
        for shift, wide, high, cone in (
            (-0.1, 0.34, 0.62, False),
            (-0.42, 0.16, 0.55, True),
            (0.4, 0.2, 0.72, True),
            (0.12, 0.2, 0.42, False),
        ):
            left, right, top = (
                x + (shift - wide / 2) * size,
                x + (shift + wide / 2) * size,
                base_y - high * size,
            )
            outline = [(left, base_y), (left, top), (right, top), (right, base_y)]
            scene.solid(outline, wall, wide * size * 0.45, bumps=size * 0.006, fine=0.55)
            if cone:
                peak = [
                    (left - size * 0.015, top + 1),
                    (right + size * 0.015, top + 1),
                    ((left + right) / 2, top - size * 0.24),
                ]
                scene.solid(peak, roof, wide * size * 0.35, fine=0.55)
            else:
                step = (right - left) / 7
                for tooth in range(4):
                    tx = left + tooth * 2 * step
                    _wall(
                        scene,
                        [
                            (tx, top + 1),
                            (tx + step, top + 1),
                            (tx + step, top - step),
                            (tx, top - step),
                        ],
                        wall,
                        0,
                    )
            _windows(
                scene,
                left + (right - left) * 0.2,
                top + size * 0.05,
                (right - left) * 0.6,
                high * size * 0.5,
                1,
                2,
                mix(wall, (0.05, 0.04, 0.05), 0.8),
            )


def draw_mill(
    scene: Scene, x: float, base_y: float, size: float, wall: Colour, roof: Colour
) -> None:
    """Lay a windmill with four lattice sails."""
    with scene.object("mill"):
        body = spread([(-0.17, 0), (-0.09, -0.6), (0.09, -0.6), (0.17, 0)], x, base_y, size)
        scene.solid(body, wall, size * 0.13, bumps=size * 0.006, fine=0.55)
        cap = [(-0.12, -0.59), (-0.08, -0.7), (0.07, -0.72), (0.12, -0.59)]
        scene.solid(spread(cap, x, base_y, size), roof, size * 0.07, fine=0.55)
        dark = (0.08, 0.06, 0.05)
        for left, top, wide, high in ((-0.05, -0.35, 0.1, 0.15), (-0.06, -0.14, 0.12, 0.2)):
            there = (x + left * size, base_y + top * size)
            _windows(scene, *there, wide * size, high * size, 1, 1, dark)
        start = float(scene.rng.uniform(0, np.pi / 2))
        wood = mix(roof, (0.12, 0.08, 0.05), 0.65)
        with scene.ink(0.75) as canvas:
            for arm in range(4):
                hub = (x - size * 0.02, base_y - size * 0.64)
                _mill_sail(canvas, hub, size, start + arm * np.pi / 2, wood)


def _mill_sail(
    canvas: Any, hub: tuple[float, float], size: float, angle: float, wood: Colour
) -> None:
    """Draw one arm of a windmill with its lattice."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))

    def at(points: Quad) -> Quad:
        turned = [(u * cos - v * sin, u * sin + v * cos) for u, v in points]
        return spread(turned, hub[0], hub[1], size)

    trace(canvas, at([(0, 0), (0.52, 0)]), wood, max(1.2, size * 0.018))
    sail = at([(0.12, 0.01), (0.5, 0.01), (0.5, 0.11), (0.12, 0.11)])
    canvas.drawPath(path_of(sail, True), paint_of((0.86, 0.8, 0.66), 0.55))
    canvas.drawPath(path_of(sail, True), paint_of(wood, 1, max(0.8, size * 0.008)))
    for rung in np.linspace(0.16, 0.46, 6):
        trace(canvas, at([(float(rung), 0.01), (float(rung), 0.11)]), wood, size * 0.006, 0.8)


def draw_ruin(scene: Scene, x: float, base_y: float, size: float, stone: Colour) -> None:
    """Lay a ruin: broken wall with an arch, a stump of a tower."""
    rng = scene.rng
    with scene.object("ruin"):
        top = [
            (
                x + (share - 0.5) * size,
                base_y - size * (0.34 + 0.3 * abs(share - 0.4) + float(rng.uniform(-0.06, 0.06))),
            )
            for share in np.linspace(0, 1, 9)
        ]
        wall = [(x - size * 0.5, base_y), *top, (x + size * 0.5, base_y)]
        scene.solid(wall, stone, size * 0.06, bumps=size * 0.02, fine=0.5)
        tower = [
            (x - size * 0.55, base_y),
            (x - size * 0.53, base_y - size * 0.8),
            (x - size * 0.42, base_y - size * 0.72),
            (x - size * 0.33, base_y - size * 0.86),
            (x - size * 0.3, base_y),
        ]
        scene.solid(tower, stone, size * 0.12, bumps=size * 0.025, fine=0.5)
        seen = mix(stone, (0.1, 0.08, 0.08), 0.78)
        for shift, high in ((-0.1, 0.26), (0.2, 0.24)):
            cx = x + shift * size
            arch = [(cx - size * 0.09, base_y), (cx - size * 0.09, base_y - high * size * 0.6)]
            arch += [
                (
                    cx + size * 0.09 * float(np.cos(a)),
                    base_y - high * size * 0.6 - size * 0.1 * float(np.sin(a)),
                )
                for a in np.linspace(np.pi, 0, 9)
            ]
            arch += [(cx + size * 0.09, base_y)]
            scene.flat(arch, seen, fine=0.5)
        from bilderatlas.museum.things.trees import lay_clumps

        moss = np.array(
            [
                [
                    x + rng.uniform(-0.5, 0.5) * size,
                    base_y - size * rng.uniform(0.0, 0.6),
                    size * 0.05,
                ]
                for _ in range(6)
            ]
        )
        lay_clumps(scene, moss, (0.28, 0.32, 0.15), max(1.2, size * 0.012), 16)


def draw_bridge(scene: Scene, x: float, base_y: float, wide: float, stone: Colour) -> None:
    """Lay a stone bridge with arches that open on what lies behind."""
    high = wide * 0.2
    with scene.object("bridge"):
        steps = np.linspace(-0.5, 0.5, 25)
        top = [(x + s * wide, base_y - high * (1.25 - 1.6 * s * s)) for s in steps]
        deck = [(x + s * wide, base_y - high * (0.95 - 1.6 * s * s)) for s in steps[::-1]]
        arches = 3 if wide > 150 else 2
        for pier in range(arches + 1):
            px = x + (pier / arches - 0.5) * wide * 0.9
            column = [
                (px - wide * 0.035, base_y + high * 0.25),
                (px - wide * 0.03, base_y - high * 0.75),
                (px + wide * 0.03, base_y - high * 0.75),
                (px + wide * 0.035, base_y + high * 0.25),
            ]
            scene.solid(column, stone, wide * 0.03, bumps=wide * 0.004, fine=0.5)
        for arch in range(arches):
            cx = x + ((arch + 0.5) / arches - 0.5) * wide * 0.9
            half = wide * 0.45 / arches - wide * 0.028
            outer = [
                (
                    cx + half * 1.25 * float(np.cos(a)),
                    base_y - high * 0.05 - high * 0.95 * float(np.sin(a)),
                )
                for a in np.linspace(np.pi, 0, 13)
            ]
            inner = [
                (
                    cx + half * float(np.cos(a)),
                    base_y - high * 0.05 - high * 0.68 * float(np.sin(a)),
                )
                for a in np.linspace(0, np.pi, 13)
            ]
            scene.solid(outer + inner, stone, wide * 0.02, bumps=wide * 0.004, fine=0.5)
        scene.solid(top + deck, stone, high * 0.12, bumps=wide * 0.005, fine=0.5)


def draw_lighthouse(scene: Scene, x: float, base_y: float, size: float, wall: Colour) -> None:
    """Lay a lighthouse with its lamp."""
    with scene.object("lighthouse"):
        body = [
            (x - size * 0.1, base_y),
            (x - size * 0.055, base_y - size * 0.75),
            (x + size * 0.055, base_y - size * 0.75),
            (x + size * 0.1, base_y),
        ]
        scene.solid(body, wall, size * 0.09, bumps=size * 0.004, fine=0.6)
        band = [
            (x - size * 0.085, base_y - size * 0.28),
            (x - size * 0.073, base_y - size * 0.47),
            (x + size * 0.073, base_y - size * 0.47),
            (x + size * 0.085, base_y - size * 0.28),
        ]
        scene.solid(band, (0.62, 0.2, 0.15), size * 0.08, fine=0.6)
        lamp = [
            (x - size * 0.05, base_y - size * 0.75),
            (x - size * 0.05, base_y - size * 0.86),
            (x + size * 0.05, base_y - size * 0.86),
            (x + size * 0.05, base_y - size * 0.75),
        ]
        scene.flat(lamp, (0.98, 0.86, 0.5), fine=0.7)
        roof = [
            (x - size * 0.075, base_y - size * 0.86),
            (x + size * 0.075, base_y - size * 0.86),
            (x, base_y - size * 0.98),
        ]
        scene.solid(roof, (0.25, 0.2, 0.2), size * 0.04, fine=0.6)
        with scene.ink(0.7, new_id=False) as canvas:
            for radius, alpha in ((0.3, 0.12), (0.18, 0.16), (0.09, 0.3)):
                canvas.drawCircle(
                    x, base_y - size * 0.81, size * radius, paint_of((1, 0.9, 0.6), alpha)
                )


def draw_haystack(scene: Scene, x: float, base_y: float, size: float, straw: Colour) -> None:
    """Lay a haystack with its shadow."""
    away = -float(np.sign(scene.light.towards[0]))
    scene.cast_shadow(
        ellipse(x + away * size * 0.5, base_y, size * 0.75, size * 0.13), size * 0.06, 0.6
    )
    shape = [
        (x - size * 0.42, base_y),
        (x - size * 0.46, base_y - size * 0.3),
        (x, base_y - size * 0.82),
        (x + size * 0.46, base_y - size * 0.3),
        (x + size * 0.42, base_y),
    ]
    from bilderatlas.museum.noise import smooth_curve

    scene.solid(
        smooth_curve(shape, closed=True, steps=6), straw, size * 0.4, bumps=size * 0.02, fine=0.4
    )
