"""Still lifes: a table in one light, things upon it from back to front."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.noise import fractal_noise
from bilderatlas.museum.scene import Scene, mix, polygon_mask
from bilderatlas.museum.school import School
from bilderatlas.museum.things.bouquet import draw_bouquet, draw_fallen_flower
from bilderatlas.museum.things.dress import draped
from bilderatlas.museum.things.food import (
    draw_bread,
    draw_cheese,
    draw_fish,
    draw_fruit,
    draw_grapes,
    draw_knife,
    draw_lemon,
)
from bilderatlas.museum.things.held import draw_book, draw_skull
from bilderatlas.museum.things.treasures import draw_hourglass, draw_lute, draw_stacked_books
from bilderatlas.museum.things.vessels import (
    BOTTLE,
    BOWL,
    JUG,
    POT,
    draw_candle,
    draw_glass,
    draw_plate,
    draw_vessel,
)
from bilderatlas.museum.tints import tinted

_PLANS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # told: always shown, sometimes shown, notations
    "flowers": (("flowers", "vase"), ("lemon", "apple", "book"), ("41E", "25G41")),
    "fruit": (("fruit", "bowl"), ("grapes", "knife", "glass", "jug"), ("41C6",)),
    "jug": (("jug", "bread"), ("onions", "apple", "pear", "knife"), ("41C6",)),
    "vanitas": (
        ("skull", "candle"),
        ("books", "hourglass", "book", "flower"),
        ("41E", "11R7", "31F11"),
    ),
    "fish": (("fish", "plate"), ("lemon", "onions", "jug", "knife"), ("41C6",)),
    "breakfast": (("glass", "bread"), ("cheese", "lemon", "knife", "plate"), ("41C6",)),
    "candle": (("candle", "books"), ("jug", "apple"), ("41E", "41B31")),
    "lute": (("lute", "books"), ("glass", "candle", "fruit"), ("41E", "48C7323")),
    "pot": (("pot", "onions"), ("bread", "jug", "fish"), ("41C6",)),
    "bottle": (("bottle", "apple"), ("pear", "glass", "bread", "grapes"), ("41E",)),
}


FRONT = 0.93
"""Where the table's front edge is, as a share of the height."""


def plan_still_life(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose what lies on the table."""
    always, sometimes, codes = _PLANS[told]
    count = int(rng.integers(1, 3))
    extra = [str(label) for label in rng.permutation(list(sometimes))[:count]]
    return Plan("still life", (*always, *extra), codes, {"told": told})


def draw_still_life(scene: Scene, school: School, plan: Plan) -> None:
    """Lay wall, table, cloth and things."""
    rng = scene.rng
    width, height = scene.size_wh
    edge = height * float(rng.uniform(0.6, 0.68))
    _room(scene, school, edge)
    shown = list(plan.shown)
    main = [
        label for label in shown if label in _TALL and not (label == "fruit" and "bowl" in shown)
    ]
    small = [label for label in shown if label not in (*_TALL, "vase")]
    unit = scene.unit * (1.0 if "flowers" in main else 1.16)
    slots = _places(rng, len(main))
    if "flowers" in main:
        slots[main.index("flowers")] = float(rng.uniform(0.46, 0.54))
    feet = np.sort(rng.uniform(0.1, 0.3, len(main)))  # what stands nearer overlaps
    for label, place, near in zip(main, slots, feet, strict=True):
        _draw(scene, school, label, width * place, edge + (height - edge) * float(near), unit)
    spots = _places(rng, len(small), 0.24)
    for order, (label, place) in enumerate(zip(small, spots, strict=True)):
        foot = edge + (height - edge) * (0.44 + 0.14 * (order % 3) + float(rng.uniform(0, 0.06)))
        _draw(scene, school, label, width * place, foot, unit)


_TALL = (
    "flowers",
    "bowl",
    "fruit",
    "jug",
    "candle",
    "glass",
    "pot",
    "bottle",
    "hourglass",
    "books",
    "lute",
)


def _places(rng: np.random.Generator, n: int, margin: float = 0.31) -> list[float]:
    """Return places across the table, apart from each other."""
    if n <= 1:
        return [float(rng.uniform(0.42, 0.58))] * n
    steps = np.linspace(margin, 1 - margin, n) + rng.normal(0, 0.025, n)
    return [float(p) for p in rng.permutation(steps)]


def _room(scene: Scene, school: School, edge: float) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    base = np.asarray(school.pick(rng, "backdrop"), np.float32)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    away = -np.sign(scene.light.towards[0])
    glow = np.exp(-((xs - away * 0.7) ** 2) * 0.9) * np.exp(-((ys - 0.1) ** 2) * 0.7)
    cloudy = fractal_noise(rng, (height, width), scene.unit * 0.5, 3) * np.float32(0.13)
    light = np.float32(0.65) + np.float32(0.85) * glow + cloudy
    scene.rgb[:] = np.clip(tinted(light, (0.0, 0.0, 0.0), base), 0, 1)
    scene.fine[:] = 0.06
    table = school.pick(rng, "table")
    top = [(-10, edge), (width + 10, edge), (width + 10, height * FRONT), (-10, height * FRONT)]
    mask, at = polygon_mask(top)
    grain = fractal_noise(rng, mask.shape, (width * 0.3, 5.0), 3) * np.float32(0.12)
    falloff = 1.0 + 0.28 * np.linspace(1, -1, mask.shape[1], dtype=np.float32)[
        None, :
    ] * np.float32(np.sign(-scene.light.towards[0]) * -1 or 1)
    scene.lay(
        mask,
        np.clip(tinted((1 + grain) * falloff, (0.0, 0.0, 0.0), table), 0, 1),
        at,
        fine=0.15,
    )
    front = [
        (-10, height * FRONT),
        (width + 10, height * FRONT),
        (width + 10, height + 10),
        (-10, height + 10),
    ]
    scene.solid(front, mix(table, (0, 0, 0), 0.45), 8, fine=0.1)
    if rng.random() < 0.6:
        _cloth(scene, school, edge)


def _cloth(scene: Scene, school: School, edge: float) -> None:
    """Lay a cloth over part of the table, hanging over its front."""
    rng = scene.rng
    width, height = scene.size_wh
    left = float(rng.uniform(0.02, 0.35)) * width
    right = left + width * float(rng.uniform(0.5, 0.72))
    linen = school.pick(rng, "linen" if rng.random() < 0.6 else "bright")
    front, slant = height * FRONT, width * 0.04
    lying = [(left + slant, edge + 6), (right - slant, edge + 6), (right, front), (left, front)]
    mask, _ = polygon_mask(lying)
    soft = fractal_noise(rng, mask.shape, (width * 0.3, height * 0.1), 2) * np.float32(0.02)
    across = np.linspace(0, 3, mask.shape[1], dtype=np.float32)[None, :]
    along = np.linspace(0, 2, mask.shape[0], dtype=np.float32)[:, None]
    creases = np.exp(-np.abs(across - np.rint(across)) * 40)  # from lying folded in the press
    creases = creases + np.exp(-np.abs(along - np.rint(along)) * 30)
    relief = (soft + creases * np.float32(0.006)) * np.float32(scene.unit)
    scene.solid(lying, linen, 3.0, bumps=relief, fine=0.3)
    steps = np.linspace(left, right, 7)
    hem = [(float(x), height + 8 + 6 * (-1) ** n) for n, x in enumerate(steps)]
    hanging = [(left, front - 2), (right, front - 2), *hem[::-1]]
    shaded = mix(linen, scene.light.shadow_colour, 0.12)
    draped(scene, hanging, shaded, scene.unit * 0.015, scene.unit * 0.03, fine=0.3, new_id=False)


def _draw(scene: Scene, school: School, label: str, x: float, foot: float, unit: float) -> None:
    """Lay one thing whose foot stands at (x, foot)."""
    drawers: tuple[Callable[[Scene, School, str, float, float, float], bool], ...] = (
        _draw_vessel_of,
        _draw_precious,
        _draw_food,
    )
    if not any(draw(scene, school, label, x, foot, unit) for draw in drawers):
        raise ValueError(f"No still life knows how to lay '{label}'.")


def _draw_vessel_of(
    scene: Scene, school: School, label: str, x: float, foot: float, unit: float
) -> bool:
    """Lay a vessel; tell whether `label` is one."""
    rng = scene.rng
    metal, bright = school.pick(rng, "metal"), school.pick(rng, "bright")
    clay = mix(school.pick(rng, "brick"), school.pick(rng, "earth"), float(rng.uniform(0, 1)))
    if label == "flowers":
        draw_bouquet(scene, school, x, foot, unit)
    elif label == "glass":
        wine = [(0.55, 0.08, 0.08), (0.8, 0.66, 0.25)][int(rng.integers(2))]
        draw_glass(scene, x, foot, unit * 0.38, wine)
    elif label in ("bowl", "jug", "bottle", "pot", "plate"):
        if label == "bowl":
            _pile(scene, school, x, foot - unit * 0.12, unit)
        with scene.object(label):
            if label == "bowl":
                tint = metal if rng.random() < 0.5 else clay
                draw_vessel(scene, BOWL, x, foot, unit * 0.14, tint, gloss=0.6, mouth=False)
            elif label == "jug":
                tint = clay if rng.random() < 0.6 else mix(clay, bright, 0.5)
                draw_vessel(scene, JUG, x, foot, unit * 0.42, tint, gloss=0.55, handle=True)
            elif label == "bottle":
                tint = mix(school.pick(rng, "foliage"), (0.05, 0.06, 0.05), 0.4)
                draw_vessel(scene, BOTTLE, x, foot, unit * 0.5, tint, gloss=0.95)
            elif label == "pot":
                draw_vessel(scene, POT, x, foot, unit * 0.3, (0.68, 0.36, 0.18), gloss=0.85)
            else:
                draw_plate(scene, x, foot, unit * 0.2, mix(metal, (0.8, 0.8, 0.8), 0.4))
    else:
        return False
    return True


def _draw_precious(
    scene: Scene, school: School, label: str, x: float, foot: float, unit: float
) -> bool:
    """Lay a candle, books, a skull …; tell whether `label` is one of them."""
    rng = scene.rng
    if label == "candle":
        draw_candle(scene, x, foot, unit * 0.52, school.pick(rng, "metal"))
    elif label == "books":
        draw_stacked_books(scene, school, x, foot, unit * 0.34)
    elif label == "hourglass":
        draw_hourglass(scene, x, foot, unit * 0.32)
    elif label == "lute":
        draw_lute(scene, x, foot, unit * 0.66)
    elif label == "skull":
        draw_skull(scene, x, foot - unit * 0.13, unit * 0.27, float(rng.choice([-1, 1])))
    elif label == "book":
        cover, turn = school.pick(rng, "cloth"), float(rng.normal(0, 0.12))
        opened = bool(rng.random() < 0.6)
        draw_book(scene, x, foot - unit * 0.02, unit * 0.2, cover, turn, open_=opened)
    elif label == "flower":
        draw_fallen_flower(scene, school, x, foot, unit * 0.06)
    else:
        return False
    return True


def _draw_food(
    scene: Scene, school: School, label: str, x: float, foot: float, unit: float
) -> bool:
    """Lay something to eat; tell whether `label` is that."""
    simple = {
        "bread": (draw_bread, 0.22),
        "cheese": (draw_cheese, 0.2),
        "knife": (draw_knife, 0.32),
        "lemon": (draw_lemon, 0.08),
    }
    rng = scene.rng
    if label in simple:
        draw, size = simple[label]
        draw(scene, x, foot, unit * size)
    elif label == "fruit":
        _pile(scene, school, x, foot - unit * 0.12, unit)
    elif label == "fish":
        with scene.object("fish"):
            for step in range(3):
                y = foot - unit * (0.06 - 0.05 * step)
                draw_fish(scene, x + (step - 1) * unit * 0.03, y, unit * 0.42)
    elif label == "grapes":
        draw_grapes(scene, x, foot, unit * 0.2, school.pick(rng, "fruit"))
    elif label in ("apple", "pear"):
        with scene.object(label):
            for shift, low, size in ((0.0, 0.0, 0.085), (0.15, 0.015, 0.08)):
                there, tint = (x + shift * unit, foot + low * unit), school.pick(rng, "fruit")
                draw_fruit(scene, *there, unit * size, tint, label)
    elif label == "onions":
        with scene.object("onions"):
            for step in range(3):
                there = (x + (step - 1) * unit * 0.12, foot + (step % 2) * unit * 0.03)
                draw_fruit(scene, *there, unit * 0.065, (0.72, 0.46, 0.26), "onion")
    else:
        return False
    return True


def _pile(scene: Scene, school: School, x: float, rim_y: float, unit: float) -> None:
    """Lay fruit heaped in a bowl."""
    rng = scene.rng
    with scene.object("fruit"):
        for row, count in ((0, 4), (1, 3), (2, 2)):
            for step in range(count):
                px = x + (step - (count - 1) / 2) * unit * 0.088
                kind = str(rng.choice(["apple", "apple", "pear"]))
                draw_fruit(
                    scene,
                    px + float(rng.normal(0, unit * 0.008)),
                    rim_y + unit * (0.035 - 0.06 * row),
                    unit * 0.062,
                    school.pick(rng, "fruit"),
                    kind,
                    shadow=False,
                )


def _motif(
    told: str, shape: str = "wide", schools: tuple[str, ...] = (), weight: float = 1.0
) -> Motif:
    return Motif(
        f"still_life_{told}",
        "still life",
        shape,
        partial(plan_still_life, told=told),
        draw_still_life,
        schools,
        weight,
    )


MOTIFS: tuple[Motif, ...] = (
    _motif("flowers", "upright", (), 1.6),
    _motif("fruit", "any"),
    _motif("jug", "any"),
    _motif("vanitas", "wide", ("Dutch", "Spanish", "German"), 1.2),
    _motif("fish", "wide", ("Dutch", "Spanish")),
    _motif("breakfast", "wide", ("Dutch", "Spanish")),
    _motif("candle", "any", ("Dutch", "Spanish", "German")),
    _motif("lute", "wide", ("Dutch", "Venetian")),
    _motif("pot", "wide", ("Spanish", "Dutch")),
    _motif("bottle", "any", ("French", "Expressionist", "Spanish")),
)
