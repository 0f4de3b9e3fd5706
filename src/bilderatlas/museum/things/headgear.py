"""What heads wear: turban, hat, helmet, crown, veil, beret, cap."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of
from bilderatlas.museum.things.dress import draped
from bilderatlas.museum.things.heads import HeadPlace, turned


def _shadow_on_brow(scene: Scene, place: HeadPlace, y: float, strength: float = 0.45) -> None:
    half = place.half_px
    band = place.outline([(-0.75, y - 0.25), (0.75, y - 0.25), (0.72, y + 0.12), (-0.72, y + 0.12)])
    scene.cast_shadow(band, half * 0.07, strength)


def draw_turban(scene: Scene, place: HeadPlace, cloth: Colour, band: Colour) -> None:
    """Lay a turban: wraps over wraps, one end hanging."""
    half, shift = place.half_px, -0.1 * float(np.sin(place.look.yaw))
    _shadow_on_brow(scene, place, -0.42)
    with scene.object("turban"):
        side = -1.0 if place.look.yaw >= 0 else 1.0
        tail = [(0.6, -0.6), (0.95, -0.4), (1.0, 0.6), (0.8, 1.5), (0.6, 1.45), (0.72, 0.5)]
        hang = smooth_curve(place.outline([(side * x + shift, y) for x, y in tail]), closed=True)
        draped(scene, hang, mix(cloth, band, 0.5), half * 0.2, half * 0.14, fine=0.6)
        dome = smooth_curve(
            place.outline(
                [
                    (x + shift, y)
                    for x, y in [
                        (-0.8, -0.6),
                        (-0.6, -1.25),
                        (0, -1.5),
                        (0.6, -1.25),
                        (0.8, -0.6),
                        (0, -0.45),
                    ]
                ]
            ),
            closed=True,
        )
        draped(scene, dome, cloth, half * 0.6, half * 0.2, lean=0.4 * side, fine=0.6)
        for step, (y, lean) in enumerate(
            [(-1.12, 0.28), (-0.95, -0.2), (-0.76, 0.12), (-0.56, -0.1)]
        ):
            wide = 0.86 + 0.03 * step
            wrap = [
                (-wide, y + lean),
                (-0.4, y - 0.18 + lean * 0.5),
                (0.4, y - 0.18 - lean * 0.5),
                (wide, y - lean),
            ]
            wrap += [
                (wide, y + 0.22 - lean),
                (0.4, y + 0.16 - lean * 0.3),
                (-0.4, y + 0.16 + lean * 0.3),
                (-wide, y + 0.22 + lean),
            ]
            shape = smooth_curve(place.outline([(x + shift, v) for x, v in wrap]), closed=True)
            tint = cloth if step % 2 else mix(cloth, band, 0.75)
            scene.solid(shape, tint, half * 0.16, bumps=half * 0.008, gloss=0.1, fine=0.65)


def draw_hat(scene: Scene, place: HeadPlace, felt: Colour, feather: Colour | None) -> None:
    """Lay a broad-brimmed hat, perhaps with a feather."""
    half, shift = place.half_px, -0.08 * float(np.sin(place.look.yaw))
    _shadow_on_brow(scene, place, -0.3, 0.6)
    with scene.object("hat"):
        crown = [
            (-0.72, -0.62),
            (-0.68, -1.25),
            (-0.4, -1.52),
            (0.4, -1.5),
            (0.68, -1.22),
            (0.72, -0.62),
        ]
        scene.solid(
            smooth_curve(place.outline([(x + shift, y) for x, y in crown]), closed=True),
            felt,
            half * 0.5,
            bumps=half * 0.02,
            fine=0.5,
        )
        ribbon = place.outline(
            [
                (-0.74 + shift, -0.86),
                (0.74 + shift, -0.86),
                (0.75 + shift, -0.66),
                (-0.75 + shift, -0.66),
            ]
        )
        scene.solid(ribbon, mix(felt, (0, 0, 0), 0.5), half * 0.2, fine=0.5)
        lean = float(scene.rng.uniform(-0.12, 0.12))
        brim = [
            (-1.45, -0.55 + lean),
            (-0.8, -0.8),
            (0, -0.74),
            (0.8, -0.8),
            (1.45, -0.55 - lean),
            (0.8, -0.42),
            (0, -0.36),
            (-0.8, -0.42),
        ]
        scene.solid(
            smooth_curve(place.outline([(x + shift, y) for x, y in brim]), closed=True),
            mix(felt, (1, 1, 1), 0.04),
            half * 0.14,
            fine=0.5,
        )
    if feather is not None:
        draw_feather(scene, place, feather)


def draw_feather(scene: Scene, place: HeadPlace, colour: Colour) -> None:
    """Lay a curled feather at the side of a hat."""
    half = place.half_px
    side = -1.0 if scene.rng.random() < 0.5 else 1.0
    spine = smooth_curve([(0.45, -0.75), (0.95, -1.25), (1.25, -1.75), (1.75, -1.6)], steps=10)
    spine[:, 1] += np.float64(scene.rng.uniform(-0.1, 0.15))
    with scene.object("feather"), scene.ink(0.7) as canvas:
        for step, (x, y) in enumerate(np.repeat(spine, 2, axis=0)):
            span = 0.3 * float(np.sin(np.pi * (step + 3) / (2 * len(spine) + 5)))
            for turn in (-1, 1):
                end = (x + 0.16 + float(scene.rng.uniform(0, 0.16)), y + turn * span)
                points = place.outline([(side * x, y), (side * end[0], end[1])])
                tint = mix(colour, (0, 0, 0), float(scene.rng.uniform(0, 0.3)))
                canvas.drawPath(path_of(points), paint_of(tint, 0.8, half * 0.045))


def draw_beret(scene: Scene, place: HeadPlace, cloth: Colour) -> None:
    """Lay a soft flat cap, drawn to one side."""
    side = float(np.sign(place.look.yaw) or 1.0)
    half = place.half_px
    _shadow_on_brow(scene, place, -0.5, 0.4)
    with scene.object("beret"):
        shape = [
            (-0.78, -0.55),
            (-1.15, -0.85),
            (-0.95, -1.2),
            (0, -1.4),
            (0.9, -1.1),
            (0.98, -0.8),
            (0.76, -0.52),
            (0, -0.62),
        ]
        outline = smooth_curve(place.outline([(side * x, y) for x, y in shape]), closed=True)
        draped(scene, outline, cloth, half * 0.3, half * 0.22, lean=0.3, gloss=0.1, fine=0.5)


def draw_helmet(scene: Scene, place: HeadPlace, metal: Colour, plume: Colour) -> None:
    """Lay a steel helmet with a comb, cheek-pieces and a plume."""
    half, shift = place.half_px, -0.08 * float(np.sin(place.look.yaw))
    _shadow_on_brow(scene, place, -0.36, 0.7)
    with scene.object("plume"):
        shape = [
            (0.0, -1.4),
            (0.5, -1.95),
            (1.2, -1.7),
            (1.35, -0.7),
            (1.1, -0.2),
            (0.95, -0.8),
            (0.6, -1.2),
        ]
        side = -1.0 if place.look.yaw >= 0 else 1.0
        outline = smooth_curve(place.outline([(side * x, y) for x, y in shape]), closed=True)
        draped(scene, outline, plume, half * 0.2, half * 0.12, lean=0.4, fine=0.6)
    with scene.object("helmet"):
        bowl = [
            (-0.86, -0.3),
            (-0.88, -0.8),
            (-0.55, -1.3),
            (0, -1.45),
            (0.55, -1.3),
            (0.88, -0.8),
            (0.86, -0.3),
            (0, -0.5),
        ]
        scene.solid(
            smooth_curve(place.outline([(x + shift, y) for x, y in bowl]), closed=True),
            metal, half * 0.75, bumps=half * 0.015, gloss=0.95, fine=0.8,
        )  # fmt: skip
        comb = [(-0.05, -0.55), (-0.12, -1.2), (0, -1.62), (0.12, -1.2), (0.05, -0.55)]
        place_x = turned(0.0, place.look.yaw * 0.7)
        scene.solid(
            smooth_curve(place.outline([(x + place_x, y) for x, y in comb]), closed=True),
            mix(metal, (1, 0.9, 0.7), 0.2), half * 0.1, gloss=0.9, fine=0.8,
        )  # fmt: skip
        for side in (-1, 1):
            cheek = [(0.62, -0.4), (0.88, -0.35), (0.82, 0.35), (0.56, 0.7), (0.52, 0.2)]
            outline = smooth_curve(
                place.outline([(side * x + shift, y) for x, y in cheek]), closed=True
            )
            scene.solid(outline, metal, half * 0.16, gloss=0.8, fine=0.8)
        rim = place.outline([(-0.9 + shift, -0.34), (0 + shift, -0.52), (0.9 + shift, -0.34)])
        with scene.ink(0.8, new_id=False) as canvas:
            gold = (0.78, 0.6, 0.25)
            canvas.drawPath(path_of(smooth_curve(rim)), paint_of(gold, 1, half * 0.09))


def draw_crown(scene: Scene, place: HeadPlace, gold: Colour, gem: Colour) -> None:
    """Lay a crown with five points and stones."""
    half, shift = place.half_px, -0.1 * float(np.sin(place.look.yaw))
    _shadow_on_brow(scene, place, -0.55, 0.4)
    with scene.object("crown"):
        low = [(-0.74, -0.72), (-0.4, -0.6), (0, -0.56), (0.4, -0.6), (0.74, -0.72)]
        points = list(low)
        for x in (0.86, 0.62, 0.46, 0.2, 0.0, -0.2, -0.46, -0.62, -0.86):
            tall = x in (0.86, 0.46, 0.0, -0.46, -0.86)
            points.append((x, -1.42 if tall else -1.02))
        outline = place.outline([(x + shift, y) for x, y in points])
        scene.solid(outline, gold, half * 0.12, bumps=half * 0.02, gloss=0.9, fine=0.9)
        for x in (-0.46, 0.0, 0.46):
            cx, cy = place.on_picture(x + shift, -0.8 + 0.1 * (1 - x * x))
            scene.solid(
                ellipse(cx, cy, half * 0.07, half * 0.09), gem, half * 0.07, gloss=1.0, fine=1
            )
            tx, ty = place.on_picture(x + shift, -1.45)
            scene.solid(
                ellipse(tx, ty, half * 0.06, half * 0.06),
                (0.95, 0.93, 0.88),
                half * 0.05,
                gloss=1,
                fine=1,
            )


def draw_veil_back(scene: Scene, place: HeadPlace, cloth: Colour) -> None:
    """Lay the part of a veil that hangs behind the head."""
    half = place.half_px
    shape = [
        (-0.95, -0.3),
        (-0.75, -1.0),
        (0, -1.25),
        (0.75, -1.0),
        (0.95, -0.3),
        (1.05, 0.8),
        (1.35, 1.9),
        (-1.35, 1.9),
        (-1.05, 0.8),
    ]
    outline = smooth_curve(place.outline(shape), closed=True)
    draped(scene, outline, mix(cloth, (0, 0, 0), 0.25), half * 0.4, half * 0.22, fine=0.5)


def draw_veil(scene: Scene, place: HeadPlace, cloth: Colour) -> None:
    """Lay the part of a veil that frames the face."""
    half, yaw = place.half_px, place.look.yaw
    with scene.object("veil"):
        over = [
            (-0.98, 0.1),
            (-0.92, -0.6),
            (-0.5, -1.16),
            (0, -1.26),
            (0.5, -1.16),
            (0.92, -0.6),
            (0.98, 0.1),
        ]
        middle = turned(0.0, yaw * 0.7)
        under = [(0.66, 0.1), (0.56, -0.45), (0, -0.72), (-0.56, -0.45), (-0.66, 0.1)]
        left = [(-0.72, 0.7), (-0.6, 1.4), (-1.1, 2.1), (-1.45, 2.0), (-1.1, 0.9)]
        right = [(1.1, 0.9), (1.45, 2.0), (1.1, 2.1), (0.6, 1.4), (0.72, 0.7)]
        ring = over + right + [(x + middle * 0.6, y) for x, y in under] + left
        outline = smooth_curve(place.outline(ring), closed=True, steps=5)
        scene.cast_shadow([(x, y + half * 0.05) for x, y in outline], half * 0.06, 0.45)
        draped(scene, outline, cloth, half * 0.2, half * 0.18, fine=0.6)


def draw_cap(scene: Scene, place: HeadPlace, linen: Colour) -> None:
    """Lay a close linen cap."""
    half, shift = place.half_px, -0.06 * float(np.sin(place.look.yaw))
    with scene.object("cap"):
        shape = [
            (-0.84, 0.25),
            (-0.9, -0.5),
            (-0.5, -1.12),
            (0, -1.22),
            (0.5, -1.12),
            (0.9, -0.5),
            (0.84, 0.25),
        ]
        shape += [(0.66, -0.1), (0.5, -0.5), (0, -0.68), (-0.5, -0.5), (-0.66, -0.1)]
        outline = smooth_curve(
            place.outline([(x + shift, y) for x, y in shape]), closed=True, steps=5
        )
        draped(scene, outline, linen, half * 0.4, half * 0.16, fine=0.7)
