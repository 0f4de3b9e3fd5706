"""Seascapes: calm and storm, ships, boats, harbour, lighthouse, the great wave."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.noise import Points, fractal_noise, smooth_curve
from bilderatlas.museum.relief import lambert, tone
from bilderatlas.museum.scene import Colour, Scene, mix, polygon_mask
from bilderatlas.museum.school import School
from bilderatlas.museum.things.buildings import draw_house, draw_lighthouse
from bilderatlas.museum.things.land import (
    draw_hills,
    draw_mountain,
    draw_rocks,
    lay_dabs,
    lay_reflection,
    ridge_line,
)
from bilderatlas.museum.things.ships import draw_boat, draw_ship, draw_small_figure
from bilderatlas.museum.things.skies import draw_disc, draw_sky, receding_noise

_PLANS = {
    "ships": ("seascape", ("ships",), ("25H23", "46C24")),
    "boats": ("seascape", ("boats",), ("25H23", "46C24")),
    "storm": ("storm", ("ship",), ("25H23", "26C32", "46C24")),
    "lighthouse": ("seascape", ("lighthouse", "ship"), ("25H23", "46C2831", "46C24")),
    "harbour": ("harbour", ("ships", "houses"), ("46C223", "46C24")),
    "beach": ("beach", ("boats", "figures"), ("25H133", "46C24")),
    "wave": ("wave", ("boats", "mountain"), ("25H2311", "25H11")),
    "sunset": ("seascape", ("ship", "sun"), ("25H23", "24A", "46C24")),
}


def plan_seascape(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose what a seascape holds."""
    noun, shown, codes = _PLANS[told]
    if told in ("ships", "lighthouse", "harbour") and rng.random() < 0.35:
        shown = (*shown, "boat")
    if told == "storm" and rng.random() < 0.6:
        shown = (*shown, "rocks")
    return Plan(noun, shown, codes, {"told": told})


def draw_seascape(scene: Scene, school: School, plan: Plan) -> None:
    """Lay sky, sea and what sails on it."""
    rng = scene.rng
    told = plan.traits["told"]
    horizon = scene.size_wh[1] * float(rng.uniform(0.55, 0.68))
    storm = told == "storm"
    _air(scene, school, horizon, told)
    _shore(scene, school, horizon, plan)
    water = mix(school.pick(rng, "water"), (0.12, 0.16, 0.18), 0.5 if storm else 0.0)
    several = "ships" in plan.shown
    sailing = several or "ship" in plan.shown
    if sailing and not storm:
        _fleet(scene, school, horizon, several, far=True)
    _sea(scene, horizon, water, 1.0 if storm or told == "wave" else 0.35, 0.25 if storm else 0.5)
    if told == "wave":
        _great_wave(scene, school, horizon, water)
    _cliffs(scene, school, horizon, plan)
    if sailing:
        _fleet(scene, school, horizon, several, far=False, heel=0.22 if storm else 0.0)
    _small_craft(scene, school, horizon, plan)
    if storm:
        _spray(scene, horizon)


def _shore(scene: Scene, school: School, horizon: float, plan: Plan) -> None:
    """Lay what stands beyond the water."""
    width, height = scene.size_wh
    told, haze = plan.traits["told"], school.pick(scene.rng, "distance")
    if "mountain" in plan.shown:
        snow = (0.95, 0.95, 0.95)
        draw_mountain(scene, width * 0.6, horizon + 3, width * 0.3, horizon * 0.35, haze, snow)
    elif told in ("harbour", "beach", "lighthouse", "boats"):
        line = ridge_line(scene, horizon + 2, height * 0.07, 4)
        draw_hills(scene, line, haze, horizon + 4)
    if told == "harbour":
        _quay(scene, school, horizon)


def _cliffs(scene: Scene, school: School, horizon: float, plan: Plan) -> None:
    """Lay rocks, and a lighthouse on its own."""
    rng = scene.rng
    width, height = scene.size_wh
    stone = school.pick(rng, "stone")
    if "rocks" in plan.shown:
        dark = mix(stone, (0.15, 0.13, 0.12), 0.5)
        x = width * float(rng.choice([0.1, 0.9]))
        draw_rocks(scene, x, height * 0.99, width * 0.4, height * 0.4, dark)
    if "lighthouse" in plan.shown:
        x = width * float(rng.choice([0.15, 0.85]))
        draw_rocks(scene, x, horizon + height * 0.12, width * 0.4, height * 0.14, stone)
        wall = mix(school.pick(rng, "linen"), stone, 0.3)
        draw_lighthouse(scene, x, horizon + height * 0.02, height * 0.42, wall)


def _small_craft(scene: Scene, school: School, horizon: float, plan: Plan) -> None:
    """Lay boats, and one rowed in the foreground."""
    width, height = scene.size_wh
    if "boats" in plan.shown:
        _boats(scene, school, horizon, plan.traits["told"])
    if "boat" in plan.shown:
        x = width * float(scene.rng.uniform(0.2, 0.8))
        draw_boat(scene, x, height * 0.9, height * 0.16, school.pick(scene.rng, "hair"), None)


def _air(scene: Scene, school: School, horizon: float, told: str) -> None:
    rng = scene.rng
    width = scene.size_wh[0]
    top, low, cloud = (school.pick(rng, role) for role in ("sky", "horizon", "cloud"))
    if told == "storm":
        top, low, cloud = (
            mix(top, (0.12, 0.13, 0.16), 0.7),
            mix(low, (0.5, 0.5, 0.46), 0.6),
            mix(cloud, (0.42, 0.42, 0.42), 0.6),
        )
    if told == "sunset":
        low, cloud = mix(low, (0.98, 0.62, 0.25), 0.65), mix(cloud, (0.96, 0.6, 0.4), 0.5)
    cover = {"storm": 0.95, "wave": 0.1}.get(told, float(rng.uniform(0.35, 0.8)))
    if school.name == "Japanese":
        cover = 0.0
    draw_sky(scene, top, low, cloud, horizon, cover, 0.85 if told == "storm" else 0.4)
    if told == "sunset":
        draw_disc(
            scene,
            "sun",
            width * float(rng.uniform(0.3, 0.7)),
            horizon * float(rng.uniform(0.7, 0.92)),
            scene.unit * 0.05,
            (1.0, 0.8, 0.4),
        )


def _sea(scene: Scene, horizon: float, water: Colour, rough: float, mirror: float) -> None:
    """Lay the sea: a mirror that waves break."""
    width, height = scene.size_wh
    top = int(horizon)
    rows = height - top
    mask = np.ones((rows, width), np.float32)
    lay_reflection(scene, mask, (0, top), horizon, water, mirror)
    swell = receding_noise(scene, (rows, width), 0.16, towards_bottom=True, octaves=5)
    near = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    relief = swell * (4 + 26 * near) * np.float32(rough + 0.12)
    lit = lambert(relief, scene.light)
    waves = tone(lit, mix(water, (0.9, 0.95, 0.95), 0.12), scene.light)
    share = np.float32(0.35 + 0.45 * rough) * np.ones_like(mask)
    scene.lay(share, waves, (0, top), new_id=False, record=False)
    crest = np.clip((swell - np.float32(0.95 - 0.35 * rough)) * 4, 0, 1) * np.float32(
        0.4 + 0.5 * rough
    )
    scene.lay(crest * (0.3 + 0.7 * near), (0.93, 0.95, 0.94), (0, top), new_id=False, record=False)


def _fleet(
    scene: Scene, school: School, horizon: float, several: bool, far: bool, heel: float = 0.0
) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    sail, flag = (
        mix(school.pick(rng, "linen"), school.pick(rng, "cloud"), 0.4),
        school.pick(rng, "bright"),
    )
    hull = mix(school.pick(rng, "hair"), (0.25, 0.15, 0.1), 0.5)
    if far:
        for _ in range(3 if several else 1):
            size = height * float(rng.uniform(0.12, 0.2))
            haze = school.pick(rng, "distance")
            draw_ship(
                scene,
                width * float(rng.uniform(0.08, 0.92)),
                horizon + 1,
                size,
                mix(hull, haze, 0.5),
                mix(sail, haze, 0.4),
                flag,
            )
        return
    places = [(float(rng.uniform(0.3, 0.7)), 0.62, 0.14)]
    if several:
        places = [
            (float(rng.uniform(0.12, 0.3)), 0.36, 0.06),
            (float(rng.uniform(0.5, 0.72)), 0.6, 0.2),
        ]
    for x, size, depth in places:
        y = horizon + (height - horizon) * depth * 1.6
        draw_ship(
            scene,
            width * x,
            y,
            height * size * 0.95,
            hull,
            sail,
            flag,
            float(rng.normal(0, 0.03) + rng.choice([-1, 1]) * heel),
        )


def _boats(scene: Scene, school: School, horizon: float, told: str) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    if told == "beach":
        _sand(scene, school, horizon)
    with scene.object("boats"):
        depths = sorted(float(v) for v in rng.uniform(0.15, 0.75, 3))
        for step, depth in enumerate(depths):
            x = width * (0.2 + 0.3 * step + float(rng.normal(0, 0.05)))
            sail = (
                None
                if told in ("wave",)
                else school.pick(rng, "bright" if rng.random() < 0.4 else "linen")
            )
            draw_boat(
                scene,
                x,
                horizon + (height - horizon) * depth,
                height * (0.13 + 0.22 * depth),
                school.pick(rng, "brick"),
                sail,
            )
    if told == "beach":
        with scene.object("figures"):
            for _ in range(4):
                draw_small_figure(
                    scene,
                    width * float(rng.uniform(0.1, 0.9)),
                    height * float(rng.uniform(0.82, 0.97)),
                    height * 0.13,
                    school.pick(rng, "bright"),
                )


def _sand(scene: Scene, school: School, horizon: float) -> None:
    width, height = scene.size_wh
    top = horizon + (height - horizon) * 0.45
    shore = smooth_curve(
        [
            (-10, top + 30),
            (width * 0.3, top + 8),
            (width * 0.65, top + 22),
            (width + 10, top - 16),
            (width + 10, height + 10),
            (-10, height + 10),
        ],
        closed=False,
    )
    mask, at = polygon_mask(shore)
    sand = mix(school.pick(scene.rng, "earth"), (0.9, 0.82, 0.65), 0.5)
    noise = fractal_noise(scene.rng, mask.shape, (60.0, 12.0), 4) * np.float32(0.1)
    scene.lay(
        cv2.GaussianBlur(mask, (0, 0), 2.0),
        np.asarray(sand, np.float32) * (1 + noise)[..., None],
        at,
        fine=0.2,
    )


def _quay(scene: Scene, school: School, horizon: float) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    left = rng.random() < 0.5
    with scene.object("houses"):
        for step in range(5):
            x = width * (0.06 + 0.11 * step)
            draw_house(
                scene,
                x if left else width - x,
                horizon + 2,
                height * float(rng.uniform(0.17, 0.25)),
                mix(
                    school.pick(rng, "brick"), school.pick(rng, "linen"), float(rng.uniform(0, 0.5))
                ),
                school.pick(rng, "roof"),
            )


_WAVE = [
    (-0.1, 1.05), (-0.1, 0.5), (0.08, 0.22), (0.3, 0.12), (0.47, 0.2), (0.52, 0.34), (0.4, 0.27),
    (0.28, 0.36), (0.26, 0.58), (0.4, 0.8), (0.7, 0.95), (1.1, 1.02), (1.1, 1.1),
]  # fmt: skip
_CREST = [(0.04, 0.3), (0.16, 0.16), (0.3, 0.11), (0.46, 0.19), (0.53, 0.35), (0.45, 0.3)]


def _great_wave(scene: Scene, school: School, horizon: float, water: Colour) -> None:
    """Lay a breaking wave with stripes and claws of foam."""
    rng = scene.rng
    width, height = scene.size_wh
    side = float(rng.choice([-1.0, 1.0]))

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(width / 2 + side * (u - 0.5) * width, v * height) for u, v in points]

    with scene.object("wave"):
        outline = smooth_curve(at(_WAVE), closed=True, steps=8)
        scene.solid(outline, mix(water, (0.03, 0.1, 0.2), 0.35), width * 0.12, bumps=2.5, fine=0.5)
        pale = mix(water, (0.95, 0.96, 0.94), 0.7)
        for shift in (0.03, 0.075, 0.12, 0.165):
            stripe = [
                (shift - 0.02, 0.95),
                (shift + 0.02, 0.55),
                (0.12 + shift * 0.8, 0.3 + shift * 0.4),
            ]
            band = smooth_curve(at([*stripe, (0.3, 0.16 + shift * 0.5)]), steps=8)
            wide = np.linspace(5.0, 1.2, len(band))[:, None] * np.array([[1.0, 0.3]])
            scene.flat(np.concatenate([band - wide, (band + wide)[::-1]]), pale, fine=0.5)
        _foam(scene, smooth_curve(at(_CREST), steps=20))


def _foam(scene: Scene, crest: Points) -> None:
    """Lay drops of foam along a crest, small ones flung far, large ones close."""
    rng, n = scene.rng, 190
    height = scene.size_wh[1]
    size = height * rng.uniform(0.005, 0.021, n)
    fling = height * (0.012 + 0.016 * (size < height * 0.01))
    place = rng.integers(0, len(crest), n)
    centre = crest[place] + rng.normal(0, 1, (n, 2)) * fling[:, None]
    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
    rim = np.stack([np.cos(angles), np.sin(angles)], 1)
    shapes = centre[:, None] + size[:, None, None] * rim[None]
    white = np.full((n, 3), 0.95) * rng.uniform(0.88, 1.03, (n, 1))
    lay_dabs(scene, shapes, white, fine=0.6, new_id=True)


def _spray(scene: Scene, horizon: float) -> None:
    """Lay spray that the wind tears from the crests."""
    rng = scene.rng
    width, height = scene.size_wh
    n = 150
    x, y = rng.uniform(0, width, n), horizon + (height - horizon) * rng.uniform(0.1, 1, n)
    long = scene.unit * 0.03 * (y - horizon) / (height - horizon) * rng.uniform(0.4, 1.4, n)
    shapes = np.stack(
        [
            np.stack([x, y], 1),
            np.stack([x + long, y - long * 0.5], 1),
            np.stack([x + long * 0.6, y + 1.2], 1),
        ],
        1,
    )
    lay_dabs(scene, shapes, np.full((n, 3), 0.86), fine=0.3)


def _motif(told: str, schools: tuple[str, ...] = (), weight: float = 1.0) -> Motif:
    return Motif(
        f"seascape_{told}",
        "seascape",
        "wide",
        partial(plan_seascape, told=told),
        draw_seascape,
        schools,
        weight,
    )


MOTIFS: tuple[Motif, ...] = (
    _motif("ships", ("Dutch", "British"), 1.4),
    _motif("boats"),
    _motif("storm", ("Dutch", "British"), 1.2),
    _motif("lighthouse", ("Dutch", "British", "French", "Expressionist")),
    _motif("harbour", ("Dutch", "British", "French", "Expressionist")),
    _motif("beach", ("French", "Dutch", "Expressionist")),
    _motif("wave", ("Japanese",), 2.0),
    _motif("sunset", ("British", "French", "Expressionist"), 1.1),
)
