"""Land: hills and mountains in their air, ground in perspective, roads, rivers, reflections."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, Points, fractal_noise, smooth_curve, wander
from bilderatlas.museum.relief import lambert, tone
from bilderatlas.museum.scene import Colour, Scene, mix, polygon_mask
from bilderatlas.museum.things.skies import receding_noise
from bilderatlas.museum.tints import blend, times, tinted


def ridge_line(
    scene: Scene, base_y: float, rise_px: float, knots: int, sharp: bool = False
) -> Points:
    """Return a skyline from the left edge to the right."""
    width = scene.size_wh[0]
    xs = np.linspace(-10, width + 10, 90)
    line = wander(scene.rng, 90, knots, 5 if sharp else 3, 0.55 if sharp else 0.4)
    if sharp:
        line = 1 - 2 * np.abs(line) ** 0.8
    return np.stack([xs, base_y - rise_px * (0.5 + 0.5 * line)], axis=1)


def draw_hills(
    scene: Scene, line: Points, colour: Colour, bottom_y: float, rough: float = 0.5
) -> None:
    """Lay hills from a skyline down to `bottom_y`, lit on their slopes."""
    width = scene.size_wh[0]
    outline = np.concatenate([line, [(width + 10, bottom_y), (-10, bottom_y)]])
    mask, at = polygon_mask(outline)
    rise = max(8.0, float(np.ptp(line[:, 1])))
    slopes = fractal_noise(scene.rng, mask.shape, (rise * 1.1, rise * 0.7), 4, 0.55)
    lit = lambert(slopes * np.float32(rise * 0.22 * rough), scene.light)
    rgb = tone(lit * 0.8 + 0.15, colour, scene.light)
    scene.lay(mask, rgb, at, fine=0.25)


def draw_mountain(
    scene: Scene, cx: float, base_y: float, wide: float, high: float, colour: Colour, snow: Colour
) -> None:
    """Lay one great mountain with ribs, and snow where it is high."""
    rng = scene.rng
    steps = np.linspace(-1, 1, 60)
    shape = 1 - np.abs(steps) ** 0.85
    jag = wander(rng, 60, 7, 4, 0.6) * 0.09 * (1 - np.abs(steps))
    line = np.stack([cx + steps * wide, base_y - high * np.clip(shape + jag, 0, 2)], axis=1)
    with scene.object("mountain"):
        mask, at = polygon_mask(
            np.concatenate([line, [(cx + wide, base_y + 4), (cx - wide, base_y + 4)]])
        )
        ys, xs = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]].astype(np.float32)
        peak_x = cx - at[0]
        ribs = fractal_noise(rng, mask.shape, (wide * 0.16, high * 0.5), 4, 0.6)
        roof = -np.abs(xs - peak_x + ribs * wide * 0.12) * np.float32(0.75)
        lit = lambert(
            cv2.GaussianBlur(roof, (0, 0), 1.5) + ribs * np.float32(wide * 0.06), scene.light
        )
        up = 1 - ys / max(1, mask.shape[0])
        cap = np.clip((up - 0.6 + ribs * 0.12) * 12, 0, 1)[..., None]
        local = (
            np.asarray(colour, np.float32)
            + (np.asarray(snow, np.float32) - np.asarray(colour, np.float32)) * cap
        )
        scene.lay(mask, tone(lit * 0.85 + 0.1, local, scene.light), at, fine=0.35)


def draw_ground(scene: Scene, horizon_y: float, far: Colour, near: Colour, green: Colour) -> None:
    """Lay the ground from the horizon to the lower edge, its texture receding."""
    width, height = scene.size_wh
    top = int(horizon_y)
    rows = height - top
    if rows <= 2:
        return
    noise = receding_noise(scene, (rows, width), 0.2, towards_bottom=True)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    broad = fractal_noise(scene.rng, (rows, width), (width * 0.4, rows * 0.25), 3)
    earth = tinted(np.broadcast_to(np.clip(down * 1.3, 0, 1), (rows, width)), far, near)
    meadow = np.clip(broad * np.float32(1.4) + np.float32(0.45), 0, 1) * np.float32(0.75)
    local = blend(earth, green, meadow)
    light = 1 + noise * 0.16 + broad * 0.14 - np.clip(down - 0.6, 0, 1) * 0.75
    scene.lay(
        np.ones((rows, width), np.float32),
        np.clip(times(local, light), 0, 1),
        (0, top),
        fine=None,
        record=False,
    )
    scene.fine[top:] = 0.12 + 0.2 * (1 - down)
    _grass(scene, horizon_y, green, near)


def _grass(scene: Scene, horizon_y: float, green: Colour, near: Colour) -> None:
    """Lay blades of grass and weeds in the foreground."""
    width, height = scene.size_wh
    n = 160
    rng = scene.rng
    depth = rng.uniform(0.35, 1.0, n) ** 0.7
    x = rng.uniform(0, width, n)
    y = horizon_y + (height - horizon_y) * depth
    size = scene.unit * 0.035 * depth * rng.uniform(0.5, 1.4, n)
    lean = rng.normal(0, 0.35, n) * size
    blades = np.stack(
        [
            np.stack([x - size * 0.06, y], 1),
            np.stack([x + lean, y - size], 1),
            np.stack([x + size * 0.06, y], 1),
        ],
        1,
    )
    shade = rng.uniform(0.45, 1.15, (n, 1))
    tint = np.asarray(green) + (np.asarray(near) - np.asarray(green)) * rng.uniform(0, 0.7, (n, 1))
    lay_dabs(scene, blades, np.clip(tint * shade, 0, 1), fine=0.3)


def lay_dabs(
    scene: Scene,
    shapes: np.ndarray,
    colours: np.ndarray,
    fine: float | None = None,
    new_id: bool = False,
) -> None:
    """Lay many small convex shapes `(n, k, 2)` in `(n, 3)` colours, in order."""
    if not len(shapes):
        return
    width, height = scene.size_wh
    low = np.maximum(np.floor(shapes.reshape(-1, 2).min(axis=0)).astype(int) - 2, -40)
    high = np.minimum(
        np.ceil(shapes.reshape(-1, 2).max(axis=0)).astype(int) + 2, (width + 40, height + 40)
    )
    if (high <= low).any():
        return
    patch = np.zeros((int(high[1] - low[1]), int(high[0] - low[0]), 4), np.uint8)
    fixed = np.round((shapes - low) * 16).astype(np.int32)
    paint = np.c_[np.clip(colours, 0, 1) * 255, np.full(len(colours), 255.0)].tolist()
    for points, colour in zip(fixed, paint, strict=True):
        cv2.fillConvexPoly(patch, points, colour, cv2.LINE_AA, 4)
    rgba = patch.astype(np.float32) * np.float32(1 / 255)
    mask = np.ascontiguousarray(rgba[..., 3])
    rgb = rgba[..., :3] / np.maximum(mask, np.float32(1e-3))[..., None]
    scene.lay(mask, rgb, (int(low[0]), int(low[1])), fine=fine, new_id=new_id)


def path_outline(scene: Scene, horizon_y: float, far_x: float, near_wide: float) -> Points:
    """Return a winding band from the horizon to the lower edge: a road or a river."""
    width, height = scene.size_wh
    rows = np.linspace(0, 1, 26)
    sway = wander(scene.rng, 26, 2, 2) * width * 0.22 * np.sin(np.pi * np.clip(rows * 1.1, 0, 1))
    end_x = float(scene.rng.uniform(0.2, 0.8)) * width
    middle = far_x + (end_x - far_x) * rows**1.4 + sway * rows
    y = horizon_y + (height + 12 - horizon_y) * rows**1.6
    wide = near_wide * (0.02 + 0.98 * rows**1.7) * 0.5
    return np.concatenate([np.stack([middle - wide, y], 1), np.stack([middle + wide, y], 1)[::-1]])


def draw_road(scene: Scene, horizon_y: float, far_x: float, colour: Colour) -> None:
    """Lay a road with ruts."""
    with scene.object("road"):
        outline = path_outline(scene, horizon_y, far_x, scene.unit * 0.42)
        mask, at = polygon_mask(outline)
        noise = fractal_noise(scene.rng, mask.shape, (40.0, 8.0), 3) * np.float32(0.12)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.2)
        scene.lay(mask, np.asarray(colour, np.float32) * (1 + noise)[..., None], at, fine=0.3)


def draw_river(scene: Scene, horizon_y: float, far_x: float, colour: Colour) -> None:
    """Lay a river that mirrors what stands above it."""
    with scene.object("river"):
        outline = path_outline(scene, horizon_y, far_x, scene.unit * 0.95)
        mask, at = polygon_mask(outline)
        lay_reflection(scene, mask, at, horizon_y, colour, 0.45)


def lay_reflection(
    scene: Scene,
    mask: Plane,
    at: tuple[int, int],
    horizon_y: float,
    colour: Colour,
    strength: float,
) -> None:
    """Lay water through a mask: what is above the horizon, mirrored and rippled."""
    height = scene.size_wh[1]
    rows, columns = mask.shape
    ys = np.arange(at[1], at[1] + rows, dtype=np.float32)[:, None]
    xs = np.arange(at[0], at[0] + columns, dtype=np.float32)[None, :]
    near = np.clip((ys - np.float32(horizon_y)) / max(1.0, height - horizon_y), 0, 1)
    ripple = receding_noise(scene, (rows, columns), 0.07, towards_bottom=True, octaves=3)
    stretch = np.float32(min(1.0, 0.96 * horizon_y / max(1.0, height - horizon_y)))
    source_y = np.clip(2 * horizon_y - horizon_y - (ys - horizon_y) * stretch, 0, horizon_y - 1)
    source_y = source_y + ripple * (2 + 14 * near)
    source_x = xs + ripple * (1 + 7 * near)
    mirror = cv2.remap(
        scene.rgb,
        np.broadcast_to(source_x, mask.shape).astype(np.float32),
        np.clip(np.broadcast_to(source_y, mask.shape), 0, horizon_y - 1).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    water = np.asarray(colour, np.float32) * (0.82 + 0.2 * ripple)[..., None]
    keep = np.float32(strength) + np.float32(0.25) * (1 - near[..., None])
    rgb = water * (1 - keep) + mirror * np.float32(0.92) * keep
    glint = np.clip((ripple - 0.62) * 3, 0, 1)[..., None] * np.float32(0.4)
    rgb = rgb + (np.asarray(scene.rgb[max(0, int(horizon_y) - 6)].mean(axis=0)) - rgb) * glint
    scene.lay(mask, np.clip(rgb, 0, 1).astype(np.float32), at, fine=0.2)


def draw_rocks(
    scene: Scene, cx: float, base_y: float, wide: float, high: float, colour: Colour
) -> None:
    """Lay a group of rocks."""
    rng = scene.rng
    with scene.object("rocks"):
        for step in range(5):
            x = cx + (step - 2) * wide * 0.2 + float(rng.normal(0, wide * 0.05))
            tall = high * float(rng.uniform(0.4, 1.0)) * (1 - abs(step - 2) * 0.2)
            half = wide * float(rng.uniform(0.16, 0.26))
            shape = [
                (x - half, base_y),
                (x - half * 0.8, base_y - tall * 0.5),
                (x - half * 0.2, base_y - tall),
                (x + half * 0.45, base_y - tall * 0.82),
                (x + half * 0.9, base_y - tall * 0.3),
                (x + half, base_y),
            ]
            tint = mix(colour, (0.1, 0.1, 0.1), float(rng.uniform(0, 0.35)))
            scene.solid(
                smooth_curve(shape, closed=True, steps=4),
                tint,
                half * 0.8,
                bumps=half * 0.22,
                fine=0.35,
            )
