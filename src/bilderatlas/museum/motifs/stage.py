"""Where figures act: open land, a room with a window, a gold ground; and who they are."""

from __future__ import annotations

import numpy as np

from bilderatlas.museum.noise import fractal_noise
from bilderatlas.museum.scene import Scene, mix, paint_of, path_of, polygon_mask
from bilderatlas.museum.school import School
from bilderatlas.museum.things.heads import HeadLook
from bilderatlas.museum.things.land import draw_ground, draw_hills, ridge_line
from bilderatlas.museum.things.skies import draw_sky
from bilderatlas.museum.things.trees import draw_tree
from bilderatlas.museum.tints import blend, tinted


def look_of(
    scene: Scene,
    school: School,
    *,
    woman: bool = False,
    old: bool = False,
    yaw: float = 0.0,
    tilt: float = 0.0,
    beard: str = "none",
    hair_style: str = "short",
) -> HeadLook:
    """Return somebody with the school's flesh and hair."""
    rng = scene.rng
    return HeadLook(
        flesh=school.pick(rng, "flesh"),
        hair=mix(school.pick(rng, "hair"), (0.74, 0.72, 0.68), 0.75 if old else 0.0),
        yaw=yaw + float(rng.normal(0, 0.05)),
        tilt=tilt + float(rng.normal(0, 0.03)),
        woman=woman,
        old=old,
        hair_style=hair_style,
        beard=beard,
    )


def lay_outdoors(scene: Scene, school: School, horizon: float) -> None:
    """Lay sky, distance and ground, and a tree at one side."""
    rng = scene.rng
    width, height = scene.size_wh
    draw_sky(
        scene,
        school.pick(rng, "sky"),
        school.pick(rng, "horizon"),
        school.pick(rng, "cloud"),
        horizon,
        float(rng.uniform(0.3, 0.7)),
        float(rng.uniform(0.3, 0.7)),
    )
    haze, green = school.pick(rng, "distance"), school.pick(rng, "foliage")
    for step in range(2):
        line = ridge_line(scene, horizon + 3, height * (0.14 - 0.06 * step), 4 + 2 * step)
        draw_hills(scene, line, mix(haze, green, 0.2 + 0.35 * step), horizon + 5)
    draw_ground(
        scene, horizon, mix(school.pick(rng, "earth"), haze, 0.3), school.pick(rng, "earth"), green
    )
    if rng.random() < 0.6:
        x = width * float(rng.choice([0.04, 0.96]))
        with scene.object("tree"):
            draw_tree(scene, x, height * 0.9, height * 0.75, green, (0.25, 0.18, 0.12))


def gold_ground(scene: Scene, school: School) -> None:
    """Lay burnished gold leaf, its squares just visible, with a punched border."""
    width, height = scene.size_wh
    gold = np.asarray(school.pick(scene.rng, "sky"), np.float32)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    glow = np.exp(-((xs + 0.35) ** 2) * 1.2 - (ys + 0.4) ** 2 * 0.8)
    worn = fractal_noise(scene.rng, (height, width), scene.unit * 0.12, 4) * np.float32(0.1)
    leaf = scene.unit * 0.17
    seams = (np.mod(np.arange(width) + leaf * 0.3, leaf) < 1.4)[None, :] | (
        np.mod(np.arange(height), leaf) < 1.4
    )[:, None]
    light = 0.78 + 0.42 * glow + worn - seams * np.float32(0.06)
    bole = np.array([0.55, 0.2, 0.12], np.float32)
    rubbed = np.clip(worn * 6 - 0.75, 0, 0.5)
    rgb = tinted(light, (0.0, 0.0, 0.0), gold)
    scene.rgb[:] = np.clip(blend(rgb, bole, rubbed), 0, 1)
    scene.fine[:] = 0.4
    with scene.ink(0.8, new_id=False) as canvas:
        dark, step = (0.5, 0.32, 0.08), scene.unit * 0.032
        for inset in (0.035, 0.06):
            edge = scene.unit * inset
            frame = [
                (edge, edge),
                (width - edge, edge),
                (width - edge, height - edge),
                (edge, height - edge),
            ]
            canvas.drawPath(path_of(frame, True), paint_of(dark, 0.7, max(1.0, scene.unit * 0.004)))
        edge = scene.unit * 0.0475
        for x in np.arange(edge, width - edge, step):
            canvas.drawCircle(float(x), edge, scene.unit * 0.006, paint_of(dark, 0.75))
        for y in np.arange(edge, height - edge, step):
            canvas.drawCircle(edge, float(y), scene.unit * 0.006, paint_of(dark, 0.75))
            canvas.drawCircle(width - edge, float(y), scene.unit * 0.006, paint_of(dark, 0.75))


def interior(scene: Scene, school: School, window_left: bool) -> None:
    """Lay a room: lit wall, tiled floor in perspective, a window with a view."""
    rng = scene.rng
    width, height = scene.size_wh
    wall = np.asarray(
        mix(school.pick(rng, "backdrop"), school.pick(rng, "stone"), 0.45), np.float32
    )
    xs = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    side = xs if window_left else 1 - xs
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    light = (
        1.15
        - 0.75 * side
        - 0.2 * ys
        + fractal_noise(rng, (height, width), scene.unit * 0.3, 3) * np.float32(0.07)
    )
    scene.rgb[:] = np.clip(tinted(light, (0.0, 0.0, 0.0), wall), 0, 1)
    _floor(scene, school, height * 0.78)
    _window(scene, school, window_left)


def _floor(scene: Scene, school: School, top: float) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    rows = height - int(top)
    depth = 1 / (np.linspace(0, 1, rows, dtype=np.float32) + np.float32(0.25))[:, None]
    across = (np.arange(width, dtype=np.float32) / width - np.float32(0.5))[None, :] * depth * 2.6
    checks = (np.floor(across * 2.2) + np.floor(depth * 3.4)).astype(int) % 2
    pale, dark = school.pick(rng, "stone"), mix(school.pick(rng, "brick"), (0.15, 0.1, 0.08), 0.4)
    tiles = np.where(
        checks[..., None] == 0, np.asarray(pale, np.float32), np.asarray(dark, np.float32)
    ) * np.float32(0.75)
    scene.lay(np.ones((rows, width), np.float32), tiles, (0, int(top)), fine=0.25, record=False)


def _window(scene: Scene, school: School, left: bool) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    x0, x1 = (0.06, 0.26) if left else (0.74, 0.94)
    y0, y1 = height * 0.1, height * 0.5
    frame = [
        (x0 * width - 5, y0 - 5),
        (x1 * width + 5, y0 - 5),
        (x1 * width + 5, y1 + 5),
        (x0 * width - 5, y1 + 5),
    ]
    with scene.object("window"):
        scene.solid(frame, school.pick(rng, "stone"), 4, fine=0.5)
        pane = [(x0 * width, y0), (x1 * width, y0), (x1 * width, y1), (x0 * width, y1)]
        mask, at = polygon_mask(pane)
        down = np.linspace(0, 1, mask.shape[0], dtype=np.float32)[:, None, None]
        sky = (
            np.asarray(school.pick(rng, "sky"), np.float32) * (1 - down)
            + np.asarray(school.pick(rng, "horizon"), np.float32) * down
        )
        scene.lay(mask, np.broadcast_to(sky, (*mask.shape, 3)), at, fine=0.5)
        hill_y = y0 + (y1 - y0) * 0.72
        hill = [
            (x0 * width, hill_y),
            ((x0 + x1) / 2 * width, hill_y - height * 0.04),
            (x1 * width, hill_y + 4),
            (x1 * width, y1),
            (x0 * width, y1),
        ]
        scene.flat(
            hill, mix(school.pick(rng, "distance"), school.pick(rng, "foliage"), 0.5), fine=0.5
        )
        with scene.ink(0.6, new_id=False) as canvas:
            lead = (0.25, 0.22, 0.18)
            middle = (x0 + x1) / 2 * width
            canvas.drawPath(path_of([(middle, y0), (middle, y1)]), paint_of(lead, 1, 3.0))
            canvas.drawPath(
                path_of([(x0 * width, (y0 + y1) / 2), (x1 * width, (y0 + y1) / 2)]),
                paint_of(lead, 1, 3.0),
            )
