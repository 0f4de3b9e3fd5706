"""Heads: a relief of skull and features, turned and tilted, lit, with eyes that look.

Head coordinates have their origin between the eyes' height and the middle of the head; 1 is half
the head's height, x goes right and y down, so that the chin lies at y = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, fractal_noise, smooth_noise
from bilderatlas.museum.relief import cast_mask, lambert, tone
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix
from bilderatlas.museum.tints import blend, times, tinted

EYE_X, EYE_Y = 0.31, -0.02


@dataclass(frozen=True, slots=True)
class HeadLook:
    """How a head looks.

    Attributes:
        flesh: Local colour of the skin.
        hair: Local colour of hair, brows and beard.
        eyes: Colour of the iris.
        yaw: Turn in radians; positive turns the face to the picture's right.
        tilt: Lean in radians; positive leans to the right.
        woman: Finer jaw, fuller lips.
        old: Furrows and thinner cheeks.
        hair_style: `short`, `long`, `bun`, `bald` or `hidden`.
        beard: `none`, `short`, `long` or `moustache`.
        eyes_closed: Lids down (the dead, those who pray).
    """

    flesh: Colour
    hair: Colour
    eyes: Colour = (0.25, 0.2, 0.14)
    yaw: float = 0.0
    tilt: float = 0.0
    woman: bool = False
    old: bool = False
    hair_style: str = "short"
    beard: str = "none"
    eyes_closed: bool = False


@dataclass(frozen=True, slots=True)
class HeadPlace:
    """Where a head was put: turns head coordinates into pixels."""

    cx: float
    cy: float
    half_px: float
    look: HeadLook

    def on_picture(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a place in head coordinates, tilt included."""
        cos, sin = np.cos(self.look.tilt), np.sin(self.look.tilt)
        return (
            self.cx + self.half_px * float(x * cos - y * sin),
            self.cy + self.half_px * float(x * sin + y * cos),
        )

    def outline(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Return several places in pixels."""
        return [self.on_picture(x, y) for x, y in points]

    def of_face(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel of a place on the turned face: yaw and tilt included."""
        return self.on_picture(turned(x, self.look.yaw), y)


def turned(x: float, yaw: float) -> float:
    """Return where a place of the face at `x` is seen when the head is turned by `yaw`."""
    depth = 0.66 * float(np.sqrt(max(0.0, 1 - (x / 0.8) ** 2)))
    return x * float(np.cos(yaw)) + depth * float(np.sin(yaw))


def _grid(place: HeadPlace, reach: float) -> tuple[Plane, Plane, tuple[int, int]]:
    """Return head coordinates of each pixel of the head's patch, and the patch's corner."""
    half = int(np.ceil(place.half_px * reach)) + 2
    x0, y0 = int(place.cx) - half, int(place.cy) - half
    xs = (np.arange(2 * half + 1, dtype=np.float32) + np.float32(x0 - place.cx)) / np.float32(
        place.half_px
    )
    ys = (np.arange(2 * half + 1, dtype=np.float32) + np.float32(y0 - place.cy)) / np.float32(
        place.half_px
    )
    cos, sin = np.float32(np.cos(place.look.tilt)), np.float32(np.sin(place.look.tilt))
    gx = xs[None, :] * cos + ys[:, None] * sin
    gy = ys[:, None] * cos - xs[None, :] * sin
    return gx, gy, (x0, y0)


def _bump(x: Plane, y: Plane, cx: float, cy: float, sx: float, sy: float) -> Plane:
    """Return a soft hill of height 1."""
    return np.exp(
        -(((x - np.float32(cx)) / np.float32(sx)) ** 2)
        - ((y - np.float32(cy)) / np.float32(sy)) ** 2
    )


def _skull(x: Plane, y: Plane, look: HeadLook) -> tuple[Plane, Plane]:
    """Return the bare egg's height and its mask's signed distance, in head units."""
    sin = float(np.sin(look.yaw))
    jaw = 0.525 if look.woman else 0.575
    skull = ((x + np.float32(0.12 * sin)) / 0.75) ** 2 + ((y + np.float32(0.22)) / 0.80) ** 2
    chin = ((x - np.float32(0.17 * sin)) / jaw) ** 2 + ((y - np.float32(0.22)) / 0.79) ** 2
    z1 = np.float32(0.8) * np.sqrt(np.maximum(1 - skull, 0))
    z2 = np.float32(0.76) * np.sqrt(np.maximum(1 - chin, 0))
    z = 0.5 * (z1 + z2 + np.sqrt((z1 - z2) ** 2 + np.float32(0.012)))
    rim = np.maximum((1 - np.sqrt(skull)) * 0.76, (1 - np.sqrt(chin)) * 0.62)
    return z.astype(np.float32), rim.astype(np.float32)


def _features(x: Plane, y: Plane, look: HeadLook) -> Plane:
    """Return what nose, brows, lips and cheeks add to the egg's height."""
    yaw = look.yaw
    add = np.zeros_like(x)
    soft = 0.75 if look.woman else 1.0
    for side in (-1, 1):
        eye = turned(side * EYE_X, yaw)
        add -= np.float32(0.11) * _bump(x, y, eye, EYE_Y, 0.19, 0.12)
        add += np.float32(0.075) * _bump(x, y, eye, EYE_Y + 0.01, 0.12, 0.075)
        brow = turned(side * 0.28, yaw)
        add += np.float32(0.055 * soft) * _bump(x, y, brow, -0.18, 0.2, 0.06)
        add += np.float32(0.05) * _bump(x, y, turned(side * 0.42, yaw), 0.24, 0.2, 0.18)
        wing = turned(side * 0.11, yaw) + 0.1 * np.sin(yaw)
        add += np.float32(0.075) * _bump(x, y, wing, 0.375, 0.06, 0.055)
        if look.old:
            add -= np.float32(0.07) * _bump(x, y, turned(side * 0.38, yaw), 0.46, 0.14, 0.2)
            fold = turned(side * 0.25, yaw) + 0.0
            add -= np.float32(0.03) * _bump(x, y, fold, 0.48, 0.04, 0.14)
    add += _nose(x, y, look)
    lip = turned(0.0, yaw)
    full = 1.25 if look.woman else 1.0
    add += np.float32(0.05) * _bump(x, y, lip, 0.56, 0.3, 0.2)
    add += np.float32(0.04 * full) * _bump(x, y, lip, 0.565, 0.15, 0.035)
    add += np.float32(0.05 * full) * _bump(x, y, lip, 0.665, 0.13, 0.045)
    add -= np.float32(0.035) * _bump(x, y, lip, 0.612, 0.2, 0.018)
    add -= np.float32(0.035) * _bump(x, y, lip, 0.755, 0.14, 0.04)
    add += np.float32(0.07) * _bump(x, y, lip, 0.88, 0.16, 0.12)
    if look.old:
        waves = np.sin(y * np.float32(58)) * np.float32(0.008)
        add += waves * _bump(x, y, turned(0.0, yaw), -0.46, 0.4, 0.14)
    return add


def _nose(x: Plane, y: Plane, look: HeadLook) -> Plane:
    """Return the nose: a ridge that widens and rises to the tip, then falls away."""
    along = np.clip((y + np.float32(0.12)) / np.float32(0.47), 0, 1)
    yaw, long, fine = look.yaw, 0.2, 1.0
    if look.woman:
        long, fine = 0.155, 0.85
    rise = np.float32(0.065) + np.float32(long) * along * np.sqrt(along)
    start = np.clip((y + np.float32(0.2)) / np.float32(0.12), 0, 1)
    under = np.clip((np.float32(0.455) - y) / np.float32(0.09), 0, 1)
    under = under * under * (3 - 2 * under)
    middle = np.float32(turned(0.0, yaw)) + along * np.float32(0.24 * np.sin(yaw))
    width = np.float32(0.066 * fine) + np.float32(0.046 * fine) * along * along
    return np.asarray(rise * start * under * np.exp(-(((x - middle) / width) ** 2)), np.float32)


def _skin(x: Plane, y: Plane, look: HeadLook, grain: Plane) -> Plane:
    """Return the local colours of the face: flush, lips, brows, lids."""
    yaw = look.yaw
    flesh = np.asarray(look.flesh, np.float32)
    red = flesh * np.array([1.02, 0.66, 0.6], np.float32)
    flush = sum(_bump(x, y, turned(s * 0.4, yaw), 0.28, 0.19, 0.15) for s in (-1, 1))
    flush = flush + _bump(x, y, turned(0, yaw) + 0.2 * np.sin(yaw), 0.33, 0.1, 0.1)
    colour = tinted(np.clip(flush * np.float32(0.42), 0, 1), flesh, red)
    lips = flesh * np.array([0.88, 0.46, 0.43], np.float32)
    mouth = turned(0.0, yaw)
    span = np.float32((0.205 if look.woman else 0.23) * (0.6 + 0.4 * np.cos(yaw)))
    across = np.clip(1 - ((x - np.float32(mouth)) / span) ** 2, 0, 1)
    root = np.sqrt(across)
    body = ((y - np.float32(0.612)) / (np.float32(0.075) * root + np.float32(0.004))) ** 2
    body = np.exp(-body * body)
    line = np.exp(-(((y - np.float32(0.608)) / np.float32(0.017)) ** 2)) * root
    strength = 0.75 if look.woman else 0.5
    colour = blend(colour, lips, body * np.sqrt(root) * np.float32(strength))
    dim = 1 - np.float32(0.5) * line
    brows = np.zeros_like(x)
    for side in (-1, 1):
        centre = turned(side * 0.30, yaw)
        span_b = np.float32(0.2 * (0.55 + 0.45 * np.cos(yaw)))
        u = (x - np.float32(centre)) / span_b
        arch = np.float32(-0.20 if not look.woman else -0.225) + np.float32(0.05) * u * u
        thick = 0.021 if look.woman else 0.042
        brow = np.exp(-(((y - arch) / np.float32(thick)) ** 2)) * np.clip(1.15 - u * u, 0, 1)
        brow *= np.float32(0.8 if look.woman else 1.0)
        brows = np.maximum(brows, np.clip(brow * (0.75 + 0.3 * grain), 0, 1))
        nostril = _bump(x, y, turned(side * 0.07, yaw) + 0.2 * np.sin(yaw), 0.415, 0.03, 0.02)
        dim *= 1 - np.float32(0.4 if look.woman else 0.55) * nostril
    return blend(times(colour, dim), np.asarray(look.hair, np.float32) * np.float32(0.8), brows)


def _eyes(x: Plane, y: Plane, colour: Plane, look: HeadLook) -> Plane:
    """Paint the eyes into the local colours, in place; return where they catch the light."""
    sparks = np.zeros_like(x)
    for side in (-1, 1):
        centre = np.float32(turned(side * EYE_X, look.yaw))
        size = 1.08 if look.woman else 1.0
        open_w = np.float32(0.155 * size * np.clip(np.cos(look.yaw + side * 0.35) + 0.08, 0.35, 1))
        u = (x - centre) / open_w
        v = y - np.float32(EYE_Y)
        lens = np.clip(1 - u * u, 0, 1)
        upper, lower = np.float32(-0.078 * size) * lens, np.float32(0.05 * size) * lens
        lash = np.exp(-(((v - upper) / np.float32(0.02)) ** 2)) * (np.abs(u) < 1.08)
        if look.eyes_closed:
            lash = np.exp(-(((v - lower) / np.float32(0.018)) ** 2)) * (np.abs(u) < 1.05)
            colour[:] = times(colour, 1 - np.float32(0.65) * lash)
            continue
        inside = np.clip((v - upper) * 40, 0, 1) * np.clip((lower - v) * 40, 0, 1) * (lens > 0)
        white = np.array([0.86, 0.83, 0.78], np.float32)
        gaze = np.float32(0.03 * np.sin(look.yaw))
        radius2 = ((x - centre + gaze) / np.float32(0.8)) ** 2 + (v + np.float32(0.012)) ** 2
        iris = np.clip((0.078**2 - radius2) * 700, 0, 1)
        pupil = np.clip((0.036**2 - radius2) * 1500, 0, 1)
        dim = (1 - np.float32(0.9) * pupil) * np.clip(0.5 + (v - upper) * 14, 0.5, 1)
        eye = times(tinted(iris, white, look.eyes), dim)
        crease = np.exp(-(((v - upper + 0.05) / np.float32(0.014)) ** 2)) * (np.abs(u) < 1)
        shut = (1 - np.float32(0.78) * lash) * (1 - np.float32(0.22) * crease)
        colour[:] = times(blend(colour, eye, inside), shut)
        sparks += _bump(x, y, float(centre) - 0.03, EYE_Y - 0.04, 0.018, 0.018) * inside
    return sparks


def _beard(x: Plane, y: Plane, look: HeadLook, grain: Plane) -> Plane:
    """Return where the beard covers the face, 0 to 1."""
    if look.beard == "none":
        return np.zeros_like(x)
    middle = np.float32(turned(0.0, look.yaw))
    u = (x - middle) / np.float32(0.62)
    lip = np.exp(-(((y - np.float32(0.5) - 0.25 * u * u) / np.float32(0.06)) ** 2)) * (
        np.abs(u) < 0.55
    )
    if look.beard == "moustache":
        return np.asarray(np.clip(lip * (1.1 + 0.6 * grain), 0, 1), np.float32)
    upper = np.float32(0.66) - np.float32(0.75) * np.clip(np.abs(u) - 0.22, 0, 1)
    mouth = _bump(x, y, float(middle), 0.62, 0.2, 0.06)
    cover = np.clip((y - upper) * 7 + 0.4 * grain, 0, 1) * (1 - 0.9 * np.clip(mouth * 1.4, 0, 1))
    return np.asarray(np.clip(np.maximum(cover, lip * (1 + 0.5 * grain)), 0, 1), np.float32)


def draw_face(scene: Scene, place: HeadPlace) -> None:
    """Lay the face: relief, skin, eyes, beard, under the scene's light."""
    look = place.look
    x, y, at = _grid(place, 1.12)
    grain = smooth_noise(scene.rng, x.shape, max(1.5, place.half_px * 0.03))
    z, rim = _skull(x, y, look)
    z += _features(x, y, look)
    beard = _beard(x, y, look, grain)
    z += beard * (np.float32(0.05) + np.float32(0.018) * grain)
    skin = _skin(x, y, look, grain)
    sparks = _eyes(x, y, skin, look)
    hair = np.asarray(look.hair, np.float32) * (1 + np.float32(0.3) * grain[..., None])
    skin += (hair - skin) * (beard * np.float32(0.9))[..., None]
    height = cv2.GaussianBlur(z * np.float32(place.half_px), (0, 0), max(0.4, place.half_px / 60))
    lit = lambert(height, scene.light)
    lit *= 1 - np.float32(0.4 if look.woman else 0.55) * cast_mask(
        height, scene.light, place.half_px * 0.5
    )
    rgb = tone(lit, skin, scene.light, gloss=0.12)
    rgb += (1 - rgb) * (sparks * np.float32(0.85))[..., None]
    mask = np.clip(rim * np.float32(place.half_px) + np.float32(0.5), 0, 1)
    scene.lay(mask, rgb, at, fine=1.0)


def draw_ear(scene: Scene, place: HeadPlace) -> None:
    """Lay the ear that is seen."""
    look = place.look
    for side in (-1, 1):
        if side * look.yaw > 0.15:
            continue
        x = side * 0.74 * float(np.cos(look.yaw)) - 0.2 * float(np.sin(look.yaw))
        cx, cy = place.on_picture(x, 0.12)
        half = place.half_px
        scene.solid(
            ellipse(cx, cy, half * 0.09, half * 0.19, look.tilt + side * 0.12),
            mix(look.flesh, (0.8, 0.3, 0.2), 0.18),
            half * 0.06,
            fine=0.9,
        )


def draw_back_hair(scene: Scene, place: HeadPlace) -> None:
    """Lay the hair behind the face."""
    look, half = place.look, place.half_px
    if look.hair_style in ("bald", "hidden"):
        return
    turn = -0.16 * float(np.sin(look.yaw))
    if look.hair_style == "long":
        shape = [(-0.82, -0.5), (0, -1.08), (0.82, -0.5), (0.9, 0.4), (0.78, 1.2), (0.3, 1.0)]
        shape += [(-0.3, 1.0), (-0.78, 1.2), (-0.9, 0.4)]
    elif look.hair_style == "bun":
        bx, by = place.on_picture(-0.75 * float(np.sign(look.yaw or 1)), -0.55)
        _hair_solid(scene, place, ellipse(bx, by, half * 0.34, half * 0.32))
        shape = [(-0.8, -0.4), (0, -1.09), (0.8, -0.4), (0.7, 0.25), (-0.7, 0.25)]
    else:
        shape = [(-0.8, -0.4), (0, -1.06), (0.8, -0.4), (0.76, 0.1), (-0.76, 0.1)]
    from bilderatlas.museum.noise import smooth_curve

    outline = smooth_curve(place.outline([(x + turn, y) for x, y in shape]), closed=True)
    _hair_solid(scene, place, outline)


def _hair_solid(scene: Scene, place: HeadPlace, outline: object) -> None:
    half = place.half_px
    scene.solid(
        np.asarray(outline, np.float64),
        place.look.hair,
        half * 0.4,
        bumps=half * 0.05,
        gloss=0.15,
        soft_px=max(0.6, half * 0.02),
        fine=0.75,
    )


def draw_front_hair(scene: Scene, place: HeadPlace) -> None:
    """Lay the hair that falls on brow and temples, in strands."""
    look = place.look
    if look.hair_style in ("bald", "hidden"):
        return
    x, y, at = _grid(place, 1.25)
    half = place.half_px
    strands = fractal_noise(scene.rng, x.shape, (max(2, half * 0.05), max(6, half * 0.5)), 2)
    middle = turned(0.0, look.yaw * 0.8)
    u = (x - np.float32(middle)) / np.float32(0.74)
    low = {"short": 0.10, "long": 0.55, "bun": 0.2}.get(look.hair_style, 0.1)
    part = np.abs(u) ** (1.6 if look.woman else 2.6)
    line = np.float32(-0.66) + np.float32(0.66 + low) * part + np.float32(0.035) * strands
    outer = ((x + np.float32(0.1 * np.sin(look.yaw))) / 0.81) ** 2 + (
        (y + np.float32(0.22)) / 0.87
    ) ** 2
    rim = (1 - np.sqrt(outer)) * np.float32(0.8 * half)
    side_lock = (np.abs(u) > 0.8) & (y < low + 0.1)
    mask = np.clip(rim + 0.5, 0, 1) * np.clip((line - y) * np.float32(half * 0.35) + 0.5, 0, 1)
    mask = np.where(side_lock, np.clip(rim + 0.5, 0, 1), mask).astype(np.float32)
    z = np.float32(0.85 * half) * np.sqrt(np.maximum(1 - outer, 0)) + strands * np.float32(
        half * 0.03
    )
    lit = lambert(cv2.GaussianBlur(z.astype(np.float32), (0, 0), 0.8), scene.light)
    hair = np.asarray(look.hair, np.float32) * (1 + np.float32(0.35) * strands[..., None])
    scene.lay(mask, tone(lit, hair, scene.light, gloss=0.25), at, fine=0.85)


def draw_head(scene: Scene, place: HeadPlace, *, label: bool = True) -> None:
    """Lay a whole bare head, back hair to front hair."""
    if label:
        with scene.object("head"):
            draw_head(scene, place, label=False)
        return
    draw_back_hair(scene, place)
    draw_ear(scene, place)
    draw_face(scene, place)
    draw_front_hair(scene, place)
    if place.look.beard == "long":
        draw_long_beard(scene, place)


def draw_long_beard(scene: Scene, place: HeadPlace) -> None:
    """Lay the part of a long beard that hangs below the chin."""
    from bilderatlas.museum.noise import smooth_curve

    x = turned(0.0, place.look.yaw)
    shape = [(x - 0.5, 0.6), (x - 0.47, 1.05), (x - 0.1, 1.6), (x + 0.12, 1.55), (x + 0.47, 1.05)]
    shape += [(x + 0.5, 0.6), (x + 0.25, 0.82), (x, 0.8), (x - 0.25, 0.82)]
    half = place.half_px
    outline = smooth_curve(place.outline(shape), closed=True)
    scene.solid(
        outline,
        place.look.hair,
        half * 0.3,
        bumps=half * 0.06,
        soft_px=max(0.6, half * 0.04),
        fine=0.8,
    )
