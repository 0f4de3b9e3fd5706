"""Hands: palms and fingers as small reliefs."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.relief import capsule, ellipsoid, shade
from bilderatlas.museum.scene import Colour, Scene

# Each finger: start and end in hand units (palm's length 1, wrist at 0, fingers towards +x).
_OPEN = [((0.8, -0.3), (1.55, -0.42)), ((0.9, -0.1), (1.78, -0.14)), ((0.9, 0.1), (1.72, 0.14)),
         ((0.8, 0.3), (1.48, 0.4)), ((0.35, -0.4), (0.85, -0.85))]  # fmt: skip
_CLOSED = [((0.85, -0.3), (1.15, -0.2)), ((0.95, -0.1), (1.22, 0.0)), ((0.95, 0.1), (1.2, 0.18)),
           ((0.85, 0.28), (1.08, 0.34)), ((0.4, -0.4), (0.95, -0.42))]  # fmt: skip
_POINT = [((0.85, -0.3), (1.75, -0.38)), ((0.95, -0.1), (1.2, 0.05)), ((0.95, 0.1), (1.15, 0.2)),
          ((0.85, 0.28), (1.02, 0.36)), ((0.4, -0.4), (0.95, -0.5))]  # fmt: skip
_REST = [((0.8, -0.28), (1.5, -0.2)), ((0.9, -0.1), (1.66, -0.03)), ((0.9, 0.1), (1.6, 0.16)),
         ((0.8, 0.28), (1.42, 0.34)), ((0.35, -0.4), (0.95, -0.55))]  # fmt: skip
_HANDS = {"open": _OPEN, "closed": _CLOSED, "point": _POINT, "rest": _REST}


def draw_hand(
    scene: Scene,
    wrist: tuple[float, float],
    size_px: float,
    turn: float,
    flesh: Colour,
    kind: str = "rest",
    flip: bool = False,
) -> None:
    """Lay a hand whose wrist is at `wrist`, its fingers along `turn` radians.

    Args:
        scene: The scene.
        wrist: Pixel of the wrist.
        size_px: Length of the palm.
        turn: Direction of the fingers, 0 to the right, clockwise.
        flesh: Local colour.
        kind: `open`, `closed`, `point` or `rest`.
        flip: Thumb on the other side.
    """
    half = int(size_px * 2.1) + 3
    height = np.zeros((2 * half, 2 * half), np.float32)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    side = -1.0 if flip else 1.0

    def at(x: float, y: float) -> tuple[float, float]:
        y *= side
        return half + size_px * (x * cos - y * sin), half + size_px * (x * sin + y * cos)

    capsule(height, at(-0.3, 0), at(0.2, 0), size_px * 0.3, size_px * 0.33)
    capsule(height, at(0.25, -0.1), at(0.8, -0.12), size_px * 0.36, size_px * 0.3)
    capsule(height, at(0.25, 0.12), at(0.8, 0.14), size_px * 0.34, size_px * 0.28)
    for start, end in _HANDS[kind]:
        thick = size_px * (0.125 if start[0] > 0.5 else 0.14)
        capsule(height, at(*start), at(*end), thick * 1.05, thick * 0.8)
    knuckle = np.zeros_like(height)
    for start, _ in _HANDS[kind][:4]:
        kx, ky = at(*start)
        ellipsoid(knuckle, kx, ky, size_px * 0.12, size_px * 0.12, size_px * 0.05)
    mask = cv2.GaussianBlur(np.clip(height, 0, 1), (0, 0), 0.5)
    form = cv2.GaussianBlur(height + knuckle, (0, 0), max(0.4, size_px * 0.035))
    rgb = shade(form, flesh, scene.light, cast_px=size_px * 0.3)
    scene.lay(mask, rgb, (int(wrist[0]) - half, int(wrist[1]) - half), fine=0.95)
