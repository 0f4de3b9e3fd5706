"""Animals: cow, horse, lion, dog: bodies of rounded limbs under one light."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, fractal_noise, smooth_curve
from bilderatlas.museum.relief import capsule, ellipsoid, shade
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of, spread, trace
from bilderatlas.museum.things.land import lay_dabs

Limb = tuple[float, float, float, float, float, float]  # x1, y1, x2, y2, r1, r2 in body lengths

_COW: tuple[Limb, ...] = (
    (-0.32, -0.5, 0.22, -0.49, 0.145, 0.165),
    (0.3, -0.53, 0.5, -0.64, 0.125, 0.075),
    (0.5, -0.645, 0.655, -0.53, 0.07, 0.042),
    (-0.1, -0.42, 0.12, -0.41, 0.155, 0.16),
    (-0.37, -0.55, -0.39, -0.4, 0.1, 0.1),
    (0.26, -0.5, 0.29, -0.36, 0.15, 0.11),
    (-0.39, -0.4, -0.35, -0.22, 0.095, 0.042), (-0.35, -0.22, -0.39, -0.01, 0.036, 0.028),
    (-0.31, -0.36, -0.27, -0.2, 0.08, 0.04), (-0.27, -0.2, -0.3, -0.01, 0.034, 0.027),
    (0.25, -0.34, 0.24, -0.18, 0.07, 0.038), (0.24, -0.18, 0.23, -0.01, 0.032, 0.027),
    (0.33, -0.34, 0.36, -0.18, 0.065, 0.036), (0.36, -0.18, 0.34, 0.0, 0.031, 0.026),
    (-0.2, -0.3, -0.17, -0.29, 0.06, 0.05),
)  # fmt: skip
_HORSE: tuple[Limb, ...] = (
    (-0.3, -0.62, 0.26, -0.62, 0.19, 0.18),
    (-0.34, -0.62, -0.3, -0.5, 0.17, 0.15),
    (0.26, -0.66, 0.5, -1.0, 0.15, 0.09),
    (0.5, -1.02, 0.7, -0.84, 0.085, 0.05),
)
_STANDING: tuple[Limb, ...] = (
    (-0.38, -0.5, -0.42, -0.26, 0.1, 0.05), (-0.42, -0.26, -0.38, 0.0, 0.045, 0.035),
    (-0.26, -0.5, -0.26, -0.26, 0.1, 0.05), (-0.26, -0.26, -0.22, 0.0, 0.045, 0.035),
    (0.2, -0.5, 0.2, -0.26, 0.09, 0.045), (0.2, -0.26, 0.2, 0.0, 0.042, 0.033),
    (0.3, -0.52, 0.4, -0.34, 0.09, 0.045), (0.4, -0.34, 0.34, -0.12, 0.042, 0.033),
)  # fmt: skip
_GALLOP: tuple[Limb, ...] = (
    (-0.38, -0.5, -0.56, -0.34, 0.1, 0.05), (-0.56, -0.34, -0.74, -0.2, 0.045, 0.035),
    (-0.28, -0.48, -0.38, -0.26, 0.1, 0.05), (-0.38, -0.26, -0.56, -0.06, 0.045, 0.035),
    (0.24, -0.52, 0.46, -0.44, 0.09, 0.045), (0.46, -0.44, 0.54, -0.22, 0.042, 0.033),
    (0.3, -0.54, 0.56, -0.56, 0.09, 0.045), (0.56, -0.56, 0.74, -0.42, 0.042, 0.033),
)  # fmt: skip
_LION: tuple[Limb, ...] = (
    (-0.36, -0.22, 0.22, -0.3, 0.18, 0.2),
    (0.26, -0.42, 0.4, -0.5, 0.2, 0.17),
    (0.42, -0.48, 0.54, -0.42, 0.12, 0.07),
    (0.22, -0.2, 0.52, -0.06, 0.08, 0.06),
    (0.3, -0.12, 0.62, -0.05, 0.07, 0.055),
    (-0.38, -0.16, -0.2, -0.06, 0.14, 0.07),
    (-0.28, -0.1, -0.04, -0.05, 0.08, 0.055),
)
_DOG: tuple[Limb, ...] = (
    (-0.3, -0.42, 0.22, -0.44, 0.12, 0.14),
    (0.26, -0.5, 0.4, -0.66, 0.09, 0.08),
    (0.4, -0.68, 0.58, -0.62, 0.085, 0.04),
    (-0.34, -0.38, -0.4, -0.2, 0.07, 0.035), (-0.4, -0.2, -0.36, 0.0, 0.03, 0.025),
    (-0.26, -0.36, -0.24, 0.0, 0.06, 0.025),
    (0.2, -0.38, 0.2, 0.0, 0.06, 0.025), (0.28, -0.38, 0.32, 0.0, 0.055, 0.025),
    (-0.38, -0.46, -0.58, -0.62, 0.03, 0.015),
)  # fmt: skip


def _body(
    scene: Scene,
    limbs: tuple[Limb, ...],
    x: float,
    base_y: float,
    size: float,
    side: float,
    colour: Colour,
    spots: Plane | None = None,
) -> None:
    """Lay a body of limbs whose feet stand at `base_y`."""
    half_w, high = int(size * 0.95) + 3, int(size * 1.3) + 4
    height = np.zeros((high + 6, 2 * half_w), np.float32)
    for x1, y1, x2, y2, r1, r2 in limbs:
        capsule(
            height,
            (half_w + side * x1 * size, high + y1 * size),
            (half_w + side * x2 * size, high + y2 * size),
            max(0.8, r1 * size),
            max(0.7, r2 * size),
        )
    mask = cv2.GaussianBlur(np.clip(height, 0, 1), (0, 0), 0.5)
    form = cv2.GaussianBlur(height, (0, 0), max(0.5, size * 0.014))
    local: Plane | Colour = colour
    if spots is not None:
        coat = np.asarray(colour, np.float32)
        patch = cv2.resize(spots, (2 * half_w, high + 6))[..., None]
        local = coat + (np.array([0.92, 0.88, 0.8], np.float32) - coat) * np.clip(patch * 8, 0, 1)
    scene.lay(
        mask, shade(form, local, scene.light), (int(x) - half_w, int(base_y) - high), fine=0.6
    )


def draw_cow(scene: Scene, x: float, base_y: float, size: float, colour: Colour) -> None:
    """Lay a cow, pied or plain, standing or grazing."""
    side = -1.0 if scene.rng.random() < 0.5 else 1.0
    limbs = _COW
    if scene.rng.random() < 0.45:
        limbs = (
            *_COW[:1],
            (0.3, -0.5, 0.5, -0.32, 0.12, 0.075),
            (0.5, -0.32, 0.57, -0.12, 0.07, 0.045),
            *_COW[3:],
        )
    spots = fractal_noise(scene.rng, (40, 60), 14.0, 2) if scene.rng.random() < 0.7 else None
    with scene.object("cow"):
        scene.cast_shadow(
            ellipse(
                x - np.sign(scene.light.towards[0]) * size * 0.15, base_y, size * 0.55, size * 0.07
            ),
            size * 0.04,
            0.5,
        )
        _body(scene, limbs, x, base_y, size, side, colour, spots)
        hx, hy = limbs[2][0], limbs[2][1]
        with scene.ink(0.7, new_id=False) as canvas:
            horn = [
                (x + side * (hx - 0.03) * size, base_y + (hy - 0.07) * size),
                (x + side * (hx + 0.05) * size, base_y + (hy - 0.15) * size),
            ]
            canvas.drawPath(path_of(horn), paint_of((0.85, 0.8, 0.65), 1, max(0.8, size * 0.025)))
            tail = [
                (x - side * 0.5 * size, base_y - 0.5 * size),
                (x - side * 0.56 * size, base_y - 0.2 * size),
            ]
            canvas.drawPath(
                path_of(tail), paint_of(mix(colour, (0, 0, 0), 0.4), 1, max(0.8, size * 0.025))
            )


def draw_horse(
    scene: Scene,
    x: float,
    base_y: float,
    size: float,
    colour: Colour,
    side: float = 1.0,
    gallop: bool = False,
) -> None:
    """Lay a horse with mane, tail and bridle."""
    dark = mix(colour, (0.08, 0.05, 0.03), 0.65)

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return spread(points, x, base_y, size, side)

    with scene.object("horse"):
        scene.cast_shadow(ellipse(x, base_y, size * 0.55, size * 0.07), size * 0.05, 0.5)
        end = -0.86 if gallop else -0.64
        with scene.ink(0.6) as canvas:
            for shift in (-0.03, -0.015, 0.0, 0.015, 0.03):
                tail = [(-0.46, shift - 0.68), (-0.66, shift - 0.6), (end, shift - 0.24)]
                trace(canvas, smooth_curve(at(tail)), dark, max(1.0, size * 0.03))
        _body(scene, (*(_GALLOP if gallop else _STANDING), *_HORSE), x, base_y, size, side, colour)
        with scene.ink(0.7, new_id=False) as canvas:
            for step in np.linspace(0, 1, 12).tolist():
                u, v = 0.24 + 0.24 * step, -0.8 - 0.3 * step
                trace(canvas, at([(u, v), (u - 0.1, v + 0.11)]), dark, max(1.0, size * 0.028), 0.95)
            for ear in (0.5, 0.55):
                trace(canvas, at([(ear, -1.08), (ear - 0.01, -1.17)]), dark, max(1.0, size * 0.03))
            ((ex, ey),) = at([(0.555, -1.0)])
            canvas.drawCircle(ex, ey, max(0.8, size * 0.014), paint_of((0.05, 0.03, 0.02)))
            leather = (0.35, 0.1, 0.06)
            rein = smooth_curve(at([(0.64, -0.86), (0.4, -0.72), (0.1, -0.86)]))
            trace(canvas, rein, leather, size * 0.016, 0.95)
            trace(canvas, at([(0.56, -1.06), (0.62, -0.84)]), leather, size * 0.014, 0.9)


def draw_lion(scene: Scene, x: float, base_y: float, size: float, side: float = 1.0) -> None:
    """Lay a lion at rest with its mane."""
    fur, mane = (0.72, 0.52, 0.26), (0.45, 0.27, 0.1)
    with scene.object("lion"):
        scene.cast_shadow(ellipse(x, base_y, size * 0.62, size * 0.08), size * 0.05, 0.5)
        tail = smooth_curve(
            spread([(-0.5, -0.2), (-0.75, -0.1), (-0.8, -0.34)], x, base_y, size, side)
        )
        with scene.ink(0.6) as canvas:
            trace(canvas, tail, mix(fur, mane, 0.4), max(1.2, size * 0.035))
            canvas.drawCircle(*tail[-1], size * 0.04, paint_of(mane))
        _body(scene, _LION, x, base_y, size, side, fur)
        cx, cy = x + side * size * 0.36, base_y - size * 0.5
        _mane(scene, cx, cy, size, mane)
        _lion_face(scene, cx, cy, size, side, fur)


def _mane(scene: Scene, cx: float, cy: float, size: float, colour: Colour) -> None:
    """Lay locks around a lion's face."""
    rng = scene.rng
    angles = rng.uniform(0, 2 * np.pi, 130)
    away = rng.uniform(0.55, 1.0, 130)
    around = np.stack([np.cos(angles) * 0.22 * away, np.sin(angles) * 0.24 * away], 1)
    centre = np.array([cx, cy]) + around * size
    along = np.stack([np.cos(angles), np.sin(angles) + 0.6], 1) * size * 0.09
    across = np.stack([-along[:, 1], along[:, 0]], 1) * 0.22
    locks = np.stack([centre - across, centre + along, centre + across], 1)
    tint = np.asarray(colour) * rng.uniform(0.55, 1.5, (130, 1)) + np.array([0.06, 0.03, 0.0])
    lay_dabs(scene, locks, np.clip(tint, 0, 1), fine=0.7)


def _lion_face(scene: Scene, cx: float, cy: float, size: float, side: float, fur: Colour) -> None:
    """Lay muzzle, eyes, nose and mouth."""
    face = np.zeros((int(size * 0.5), int(size * 0.5)), np.float32)
    mid = face.shape[0] / 2
    ellipsoid(face, mid, mid - size * 0.03, size * 0.13, size * 0.15, size * 0.12)
    muzzle = (mid + side * size * 0.04, mid + size * 0.07)
    ellipsoid(face, *muzzle, size * 0.08, size * 0.075, size * 0.16)
    form = cv2.GaussianBlur(face, (0, 0), max(0.5, size * 0.01))
    fx = cx + side * size * 0.03
    at = (int(fx - mid), int(cy - mid))
    scene.lay(np.clip(face * 0.8, 0, 1), shade(form, fur, scene.light), at, fine=0.9)
    with scene.ink(0.95, new_id=False) as canvas:
        for u, v, radius in ((-0.05, -0.05, 0.016), (0.06, -0.05, 0.016), (0.05, 0.045, 0.026)):
            ((px, py),) = spread([(u, v)], fx, cy, size, side)
            canvas.drawCircle(px, py, max(0.8, size * radius), paint_of((0.08, 0.05, 0.03)))
        mouth = spread([(-0.02, 0.11), (0.05, 0.085), (0.11, 0.11)], fx, cy, size, side)
        trace(canvas, smooth_curve(mouth), (0.15, 0.07, 0.05), size * 0.014, 0.9)


def draw_dog(
    scene: Scene, x: float, base_y: float, size: float, colour: Colour, side: float = 1.0
) -> None:
    """Lay a dog."""
    with scene.object("dog"):
        scene.cast_shadow(ellipse(x, base_y, size * 0.45, size * 0.06), size * 0.04, 0.5)
        _body(scene, _DOG, x, base_y, size, side, colour)
        with scene.ink(0.8, new_id=False) as canvas:
            canvas.drawCircle(
                x + side * size * 0.47,
                base_y - size * 0.7,
                max(0.7, size * 0.014),
                paint_of((0.05, 0.03, 0.02)),
            )
            ear = [
                (x + side * size * 0.38, base_y - size * 0.72),
                (x + side * size * 0.33, base_y - size * 0.56),
            ]
            canvas.drawPath(
                path_of(ear), paint_of(mix(colour, (0, 0, 0), 0.5), 1, max(1.0, size * 0.06))
            )
