"""The scene: what is seen before any hand paints it, and the ledger of what it holds.

A scene is laid from back to front as solids with light on them. Three planes are kept: the
colours, a number for each thing (contours of prints follow it), and how finely each place is
worth painting. Whatever is laid inside `scene.object(label)` makes that object's box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import skia

from bilderatlas.museum.noise import Plane, Points
from bilderatlas.museum.relief import Light, inflate, shade
from bilderatlas.museum.tints import blend, times

Colour = tuple[float, float, float]


@dataclass(slots=True)
class Box:
    """One object: its label and its box in scene pixels, half-open."""

    label: str
    x1: float = np.inf
    y1: float = np.inf
    x2: float = -np.inf
    y2: float = -np.inf

    def include(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """Grow the box to hold another."""
        self.x1, self.y1 = min(self.x1, x1), min(self.y1, y1)
        self.x2, self.y2 = max(self.x2, x2), max(self.y2, y2)


@dataclass(slots=True)
class Pose:
    """One figure: its label and its 17 COCO joints `(17, 3)`: x, y in pixels, visible 0 or 1."""

    label: str
    joints: npt.NDArray[np.float64]


@dataclass
class Scene:
    """A picture in the making.

    Attributes:
        size_wh: Size in pixels.
        light: Where light comes from and its colours.
        rng: Chance for everything in the scene.
        rgb: `(h, w, 3)` float32, sRGB 0 to 1.
        ids: `(h, w)` uint8: which thing is seen here.
        fine: `(h, w)` float32: how finely to paint, 0 broad to 1 fine.
        boxes: The objects, in order.
        poses: The figures, in order.
    """

    size_wh: tuple[int, int]
    light: Light
    rng: np.random.Generator
    rgb: Plane = field(init=False)
    ids: npt.NDArray[np.uint8] = field(init=False)
    fine: Plane = field(init=False)
    boxes: list[Box] = field(default_factory=list)
    poses: list[Pose] = field(default_factory=list)
    _open: list[Box] = field(default_factory=list)
    _next_id: int = 0

    def __post_init__(self) -> None:
        """Lay empty planes."""
        width, height = self.size_wh
        self.rgb = np.zeros((height, width, 3), np.float32)
        self.ids = np.zeros((height, width), np.uint8)
        self.fine = np.full((height, width), 0.15, np.float32)

    @property
    def unit(self) -> float:
        """The short side in pixels: the measure of all things in the picture."""
        return float(min(self.size_wh))

    @contextmanager
    def object(self, label: str) -> Iterator[Box]:
        """Record everything laid inside as one object called `label`."""
        box = Box(label)
        self._open.append(box)
        try:
            yield box
        finally:
            self._open.remove(box)
            width, height = self.size_wh
            x1, y1 = max(0.0, box.x1), max(0.0, box.y1)
            x2, y2 = min(float(width), box.x2), min(float(height), box.y2)
            if x2 - x1 >= 1 and y2 - y1 >= 1:
                self.boxes.append(Box(label, x1, y1, x2, y2))

    def lay(
        self,
        mask: Plane,
        colour: Plane | Colour,
        at: tuple[int, int] = (0, 0),
        fine: float | None = None,
        new_id: bool = True,
        record: bool = True,
    ) -> None:
        """Lay `colour` through `mask` `(h, w)` 0 to 1, whose corner is `at` (x, y)."""
        x0, y0 = at
        width, height = self.size_wh
        left, top = max(0, -x0), max(0, -y0)
        right, bottom = min(mask.shape[1], width - x0), min(mask.shape[0], height - y0)
        if right <= left or bottom <= top:
            return
        part = mask[top:bottom, left:right]
        paint = np.asarray(colour, np.float32)
        if paint.ndim == 3:
            paint = paint[top:bottom, left:right]
        there = (slice(y0 + top, y0 + bottom), slice(x0 + left, x0 + right))
        self.rgb[there] = blend(self.rgb[there], paint, part)
        solid = part > 0.5
        if new_id:
            self._next_id = self._next_id % 250 + 1
            covered = solid.view(np.uint8)
            window = self.ids[there]
            window *= 1 - covered
            window += covered * np.uint8(self._next_id)
        if fine is not None:
            plane = self.fine[there]
            plane += (np.float32(fine) - plane) * part
        if record and self._open:
            self._note(solid, x0 + left, y0 + top)

    def _note(self, solid: npt.NDArray[np.bool_], x: int, y: int) -> None:
        left, top, wide, high = cv2.boundingRect(solid.view(np.uint8))
        if wide:
            x1, y1 = float(x + left), float(y + top)
            for box in self._open:
                box.include(x1, y1, x1 + wide, y1 + high)

    def flat(self, points: npt.ArrayLike, colour: Colour, **laying: Any) -> None:
        """Lay a polygon of one colour."""
        mask, at = polygon_mask(points)
        self.lay(mask, colour, at, **laying)

    def solid(
        self,
        points: npt.ArrayLike,
        colour: Colour | Plane,
        round_px: float,
        *,
        bumps: Plane | float = 0.0,
        gloss: float = 0.0,
        soft_px: float = 0.0,
        **laying: Any,
    ) -> None:
        """Lay a polygon as a body whose rim is rounded over `round_px`, lit from the light.

        Args:
            points: `(n, 2)` outline in pixels.
            colour: Local colour, or a plane that fits the outline's patch.
            round_px: Radius of the rounding.
            bumps: Noise strength in pixels, or a plane of heights that fits the patch.
            gloss: Strength of the highlight.
            soft_px: Blur of the outline.
            laying: As for `lay`.
        """
        mask, at = polygon_mask(points)
        height = inflate(mask, round_px)
        if isinstance(bumps, np.ndarray):
            height = height + bumps
        elif bumps:
            from bilderatlas.museum.noise import fractal_noise

            cell = max(4.0, round_px * 0.6)
            height = height + np.float32(bumps) * fractal_noise(self.rng, mask.shape, cell, 3)
        if soft_px:
            mask = cv2.GaussianBlur(mask, (0, 0), soft_px)
        self.lay(mask, shade(height, colour, self.light, gloss=gloss), at, **laying)

    def cast_shadow(self, points: npt.ArrayLike, blur_px: float, strength: float) -> None:
        """Darken what lies under a polygon, softly."""
        mask, (x, y) = polygon_mask(points, margin_px=int(3 * blur_px) + 1)
        mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, blur_px)) * np.float32(strength)
        self.lay(mask, self.light.shadow_colour, (x, y), new_id=False, record=False)

    @contextmanager
    def ink(self, fine: float | None = 0.8, new_id: bool = True) -> Iterator[Any]:
        """Give a skia canvas to draw lines and shapes on; what was drawn is laid at the end."""
        width, height = self.size_wh
        pixels = np.zeros((height, width, 4), np.uint8)
        surface = skia.Surface(
            pixels,
            colorType=skia.kRGBA_8888_ColorType,
            alphaType=skia.kPremul_AlphaType,
        )
        yield surface.getCanvas()
        left, top, wide, high = cv2.boundingRect(cv2.extractChannel(pixels, 3))
        if not wide:
            return
        patch = pixels[top : top + high, left : left + wide].astype(np.float32)
        mask = cv2.extractChannel(patch, 3) * np.float32(1 / 255)
        colour = times(cv2.cvtColor(patch, cv2.COLOR_RGBA2RGB), 1 / np.maximum(mask * 255, 0.25))
        self.lay(mask, colour, (left, top), fine=fine, new_id=new_id)


def polygon_mask(points: npt.ArrayLike, margin_px: int = 2) -> tuple[Plane, tuple[int, int]]:
    """Return the antialiased mask of a polygon and the corner of its patch."""
    outline = np.clip(np.asarray(points, np.float64), -2000, 4000)
    low = np.floor(outline.min(axis=0)).astype(int) - margin_px
    high = np.ceil(outline.max(axis=0)).astype(int) + margin_px
    width, height = np.maximum(high - low, 1)
    mask = np.zeros((int(height), int(width)), np.uint8)
    fixed = np.round((outline - low) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, 4)
    return mask.astype(np.float32) * np.float32(1 / 255), (int(low[0]), int(low[1]))


def paint_of(
    colour: Colour | Sequence[float], alpha: float = 1.0, stroke_px: float | None = None
) -> Any:
    """Return an antialiased skia paint; with `stroke_px` it draws lines with round ends."""
    r, g, b = (min(1.0, max(0.0, float(c))) for c in colour)
    paint = skia.Paint(AntiAlias=True, Color4f=skia.Color4f(r, g, b, alpha))
    if stroke_px is not None:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(stroke_px)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint


def path_of(points: npt.ArrayLike, closed: bool = False) -> Any:
    """Return a skia path through `points` `(n, 2)`."""
    return skia.Path.Polygon(
        [skia.Point(float(x), float(y)) for x, y in np.asarray(points)], closed
    )


def ellipse(cx: float, cy: float, rx: float, ry: float, turn: float = 0.0, n: int = 36) -> Points:
    """Return an ellipse as a polygon `(n, 2)`, turned by `turn` radians."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    x, y = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([cx + x * cos - y * sin, cy + x * sin + y * cos], axis=1)


def mix(first: Sequence[float], second: Sequence[float], share: float) -> Colour:
    """Return the colour between two, `share` of the way to the second."""
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    r, g, c = a + (b - a) * share
    return float(r), float(g), float(c)


def spread(
    points: Sequence[tuple[float, float]], x: float, y: float, size: float, side: float = 1.0
) -> list[tuple[float, float]]:
    """Return a drawn outline put at (x, y) in `size` pixels; `side` -1 mirrors it."""
    return [(x + side * u * size, y + v * size) for u, v in points]


def trace(
    canvas: Any, points: npt.ArrayLike, colour: Colour, width_px: float, alpha: float = 1.0
) -> None:
    """Draw a line through `points` on a skia canvas, at least 0.7 px wide."""
    canvas.drawPath(path_of(points), paint_of(colour, alpha, max(0.7, width_px)))
