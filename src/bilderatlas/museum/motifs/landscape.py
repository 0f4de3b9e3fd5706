"""Landscapes: air first, then distance, then what stands in it, then the foreground."""

from __future__ import annotations

from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.scene import Scene, mix
from bilderatlas.museum.schools import School
from bilderatlas.museum.things.animals import draw_cow
from bilderatlas.museum.things.buildings import (
    draw_bridge,
    draw_castle,
    draw_church,
    draw_haystack,
    draw_house,
    draw_mill,
    draw_ruin,
)
from bilderatlas.museum.things.land import (
    draw_ground,
    draw_hills,
    draw_mountain,
    draw_river,
    draw_road,
    draw_rocks,
    ridge_line,
)
from bilderatlas.museum.things.ships import draw_boat, draw_small_figure
from bilderatlas.museum.things.skies import draw_disc, draw_sky
from bilderatlas.museum.things.trees import draw_bare_tree, draw_pine, draw_poplar, draw_tree

_NOUNS = {
    "river": "river landscape",
    "mountain": "mountain landscape",
    "mountains": "mountain landscape",
    "winter": "winter landscape",
    "moon": "moonlit landscape",
}
_CODES = {
    "mountain": "25H11", "mountains": "25H11", "trees": "25G3", "poplars": "25G3", "river": "25H213",
    "mill": "25I41", "castle": "25I5", "bridge": "25I6", "ruin": "25I9", "church": "11Q712",
    "road": "46C11", "haystacks": "47I1461", "cows": "47I211", "moon": "24B2", "winter": "23F41",
    "rocks": "25H112",
}  # fmt: skip


def plan_landscape(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose what a landscape holds around the thing that it is named for."""
    shown = [] if told == "winter" else [told]
    extra = {
        "mill": ["river", "cows", "road", "houses"],
        "river": ["trees", "houses", "boat", "bridge", "poplars"],
        "bridge": ["river", "trees", "figures"],
        "ruin": ["trees", "cows", "figures", "road"],
        "cows": ["trees", "river", "church"],
        "church": ["road", "trees", "houses", "poplars"],
        "castle": ["mountains", "trees", "river", "road"],
        "mountain": ["trees", "houses", "river", "rocks"],
        "mountains": ["trees", "river", "castle", "road"],
        "moon": ["trees", "church", "river", "houses"],
        "road": ["trees", "poplars", "house", "figures"],
        "winter": ["houses", "trees", "figures", "church"],
        "haystacks": ["trees", "figures", "poplars"],
        "poplars": ["river", "road", "houses"],
    }[told]
    count = int(rng.integers(1, 3))
    shown += [str(label) for label in rng.permutation(extra)[:count]]
    if "bridge" in shown and "river" not in shown:
        shown.append("river")
    if school.dress == "japanese":
        shown = [label for label in shown if label not in ("church", "castle", "cows", "ruin")]
    noun = _NOUNS.get(told, "landscape")
    if noun == "landscape" and "river" in shown:
        noun = "river landscape"
    if told in ("river", "moon", "mountains") and len(shown) > 1:
        shown = shown[1:] + ([told] if told != "river" else ["river"])
    captioned = tuple(
        label for label in shown if not (label == "river" and noun == "river landscape")
    )
    codes = tuple(
        dict.fromkeys(["25H", *(_CODES[label] for label in (told, *shown) if label in _CODES)])
    )
    return Plan(noun, captioned, codes, {"told": told, "all": " ".join(shown)})


def draw_landscape(scene: Scene, school: School, plan: Plan) -> None:
    """Lay a landscape from the sky forwards."""
    rng = scene.rng
    width, height = scene.size_wh
    told, shown = plan.traits["told"], set(plan.traits["all"].split())
    night, winter = told == "moon", told == "winter"
    low = school.name in ("Dutch", "British")
    horizon = height * float(rng.uniform(0.58, 0.7) if low else rng.uniform(0.42, 0.58))
    _air(scene, school, horizon, shown, night, winter)
    _distance(scene, school, horizon, shown, night, winter)
    ground = _colours(school, rng, night, winter)
    draw_ground(scene, horizon, ground["far"], ground["near"], ground["green"])
    far_x = width * float(rng.uniform(0.3, 0.7))
    _middle(scene, school, horizon, shown, night, far_x, before_water=True)
    if "river" in shown:
        draw_river(
            scene,
            horizon + 2,
            far_x,
            mix(school.pick(rng, "water"), (0.02, 0.03, 0.08), 0.6 if night else 0),
        )
    if "road" in shown or told == "winter":
        draw_road(
            scene,
            horizon + 2,
            far_x,
            mix(school.pick(rng, "earth"), (0.95, 0.93, 0.9), 0.75 if winter else 0.2),
        )
    _middle(scene, school, horizon, shown, night, far_x, before_water=False)
    _near(scene, school, horizon, shown, winter, night)


def _colours(
    school: School, rng: np.random.Generator, night: bool, winter: bool
) -> dict[str, tuple[float, float, float]]:
    earth, green = school.pick(rng, "earth"), school.pick(rng, "foliage")
    far = mix(earth, school.pick(rng, "horizon"), 0.35)
    if winter:
        snow = (0.9, 0.91, 0.94)
        return {
            "far": mix(far, snow, 0.8),
            "near": mix(earth, snow, 0.72),
            "green": mix(green, snow, 0.8),
        }
    if night:
        dusk = (0.04, 0.06, 0.1)
        return {
            "far": mix(far, dusk, 0.6),
            "near": mix(earth, dusk, 0.7),
            "green": mix(green, dusk, 0.7),
        }
    return {"far": far, "near": earth, "green": green}


def _air(
    scene: Scene, school: School, horizon: float, shown: set[str], night: bool, winter: bool
) -> None:
    rng = scene.rng
    width = scene.size_wh[0]
    top, low, cloud = (school.pick(rng, role) for role in ("sky", "horizon", "cloud"))
    if night:
        top, low, cloud = (
            mix(top, (0.03, 0.05, 0.1), 0.8),
            mix(low, (0.2, 0.25, 0.32), 0.75),
            mix(cloud, (0.25, 0.28, 0.34), 0.7),
        )
    if winter:
        top, cloud = mix(top, (0.66, 0.66, 0.66), 0.5), mix(cloud, (0.8, 0.8, 0.8), 0.4)
    if school.name == "Japanese":
        draw_sky(scene, top, low, cloud, horizon, 0.0)
    else:
        draw_sky(
            scene,
            top,
            low,
            cloud,
            horizon,
            float(rng.uniform(0.3, 0.75)),
            float(rng.uniform(0.25, 0.6)),
        )
    if "moon" in shown:
        draw_disc(
            scene,
            "moon",
            width * float(rng.uniform(0.25, 0.75)),
            horizon * float(rng.uniform(0.2, 0.5)),
            scene.unit * 0.032,
            (0.95, 0.93, 0.8),
        )
    elif school.name in ("Japanese", "Expressionist") and rng.random() < 0.4:
        draw_disc(
            scene,
            "sun",
            width * float(rng.uniform(0.2, 0.8)),
            horizon * float(rng.uniform(0.25, 0.6)),
            scene.unit * 0.06,
            school.pick(rng, "bright"),
        )


def _distance(
    scene: Scene, school: School, horizon: float, shown: set[str], night: bool, winter: bool
) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    haze = school.pick(rng, "distance")
    if night:
        haze = mix(haze, (0.05, 0.07, 0.12), 0.7)
    if winter:
        haze = mix(haze, (0.85, 0.86, 0.9), 0.5)
    if "mountain" in shown:
        draw_mountain(scene, width * float(rng.uniform(0.35, 0.65)), horizon + 3, width * float(rng.uniform(0.4, 0.6)),
                      horizon * float(rng.uniform(0.5, 0.68)), haze, (0.94, 0.94, 0.95))  # fmt: skip
    if "mountains" in shown:
        with scene.object("mountains"):
            for step in range(3):
                rise = horizon * (0.55 - 0.15 * step) * float(rng.uniform(0.8, 1.1))
                tint = mix(haze, school.pick(rng, "stone"), 0.12 + 0.2 * step)
                draw_hills(
                    scene,
                    ridge_line(scene, horizon + 3, rise, 5 + step, sharp=True),
                    tint,
                    horizon + 4,
                    0.9,
                )
    rise = height * (0.05 if school.name == "Dutch" else 0.12)
    green = school.pick(rng, "foliage")
    for step in range(2):
        tint = mix(haze, green, 0.25 + 0.3 * step)
        if winter:
            tint = mix(tint, (0.88, 0.89, 0.92), 0.5)
        draw_hills(
            scene,
            ridge_line(scene, horizon + 3, rise * (1 - 0.4 * step), 4 + 2 * step),
            tint,
            horizon + 5,
        )


def _middle(
    scene: Scene,
    school: School,
    horizon: float,
    shown: set[str],
    night: bool,
    far_x: float,
    before_water: bool,
) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    wall, roof, stone = (
        school.pick(rng, "brick"),
        school.pick(rng, "roof"),
        school.pick(rng, "stone"),
    )
    if night:
        wall, roof, stone = (mix(c, (0.03, 0.04, 0.07), 0.7) for c in (wall, roof, stone))
    depth = height - horizon
    side = 1.0 if far_x < width / 2 else -1.0
    place = far_x + side * width * float(rng.uniform(0.16, 0.28))
    base = horizon + depth * 0.12
    if before_water:
        if "castle" in shown:
            draw_castle(scene, place, base, height * 0.34, stone, roof)
        if "church" in shown:
            draw_church(scene, place, base, height * 0.36, mix(wall, stone, 0.5), roof)
        if "ruin" in shown:
            draw_ruin(scene, place, base + depth * 0.1, height * 0.42, stone)
        if "mill" in shown:
            draw_mill(scene, place, base, height * 0.5, mix(wall, (0.3, 0.2, 0.14), 0.4), roof)
        _houses(scene, shown, far_x - side * width * 0.22, base, height, wall, roof, night)
        if "poplars" in shown:
            foliage = mix(school.pick(rng, "foliage"), (0.02, 0.04, 0.06), 0.5 if night else 0)
            with scene.object("poplars"):
                for step in range(5):
                    x = far_x - side * width * (0.02 + 0.085 * step)
                    draw_poplar(
                        scene, x, base + step * depth * 0.03, height * (0.3 + 0.035 * step), foliage
                    )
        return
    if "bridge" in shown:
        draw_bridge(scene, far_x + width * 0.02, horizon + depth * 0.3, width * 0.5, stone)
    if "haystacks" in shown:
        straw = mix(school.pick(rng, "earth"), (0.85, 0.7, 0.35), 0.5)
        with scene.object("haystacks"):
            for shift, near, size in ((-0.22, 0.22, 0.16), (0.02, 0.42, 0.26), (0.28, 0.3, 0.2)):
                draw_haystack(
                    scene,
                    width * (0.5 + side * shift),
                    horizon + depth * near,
                    height * size,
                    straw,
                )
    if "cows" in shown:
        with scene.object("cows"):
            herd = sorted(float(v) for v in rng.uniform(0.25, 0.7, 3))
            for near in herd:
                x = width * float(rng.uniform(0.12, 0.88))
                draw_cow(
                    scene,
                    x,
                    horizon + depth * near,
                    height * (0.1 + 0.2 * near),
                    mix(school.pick(rng, "hair"), (0.6, 0.4, 0.25), 0.45),
                )
    if "boat" in shown:
        draw_boat(
            scene,
            far_x + width * 0.04,
            horizon + depth * 0.55,
            height * 0.2,
            mix(wall, (0.2, 0.12, 0.08), 0.6),
            None,
        )
    if "figures" in shown:
        with scene.object("figures"):
            for _ in range(3):
                near = float(rng.uniform(0.18, 0.5))
                draw_small_figure(
                    scene,
                    far_x + width * float(rng.normal(0.02, 0.1)),
                    horizon + depth * near,
                    height * (0.07 + 0.16 * near),
                    school.pick(rng, "bright"),
                )


def _houses(
    scene: Scene,
    shown: set[str],
    x: float,
    base: float,
    height: int,
    wall: tuple[float, float, float],
    roof: tuple[float, float, float],
    night: bool,
) -> None:
    rng = scene.rng
    pale = mix(wall, (0.92, 0.86, 0.74), 0.35)
    if "houses" in shown:
        with scene.object("houses"):
            for step in range(3):
                draw_house(
                    scene,
                    x + (step - 1) * height * 0.17,
                    base + step * 3.0,
                    height * float(rng.uniform(0.15, 0.2)),
                    wall if step % 2 else pale,
                    roof,
                    night,
                )
    elif "house" in shown:
        draw_house(scene, x, base + 5, height * 0.3, pale, roof, night)


def _near(
    scene: Scene, school: School, horizon: float, shown: set[str], winter: bool, night: bool
) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    bark = mix(school.pick(rng, "hair"), (0.3, 0.2, 0.12), 0.5)
    foliage = mix(school.pick(rng, "foliage"), (0.02, 0.03, 0.05), 0.6 if night else 0)
    if "rocks" in shown:
        draw_rocks(
            scene,
            width * float(rng.choice([0.12, 0.85])),
            height * 0.97,
            width * 0.3,
            height * 0.2,
            school.pick(rng, "stone"),
        )
    if "trees" in shown:
        left = rng.random() < 0.5
        with scene.object("trees"):
            for step in range(3):
                share = 0.16 + 0.11 * step + float(rng.normal(0, 0.02))
                x = width * (share if left else 1 - share)
                base = height * (0.95 - 0.1 * step)
                tall = height * (0.82 - 0.16 * step)
                with scene.object("tree"):
                    _tree(scene, school, x, base, tall, foliage, bark, winter)
    elif rng.random() < 0.55 and "poplars" not in shown:
        side = float(rng.choice([0.07, 0.93]))
        with scene.object("tree"):
            _tree(scene, school, width * side, height * 1.0, height * 0.75, foliage, bark, winter)


def _tree(
    scene: Scene,
    school: School,
    x: float,
    base: float,
    tall: float,
    foliage: tuple[float, float, float],
    bark: tuple[float, float, float],
    winter: bool,
) -> None:
    if winter:
        draw_bare_tree(scene, x, base, tall, bark)
    elif school.name == "Japanese":
        draw_pine(scene, x, base, tall, foliage)
    else:
        draw_tree(scene, x, base, tall, foliage, bark)


def _motif(told: str, schools: tuple[str, ...] = (), weight: float = 1.0) -> Motif:
    name = f"landscape_{told}"
    return Motif(
        name,
        "landscape",
        "wide",
        partial(plan_landscape, told=told),
        draw_landscape,
        schools,
        weight,
    )


_WEST = ("Dutch", "Venetian", "Early Netherlandish", "German", "French", "British", "Expressionist")

MOTIFS: tuple[Motif, ...] = (
    _motif("mill", ("Dutch", "British", "French"), 1.3),
    _motif("river"),
    _motif("bridge", ("French", "British", "Venetian", "Expressionist", "Japanese")),
    _motif("ruin", ("Dutch", "British", "Venetian", "German"), 0.9),
    _motif("cows", ("Dutch", "British", "French"), 1.0),
    _motif("church", _WEST),
    _motif("castle", ("German", "Venetian", "British", "Early Netherlandish"), 1.0),
    _motif("mountain", ("Japanese", "Venetian", "British"), 1.2),
    _motif("mountains", ("German", "Venetian", "British", "Expressionist", "Early Netherlandish")),
    _motif("moon", ("Dutch", "British", "Expressionist", "Japanese"), 0.9),
    _motif("road", _WEST),
    _motif("winter", ("Dutch", "French", "Japanese", "Expressionist"), 1.0),
    _motif("haystacks", ("French", "Expressionist", "British"), 1.1),
    _motif("poplars", ("French", "Expressionist"), 1.1),
)
