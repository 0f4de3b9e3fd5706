"""Landscapes: air first, then distance, then what stands in it, then the foreground."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.scene import Colour, Scene, mix
from bilderatlas.museum.school import School
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
    "mountain": "25H11",
    "mountains": "25H11",
    "trees": "25G3",
    "poplars": "25G3",
    "river": "25H213",
    "mill": "25I41",
    "castle": "25I5",
    "bridge": "25I6",
    "ruin": "25I9",
    "church": "11Q712",
    "road": "46C11",
    "haystacks": "47I1461",
    "cows": "47I211",
    "moon": "24B2",
    "winter": "23F41",
    "rocks": "25H112",
}


@dataclass(frozen=True, slots=True)
class View:
    """What all parts of one landscape share.

    Attributes:
        horizon: Pixel row of the horizon.
        far_x: Where road and river vanish.
        shown: What it holds.
        night: Under the moon.
        winter: In snow.
    """

    horizon: float
    far_x: float
    shown: frozenset[str]
    night: bool
    winter: bool

    def side(self, width: int) -> float:
        """Return the emptier side: 1 right, -1 left."""
        return 1.0 if self.far_x < width / 2 else -1.0


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
    told = plan.traits["told"]
    low = school.name in ("Dutch", "British")
    view = View(
        horizon=height * float(rng.uniform(0.58, 0.7) if low else rng.uniform(0.42, 0.58)),
        far_x=width * float(rng.uniform(0.3, 0.7)),
        shown=frozenset(plan.traits["all"].split()),
        night=told == "moon",
        winter=told == "winter",
    )
    _air(scene, school, view)
    _distance(scene, school, view)
    far, near, green = _ground_colours(school, rng, view)
    draw_ground(scene, view.horizon, far, near, green)
    _middle(scene, school, view, before_water=True)
    if "river" in view.shown:
        water = mix(school.pick(rng, "water"), (0.02, 0.03, 0.08), 0.6 if view.night else 0)
        draw_river(scene, view.horizon + 2, view.far_x, water)
    if "road" in view.shown or view.winter:
        dust = mix(school.pick(rng, "earth"), (0.95, 0.93, 0.9), 0.75 if view.winter else 0.2)
        draw_road(scene, view.horizon + 2, view.far_x, dust)
    _middle(scene, school, view, before_water=False)
    _near(scene, school, view)


def _ground_colours(
    school: School, rng: np.random.Generator, view: View
) -> tuple[Colour, Colour, Colour]:
    """Return colours of far ground, near ground and meadows."""
    earth, green = school.pick(rng, "earth"), school.pick(rng, "foliage")
    far = mix(earth, school.pick(rng, "horizon"), 0.35)
    if view.winter:
        snow = (0.9, 0.91, 0.94)
        return mix(far, snow, 0.8), mix(earth, snow, 0.72), mix(green, snow, 0.8)
    if view.night:
        dusk = (0.04, 0.06, 0.1)
        return mix(far, dusk, 0.6), mix(earth, dusk, 0.7), mix(green, dusk, 0.7)
    return far, earth, green


def _air(scene: Scene, school: School, view: View) -> None:
    """Lay the sky, and moon or sun in it."""
    rng = scene.rng
    width, horizon = scene.size_wh[0], view.horizon
    top, low, cloud = (school.pick(rng, role) for role in ("sky", "horizon", "cloud"))
    if view.night:
        top, low = mix(top, (0.03, 0.05, 0.1), 0.8), mix(low, (0.2, 0.25, 0.32), 0.75)
        cloud = mix(cloud, (0.25, 0.28, 0.34), 0.7)
    if view.winter:
        top, cloud = mix(top, (0.66, 0.66, 0.66), 0.5), mix(cloud, (0.8, 0.8, 0.8), 0.4)
    cover = 0.0 if school.name == "Japanese" else float(rng.uniform(0.3, 0.75))
    draw_sky(scene, top, low, cloud, horizon, cover, float(rng.uniform(0.25, 0.6)))
    x, y = width * float(rng.uniform(0.22, 0.78)), horizon * float(rng.uniform(0.2, 0.55))
    if "moon" in view.shown:
        draw_disc(scene, "moon", x, y, scene.unit * 0.032, (0.95, 0.93, 0.8))
    elif school.name in ("Japanese", "Expressionist") and rng.random() < 0.4:
        draw_disc(scene, "sun", x, y, scene.unit * 0.06, school.pick(rng, "bright"))


def _distance(scene: Scene, school: School, view: View) -> None:
    """Lay mountains and hills in their haze."""
    rng = scene.rng
    width, height = scene.size_wh
    horizon = view.horizon
    haze = school.pick(rng, "distance")
    if view.night:
        haze = mix(haze, (0.05, 0.07, 0.12), 0.7)
    if view.winter:
        haze = mix(haze, (0.85, 0.86, 0.9), 0.5)
    if "mountain" in view.shown:
        x, wide = width * float(rng.uniform(0.35, 0.65)), width * float(rng.uniform(0.4, 0.6))
        high, snow = horizon * float(rng.uniform(0.5, 0.68)), (0.94, 0.94, 0.95)
        draw_mountain(scene, x, horizon + 3, wide, high, haze, snow)
    if "mountains" in view.shown:
        with scene.object("mountains"):
            for step in range(3):
                rise = horizon * (0.55 - 0.15 * step) * float(rng.uniform(0.8, 1.1))
                tint = mix(haze, school.pick(rng, "stone"), 0.12 + 0.2 * step)
                line = ridge_line(scene, horizon + 3, rise, 5 + step, sharp=True)
                draw_hills(scene, line, tint, horizon + 4, 0.9)
    rise = height * (0.05 if school.name == "Dutch" else 0.12)
    green = school.pick(rng, "foliage")
    for step in range(2):
        tint = mix(haze, green, 0.25 + 0.3 * step)
        if view.winter:
            tint = mix(tint, (0.88, 0.89, 0.92), 0.5)
        line = ridge_line(scene, horizon + 3, rise * (1 - 0.4 * step), 4 + 2 * step)
        draw_hills(scene, line, tint, horizon + 5)


def _middle(scene: Scene, school: School, view: View, before_water: bool) -> None:
    """Lay what stands in the middle distance, behind the water or before it."""
    rng = scene.rng
    wall, roof, stone = (school.pick(rng, role) for role in ("brick", "roof", "stone"))
    if view.night:
        wall, roof, stone = (mix(c, (0.03, 0.04, 0.07), 0.7) for c in (wall, roof, stone))
    if before_water:
        _buildings(scene, view, wall, roof, stone)
        if "poplars" in view.shown:
            _poplars(scene, school, view)
        return
    width, height = scene.size_wh
    depth = height - view.horizon
    if "bridge" in view.shown:
        y = view.horizon + depth * 0.3
        draw_bridge(scene, view.far_x + width * 0.02, y, width * 0.5, stone)
    if "haystacks" in view.shown:
        straw = mix(school.pick(rng, "earth"), (0.85, 0.7, 0.35), 0.5)
        with scene.object("haystacks"):
            for shift, near, size in ((-0.22, 0.22, 0.16), (0.02, 0.42, 0.26), (0.28, 0.3, 0.2)):
                x, y = width * (0.5 + view.side(width) * shift), view.horizon + depth * near
                draw_haystack(scene, x, y, height * size, straw)
    if "boat" in view.shown:
        hull, y = mix(wall, (0.2, 0.12, 0.08), 0.6), view.horizon + depth * 0.55
        draw_boat(scene, view.far_x + width * 0.04, y, height * 0.2, hull, None)
    _living(scene, school, view)


def _buildings(scene: Scene, view: View, wall: Colour, roof: Colour, stone: Colour) -> None:
    """Lay castle, church, ruin, mill and houses."""
    width, height = scene.size_wh
    depth, side = height - view.horizon, view.side(width)
    place = view.far_x + side * width * float(scene.rng.uniform(0.16, 0.28))
    base = view.horizon + depth * 0.12
    if "castle" in view.shown:
        draw_castle(scene, place, base, height * 0.34, stone, roof)
    if "church" in view.shown:
        draw_church(scene, place, base, height * 0.36, mix(wall, stone, 0.5), roof)
    if "ruin" in view.shown:
        draw_ruin(scene, place, base + depth * 0.1, height * 0.42, stone)
    if "mill" in view.shown:
        draw_mill(scene, place, base, height * 0.5, mix(wall, (0.3, 0.2, 0.14), 0.4), roof)
    _houses(scene, view, view.far_x - side * width * 0.22, base, wall, roof)


def _poplars(scene: Scene, school: School, view: View) -> None:
    """Lay a row of poplars that recedes."""
    width, height = scene.size_wh
    depth = height - view.horizon
    night = (0.02, 0.04, 0.06)
    foliage = mix(school.pick(scene.rng, "foliage"), night, 0.5 if view.night else 0)
    with scene.object("poplars"):
        for step in range(5):
            x = view.far_x - view.side(width) * width * (0.02 + 0.085 * step)
            y = view.horizon + depth * (0.12 + step * 0.03)
            draw_poplar(scene, x, y, height * (0.3 + 0.035 * step), foliage)


def _living(scene: Scene, school: School, view: View) -> None:
    """Lay cows and small figures."""
    rng = scene.rng
    width, height = scene.size_wh
    depth = height - view.horizon
    if "cows" in view.shown:
        with scene.object("cows"):
            for near in sorted(float(v) for v in rng.uniform(0.25, 0.7, 3)):
                x, y = width * float(rng.uniform(0.12, 0.88)), view.horizon + depth * near
                hide = mix(school.pick(rng, "hair"), (0.6, 0.4, 0.25), 0.45)
                draw_cow(scene, x, y, height * (0.1 + 0.2 * near), hide)
    if "figures" in view.shown:
        with scene.object("figures"):
            for _ in range(3):
                near = float(rng.uniform(0.18, 0.5))
                x = view.far_x + width * float(rng.normal(0.02, 0.1))
                tall = height * (0.07 + 0.16 * near)
                coat = school.pick(rng, "bright")
                draw_small_figure(scene, x, view.horizon + depth * near, tall, coat)


def _houses(scene: Scene, view: View, x: float, base: float, wall: Colour, roof: Colour) -> None:
    """Lay a row of houses, or one."""
    rng = scene.rng
    height = scene.size_wh[1]
    pale = mix(wall, (0.92, 0.86, 0.74), 0.35)
    if "houses" in view.shown:
        with scene.object("houses"):
            for step in range(3):
                wide, tint = height * float(rng.uniform(0.15, 0.2)), wall if step % 2 else pale
                place = x + (step - 1) * height * 0.17
                draw_house(scene, place, base + step * 3.0, wide, tint, roof, view.night)
    elif "house" in view.shown:
        draw_house(scene, x, base + 5, height * 0.3, pale, roof, view.night)


def _near(scene: Scene, school: School, view: View) -> None:
    """Lay the foreground: rocks, and trees that frame the view."""
    rng = scene.rng
    width, height = scene.size_wh
    bark = mix(school.pick(rng, "hair"), (0.3, 0.2, 0.12), 0.5)
    foliage = mix(school.pick(rng, "foliage"), (0.02, 0.03, 0.05), 0.6 if view.night else 0)

    def plant(x: float, base: float, tall: float) -> None:
        with scene.object("tree"):
            if view.winter:
                draw_bare_tree(scene, x, base, tall, bark)
            elif school.name == "Japanese":
                draw_pine(scene, x, base, tall, foliage)
            else:
                draw_tree(scene, x, base, tall, foliage, bark)

    if "rocks" in view.shown:
        x, stone = width * float(rng.choice([0.12, 0.85])), school.pick(rng, "stone")
        draw_rocks(scene, x, height * 0.97, width * 0.3, height * 0.2, stone)
    if "trees" in view.shown:
        left = rng.random() < 0.5
        with scene.object("trees"):
            for step in range(3):
                share = 0.16 + 0.11 * step + float(rng.normal(0, 0.02))
                x = width * (share if left else 1 - share)
                plant(x, height * (0.95 - 0.1 * step), height * (0.82 - 0.16 * step))
    elif rng.random() < 0.55 and "poplars" not in view.shown:
        plant(width * float(rng.choice([0.07, 0.93])), height * 1.0, height * 0.75)


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
