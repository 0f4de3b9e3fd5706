"""Light on form: heights above the picture plane, their normals, and a painter's three tones.

Heights are in pixels towards the viewer. Shading is Lambert's cosine, coloured as painters do:
shadows take one tint, lights another, and the highlight the colour of the light itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, soft_blur
from bilderatlas.museum.tints import blend, tinted


@dataclass(frozen=True, slots=True)
class Light:
    """One light from one side.

    Attributes:
        towards: Unit vector to the light: x right, y down, z to the viewer.
        lit: Factor on the local colour in full light.
        shadow: Factor on the local colour in full shadow.
        shadow_colour: Colour of cast shadows.
    """

    towards: tuple[float, float, float]
    lit: tuple[float, float, float] = (1.12, 1.06, 0.96)
    shadow: tuple[float, float, float] = (0.25, 0.2, 0.2)
    shadow_colour: tuple[float, float, float] = (0.06, 0.04, 0.03)

    @classmethod
    def from_side(
        cls,
        side: float,
        above: float = 0.55,
        front: float = 0.55,
        **colours: tuple[float, float, float],
    ) -> Light:
        """Return a light at `side` (-1 left to 1 right), so far above and in front."""
        vector = np.array([side, -above, front])
        x, y, z = vector / np.linalg.norm(vector)
        return cls((float(x), float(y), float(z)), **colours)


def inflate(mask: Plane, round_px: float) -> Plane:
    """Return heights `(h, w)` that round the rim of a mask over `round_px` pixels."""
    inside = (mask > 0.5).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    radius = np.float32(max(1.0, round_px))
    distance = np.minimum(distance, radius)
    height = np.sqrt(distance * (2 * radius - distance))
    return np.asarray(soft_blur(height, max(0.6, float(radius) / 7)), np.float32)


def lambert(height: Plane, light: Light) -> Plane:
    """Return the light that falls on each place `(h, w)`, 0 to 1."""
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    x, y, z = light.towards
    lit = (z - slope_x * np.float32(x) - slope_y * np.float32(y)) / np.sqrt(
        1 + slope_x * slope_x + slope_y * slope_y
    )
    return np.asarray(np.clip(lit, 0, 1), np.float32)


def cast_mask(height: Plane, light: Light, reach_px: float, steps: int = 8) -> Plane:
    """Return where the form shades itself `(h, w)`, 0 to 1, looking `reach_px` to the light."""
    x, y, z = light.towards
    flat = max(1e-3, float(np.hypot(x, y)))
    shadow = np.zeros_like(height)
    for step in range(1, steps + 1):
        along = reach_px * step / steps
        move = np.array([[1, 0, -x / flat * along], [0, 1, -y / flat * along]], np.float32)
        towards = cv2.warpAffine(
            height, move, height.shape[::-1], borderMode=cv2.BORDER_CONSTANT, borderValue=-1e3
        )
        shadow = np.maximum(shadow, towards - height - np.float32(along * z / flat))
    return np.asarray(
        np.clip(cv2.GaussianBlur(shadow, (0, 0), 1.0) / np.float32(0.04 * reach_px + 0.5), 0, 1),
        np.float32,
    )


def tone(lit: Plane, colour: Sequence[float] | Plane, light: Light, gloss: float = 0.0) -> Plane:
    """Return colours `(h, w, 3)` of a surface under the light `lit` `(h, w)`."""
    shadow = np.asarray(light.shadow, np.float32)
    bright = np.asarray(light.lit, np.float32)
    lit = np.asarray(lit, np.float32)
    curve = lit * lit * (3 - 2 * lit)
    local = np.asarray(colour, np.float32)
    if local.ndim == 1:
        result = tinted(curve, local * shadow, local * bright)
    else:
        result = local * tinted(curve, shadow, bright)
    if gloss:
        spark = np.clip((lit - np.float32(0.86)) / np.float32(0.14), 0, 1) ** 2 * np.float32(gloss)
        result = blend(result, np.minimum(bright, 1.0), spark)
    return result


def shade(
    height: Plane,
    colour: Sequence[float] | Plane,
    light: Light,
    *,
    gloss: float = 0.0,
    cast_px: float = 0.0,
) -> Plane:
    """Return the colours `(h, w, 3)` of a form under the light.

    Args:
        height: `(h, w)` heights in pixels.
        colour: Local colour, one or a plane of them.
        light: The light.
        gloss: Strength of the highlight, 0 to 1.
        cast_px: How far the form may cast shadows upon itself; 0 for none.
    """
    lit = lambert(height, light)
    if cast_px:
        lit = lit * (1 - np.float32(0.75) * cast_mask(height, light, cast_px))
    return tone(lit, colour, light, gloss)


def capsule(
    height: Plane, start: Sequence[float], end: Sequence[float], r1: float, r2: float
) -> None:
    """Raise a rounded limb from `start` to `end` (x, y) with radii `r1`, `r2`, in place."""
    reach = max(r1, r2) + 2
    x1 = max(0, int(min(start[0], end[0]) - reach))
    y1 = max(0, int(min(start[1], end[1]) - reach))
    x2 = min(height.shape[1], int(max(start[0], end[0]) + reach) + 1)
    y2 = min(height.shape[0], int(max(start[1], end[1]) + reach) + 1)
    if x2 <= x1 or y2 <= y1:
        return
    dx, dy = end[0] - start[0], end[1] - start[1]
    length2 = max(1e-6, dx * dx + dy * dy)
    px = (np.arange(x1, x2, dtype=np.float32) - np.float32(start[0]))[None, :]
    py = (np.arange(y1, y2, dtype=np.float32) - np.float32(start[1]))[:, None]
    along = np.clip((px * np.float32(dx) + py * np.float32(dy)) / np.float32(length2), 0, 1)
    radius = np.float32(r1) + along * np.float32(r2 - r1)
    away2 = (px - along * np.float32(dx)) ** 2 + (py - along * np.float32(dy)) ** 2
    z = np.sqrt(np.maximum(radius * radius - away2, 0))
    window = height[y1:y2, x1:x2]
    np.maximum(window, z, out=window)


def ellipsoid(
    height: Plane, cx: float, cy: float, rx: float, ry: float, depth: float, base: float = 0.0
) -> None:
    """Raise half an ellipsoid of `depth` pixels at (cx, cy), in place."""
    x1, x2 = max(0, int(cx - rx)), min(height.shape[1], int(cx + rx) + 2)
    y1, y2 = max(0, int(cy - ry)), min(height.shape[0], int(cy + ry) + 2)
    if x2 <= x1 or y2 <= y1:
        return
    px = ((np.arange(x1, x2, dtype=np.float32) - np.float32(cx)) / np.float32(rx))[None, :]
    py = ((np.arange(y1, y2, dtype=np.float32) - np.float32(cy)) / np.float32(ry))[:, None]
    room = 1 - px * px - py * py
    z = np.where(room > 0, np.float32(depth) * np.sqrt(np.maximum(room, 0)) + np.float32(base), 0)
    window = height[y1:y2, x1:x2]
    np.maximum(window, z.astype(np.float32), out=window)
