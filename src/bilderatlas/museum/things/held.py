"""What hands hold: a book, a letter, a flower, a skull, a fan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of, spread, trace
from bilderatlas.museum.school import School
from bilderatlas.museum.things.dress import draped
from bilderatlas.museum.things.hands import draw_hand
from bilderatlas.museum.things.heads import HeadPlace


def draw_skull(scene: Scene, cx: float, cy: float, size: float, turn: float = 1.0) -> None:
    """Lay a skull `size` pixels high, looking to the side of `turn`."""
    bone = (0.84, 0.76, 0.58)
    with scene.object("skull"):
        shape = [
            (-0.52, -0.1),
            (-0.42, -0.42),
            (0.0, -0.55),
            (0.38, -0.42),
            (0.5, -0.1),
            (0.44, 0.12),
            (0.36, 0.22),
            (0.34, 0.46),
            (0.0, 0.5),
            (-0.06, 0.26),
            (-0.36, 0.2),
        ]
        outline = smooth_curve(
            [(cx + turn * x * size, cy + y * size) for x, y in shape], closed=True
        )
        scene.cast_shadow(ellipse(cx, cy + size * 0.46, size * 0.62, size * 0.12), size * 0.06, 0.6)
        scene.solid(outline, bone, size * 0.42, bumps=size * 0.012, gloss=0.25, fine=0.85)
        dark = (0.1, 0.06, 0.04)
        for x, y, rx, ry in ((0.06, 0.02, 0.1, 0.095), (0.35, 0.03, 0.075, 0.09)):
            hole = ellipse(cx + turn * x * size, cy + y * size, rx * size, ry * size)
            scene.lay(*_soft(hole, size * 0.02), fine=0.9, new_id=True, record=False)
        nose = [(0.22, 0.12), (0.29, 0.24), (0.19, 0.24)]
        scene.flat([(cx + turn * x * size, cy + y * size) for x, y in nose], dark, fine=0.9)
        with scene.ink(0.95, new_id=False) as canvas:
            for step in range(6):
                x = cx + turn * size * (0.03 + 0.055 * step)
                line = [(x, cy + size * 0.33), (x, cy + size * 0.43)]
                canvas.drawPath(path_of(line), paint_of(dark, 0.7, max(0.8, size * 0.014)))
            teeth = [
                (cx + turn * size * 0.0, cy + size * 0.385),
                (cx + turn * size * 0.34, cy + size * 0.37),
            ]
            canvas.drawPath(path_of(teeth), paint_of(dark, 0.8, max(0.8, size * 0.016)))


def _soft(points: np.ndarray, blur: float) -> tuple[np.ndarray, Colour, tuple[int, int]]:
    import cv2

    from bilderatlas.museum.scene import polygon_mask

    mask, at = polygon_mask(points, margin_px=int(3 * blur) + 2)
    return cv2.GaussianBlur(mask, (0, 0), max(0.5, blur)), (0.09, 0.055, 0.04), at


def draw_book(
    scene: Scene,
    cx: float,
    cy: float,
    size: float,
    cover: Colour,
    turn: float = 0.0,
    open_: bool = True,
) -> None:
    """Lay a book, open with written pages or closed."""
    cos, sin = float(np.cos(turn)), float(np.sin(turn))

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return spread([(u * cos - v * sin, u * sin + v * cos) for u, v in points], cx, cy, size)

    with scene.object("book"):
        shadow = at([(-0.75, -0.3), (0.8, -0.3), (0.85, 0.5), (-0.7, 0.5)])
        scene.cast_shadow(shadow, size * 0.08, 0.5)
        if open_:
            _open_book(scene, at, size, cover)
            return
        board = at([(-0.6, -0.14), (0.6, -0.14), (0.6, 0.2), (-0.6, 0.2)])
        pages = at([(-0.56, -0.08), (0.62, -0.08), (0.62, 0.13), (-0.56, 0.13)])
        upper = at([(-0.6, -0.2), (0.6, -0.2), (0.62, -0.06), (-0.62, -0.06)])
        scene.solid(board, cover, size * 0.04, fine=0.6)
        scene.solid(pages, (0.88, 0.82, 0.68), size * 0.03, bumps=0.6, fine=0.7)
        scene.solid(upper, cover, size * 0.04, gloss=0.2, fine=0.6)


def _open_book(
    scene: Scene,
    at: Callable[[list[tuple[float, float]]], list[tuple[float, float]]],
    size: float,
    cover: Colour,
) -> None:
    """Lay boards, two pages and their lines."""
    boards = at([(-0.78, -0.42), (0.78, -0.42), (0.8, 0.46), (-0.8, 0.46)])
    scene.solid(boards, cover, size * 0.05, fine=0.6)
    half = [(0, -0.36), (0.3, -0.44), (0.72, -0.38), (0.74, 0.36), (0.3, 0.3), (0, 0.4)]
    for side in (-1, 1):
        page = at([(side * u, v) for u, v in half])
        scene.solid(page, (0.93, 0.88, 0.76), size * 0.16, fine=0.75)
    with scene.ink(0.9, new_id=False) as canvas:
        for side in (-1, 1):
            for row in range(8):
                y = -0.28 + row * 0.075
                end = side * (0.62 if row % 4 != 3 else 0.4)
                line = at([(side * 0.1, y), (end, y)])
                trace(canvas, line, (0.2, 0.15, 0.12), size * 0.022, 0.6)


def draw_letter(scene: Scene, cx: float, cy: float, size: float, turn: float) -> None:
    """Lay a sheet of paper with lines of writing."""
    cos, sin = float(np.cos(turn)), float(np.sin(turn))

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [
            (cx + size * (x * cos - y * sin), cy + size * (x * sin + y * cos)) for x, y in points
        ]

    with scene.object("letter"):
        sheet = [(-0.42, -0.55), (0.4, -0.58), (0.45, 0.5), (-0.4, 0.56)]
        scene.solid(at(sheet), (0.94, 0.9, 0.8), size * 0.1, bumps=size * 0.02, fine=0.8)
        with scene.ink(0.9, new_id=False) as canvas:
            for row in range(9):
                y = -0.42 + row * 0.1
                end = 0.32 if row % 4 else 0.1
                canvas.drawPath(
                    path_of(at([(-0.3, y), (end, y - 0.01)])),
                    paint_of((0.25, 0.18, 0.15), 0.65, max(0.8, size * 0.022)),
                )


def draw_bloom(
    scene: Scene, cx: float, cy: float, size: float, colour: Colour, kind: int = 0
) -> None:
    """Lay one flower head of `size` pixels radius: rose, daisy, tulip or peony."""
    rng = scene.rng
    if kind == 1:
        for angle in np.linspace(0, 2 * np.pi, 11, endpoint=False) + rng.uniform(0, 1):
            px, py = cx + np.cos(angle) * size * 0.62, cy + np.sin(angle) * size * 0.55
            scene.solid(
                ellipse(px, py, size * 0.42, size * 0.19, angle, n=14),
                colour,
                size * 0.15,
                fine=0.85,
            )
        scene.solid(
            ellipse(cx, cy, size * 0.27, size * 0.25, n=14),
            (0.85, 0.6, 0.12),
            size * 0.2,
            bumps=size * 0.05,
            fine=0.9,
        )
        return
    if kind == 2:
        for shift, dark in ((-0.32, 0.2), (0.32, 0.2), (0.0, 0.0)):
            petal = [(0, 0.75), (-0.42, 0.2), (-0.3, -0.6), (0, -0.95), (0.3, -0.6), (0.42, 0.2)]
            outline = smooth_curve(
                [(cx + (x + shift) * size, cy + y * size) for x, y in petal], closed=True
            )
            stripe = mix(colour, (0.95, 0.9, 0.8), 0.3 if shift == 0.0 else 0.0)
            scene.solid(
                outline, mix(stripe, (0.2, 0, 0), dark), size * 0.35, bumps=size * 0.04, fine=0.85
            )
        return
    layers = (
        ((1.0, 8, 0.36), (0.72, 7, 0.32), (0.45, 5, 0.26))
        if kind == 0
        else ((1.0, 11, 0.3), (0.66, 8, 0.3), (0.35, 4, 0.3))
    )
    for depth, (radius, count, petal_size) in enumerate(layers):
        for angle in np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 2):
            px = cx + np.cos(angle) * size * radius * 0.62
            py = cy + np.sin(angle) * size * radius * 0.55
            tint = mix(
                colour,
                (0.25, 0.02, 0.05) if kind == 0 else (1, 0.95, 0.9),
                0.12 * depth + float(rng.uniform(0, 0.12)),
            )
            scene.solid(
                ellipse(
                    px, py, size * petal_size * 1.25, size * petal_size, angle + np.pi / 2, n=14
                ),
                tint,
                size * 0.22,
                fine=0.85,
            )


def draw_held(scene: Scene, school: School, place: HeadPlace, label: str) -> None:
    """Lay a sleeve, a hand, and the thing it holds, before the breast."""
    half, rng = place.half_px, scene.rng
    width, height = scene.size_wh
    side = 1.0 if place.look.yaw >= 0 else -1.0
    cx = place.cx + side * half * float(rng.uniform(0.15, 0.45))
    cy = min(place.cy + half * 2.35, height - half * 0.75)
    size = half * 0.8
    drawers: dict[str, Callable[[], None]] = {
        "book": lambda: draw_book(
            scene, cx, cy, size * 0.95, school.pick(rng, "cloth"), 0.12 * side
        ),
        "letter": lambda: draw_letter(scene, cx, cy, size * 0.95, 0.2 * side),
        "skull": lambda: draw_skull(scene, cx, cy, size * 1.25, side),
        "flower": lambda: _flower(scene, school, cx, cy, size),
        "fan": lambda: _fan(scene, school, cx, cy, size),
    }
    drawers[label]()
    wrist = (cx - side * half * 0.95, cy + half * 0.5)
    below = label in ("book", "skull", "letter")
    turn = (0.0 if side > 0 else np.pi) - side * (0.45 if below else 0.9)
    if label in ("flower", "fan"):
        wrist = (cx - side * half * 0.42, cy + half * 0.78)
    cuff_x, cuff_y = wrist[0] - side * half * 0.35, wrist[1] + half * 0.3
    sleeve = smooth_curve(
        [
            (cuff_x + side * half * 0.2, cuff_y - half * 0.45),
            (cuff_x + side * half * 0.4, cuff_y + half * 0.1),
            (cuff_x - side * half * 0.6, cuff_y + half * 1.4),
            (cuff_x - side * half * 1.8, cuff_y + half * 0.9),
            (cuff_x - side * half * 1.1, cuff_y - half * 0.2),
        ],
        closed=True,
    )
    row, column = (
        int(np.clip(place.cy + half * 2, 0, height - 1)),
        int(np.clip(place.cx - side * half, 0, width - 1)),
    )
    cloth = (
        scene.rgb[row - 3 : row + 4, max(0, column - 3) : column + 4].reshape(-1, 3).mean(axis=0)
    )
    draped(
        scene,
        sleeve,
        (float(cloth[0]) * 1.25, float(cloth[1]) * 1.25, float(cloth[2]) * 1.25),
        half * 0.4,
        half * 0.22,
    )
    draw_hand(
        scene,
        wrist,
        half * 0.42,
        float(turn),
        place.look.flesh,
        "closed" if not below else "rest",
        flip=side < 0,
    )


def _flower(scene: Scene, school: School, cx: float, cy: float, size: float) -> None:
    with scene.object("flower"):
        stem = smooth_curve(
            [
                (cx - size * 0.1, cy + size * 0.9),
                (cx + size * 0.08, cy + size * 0.3),
                (cx, cy - size * 0.25),
            ]
        )
        with scene.ink(0.8) as canvas:
            canvas.drawPath(path_of(stem), paint_of((0.25, 0.34, 0.14), 1, max(1.5, size * 0.06)))
        leaf = ellipse(cx + size * 0.2, cy + size * 0.25, size * 0.24, size * 0.09, -0.6)
        scene.solid(leaf, (0.25, 0.36, 0.15), size * 0.08, fine=0.8)
        draw_bloom(
            scene,
            cx,
            cy - size * 0.35,
            size * 0.36,
            school.pick(scene.rng, "flower"),
            int(scene.rng.integers(4)),
        )


def _fan(scene: Scene, school: School, cx: float, cy: float, size: float) -> None:
    with scene.object("fan"):
        foot = (cx, cy + size * 0.8)
        angles = np.linspace(-np.pi * 0.85, -np.pi * 0.15, 15)
        rim = [
            (foot[0] + np.cos(a) * size * 1.35, foot[1] + np.sin(a) * size * 1.35) for a in angles
        ]
        inner = [
            (foot[0] + np.cos(a) * size * 0.55, foot[1] + np.sin(a) * size * 0.55)
            for a in angles[::-1]
        ]
        tint = school.pick(scene.rng, "bright")
        scene.solid(rim + inner, tint, size * 0.1, fine=0.8)
        with scene.ink(0.9, new_id=False) as canvas:
            for a in angles[::2]:
                end = (
                    foot[0] + float(np.cos(a)) * size * 1.35,
                    foot[1] + float(np.sin(a)) * size * 1.35,
                )
                canvas.drawPath(
                    path_of([foot, end]),
                    paint_of(mix(tint, (0.2, 0.1, 0.05), 0.6), 0.9, max(1.0, size * 0.025)),
                )
