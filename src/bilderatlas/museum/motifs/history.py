"""History scenes: sacred figures that act, riders and battle."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.motifs.riders import draw_battle, draw_rider
from bilderatlas.museum.motifs.stage import gold_ground, interior, lay_outdoors, look_of
from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Pose, Scene, mix, paint_of, path_of, spread, trace
from bilderatlas.museum.school import School
from bilderatlas.museum.things.animals import draw_lion
from bilderatlas.museum.things.dress import draped, draw_halo, draw_neck
from bilderatlas.museum.things.figures import Stance, Wear, draw_wings, lay_figure, pose_figure
from bilderatlas.museum.things.headgear import draw_veil, draw_veil_back
from bilderatlas.museum.things.heads import HeadLook, HeadPlace, draw_head
from bilderatlas.museum.things.held import draw_bloom, draw_book, draw_skull
from bilderatlas.museum.things.land import draw_ground, draw_rocks

_PLANS = {
    "crucifixion": ("crucifixion", ("cross",), ("73D6",)),
    "annunciation": ("annunciation", ("angel", "lily"), ("73A52",)),
    "sebastian": ("sebastian", ("arrows",), ("11H(SEBASTIAN)",)),
    "madonna": ("madonna", (), ("11F4",)),
    "jerome": ("jerome", ("lion", "skull"), ("11H(JEROME)", "25F23(LION)")),
    "rider": ("horseman", ("horse",), ("46C131",)),
    "battle": ("battle", ("horses", "lances"), ("45H3",)),
}


def plan_history(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose what a history scene holds besides its story."""
    noun, shown, codes = _PLANS[told]
    if told == "sebastian":
        shown = (*shown, "column" if rng.random() < 0.5 else "tree")
    if told == "jerome" and rng.random() < 0.7:
        shown = (*shown, "book")
    if told == "annunciation" and rng.random() < 0.6:
        shown = (*shown, "book")
    if told in ("rider", "battle") and rng.random() < 0.5:
        shown = (*shown, "flag")
    return Plan(noun, shown, codes, {"told": told})


def draw_history(scene: Scene, school: School, plan: Plan) -> None:
    """Lay the story."""
    {
        "crucifixion": _crucifixion,
        "annunciation": _annunciation,
        "sebastian": _sebastian,
        "madonna": _madonna,
        "jerome": _jerome,
        "rider": draw_rider,
        "battle": draw_battle,
    }[plan.traits["told"]](scene, school, plan)


def _halo(scene: Scene, school: School, head: HeadPlace) -> None:
    plate = school.name in ("Sienese", "Early Netherlandish", "German")
    if plate or scene.rng.random() < 0.7:
        draw_halo(scene, head, (0.86, 0.68, 0.28), school.name == "Sienese")


def _ground_for(scene: Scene, school: School, horizon: float) -> None:
    if school.name == "Sienese":
        gold_ground(scene, school)
        width, height = scene.size_wh
        hill = smooth_curve(
            [
                (-10, height * 0.86),
                (width * 0.3, height * 0.8),
                (width * 0.7, height * 0.82),
                (width + 10, height * 0.85),
                (width + 10, height + 10),
                (-10, height + 10),
            ]
        )
        scene.solid(hill, school.pick(scene.rng, "earth"), height * 0.06, bumps=3.0, fine=0.3)
    else:
        lay_outdoors(scene, school, horizon)


def _crucifixion(scene: Scene, school: School, plan: Plan) -> None:
    width, height = scene.size_wh
    _ground_for(scene, school, height * 0.72)
    x, size = width * float(scene.rng.uniform(0.47, 0.53)), height * 0.56
    arm_y, beam = height * 0.19, scene.unit * 0.025
    wood = (0.36, 0.23, 0.13)
    with scene.object("cross"):
        post = [(x - beam, height * 0.06), (x + beam, height * 0.06), (x + beam, height * 0.9)]
        post.append((x - beam, height * 0.9))
        scene.solid(post, wood, beam * 0.8, bumps=1.0, fine=0.5)
        left, right = x - size * 0.47, x + size * 0.47
        bar = [
            (left, arm_y - beam),
            (right, arm_y - beam),
            (right, arm_y + beam),
            (left, arm_y + beam),
        ]
        scene.solid(bar, wood, beam * 0.8, bumps=1.0, fine=0.5)
    look = look_of(scene, school, beard="short", hair_style="long", yaw=-0.35, tilt=-0.35)
    stance = Stance((-104, -112), (104, 112), (-7, 6), (2, -9), hands=("open", "open"))
    dead = replace(look, eyes_closed=True)
    figure = pose_figure(x, arm_y + size * 0.865, size, stance, dead)
    _halo(scene, school, figure.head)
    lay_figure(scene, figure, Wear("loincloth", school.pick(scene.rng, "linen")), "Christ")
    for side, label in ((-1.0, "Mary"), (1.0, "Saint John")):
        _mourner(scene, school, x + side * width * 0.27, side, label)


def _mourner(scene: Scene, school: School, x: float, side: float, label: str) -> None:
    """Lay somebody who mourns beside the cross, hands wrung."""
    height = scene.size_wh[1]
    woman = label == "Mary"
    hair = "hidden" if woman else "long"
    look = look_of(scene, school, woman=woman, yaw=-0.4 * side, tilt=-0.12 * side, hair_style=hair)
    arms = Stance((-28, 110), (28, -110), hands=("closed", "closed"), lean=-3 * side)
    person = pose_figure(x, height * 0.945, height * 0.47, arms, look)
    _halo(scene, school, person.head)
    robe = (0.14, 0.22, 0.5) if woman else (0.68, 0.15, 0.12)
    mantle = None if woman else mix(school.pick(scene.rng, "cloth"), (0.25, 0.4, 0.25), 0.5)
    if woman:
        draw_veil_back(scene, person.head, robe)
    lay_figure(scene, person, Wear("robe", robe, mantle), label)
    if woman:
        draw_veil(scene, person.head, mix(robe, (1, 1, 1), 0.12))


def _annunciation(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    if school.name == "Sienese":
        gold_ground(scene, school)
        draw_ground(
            scene,
            height * 0.86,
            school.pick(rng, "brick"),
            school.pick(rng, "stone"),
            school.pick(rng, "stone"),
        )
    else:
        interior(scene, school, window_left=True)
    base, size = height * 0.95, height * float(rng.uniform(0.66, 0.74))
    angel_look = look_of(scene, school, woman=True, yaw=0.5, hair_style="long")
    kneel = Stance(
        (-20, 40), (78, 118), (20, -25), (48, -40), lean=9, drop=0.12, hands=("closed", "point")
    )
    angel = pose_figure(width * 0.27, base, size, kneel, angel_look)
    with scene.object("angel"):
        draw_wings(scene, angel, school.pick(rng, "linen"), school.pick(rng, "bright"))
        _halo(scene, school, angel.head)
        lay_figure(
            scene,
            angel,
            Wear("robe", mix(school.pick(rng, "linen"), school.pick(rng, "bright"), 0.45)),
            "angel",
        )
    mary_look = look_of(scene, school, woman=True, yaw=-0.45, tilt=-0.14, hair_style="hidden")
    crossed = Stance((-24, 105), (26, -100), hands=("rest", "rest"), lean=-3)
    mary = pose_figure(width * 0.74, base, size * 0.98, crossed, mary_look)
    blue = (0.12, 0.2, 0.5)
    _halo(scene, school, mary.head)
    draw_veil_back(scene, mary.head, blue)
    lay_figure(
        scene,
        mary,
        Wear("robe", mix((0.62, 0.14, 0.14), school.pick(rng, "cloth"), 0.2), blue),
        "Mary",
    )
    draw_veil(
        scene, mary.head, mix(school.pick(rng, "linen"), blue, 0.25 if rng.random() < 0.5 else 0.85)
    )
    _lily(scene, angel.joints["right_wrist"], size * 0.3)
    if "book" in plan.shown:
        lectern = [
            (width * 0.5, base),
            (width * 0.515, base - size * 0.4),
            (width * 0.575, base - size * 0.4),
            (width * 0.59, base),
        ]
        scene.solid(lectern, (0.38, 0.24, 0.13), 6, fine=0.5)
        draw_book(
            scene, width * 0.545, base - size * 0.43, size * 0.1, school.pick(rng, "cloth"), 0.1
        )


def _lily(scene: Scene, hand: tuple[float, float], long: float) -> None:
    with scene.object("lily"):
        stem = smooth_curve(
            [
                (hand[0], hand[1] + long * 0.15),
                (hand[0] + long * 0.04, hand[1] - long * 0.4),
                (hand[0], hand[1] - long),
            ]
        )
        with scene.ink(0.8) as canvas:
            canvas.drawPath(path_of(stem), paint_of((0.25, 0.38, 0.18), 1, max(1.2, long * 0.025)))
        for share, side in ((1.0, 0.0), (0.82, -1.0), (0.7, 1.0), (0.55, -1.0)):
            draw_bloom(
                scene,
                hand[0] + side * long * 0.09,
                hand[1] - long * share,
                long * 0.075,
                (0.96, 0.95, 0.9),
                2,
            )


def _sebastian(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    _ground_for(scene, school, height * float(rng.uniform(0.55, 0.7)))
    x, base, size = width * float(rng.uniform(0.46, 0.54)), height * 0.95, height * 0.8
    post = scene.unit * 0.075
    label = "column" if "column" in plan.shown else "tree"
    tint = school.pick(rng, "stone") if label == "column" else (0.34, 0.24, 0.15)
    with scene.object(label):
        shaft = [(x - post, -10), (x + post, -10), (x + post * 1.05, base), (x - post * 1.05, base)]
        scene.solid(shaft, tint, post * 0.95, bumps=0.0 if label == "column" else 3.0, fine=0.4)
        if label == "column":
            foot = [
                (x - post * 1.4, base + 4),
                (x - post * 1.4, base - post * 0.5),
                (x + post * 1.4, base - post * 0.5),
                (x + post * 1.4, base + 4),
            ]
            scene.solid(foot, tint, post * 0.3, fine=0.4)
    side = float(rng.choice([-1.0, 1.0]))
    look = look_of(
        scene,
        school,
        yaw=0.35 * side,
        tilt=0.22 * side,
        hair_style="long" if rng.random() < 0.6 else "short",
    )
    up, down = (-158.0, -205.0), (24.0, -42.0)
    stance = Stance(up, down, (-3, -2), (12, -8), lean=-3, hands=("closed", "none"))
    if side < 0:
        stance = Stance(
            (-24.0, 42.0), (158.0, 205.0), (-12, 8), (3, 2), lean=3, hands=("none", "closed")
        )
    figure = pose_figure(x, base, size, stance, look)
    _halo(scene, school, figure.head)
    hidden = ("left_wrist",) if side > 0 else ("right_wrist",)
    lay_figure(
        scene, figure, Wear("loincloth", school.pick(rng, "linen")), "Saint Sebastian", hidden
    )
    with scene.object("arrows"), scene.ink(0.85) as canvas:
        chest = figure.joints["right_shoulder"]
        for _ in range(int(rng.integers(3, 6))):
            px = x + float(rng.uniform(-0.06, 0.06)) * size
            py = chest[1] + float(rng.uniform(0.08, 0.52)) * size
            turn = float(rng.choice([rng.uniform(-0.5, 0.1), np.pi - rng.uniform(-0.5, 0.1)]))
            end = (
                px + float(np.cos(turn)) * size * 0.16,
                py - abs(float(np.sin(turn))) * size * 0.16,
            )
            canvas.drawPath(
                path_of([(px, py), end]), paint_of((0.25, 0.16, 0.09), 1, max(1.2, size * 0.008))
            )
            tail = (end[0] - (end[0] - px) * 0.2, end[1] - (end[1] - py) * 0.2)
            canvas.drawPath(
                path_of([tail, end]), paint_of((0.86, 0.82, 0.74), 1, max(2.0, size * 0.018))
            )
            canvas.drawCircle(px, py, max(1.2, size * 0.007), paint_of((0.5, 0.06, 0.05)))


def _madonna(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    if school.name == "Sienese":
        gold_ground(scene, school)
    elif rng.random() < 0.5:
        interior(scene, school, window_left=bool(rng.random() < 0.5))
    else:
        lay_outdoors(scene, school, height * 0.55)
    side = float(rng.choice([-1.0, 1.0]))
    half = scene.unit * float(rng.uniform(0.125, 0.145))
    look = look_of(
        scene, school, woman=True, yaw=0.38 * side, tilt=0.16 * side, hair_style="hidden"
    )
    head = HeadPlace(width * (0.5 - 0.04 * side), height * 0.27, half, look)
    blue = (0.1, 0.17, 0.45)
    with scene.object("Mary"):
        _halo(scene, school, head)
        draw_veil_back(scene, head, blue)
        _gown(scene, school, head, blue)
        draw_head(scene, head, label=False)
        share = 0.9 if rng.random() < 0.5 else 0.15
        draw_veil(scene, head, mix(school.pick(rng, "linen"), blue, share))
        joints = np.zeros((17, 3))
        shoulders = [(head.cx + edge * half * 1.45, head.cy + half * 1.8) for edge in (1, -1)]
        joints[0] = (*head.of_face(0.05, 0.36), 1.0)
        joints[1] = (*head.of_face(0.31, -0.02), 1.0)
        joints[2] = (*head.of_face(-0.31, -0.02), 1.0)
        joints[5], joints[6] = (*shoulders[0], 1.0), (*shoulders[1], 1.0)
        scene.poses.append(Pose("Mary", joints))
    _child(scene, school, head, side)


def _gown(scene: Scene, school: School, head: HeadPlace, blue: Colour) -> None:
    """Lay neck, red gown, blue mantle and lap of a seated Madonna."""
    half, cx, cy = head.half_px, head.cx, head.cy
    low = (scene.size_wh[1] + 20 - cy) / half
    red = mix((0.66, 0.13, 0.13), school.pick(scene.rng, "bright"), 0.15)
    draw_neck(scene, head, head.look.flesh)
    right = [(0.4, 1.0), (1.5, 1.9), (1.8, low)]
    gown = [(-u, v) for u, v in right] + right[::-1]
    outline = smooth_curve(spread(gown, cx, cy, half), closed=True)
    opening = [(-0.5, 0.7), (-0.56, 1.3), (-0.36, 1.62), (0, 1.72)]
    opening += [(-u, v) for u, v in opening[2::-1]]
    neckline = smooth_curve(spread(opening, cx, cy, half), closed=True)
    draped(scene, outline, red, half * 0.4, half * 0.24, fine=0.4, hole=neckline)
    gold = (0.84, 0.66, 0.3)
    with scene.ink(0.7, new_id=False) as canvas:
        trace(canvas, neckline[neckline[:, 1] > cy + half * 1.3], gold, half * 0.05)
    inner = [(0.3, low), (0.42, 3.4), (0.9, 2.3), (0.8, 1.2)]
    mantle = [(0.75, 0.2), (1.9, 1.7), (2.9, low), *inner]
    for edge in (-1.0, 1.0):
        outline = smooth_curve(spread(mantle, cx, cy, half, edge), closed=True)
        draped(scene, outline, blue, half * 0.4, half * 0.32, lean=0.25 * edge, fine=0.4)
        with scene.ink(0.7, new_id=False) as canvas:
            hem = smooth_curve(spread(inner, cx, cy, half, edge))
            trace(canvas, hem, gold, half * 0.045, 0.85)
    lap = [(-2.9, low), (-1.9, 3.9), (0, 3.7), (2.2, 3.9), (3.0, low)]
    outline = smooth_curve(spread(lap, cx, cy, half), closed=True)
    draped(scene, outline, blue, half * 0.6, half * 0.4, lean=0.5, fine=0.35)


def _child(scene: Scene, school: School, mother: HeadPlace, side: float) -> None:
    """Lay the Child on her arm, one hand raised in blessing."""
    from bilderatlas.museum.things.hands import draw_hand

    half = mother.half_px
    look = look_of(scene, school, yaw=-0.3 * side, hair_style="short")
    look = HeadLook(
        mix(look.flesh, (1, 0.9, 0.8), 0.25),
        mix(look.hair, (0.7, 0.5, 0.25), 0.5),
        look.eyes,
        look.yaw,
        -0.1 * side,
        woman=True,
        hair_style="short",
    )
    size = half * 3.6
    x = mother.cx + side * half * 1.05
    stance = Stance(
        (-30, 60),
        (55, 140),
        (-42, 18),
        (38, -22),
        lean=-4 * side,
        drop=0.1,
        hands=("rest", "point"),
    )
    if side < 0:
        stance = Stance(
            (-55, -140), (30, -60), (-38, 22), (42, -18), lean=4, drop=0.1, hands=("point", "rest")
        )
    child = pose_figure(x, mother.cy + half * 5.0, size, stance, look)
    child.stout = 1.42
    child.head = HeadPlace(child.head.cx, child.head.cy - half * 0.2, half * 0.56, child.head.look)
    with scene.object("child"):
        _halo(scene, school, child.head)
        lay_figure(scene, child, Wear("loincloth", school.pick(scene.rng, "linen")), "child")
    wrist = (mother.cx + side * half * 0.1, mother.cy + half * 3.35)
    draw_hand(
        scene,
        wrist,
        half * 0.42,
        0.15 if side > 0 else np.pi - 0.15,
        mother.look.flesh,
        "rest",
        flip=side < 0,
    )


def _jerome(scene: Scene, school: School, plan: Plan) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    lay_outdoors(scene, school, height * float(rng.uniform(0.42, 0.52)))
    draw_rocks(
        scene, width * 0.85, height * 0.8, width * 0.5, height * 0.55, school.pick(rng, "stone")
    )
    look = look_of(scene, school, beard="long", old=True, hair_style="bald", yaw=0.4, tilt=0.1)
    stance = Stance(
        (-30, 70), (60, 105), (28, -30), (55, -45), lean=10, drop=0.14, hands=("closed", "open")
    )
    base, size = height * 0.9, height * 0.72
    figure = pose_figure(width * 0.36, base, size, stance, look)
    _halo(scene, school, figure.head)
    lay_figure(
        scene, figure, Wear("loincloth", (0.66, 0.12, 0.1), (0.64, 0.12, 0.1)), "Saint Jerome"
    )
    draw_skull(scene, width * 0.62, height * 0.8, scene.unit * 0.11, -1.0)
    if "book" in plan.shown:
        draw_book(
            scene, width * 0.74, height * 0.83, scene.unit * 0.12, school.pick(rng, "cloth"), 0.1
        )
    draw_lion(
        scene, width * 0.68, height * 0.965, scene.unit * 0.36, float(rng.choice([-1.0, 1.0]))
    )


def _motif(told: str, shape: str, schools: tuple[str, ...] = (), weight: float = 1.0) -> Motif:
    return Motif(
        f"history_{told}",
        "history",
        shape,
        partial(plan_history, told=told),
        draw_history,
        schools,
        weight,
    )


MOTIFS: tuple[Motif, ...] = (
    _motif("crucifixion", "upright", (), 1.2),
    _motif(
        "annunciation",
        "any",
        ("Venetian", "Early Netherlandish", "Sienese", "German", "Spanish"),
        1.3,
    ),
    _motif("sebastian", "upright", ("Venetian", "German", "Spanish", "Early Netherlandish"), 1.1),
    _motif(
        "madonna",
        "upright",
        ("Venetian", "German", "Spanish", "Early Netherlandish", "Sienese"),
        1.6,
    ),
    _motif("jerome", "wide", ("Venetian", "German", "Spanish", "Dutch"), 1.0),
    _motif("rider", "any", ("Venetian", "German", "Spanish", "Dutch"), 1.0),
    _motif("battle", "wide", ("Venetian", "Dutch", "German"), 0.9),
)
