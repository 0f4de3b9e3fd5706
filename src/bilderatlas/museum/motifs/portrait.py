"""Portraits: a head that is somebody's, dress of the time, and one thing that is told."""

from __future__ import annotations

from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.noise import fractal_noise, smooth_curve
from bilderatlas.museum.scene import Colour, Pose, Scene, mix
from bilderatlas.museum.school import School
from bilderatlas.museum.things.dress import (
    draped,
    draw_bust,
    draw_earring,
    draw_flat_collar,
    draw_necklace,
    draw_ruff,
)
from bilderatlas.museum.things.headgear import (
    draw_beret,
    draw_cap,
    draw_crown,
    draw_hat,
    draw_helmet,
    draw_turban,
    draw_veil,
    draw_veil_back,
)
from bilderatlas.museum.things.heads import HeadLook, HeadPlace, draw_head, turned
from bilderatlas.museum.things.held import draw_held
from bilderatlas.museum.tints import tinted

HEADGEAR = ("turban", "hat", "helmet", "veil", "crown", "beret", "cap")
CODES = {
    "turban": "41D221",
    "hat": "41D221",
    "beret": "41D221",
    "cap": "41D221",
    "veil": "41D2211",
    "helmet": "45C221",
    "crown": "44B191",
    "fan": "41D262",
    "book": "49M32",
    "letter": "46E221",
    "skull": "31F11",
    "flower": "25G41",
}
HELD = ("book", "flower", "skull", "letter", "fan")


def plan_portrait(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose who is portrayed, with `told` as the thing that tells them apart."""
    woman = bool(
        rng.random()
        < {
            "veil": 1.0,
            "fan": 1.0,
            "cap": 1.0,
            "necklace": 1.0,
            "pearl": 1.0,
            "helmet": 0.0,
            "flower": 0.7,
            "hat": 0.35,
        }.get(told, 0.42)
    )
    old = bool(rng.random() < (0.45 if told in ("book", "skull", "cap") else 0.22))
    shown = [told]
    if told not in HEADGEAR and rng.random() < 0.35:
        choices = ["beret"] if not woman else ["veil", "cap"]
        if school.dress == "modern":
            choices = ["hat"]
        if school.dress != "japanese":
            shown.append(str(rng.choice(choices)))
    beard = "none"
    if not woman:
        beard = str(rng.choice(["none", "short", "long" if old else "short", "moustache"]))
        if beard in ("short", "long"):
            shown.append("beard")
        elif beard == "moustache":
            shown.append("moustache")
    if school.dress == "baroque" and told != "ruff" and rng.random() < 0.45:
        shown.append("collar")
    elif woman and told not in ("necklace", "ruff") and rng.random() < 0.25:
        shown.append("necklace")
    noun = f"{'old ' if old else ''}{'woman' if woman else 'man'}"
    codes = ["61BB11" if woman else "61B11"]
    codes += [CODES[label] for label in shown if label in CODES]
    return Plan(noun, tuple(shown), tuple(dict.fromkeys(codes)), {"beard": beard})


def draw_portrait(scene: Scene, school: School, plan: Plan) -> None:
    """Lay backdrop, bust, head, headgear and what is held."""
    rng = scene.rng
    width, height = scene.size_wh
    _backdrop(scene, school)
    woman, old = "woman" in plan.noun, "old" in plan.noun
    half = scene.unit * float(rng.uniform(0.165, 0.215))
    look = HeadLook(
        flesh=school.pick(rng, "flesh"),
        hair=mix(school.pick(rng, "hair"), (0.72, 0.7, 0.66), 0.75 if old else 0.0),
        eyes=[(0.22, 0.16, 0.1), (0.3, 0.36, 0.4), (0.3, 0.28, 0.14)][int(rng.integers(3))],
        yaw=float(rng.choice([-1, 1]) * rng.uniform(0.1, 0.62)),
        tilt=float(rng.normal(0, 0.06)),
        woman=woman,
        old=old,
        hair_style=_hair_style(rng, plan, woman, old),
        beard=plan.traits["beard"],
    )
    gear_room = 0.05 if set(plan.shown) & {"hat", "turban", "helmet"} else 0.0
    cy = height * float(rng.uniform(0.33, 0.38) + gear_room)
    place = HeadPlace(width * float(rng.uniform(0.44, 0.56)), cy, half, look)
    cloth = school.pick(rng, "cloth")
    linen = school.pick(rng, "linen")
    with scene.object("woman" if woman else "man"):
        if "veil" in plan.shown:
            draw_veil_back(scene, place, linen)
        draw_bust(scene, place, cloth, linen, school.dress)
        if "ruff" in plan.shown:
            draw_ruff(scene, place, linen)
        if "collar" in plan.shown:
            draw_flat_collar(scene, place, linen)
        draw_head(scene, place)
        if "beard" in plan.shown:
            _note_beard(scene, place)
        if "necklace" in plan.shown:
            draw_necklace(scene, place, (0.92, 0.9, 0.86))
        if "pearl" in plan.shown:
            draw_earring(scene, place, (0.93, 0.91, 0.87))
        _draw_headgear(scene, school, plan, place, cloth)
        for label in plan.shown:
            if label in HELD:
                draw_held(scene, school, place, label)
    scene.poses.append(Pose("woman" if woman else "man", _pose(scene, place)))


def _hair_style(rng: np.random.Generator, plan: Plan, woman: bool, old: bool) -> str:
    if woman:
        return str(rng.choice(["long", "bun"])) if "veil" not in plan.shown else "long"
    return str(rng.choice(["bald", "short", "long"] if old else ["short", "short", "long"]))


def _backdrop(scene: Scene, school: School) -> None:
    """Lay the ground behind the sitter: lighter where the light falls on the wall."""
    width, height = scene.size_wh
    base = np.asarray(school.pick(scene.rng, "backdrop"), np.float32)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    away = -np.sign(scene.light.towards[0])
    glow = np.exp(-((xs - away * 0.55) ** 2) * 1.1) * np.exp(-((ys + 0.15) ** 2) * 0.9)
    cloudy = fractal_noise(scene.rng, (height, width), scene.unit * 0.5, 3) * np.float32(0.14)
    light = np.float32(0.72) + np.float32(0.75) * glow + cloudy
    scene.rgb[:] = np.clip(tinted(light, (0.0, 0.0, 0.0), base), 0, 1)
    scene.fine[:] = 0.05
    if school.dress == "modern" and scene.rng.random() < 0.5:
        _curtain(scene, school)


def _curtain(scene: Scene, school: School) -> None:
    width, height = scene.size_wh
    side = scene.rng.random() < 0.5
    x0, x1 = (-20.0, width * 0.3) if side else (width * 0.7, width + 20.0)
    bulge = width * 0.06 * (1 if side else -1)
    shape = smooth_curve(
        [
            (x0, -20),
            (x1, -20),
            (x1 + bulge, height * 0.4),
            (x1 - bulge, height + 20),
            (x0, height + 20),
        ],
        closed=True,
    )
    draped(
        scene,
        shape,
        mix(school.pick(scene.rng, "cloth"), school.pick(scene.rng, "backdrop"), 0.5),
        width * 0.1,
        width * 0.06,
        fine=0.1,
    )


def _draw_headgear(
    scene: Scene, school: School, plan: Plan, place: HeadPlace, cloth: Colour
) -> None:
    rng = scene.rng
    bright, linen = school.pick(rng, "bright"), school.pick(rng, "linen")
    drawers = {
        "turban": partial(
            draw_turban, cloth=mix(linen, bright, float(rng.uniform(0, 1))), band=bright
        ),
        "hat": partial(
            draw_hat,
            felt=school.pick(rng, "cloth"),
            feather=bright if "feather" in plan.shown else None,
        ),
        "helmet": partial(draw_helmet, metal=school.pick(rng, "metal"), plume=bright),
        "veil": partial(draw_veil, cloth=mix(linen, bright, 0.35 if rng.random() < 0.4 else 0.0)),
        "crown": partial(draw_crown, gold=(0.85, 0.66, 0.25), gem=bright),
        "beret": partial(draw_beret, cloth=mix(cloth, (0, 0, 0), 0.3)),
        "cap": partial(draw_cap, linen=linen),
    }
    for label in plan.shown:
        if label in drawers:
            drawers[label](scene, place)


def _note_beard(scene: Scene, place: HeadPlace) -> None:
    half = place.half_px
    bottom = 1.55 if place.look.beard == "long" else 1.02
    x1, y1 = place.cx - half * 0.6, place.cy + half * 0.5
    with scene.object("beard") as box:
        box.include(x1, y1, place.cx + half * 0.6, place.cy + half * bottom)


def _pose(scene: Scene, place: HeadPlace) -> np.ndarray:
    """Return the 17 joints of a bust: face and shoulders are seen, the rest is not."""
    joints = np.zeros((17, 3))
    yaw, half = place.look.yaw, place.half_px
    # COCO counts the sitter's left, which is the picture's right.
    seen = {
        0: place.of_face(0.08 * float(np.sin(yaw)), 0.36),
        1: place.of_face(0.31, -0.02),
        2: place.of_face(-0.31, -0.02),
        5: (place.cx + half * 1.5, place.cy + half * 1.75),
        6: (place.cx - half * 1.5, place.cy + half * 1.75),
    }
    ear = turned(0.0, 0.0)
    seen[3] = place.on_picture(0.74 * float(np.cos(yaw)) - 0.2 * float(np.sin(yaw)) + ear, 0.12)
    seen[4] = place.on_picture(-0.74 * float(np.cos(yaw)) - 0.2 * float(np.sin(yaw)) + ear, 0.12)
    width, height = scene.size_wh
    for joint, (x, y) in seen.items():
        inside = 0 <= x < width and 0 <= y < height
        hidden = (joint == 3 and yaw > 0.15) or (joint == 4 and yaw < -0.15)
        joints[joint] = (x, y, float(inside and not hidden))
    return joints


def _motif(told: str, schools: tuple[str, ...] = (), weight: float = 1.0) -> Motif:
    return Motif(
        f"portrait_{told}",
        "portrait",
        "upright",
        partial(plan_portrait, told=told),
        draw_portrait,
        schools,
        weight,
    )


_OLD = (
    "Dutch",
    "Venetian",
    "Spanish",
    "Early Netherlandish",
    "German",
    "British",
    "French",
    "Expressionist",
)

MOTIFS: tuple[Motif, ...] = (
    _motif("turban", _OLD),
    _motif("hat", (*_OLD, "Japanese"), 1.3),
    _motif("helmet", ("Dutch", "Venetian", "Spanish", "German"), 0.8),
    _motif("ruff", ("Dutch", "Spanish", "Venetian"), 1.4),
    _motif("veil", (*_OLD, "Japanese")),
    _motif(
        "crown", ("Dutch", "Venetian", "Spanish", "Early Netherlandish", "German", "British"), 0.8
    ),
    _motif("beret", _OLD, 1.1),
    _motif("cap", ("Dutch", "Early Netherlandish", "German", "French")),
    _motif("book", (*_OLD, "Japanese")),
    _motif("flower", (*_OLD, "Japanese")),
    _motif("skull", ("Dutch", "Spanish", "Venetian", "German"), 0.8),
    _motif("letter", (*_OLD, "Japanese")),
    _motif("fan", ("Japanese", "French", "British"), 1.2),
    _motif("pearl", ("Dutch", "Venetian", "French", "British"), 1.0),
)
