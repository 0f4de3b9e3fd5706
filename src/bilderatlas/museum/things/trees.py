"""Trees: trunks that fork, crowns of lit clumps, poplars, bare winter trees."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Scene, mix, paint_of, path_of
from bilderatlas.museum.things.land import lay_dabs

_LEAF = np.array([[-1, 0], [-0.4, -0.5], [0.5, -0.42], [1, 0], [0.5, 0.42], [-0.4, 0.5]])


def _branches(
    scene: Scene, x: float, y: float, angle: float, length: float, depth: int
) -> list[tuple[float, float, float, float, float]]:
    """Return limbs (x1, y1, x2, y2, width) of a forking tree."""
    rng = scene.rng
    x2, y2 = x + np.cos(angle) * length, y + np.sin(angle) * length
    limbs = [(x, y, float(x2), float(y2), length * 0.17 * (0.6 + 0.16 * depth))]
    if depth > 0:
        for side in (-1, 1):
            turn = angle + side * float(rng.uniform(0.25, 0.7)) + (-np.pi / 2 - angle) * 0.08
            limbs += _branches(
                scene, float(x2), float(y2), turn, length * float(rng.uniform(0.62, 0.8)), depth - 1
            )
    return limbs


def _draw_limbs(
    scene: Scene, limbs: list[tuple[float, float, float, float, float]], bark: Colour
) -> None:
    with scene.ink(0.5) as canvas:
        for x1, y1, x2, y2, wide in limbs:
            bend = smooth_curve(
                [(x1, y1), ((x1 + x2) / 2 + wide * 0.2, (y1 + y2) / 2), (x2, y2)], steps=3
            )
            canvas.drawPath(path_of(bend), paint_of(bark, 1, max(0.8, wide)))
            if wide > 3:
                lit = [(x + scene.light.towards[0] * wide * 0.25, y) for x, y in bend]
                canvas.drawPath(
                    path_of(lit), paint_of(mix(bark, (0.9, 0.8, 0.6), 0.35), 0.7, wide * 0.3)
                )


def lay_clumps(
    scene: Scene,
    clumps: np.ndarray,
    colour: Colour,
    leaf_px: float,
    leaves: int = 46,
    flat: float = 0.7,
) -> None:
    """Lay foliage: clumps `(n, 3)` (x, y, radius), each a ball of leaves in the light."""
    rng = scene.rng
    n = len(clumps)
    angle = rng.uniform(0, 2 * np.pi, (n, leaves))
    radius = np.sqrt(rng.uniform(0, 1, (n, leaves)))
    dx, dy = np.cos(angle) * radius, np.sin(angle) * radius * flat
    x = clumps[:, :1] + dx * clumps[:, 2:]
    y = clumps[:, 1:2] + dy * clumps[:, 2:]
    lx, ly, lz = scene.light.towards
    lit = dx * lx + dy * ly + np.sqrt(np.maximum(1 - radius**2, 0)) * lz * 0.8
    lit = np.clip(0.32 + 0.62 * lit + rng.normal(0, 0.09, lit.shape), 0, 1.1)
    order = np.argsort((np.arange(n)[:, None] * 0.35 + lit * 1.2).ravel())
    lit, x, y = lit.ravel()[order], x.ravel()[order], y.ravel()[order]
    size = leaf_px * rng.uniform(0.6, 1.5, len(x))
    turn = rng.uniform(0, np.pi, len(x))
    cos, sin = np.cos(turn)[:, None] * size[:, None], np.sin(turn)[:, None] * size[:, None]
    shapes = np.stack(
        [
            x[:, None] + _LEAF[:, 0] * cos - _LEAF[:, 1] * sin,
            y[:, None] + _LEAF[:, 0] * sin + _LEAF[:, 1] * cos,
        ],
        2,
    )
    shadow, bright = np.asarray(scene.light.shadow), np.asarray(scene.light.lit)
    factor = shadow * 1.1 + (bright * 1.15 - shadow * 1.1) * lit[:, None]
    tint = np.asarray(colour) * factor + np.array([0.10, 0.08, 0.0]) * np.clip(
        lit[:, None] - 0.6, 0, 1
    )
    tint = tint + rng.normal(0, 0.02, tint.shape)
    lay_dabs(scene, shapes, np.clip(tint, 0, 1), fine=0.4, new_id=True)


def draw_tree(
    scene: Scene, x: float, base_y: float, height_px: float, foliage: Colour, bark: Colour
) -> None:
    """Lay a broad-leaved tree."""
    rng = scene.rng
    lean = float(rng.normal(0, 0.08))
    limbs = _branches(scene, x, base_y, -np.pi / 2 + lean, height_px * 0.3, 3)
    _draw_limbs(scene, limbs, bark)
    tips = np.array([(limb[2], limb[3]) for limb in limbs[1:]])
    radius = height_px * rng.uniform(0.1, 0.19, len(tips))
    clumps = np.c_[tips + rng.normal(0, height_px * 0.03, tips.shape), radius]
    clumps = clumps[np.argsort(clumps[:, 1] * 0.5 + rng.uniform(0, height_px * 0.2, len(clumps)))]
    lay_clumps(scene, clumps, foliage, max(1.6, height_px * 0.017), 40)


def draw_poplar(scene: Scene, x: float, base_y: float, height_px: float, foliage: Colour) -> None:
    """Lay a poplar: a flame of leaves."""
    n = 9
    rise = np.linspace(0.12, 0.95, n)
    wide = height_px * 0.085 * np.sin(np.pi * np.clip(rise * 0.9 + 0.12, 0, 1)) + height_px * 0.02
    clumps = np.stack(
        [x + scene.rng.normal(0, height_px * 0.012, n), base_y - rise * height_px, wide], 1
    )
    _draw_limbs(
        scene, [(x, base_y, x, base_y - height_px * 0.4, height_px * 0.02)], (0.25, 0.18, 0.12)
    )
    lay_clumps(scene, clumps, foliage, max(1.3, height_px * 0.013), 34, 1.15)


def draw_bare_tree(scene: Scene, x: float, base_y: float, height_px: float, bark: Colour) -> None:
    """Lay a tree in winter."""
    limbs = _branches(
        scene, x, base_y, -np.pi / 2 + float(scene.rng.normal(0, 0.1)), height_px * 0.27, 5
    )
    _draw_limbs(scene, limbs, bark)


def draw_pine(scene: Scene, x: float, base_y: float, height_px: float, foliage: Colour) -> None:
    """Lay a leaning pine with flat clouds of needles, as in eastern prints."""
    side = float(scene.rng.choice([-1.0, 1.0]))
    trunk = smooth_curve(
        [
            (x, base_y),
            (x + side * height_px * 0.1, base_y - height_px * 0.35),
            (x - side * height_px * 0.03, base_y - height_px * 0.65),
            (x + side * height_px * 0.18, base_y - height_px),
        ]
    )
    with scene.ink(0.6) as canvas:
        canvas.drawPath(path_of(trunk), paint_of((0.36, 0.25, 0.18), 1, height_px * 0.05))
    for share in (0.45, 0.62, 0.8, 0.97):
        px, py = trunk[int(share * (len(trunk) - 1))]
        reach = height_px * 0.22 * float(scene.rng.uniform(0.7, 1.2)) * (1.1 - share * 0.4)
        cloud = [
            (px - reach, py),
            (px - reach * 0.4, py - reach * 0.32),
            (px + reach * 0.5, py - reach * 0.36),
            (px + reach * 1.05, py),
            (px + reach * 0.3, py + reach * 0.12),
        ]
        scene.solid(
            smooth_curve(cloud, closed=True), foliage, reach * 0.3, bumps=reach * 0.05, fine=0.6
        )
