"""Ships and boats: hulls, masts, swelling sails, rigging, flags."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Scene, mix, paint_of, path_of, spread, trace

Outline = list[tuple[float, float]]
Placing = Callable[[Outline], Outline]


def draw_ship(
    scene: Scene,
    x: float,
    water_y: float,
    size: float,
    hull: Colour,
    sail: Colour,
    flag: Colour,
    heel: float = 0.0,
) -> None:
    """Lay a three-master under sail, `size` pixels long, heeling by `heel` radians."""
    side = -1.0 if scene.rng.random() < 0.5 else 1.0
    cos, sin = float(np.cos(heel)), float(np.sin(heel))

    def at(points: Outline) -> Outline:
        turned = [(u * cos - v * sin, u * sin + v * cos) for u, v in points]
        return spread(turned, x, water_y, size, side)

    with scene.object("ship"):
        _masts(scene, at, size, mix(hull, (0.05, 0.04, 0.04), 0.4))
        _sails(scene, at, size, sail)
        body = smooth_curve(at(_HULL), closed=True, steps=5)
        scene.solid(body, hull, size * 0.07, bumps=size * 0.004, fine=0.65)
        _trim(scene, at, size, mix(sail, (0.75, 0.55, 0.2), 0.6), flag)
    _wash(scene, x, water_y + size * 0.02, size)


_MASTS = ((-0.28, 0.72), (0.02, 0.92), (0.28, 0.7))
_HULL = [
    (-0.52, -0.26), (-0.36, -0.16), (0.1, -0.13), (0.36, -0.17), (0.5, -0.2), (0.4, 0.0),
    (0.3, 0.03), (-0.36, 0.03), (-0.46, -0.04),
]  # fmt: skip


def _masts(scene: Scene, at: Placing, size: float, dark: Colour) -> None:
    """Lay masts, bowsprit, shrouds and stay."""
    with scene.ink(0.6) as canvas:
        for place, tall in _MASTS:
            trace(canvas, at([(place, -0.1), (place, -tall)]), dark, max(1.0, size * 0.012))
            for end in (-0.14, 0.14):
                shroud = at([(place + end, -0.13), (place, -tall * 0.96)])
                trace(canvas, shroud, dark, size * 0.003, 0.55)
        trace(canvas, at([(0.42, -0.16), (0.66, -0.3)]), dark, max(1.0, size * 0.01))
        trace(canvas, at([(0.65, -0.3), (0.28, -0.68)]), dark, size * 0.003, 0.6)


def _sails(scene: Scene, at: Placing, size: float, sail: Colour) -> None:
    """Lay three square sails on each mast, now and then one furled, and a jib."""
    belly = 0.05
    for place, tall in _MASTS:
        for low, high, wide in ((0.2, 0.47, 0.15), (0.49, 0.72, 0.115), (0.74, 0.9, 0.08)):
            if scene.rng.random() < 0.12:
                continue
            shape = [
                (place - wide, -low * tall),
                (place - wide * 0.86, -high * tall),
                (place + wide * 0.86, -high * tall),
                (place + wide, -low * tall),
                (place + wide * 0.5 + belly, -(low - 0.035) * tall),
                (place - wide * 0.3 + belly, -(low - 0.03) * tall),
            ]
            tint = mix(sail, (0.45, 0.4, 0.33), float(scene.rng.uniform(0, 0.35)))
            scene.solid(at(shape), tint, max(2.0, size * 0.06), fine=0.6)
    scene.solid(at([(0.64, -0.3), (0.3, -0.62), (0.33, -0.22)]), sail, size * 0.04, fine=0.6)


def _trim(scene: Scene, at: Placing, size: float, gilt: Colour, flag: Colour) -> None:
    """Lay the gilded wale, gun ports, pennants and ensign."""
    with scene.ink(0.8, new_id=False) as canvas:
        wale = smooth_curve(at([(-0.47, -0.15), (0.0, -0.075), (0.44, -0.12)]))
        trace(canvas, wale, gilt, max(1.0, size * 0.012), 0.9)
        for port in np.linspace(-0.34, 0.34, 8):
            ((px, py),) = at([(float(port), -0.045)])
            canvas.drawCircle(px, py, max(0.7, size * 0.009), paint_of((0.04, 0.03, 0.03)))
        for place, tall in _MASTS:
            pennant = at([(place, -tall), (place - 0.13, -tall - 0.015), (place, -tall + 0.035)])
            canvas.drawPath(path_of(pennant, True), paint_of(flag))
        ensign = at([(-0.52, -0.26), (-0.52, -0.42), (-0.68, -0.4), (-0.68, -0.3)])
        canvas.drawPath(path_of(ensign, True), paint_of(flag))


def _wash(scene: Scene, x: float, water_y: float, size: float) -> None:
    """Lay a little foam where the hull meets the water."""
    with scene.ink(0.5, new_id=False) as canvas:
        for _ in range(14):
            px = x + float(scene.rng.uniform(-0.5, 0.5)) * size
            wide = size * float(scene.rng.uniform(0.02, 0.09))
            line = [(px - wide, water_y), (px + wide, water_y + float(scene.rng.normal(0, 0.6)))]
            canvas.drawPath(path_of(line), paint_of((0.92, 0.93, 0.9), 0.5, max(0.8, size * 0.008)))


def draw_boat(
    scene: Scene, x: float, water_y: float, size: float, hull: Colour, sail: Colour | None
) -> None:
    """Lay a small boat, rowed or with one sail."""
    side = -1.0 if scene.rng.random() < 0.5 else 1.0

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x + side * u * size, water_y + v * size) for u, v in points]

    with scene.object("boat"):
        dark = mix(hull, (0.06, 0.04, 0.03), 0.6)
        if sail is not None:
            with scene.ink(0.6) as canvas:
                canvas.drawPath(
                    path_of(at([(0.05, -0.1), (0.05, -1.0)])),
                    paint_of(dark, 1, max(1.0, size * 0.02)),
                )
            shape = [(0.02, -0.96), (-0.44, -0.2), (-0.18, -0.13), (0.03, -0.17)]
            scene.solid(at(shape), sail, max(2.0, size * 0.12), bumps=size * 0.006, fine=0.6)
            jib = [(0.07, -0.9), (0.44, -0.16), (0.08, -0.2)]
            scene.solid(at(jib), mix(sail, (0.5, 0.45, 0.4), 0.2), max(2.0, size * 0.07), fine=0.6)
        body = [(-0.5, -0.15), (0.0, -0.09), (0.52, -0.2), (0.4, 0.02), (-0.4, 0.03)]
        scene.solid(
            smooth_curve(at(body), closed=True, steps=5),
            hull,
            size * 0.06,
            bumps=size * 0.004,
            fine=0.6,
        )
        rim = smooth_curve(at([(-0.5, -0.15), (0.0, -0.09), (0.52, -0.2)]))
        with scene.ink(0.7, new_id=False) as canvas:
            canvas.drawPath(
                path_of(rim),
                paint_of(mix(hull, (1, 0.95, 0.85), 0.45), 0.9, max(0.8, size * 0.018)),
            )
        if sail is None:
            for place in (-0.18, 0.16):
                draw_small_figure(
                    scene,
                    *at([(place, -0.08)])[0],
                    size * 0.3,
                    mix(hull, (0.5, 0.2, 0.15), 0.5),
                    seated=True,
                )


def draw_small_figure(
    scene: Scene, x: float, base_y: float, size: float, cloth: Colour, seated: bool = False
) -> None:
    """Lay a figure of a few strokes: coat, head, hat, legs."""
    rng = scene.rng
    coat = [
        (-0.14, -0.72),
        (0.14, -0.72),
        (0.2, -0.25),
        (0.16, -0.18),
        (-0.16, -0.18),
        (-0.2, -0.25),
    ]
    lean = float(rng.normal(0, 0.04))
    with scene.ink(0.7) as canvas:
        if not seated:
            for leg in (-0.08, 0.09):
                canvas.drawPath(
                    path_of(
                        [(x + leg * size, base_y - size * 0.25), (x + leg * 1.6 * size, base_y)]
                    ),
                    paint_of((0.12, 0.09, 0.08), 1, max(1.0, size * 0.09)),
                )
        canvas.drawCircle(
            x + lean * size, base_y - size * 0.86, size * 0.1, paint_of((0.85, 0.66, 0.5))
        )
        canvas.drawCircle(
            x + lean * size,
            base_y - size * 0.92,
            size * 0.09,
            paint_of(mix(cloth, (0.1, 0.07, 0.06), 0.7)),
        )
    scene.solid(
        [(x + (u + lean) * size, base_y + v * size) for u, v in coat],
        cloth,
        max(1.5, size * 0.12),
        fine=0.7,
    )
