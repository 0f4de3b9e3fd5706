"""Genre scenes: a dance, a feast, a woman reading by a window."""

from __future__ import annotations

from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.motifs.stage import interior, lay_outdoors, look_of
from bilderatlas.museum.scene import Scene, mix
from bilderatlas.museum.school import School
from bilderatlas.museum.things.animals import draw_dog
from bilderatlas.museum.things.dress import draped
from bilderatlas.museum.things.figures import Stance, Wear, lay_figure, pose_figure
from bilderatlas.museum.things.food import draw_bread, draw_fruit
from bilderatlas.museum.things.headgear import draw_cap, draw_hat
from bilderatlas.museum.things.held import draw_letter
from bilderatlas.museum.things.vessels import JUG, draw_glass, draw_plate, draw_vessel

_PLANS = {
    "dance": ("dance", ("dancers", "trees"), ("43C9",)),
    "feast": ("feast", ("table", "bread", "jug"), ("41C5",)),
    "reading": ("reading", ("letter", "window"), ("49N", "46E221")),
}


def plan_genre_scene(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose what a genre scene holds."""
    noun, shown, codes = _PLANS[told]
    if rng.random() < 0.5:
        shown = (*shown, "dog")
    return Plan(noun, shown, codes, {"told": told})


def draw_genre_scene(scene: Scene, school: School, plan: Plan) -> None:
    """Lay the scene."""
    {"dance": _dance, "feast": _feast, "reading": _reading}[plan.traits["told"]](
        scene, school, plan
    )
    if "dog" in plan.shown:
        width, height = scene.size_wh
        side = float(scene.rng.choice([-1.0, 1.0]))
        colour = mix(
            school.pick(scene.rng, "hair"), (0.85, 0.78, 0.66), float(scene.rng.uniform(0.1, 0.8))
        )
        draw_dog(scene, width * (0.5 - side * 0.33), height * 0.985, height * 0.22, colour, side)


def _dance(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    lay_outdoors(scene, school, height * 0.48)
    from bilderatlas.museum.things.trees import draw_tree

    with scene.object("trees"):
        for x in (0.08, 0.93):
            draw_tree(
                scene,
                width * x,
                height * 0.8,
                height * 0.72,
                school.pick(rng, "foliage"),
                (0.25, 0.18, 0.12),
            )
    n = int(rng.integers(4, 6))
    with scene.object("dancers"):
        for step in range(n):
            share = step / (n - 1)
            x = width * (0.16 + 0.68 * share)
            lift = 0.05 * float(np.sin(np.pi * share))
            woman = step % 2 == 0
            sway = float(rng.choice([-1.0, 1.0]))
            arms = ((-75.0 - 25 * (step % 2), -100.0), (75.0 + 25 * (step % 2), 100.0))
            legs = ((-6.0, -12.0), (26.0, -38.0)) if sway > 0 else ((-26.0, 38.0), (6.0, 12.0))
            stance = Stance(
                arms[0], arms[1], legs[0], legs[1], lean=6 * sway, hands=("closed", "closed")
            )
            look = look_of(
                scene,
                school,
                woman=woman,
                yaw=float(rng.uniform(-0.5, 0.5)),
                tilt=0.1 * sway,
                hair_style="bun" if woman else "short",
                beard="none" if woman else str(rng.choice(["none", "short", "moustache"])),
            )
            figure = pose_figure(x, height * (0.93 - lift), height * 0.56, stance, look)
            lay_figure(
                scene,
                figure,
                Wear("robe" if woman else "tunic", school.pick(rng, "bright")),
                "dancer",
            )
            if not woman and rng.random() < 0.6:
                draw_hat(scene, figure.head, school.pick(rng, "cloth"), None)
            elif woman:
                draw_cap(scene, figure.head, school.pick(rng, "linen"))


def _feast(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    interior(scene, school, window_left=bool(rng.random() < 0.5))
    n = int(rng.integers(4, 7))
    top = scene.size_wh[1] * 0.68
    for step in range(n):
        _guest(scene, school, scene.size_wh[0] * (0.14 + 0.72 * step / (n - 1)), top)
    _laid_table(scene, school, top)


def _guest(scene: Scene, school: School, x: float, top: float) -> None:
    """Lay somebody who sits behind the table's edge at `top`."""
    rng = scene.rng
    width, height = scene.size_wh
    woman = bool(rng.random() < 0.45)
    drinking = rng.random() < 0.5
    arms = ((-40.0, -150.0), (35.0, -50.0)) if drinking else ((-30.0, 60.0), (30.0, -60.0))
    stance = Stance(*arms, lean=float(rng.normal(0, 6)), hands=("closed", "rest"))
    look = look_of(
        scene,
        school,
        woman=woman,
        old=bool(rng.random() < 0.25),
        yaw=(0.5 if x < width / 2 else -0.5) * float(rng.uniform(0.2, 1)),
        hair_style="bun" if woman else "short",
        beard="none" if woman else str(rng.choice(["short", "long", "none"])),
    )
    figure = pose_figure(x, top + height * 0.43, height * 0.86, stance, look)
    robe = Wear("robe", school.pick(rng, "bright" if rng.random() < 0.5 else "cloth"))
    lay_figure(scene, figure, robe, "woman" if woman else "man", _BELOW_TABLE)
    if woman and rng.random() < 0.6:
        draw_cap(scene, figure.head, school.pick(rng, "linen"))


_BELOW_TABLE = tuple(
    f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle")
)


def _laid_table(scene: Scene, school: School, top: float) -> None:
    """Lay table, cloth, jug, bread, glasses and a plate."""
    rng = scene.rng
    width, height = scene.size_wh
    with scene.object("table"):
        cloth = [(-10, top), (width + 10, top), (width + 10, height + 10), (-10, height + 10)]
        linen = school.pick(rng, "linen")
        shaded = mix(linen, (0.5, 0.45, 0.4), 0.12)
        draped(scene, cloth, shaded, height * 0.02, height * 0.024, fine=0.35)
        back, front = top - height * 0.015, top + height * 0.085
        surface = [(-10, back), (width + 10, back), (width + 10, front), (-10, front)]
        scene.solid(surface, linen, 5, fine=0.3)
    places = [width * float(p) for p in rng.permutation(np.linspace(0.1, 0.9, 7))]
    unit, y, metal = height * 0.55, top + height * 0.05, school.pick(rng, "metal")
    with scene.object("jug"):
        draw_vessel(scene, JUG, places[0], y, unit * 0.3, metal, gloss=0.7, handle=True)
    draw_bread(scene, places[1], y + height * 0.01, unit * 0.13)
    draw_bread(scene, places[2], y, unit * 0.11)
    for place in places[3:5]:
        draw_glass(scene, place, y, unit * 0.2, (0.5, 0.08, 0.08))
    with scene.object("plate"):
        draw_plate(scene, places[5], y, unit * 0.13, metal)
        red = school.pick(rng, "fruit")
        draw_fruit(scene, places[5], y, unit * 0.045, red, "apple", shadow=False)


def _reading(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    left = bool(rng.random() < 0.7)
    interior(scene, school, window_left=left)
    side = -1.0 if left else 1.0
    look = look_of(scene, school, woman=True, yaw=0.55 * side, tilt=0.1 * side, hair_style="bun")
    stance = Stance((-8, 62), (8, -62), hands=("closed", "closed"), lean=2 * side)
    if side < 0:
        stance = Stance((-32, -86), (14, -74), hands=("closed", "closed"), lean=-2)
    else:
        stance = Stance((-14, 74), (32, 86), hands=("closed", "closed"), lean=2)
    figure = pose_figure(width * (0.52 - 0.04 * side), height * 0.97, height * 0.84, stance, look)
    lay_figure(scene, figure, Wear("robe", school.pick(rng, "bright")), "woman")
    if rng.random() < 0.5:
        draw_cap(scene, figure.head, school.pick(rng, "linen"))
    wrists = np.array([figure.joints["left_wrist"], figure.joints["right_wrist"]]).mean(axis=0)
    draw_letter(
        scene,
        float(wrists[0]) + side * height * 0.03,
        float(wrists[1]) - height * 0.035,
        height * 0.085,
        0.15 * side,
    )
    table = [
        (width * (0.5 + side * 0.28) - width * 0.2, height * 0.74),
        (width * (0.5 + side * 0.28) + width * 0.2, height * 0.74),
        (width * (0.5 + side * 0.28) + width * 0.24, height + 10),
        (width * (0.5 + side * 0.28) - width * 0.22, height + 10),
    ]
    draped(scene, table, school.pick(rng, "table"), height * 0.02, height * 0.05, fine=0.3)
    with scene.object("jug"):
        draw_vessel(
            scene,
            JUG,
            width * (0.5 + side * 0.28),
            height * 0.75,
            height * 0.17,
            school.pick(rng, "linen"),
            gloss=0.6,
            handle=True,
        )


def _motif(told: str, shape: str, schools: tuple[str, ...], weight: float = 1.0) -> Motif:
    return Motif(
        f"genre_{told}",
        "genre scene",
        shape,
        partial(plan_genre_scene, told=told),
        draw_genre_scene,
        schools,
        weight,
    )


MOTIFS: tuple[Motif, ...] = (
    _motif("dance", "wide", ()),
    _motif("feast", "wide", ("Dutch", "Venetian", "Spanish")),
    _motif("reading", "upright", (), 1.2),
)
