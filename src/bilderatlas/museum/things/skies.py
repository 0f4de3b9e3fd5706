"""Skies: graded air, lit clouds in perspective, sun and moon."""

from __future__ import annotations

import cv2
import numpy as np

from bilderatlas.museum.noise import Plane, fractal_noise, soft_blur
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix
from bilderatlas.museum.tints import blend, tinted


def receding_noise(
    scene: Scene,
    shape_hw: tuple[int, int],
    cell: float,
    towards_bottom: bool,
    octaves: int = 4,
    far: float = 0.12,
    gain: float = 60.0,
) -> Plane:
    """Return noise `(h, w)` that shrinks towards a horizon, as clouds, ground and waves do.

    Args:
        scene: The scene.
        shape_hw: Size; the horizon is the lower edge, or the upper if `towards_bottom`.
        cell: Size of a cell where it is nearest, as a share of the width.
        towards_bottom: Whether the near side is the bottom (ground) or the top (sky).
        octaves: Octaves of the noise.
        far: How near the horizon still is; larger is less foreshortened.
        gain: How flat the cells are; larger is flatter.
    """
    height, width = shape_hw
    texture = fractal_noise(scene.rng, (256, 384), 384 * cell * 0.8, octaves, 0.55)
    near = np.linspace(0, 1, height, dtype=np.float32)
    if not towards_bottom:
        near = near[::-1]
    depth = 1 / (near + np.float32(far))
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    map_x = np.float32(192) + depth[:, None] * (across[None, :] * np.float32(250))
    map_y = np.ascontiguousarray(np.broadcast_to(depth[:, None] * np.float32(gain), shape_hw))
    return np.asarray(
        cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
        np.float32,
    )


def draw_sky(
    scene: Scene,
    top: Colour,
    low: Colour,
    cloud: Colour,
    horizon_y: float,
    cover: float,
    drama: float = 0.4,
) -> None:
    """Lay the sky down to the horizon.

    Args:
        scene: The scene.
        top: Colour of the zenith.
        low: Colour over the horizon.
        cloud: Colour of lit clouds.
        horizon_y: Pixel row of the horizon.
        cover: Share of cloud, 0 to 1.
        drama: Depth of the clouds' shadows, 0 to 1.
    """
    width = scene.size_wh[0]
    height = int(horizon_y) + 4
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    sky = tinted(np.broadcast_to(down ** np.float32(1.3), (height, width)), top, low)
    noise = receding_noise(
        scene, (height, width), 0.34, towards_bottom=False, octaves=5, far=0.24, gain=130.0
    )
    noise = noise + fractal_noise(scene.rng, (height, width), (width * 0.5, height * 0.4), 2) * 0.35
    density = np.clip((noise - np.float32(0.5 - 1.1 * cover)) * 1.7, 0, 1)
    density = density * density * (3 - 2 * density)  # clouds end in wisps, not in rims
    lx, ly, _ = scene.light.towards
    reach = 0.02 * width
    move = np.array([[1, 0, -lx * reach], [0, 1, -ly * reach]], np.float32)
    shifted = cv2.warpAffine(density, move, (width, height), borderMode=cv2.BORDER_REFLECT)
    lit = np.clip(0.55 + (density - soft_blur(shifted, 3.0)) * 1.5, 0, 1)
    under = np.asarray(mix(mix(top, (0.25, 0.25, 0.28), 0.45), low, 0.25), np.float32)
    dark = np.asarray(cloud, np.float32) * np.float32(1 - drama) + under * np.float32(drama)
    colour = tinted(lit, dark, np.minimum(np.asarray(cloud, np.float32) * np.float32(1.04), 1))
    sky = blend(sky, colour, density * np.float32(0.92))
    scene.rgb[:height] = np.clip(sky, 0, 1)
    scene.fine[:height] = 0.08 + 0.2 * density * (1 - down)


def draw_disc(scene: Scene, label: str, x: float, y: float, radius: float, colour: Colour) -> None:
    """Lay the sun or the moon with its glow."""
    width, height = scene.size_wh
    ys, xs = np.ogrid[0:height, 0:width]
    away = np.sqrt((xs - x) ** 2 + (ys - y) ** 2).astype(np.float32)
    glow = np.exp(-away / np.float32(radius * 3.2)) * np.float32(0.6)
    scene.lay(glow, colour, new_id=False, record=False)
    with scene.object(label):
        scene.flat(ellipse(x, y, radius, radius), mix(colour, (1, 1, 0.96), 0.5), fine=0.6)
