"""Vessels and other turned things: jugs, vases, glasses, bottles, candlesticks, plates."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import Points, smooth_curve
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of

Profile = list[tuple[float, float]]  # height 0 (foot) to 1 (rim) → half width as a share of height

JUG: Profile = [
    (0, 0.2),
    (0.03, 0.22),
    (0.08, 0.2),
    (0.2, 0.33),
    (0.42, 0.4),
    (0.62, 0.32),
    (0.78, 0.18),
    (0.9, 0.17),
    (1, 0.2),
]
VASE: Profile = [
    (0, 0.18),
    (0.04, 0.19),
    (0.12, 0.14),
    (0.3, 0.27),
    (0.55, 0.36),
    (0.75, 0.28),
    (0.88, 0.16),
    (1, 0.23),
]
BOTTLE: Profile = [
    (0, 0.2),
    (0.03, 0.21),
    (0.5, 0.21),
    (0.62, 0.14),
    (0.7, 0.07),
    (0.95, 0.06),
    (1, 0.075),
]
GOBLET: Profile = [
    (0, 0.24),
    (0.03, 0.22),
    (0.06, 0.06),
    (0.35, 0.05),
    (0.42, 0.1),
    (0.5, 0.24),
    (0.75, 0.28),
    (1, 0.24),
]
ROEMER: Profile = [
    (0, 0.24),
    (0.04, 0.22),
    (0.1, 0.12),
    (0.4, 0.12),
    (0.46, 0.22),
    (0.6, 0.32),
    (0.8, 0.33),
    (1, 0.25),
]
BOWL: Profile = [(0, 0.4), (0.1, 0.42), (0.18, 0.4), (0.3, 0.75), (0.6, 1.05), (1, 1.3)]
POT: Profile = [(0, 0.4), (0.05, 0.45), (0.3, 0.58), (0.6, 0.6), (0.85, 0.5), (1, 0.54)]
CANDLESTICK: Profile = [
    (0, 0.34),
    (0.04, 0.33),
    (0.1, 0.12),
    (0.2, 0.08),
    (0.45, 0.06),
    (0.5, 0.12),
    (0.55, 0.07),
    (0.85, 0.06),
    (0.9, 0.16),
    (1, 0.15),
]


def outline_of(profile: Profile, cx: float, foot_y: float, height_px: float) -> Points:
    """Return the outline of a turned thing that stands at (cx, foot_y)."""
    curve = smooth_curve([(r, h) for h, r in profile], steps=6)
    right = [(cx + r * height_px, foot_y - h * height_px) for r, h in curve]
    left = [(cx - r * height_px, foot_y - h * height_px) for r, h in curve[::-1]]
    bulge = curve[0][0] * height_px * 0.22
    foot = [
        (cx - curve[0][0] * height_px * 0.6, foot_y + bulge),
        (cx + curve[0][0] * height_px * 0.6, foot_y + bulge),
    ]
    return np.asarray(right + left + foot)


def draw_vessel(
    scene: Scene,
    profile: Profile,
    cx: float,
    foot_y: float,
    height_px: float,
    colour: Colour,
    *,
    gloss: float = 0.5,
    handle: bool = False,
    mouth: bool = True,
) -> None:
    """Lay a vessel with its shadow, handle and dark mouth."""
    wide = max(r for _, r in profile) * height_px
    away = -np.sign(scene.light.towards[0])
    shadow = ellipse(cx + away * wide * 0.9, foot_y, wide * 1.3, wide * 0.25)
    scene.cast_shadow(shadow, wide * 0.12, 0.55)
    if handle:
        side = float(scene.rng.choice([-1.0, 1.0]))
        loop = [(0.16, 0.92), (0.42, 0.88), (0.52, 0.66), (0.36, 0.42)]
        points = [(cx + side * x * height_px, foot_y - y * height_px) for x, y in loop]
        with scene.ink(0.6) as canvas:
            path = path_of(smooth_curve(points))
            canvas.drawPath(path, paint_of(mix(colour, (0, 0, 0), 0.45), 1, height_px * 0.07))
            canvas.drawPath(
                path, paint_of(mix(colour, (1, 0.95, 0.85), 0.15), 1, height_px * 0.025)
            )
    outline = outline_of(profile, cx, foot_y, height_px)
    scene.solid(outline, colour, wide * 0.95, bumps=wide * 0.01, gloss=gloss, fine=0.7)
    rim = profile[-1][1] * height_px
    if mouth:
        scene.flat(
            ellipse(cx, foot_y - height_px, rim, rim * 0.26), mix(colour, (1, 1, 1), 0.12), fine=0.7
        )
        dark = mix(colour, (0.03, 0.02, 0.02), 0.78)
        scene.flat(ellipse(cx, foot_y - height_px, rim * 0.86, rim * 0.19), dark, fine=0.7)


def draw_glass(
    scene: Scene, cx: float, foot_y: float, height_px: float, wine: Colour | None
) -> None:
    """Lay a wine glass: dim ground showing through, wine, rim and highlights."""
    outline = outline_of(ROEMER, cx, foot_y, height_px)
    with scene.object("glass"), scene.ink(0.95) as canvas:
        canvas.drawPath(path_of(outline, True), paint_of((0.5, 0.55, 0.45), 0.28))
        if wine is not None:
            bowl = [(0.46, 0.2), (0.6, 0.31), (0.8, 0.32), (0.84, 0.315)]
            right = [(cx + r * height_px * 0.95, foot_y - h * height_px) for h, r in bowl]
            left = [(2 * cx - x, y) for x, y in right[::-1]]
            canvas.drawPath(path_of(right + left, True), paint_of(wine, 0.75))
            glow = [(cx - scene.light.towards[0] * height_px * 0.12, foot_y - height_px * 0.56)]
            canvas.drawCircle(
                *glow[0], height_px * 0.09, paint_of(mix(wine, (1, 0.9, 0.6), 0.5), 0.5)
            )
        rim = 0.25 * height_px
        top = ellipse(cx, foot_y - height_px, rim, rim * 0.24)
        canvas.drawPath(
            path_of(top, True), paint_of((0.9, 0.92, 0.9), 0.75, max(1.0, height_px * 0.014))
        )
        canvas.drawPath(
            path_of(outline, True), paint_of((0.75, 0.8, 0.74), 0.35, max(1.0, height_px * 0.012))
        )
        lx = cx + scene.light.towards[0] * height_px * 0.2
        spark = [(lx, foot_y - height_px * 0.88), (lx * 1.0, foot_y - height_px * 0.7)]
        canvas.drawPath(path_of(spark), paint_of((1, 1, 0.97), 0.9, max(1.5, height_px * 0.035)))
        knob = ellipse(cx, foot_y - height_px * 0.2, height_px * 0.13, height_px * 0.05)
        canvas.drawPath(
            path_of(knob, True), paint_of((0.7, 0.76, 0.66), 0.35, max(1.0, height_px * 0.012))
        )


def draw_candle(scene: Scene, cx: float, foot_y: float, height_px: float, metal: Colour) -> None:
    """Lay a candlestick with a burning candle."""
    with scene.object("candle"):
        draw_vessel(scene, CANDLESTICK, cx, foot_y, height_px * 0.55, metal, gloss=0.9, mouth=False)
        top = foot_y - height_px * 0.53
        wide = height_px * 0.045
        shaft = [
            (cx - wide, top),
            (cx + wide, top),
            (cx + wide, top - height_px * 0.32),
            (cx - wide, top - height_px * 0.32),
        ]
        scene.solid(shaft, (0.94, 0.9, 0.78), wide, fine=0.8)
        flame_y = top - height_px * 0.38
        _shine(scene, cx, flame_y, height_px * 0.8)
        with scene.ink(0.9, new_id=False) as canvas:
            flame = smooth_curve(
                [
                    (cx, flame_y - height_px * 0.1),
                    (cx + height_px * 0.03, flame_y + height_px * 0.01),
                    (cx, flame_y + height_px * 0.045),
                    (cx - height_px * 0.03, flame_y + height_px * 0.01),
                ],
                closed=True,
            )
            canvas.drawPath(path_of(flame, True), paint_of((1, 0.86, 0.45)))
            canvas.drawCircle(
                cx, flame_y + height_px * 0.005, height_px * 0.016, paint_of((1, 0.98, 0.85))
            )


def _shine(scene: Scene, cx: float, cy: float, reach_px: float) -> None:
    """Lay the glow that a flame has in dark air."""
    half = int(reach_px) + 1
    ways = (np.arange(-half, half + 1, dtype=np.float32) / np.float32(reach_px)) ** 2
    away = np.sqrt(ways[None, :] + ways[:, None])
    glow = np.float32(0.42) * np.exp(-away * 4.5) * np.clip(1 - away, 0, 1)
    at = (int(cx) - half, int(cy) - half)
    scene.lay(glow, (1.0, 0.75, 0.35), at, fine=None, new_id=False, record=False)


def draw_plate(scene: Scene, cx: float, cy: float, wide: float, metal: Colour) -> None:
    """Lay a plate seen from above the table."""
    scene.cast_shadow(ellipse(cx, cy + wide * 0.06, wide * 1.03, wide * 0.3), wide * 0.06, 0.5)
    scene.solid(ellipse(cx, cy, wide, wide * 0.3), metal, wide * 0.08, gloss=0.5, fine=0.6)
    inner = mix(metal, (0, 0, 0), 0.25)
    scene.flat(ellipse(cx, cy + wide * 0.01, wide * 0.72, wide * 0.2), inner, fine=0.6)
    scene.solid(
        ellipse(cx, cy + wide * 0.02, wide * 0.68, wide * 0.18), metal, wide * 0.04, fine=0.6
    )
