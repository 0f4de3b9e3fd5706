"""Dress: busts in cloth of their period, collars, ruffs, and folds."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.museum.noise import Plane, fractal_noise, smooth_curve, soft_blur
from bilderatlas.museum.relief import capsule, inflate, shade
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, paint_of, path_of, polygon_mask
from bilderatlas.museum.things.heads import HeadPlace


def folds(scene: Scene, shape_hw: tuple[int, int], size_px: float, lean: float = 0.0) -> Plane:
    """Return heights of hanging cloth `(h, w)`: long ridges about `size_px` apart."""
    height, width = shape_hw
    spare = int(abs(lean) * height / 2) + 2  # what the lean draws in from the sides
    wide = (height, width + 2 * spare)
    rough = fractal_noise(scene.rng, wide, (size_px * 1.9, size_px * 8), 2)
    broad = fractal_noise(scene.rng, wide, (size_px * 4.5, size_px * 9), 2)
    ridged = np.sqrt(np.abs(rough) + 0.02) * -0.55 + broad * 0.9
    move = np.array([[1, lean, -height * lean / 2 - spare], [0, 1, 0]], np.float32)
    hung = cv2.warpAffine(ridged, move, (width, height), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(hung * np.float32(size_px * 0.62), np.float32)


def draped(
    scene: Scene,
    points: object,
    colour: Colour | Plane,
    round_px: float,
    fold_px: float,
    *,
    lean: float = 0.0,
    gloss: float = 0.0,
    fine: float = 0.4,
    new_id: bool = True,
    hole: npt.ArrayLike | None = None,
) -> None:
    """Lay a polygon of cloth with folds; what lies below is seen through `hole`."""
    mask, at = polygon_mask(np.asarray(points, np.float64))
    if hole is not None:
        fixed = np.round((np.asarray(hole, np.float64) - at) * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (0,), cv2.LINE_AA, 4)
    height = inflate(mask, round_px) + folds(scene, mask.shape, fold_px, lean)
    height = cv2.GaussianBlur(height, (0, 0), max(0.6, fold_px / 10))
    scene.lay(mask, shade(height, colour, scene.light, gloss=gloss), at, fine=fine, new_id=new_id)


def draw_neck(scene: Scene, place: HeadPlace, flesh: Colour) -> None:
    """Lay neck and breast, before the garment covers most of it."""
    half = place.half_px
    top = place.on_picture(-0.15 * float(np.sin(place.look.yaw)), 0.5)
    size = int(half * 4)
    height = np.zeros((size, size), np.float32)
    x0, y0 = int(place.cx - size / 2), int(place.cy)
    start = (top[0] - x0, top[1] - y0)
    end = (place.cx - x0, place.cy + half * 1.6 - y0)
    thick = 0.36 if place.look.woman else 0.45
    capsule(height, start, end, half * thick, half * thick * 1.15)
    breast = np.zeros_like(height)
    spread = 0.62 if place.look.woman else 0.3
    for side in (-1, 1):  # from the neck down to the shoulders
        base = (place.cx + side * half * 0.12 - x0, end[1])
        tip = (place.cx + side * half * 0.58 - x0, end[1] + half * 0.3)
        capsule(breast, base, tip, half * 0.32, half * 0.3)
    capsule(
        breast,
        (place.cx - half * spread - x0, end[1] + half * 0.45),
        (place.cx + half * spread - x0, end[1] + half * 0.45),
        half * 0.6,
        half * 0.6,
    )
    mask = np.clip(np.maximum(height, breast) * 0.7, 0, 1)
    body = soft_blur(np.maximum(height, breast * np.float32(0.7)), half * 0.085)
    scene.lay(mask, shade(body, flesh, scene.light, cast_px=0.0), (x0, y0), fine=0.6)
    chin = ellipse(
        place.cx - scene.light.towards[0] * half * 0.25,
        place.cy + half * 1.08,
        half * 0.42,
        half * 0.3,
    )
    scene.cast_shadow(chin, half * 0.12, 0.6)


def bust_outline(place: HeadPlace, width_px: float, bottom: float, woman: bool) -> np.ndarray:
    """Return the outline of shoulders down to the picture's lower edge."""
    half, cx = place.half_px, place.cx
    top = place.cy + half * (1.35 if woman else 1.25)
    drop = half * (0.55 if woman else 0.38)
    low = bottom + half
    shape = [
        (cx - half * 0.36, top - half * 0.14),
        (cx - width_px * 0.5, top + drop * 0.5),
        (cx - width_px * 0.93, top + drop * 1.35),
        (cx - width_px * 1.1, top + drop + half * 1.2),
        (cx - width_px * 1.25, low),
        (cx + width_px * 1.25, low),
        (cx + width_px * 1.1, top + drop + half * 1.2),
        (cx + width_px * 0.93, top + drop * 1.35),
        (cx + width_px * 0.5, top + drop * 0.5),
        (cx + half * 0.36, top - half * 0.14),
    ]
    return smooth_curve(shape, closed=True)


def draw_bust(
    scene: Scene, place: HeadPlace, cloth: Colour, linen: Colour, dress: str, gloss: float = 0.1
) -> None:
    """Lay neck, shirt and garment of a period: `early`, `baroque`, `modern` or `japanese`."""
    half, woman = place.half_px, place.look.woman
    width = half * (1.65 if woman else 1.95)
    bottom = float(scene.size_wh[1])
    draw_neck(scene, place, place.look.flesh)
    outline = bust_outline(place, width, bottom, woman)
    cx, top = place.cx, place.cy + half * 1.2
    neckline = _neckline(place, dress, woman)
    if neckline is not None:
        draped(scene, outline, cloth, half * 0.5, half * 0.3, gloss=gloss, hole=neckline)
        _shift_hem(scene, place, neckline, linen)
        return
    draped(scene, outline, cloth, half * 0.9, half * 0.32, gloss=gloss)
    if dress == "japanese":
        _kimono_collar(scene, place, linen, cloth)
    elif dress == "modern":
        _lapels(scene, place, cloth, linen)
    else:
        seam = [(cx, top + half * 0.3), (cx + half * 0.05, bottom)]
        with scene.ink(0.5, new_id=False) as canvas:
            canvas.drawPath(path_of(seam), paint_of(mix(cloth, (0, 0, 0), 0.5), 0.8, half * 0.04))
            for step in range(5):
                y = top + half * (0.7 + 0.36 * step)
                x = cx + half * 0.1
                canvas.drawCircle(x, y, half * 0.05, paint_of(mix(cloth, linen, 0.45)))


def _neckline(place: HeadPlace, dress: str, woman: bool) -> np.ndarray | None:
    """Return the opening of a dress, if it has one."""
    half, cx, cy = place.half_px, place.cx, place.cy
    if not woman or dress == "japanese":
        return None
    # Above the shoulders the opening is wider than the garment, so that the neck stands free.
    if dress == "early":
        right = [(0.36, 0.8), (0.56, 1.35), (0.6, 1.7), (0.5, 2.1)]
    else:
        right = [(0.36, 0.8), (0.62, 1.3), (0.8, 1.68), (0.5, 2.1)]
    square = [(-x, y) for x, y in right] + [(0.0, 2.22)] + right[::-1]
    return smooth_curve([(cx + x * half, cy + y * half) for x, y in square], closed=True)


def _shift_hem(scene: Scene, place: HeadPlace, neckline: np.ndarray, linen: Colour) -> None:
    """Lay the gathered linen that shows along the lower edge of a neckline."""
    half = place.half_px
    low = neckline[neckline[:, 1] > place.cy + half * 1.5]
    low = low[np.argsort(low[:, 0], kind="stable")]
    with scene.ink(0.6, new_id=False) as canvas:
        canvas.drawPath(path_of(low), paint_of(linen, 0.95, max(1.5, half * 0.075)))
        for x, y in low[::2]:
            pleat = [(x, y - half * 0.03), (x + half * 0.01, y + half * 0.03)]
            canvas.drawPath(path_of(pleat), paint_of(mix(linen, (0.2, 0.15, 0.1), 0.5), 0.6, 1.0))


def _kimono_collar(scene: Scene, place: HeadPlace, linen: Colour, cloth: Colour) -> None:
    half, cx, cy = place.half_px, place.cx, place.cy
    skin = [
        (cx - half * 0.4, cy + half * 1.15),
        (cx + half * 0.4, cy + half * 1.15),
        (cx, cy + half * 2.1),
    ]
    scene.solid(skin, place.look.flesh, half * 0.3, fine=0.6)
    for tint, wide in ((linen, 0.26), (mix(cloth, (1, 1, 1), 0.3), 0.16)):
        for side in (1, -1):
            band = [
                (cx - side * half * 0.5, cy + half * 1.1),
                (cx + side * half * 0.35, cy + half * 2.7),
            ]
            with scene.ink(0.6) as canvas:
                canvas.drawPath(path_of(band), paint_of(tint, 1, half * wide))


def _lapels(scene: Scene, place: HeadPlace, cloth: Colour, linen: Colour) -> None:
    half, cx, cy = place.half_px, place.cx, place.cy
    shirt = [
        (cx - half * 0.36, cy + half * 1.22),
        (cx + half * 0.36, cy + half * 1.22),
        (cx, cy + half * 2.7),
    ]
    scene.solid(shirt, linen, half * 0.4, fine=0.6)
    for side in (-1, 1):
        lapel = [
            (cx + side * half * 0.34, cy + half * 1.18),
            (cx + side * half * 0.75, cy + half * 1.6),
            (cx + side * half * 0.6, cy + half * 2.0),
            (cx + side * half * 0.03, cy + half * 2.8),
        ]
        scene.solid(lapel, mix(cloth, (0, 0, 0), 0.25), half * 0.15, fine=0.5)
    tie = ellipse(cx, cy + half * 1.42, half * 0.28, half * 0.14)
    scene.solid(tie, mix(linen, cloth, 0.15), half * 0.12, bumps=half * 0.03, fine=0.7)


def draw_ruff(scene: Scene, place: HeadPlace, linen: Colour) -> None:
    """Lay a millstone ruff below the chin."""
    half = place.half_px
    cx, cy = place.on_picture(0.0, 1.12)
    with scene.object("ruff"):
        wide, high = half * 1.32, half * 0.52
        scene.cast_shadow(ellipse(cx, cy + half * 0.25, wide, high), half * 0.15, 0.5)
        mask, at = polygon_mask(ellipse(cx, cy, wide, high, n=64))
        ys, xs = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
        dx, dy = (xs + at[0] - cx) / wide, (ys + at[1] - cy) / high
        radius = np.sqrt(dx * dx + dy * dy)
        angle = np.arctan2(dy, dx)
        pleats = (
            np.sin(angle * 34 + np.sin(radius * 9) * 0.6) * half * 0.04 * np.clip(radius, 0.2, 1)
        )
        height = (np.float32(half * 0.25) * (1 - (radius - 0.55) ** 2) + pleats).astype(np.float32)
        scene.lay(mask, shade(height, linen, scene.light), at, fine=0.85)


def draw_flat_collar(scene: Scene, place: HeadPlace, linen: Colour) -> None:
    """Lay a broad linen collar with a lace edge."""
    half = place.half_px
    cx, cy = place.cx, place.cy
    shape = [(-0.4, 1.05), (-1.25, 1.5), (-1.1, 1.95), (-0.15, 1.75), (0, 1.5)]
    shape += [(0.15, 1.75), (1.1, 1.95), (1.25, 1.5), (0.4, 1.05), (0, 1.3)]
    outline = [(cx + x * half, cy + y * half) for x, y in shape]
    with scene.object("collar"):
        scene.cast_shadow([(x, y + half * 0.08) for x, y in outline], half * 0.06, 0.5)
        draped(scene, outline, linen, half * 0.15, half * 0.16, fine=0.75)


def draw_necklace(scene: Scene, place: HeadPlace, colour: Colour) -> None:
    """Lay a string of pearls."""
    half = place.half_px
    with scene.object("necklace"):
        for step in np.linspace(-1, 1, 13):
            x = place.cx + step * half * 0.46
            y = place.cy + half * (1.52 - 0.2 * step * step)
            size = max(2.0, half * 0.055)
            scene.solid(ellipse(x, y, size, size, n=14), colour, size, gloss=0.9, fine=1.0)


def draw_earring(scene: Scene, place: HeadPlace, colour: Colour) -> None:
    """Lay a pearl at the ear that is seen."""
    half = place.half_px
    side = -1.0 if place.look.yaw >= 0 else 1.0
    x, y = place.on_picture(side * 0.7 * float(np.cos(place.look.yaw)), 0.42)
    with scene.object("pearl"):
        scene.solid(
            ellipse(x, y, half * 0.075, half * 0.1), colour, half * 0.08, gloss=1.0, fine=1.0
        )


def draw_halo(scene: Scene, place: HeadPlace, gold: Colour, plate: bool) -> None:
    """Lay a halo: a punched gold plate, or a thin ring of light."""
    half = place.half_px
    cx, cy = place.on_picture(0.0, -0.15)
    with scene.object("halo"):
        if plate:
            scene.solid(ellipse(cx, cy, half * 1.5, half * 1.5, n=64), gold, half * 0.2, fine=0.9)
            with scene.ink(0.9, new_id=False) as canvas:
                dark = mix(gold, (0.3, 0.12, 0.02), 0.55)
                for radius in (1.46, 1.2):
                    canvas.drawCircle(
                        cx, cy, half * radius, paint_of(dark, 0.8, max(1.0, half * 0.03))
                    )
                for angle in np.linspace(0, 2 * np.pi, 40, endpoint=False):
                    canvas.drawCircle(
                        cx + half * 1.33 * float(np.cos(angle)),
                        cy + half * 1.33 * float(np.sin(angle)),
                        max(0.7, half * 0.045),
                        paint_of(dark, 0.8),
                    )
        else:
            with scene.ink(0.7, new_id=False) as canvas:
                canvas.drawOval(
                    _oval(cx, cy - half * 0.5, half * 1.0, half * 0.9),
                    paint_of(gold, 0.9, max(1.0, half * 0.05)),
                )


def _oval(cx: float, cy: float, rx: float, ry: float) -> object:
    import skia

    return skia.Rect.MakeLTRB(cx - rx, cy - ry, cx + rx, cy + ry)
