"""Abstract compositions: grids, floating planes, circles, stripes, arcs."""

from __future__ import annotations

from functools import partial

import numpy as np

from bilderatlas.museum.motifs.base import Motif, Plan
from bilderatlas.museum.noise import fractal_noise
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix
from bilderatlas.museum.school import School

_PLANS = {
    "grid": ("grid", "rectangles"),
    "planes": ("rectangles", "bars"),
    "circles": ("circles", "bars"),
    "stripes": ("stripes",),
    "arcs": ("arcs", "circles", "triangle"),
    "triangle": ("triangle", "circles", "bars"),
}


def plan_abstract(rng: np.random.Generator, school: School, told: str) -> Plan:
    """Choose the shapes of a composition."""
    return Plan("abstract", _PLANS[told], ("0",), {"told": told})


def draw_abstract(scene: Scene, school: School, plan: Plan) -> None:
    """Lay ground and shapes."""
    rng = scene.rng
    width, height = scene.size_wh
    told = plan.traits["told"]
    ground = (
        school.palette["ground"][int(rng.integers(3))]
        if told == "grid"
        else school.pick(rng, "ground")
    )
    cloudy = fractal_noise(rng, (height, width), scene.unit * 0.3, 3) * np.float32(0.025)
    scene.rgb[:] = np.clip(np.asarray(ground, np.float32) * (1 + cloudy)[..., None], 0, 1)
    scene.fine[:] = 0.1
    {
        "grid": _grid,
        "planes": _planes,
        "circles": _circles,
        "stripes": _stripes,
        "arcs": _arcs,
        "triangle": _triangle,
    }[told](scene, school)


def _flat(scene: Scene, points: object, colour: Colour) -> None:
    """Lay a plane of colour that is not quite even, as painted by hand."""
    from bilderatlas.museum.scene import polygon_mask

    mask, at = polygon_mask(np.asarray(points, np.float64))
    uneven = fractal_noise(scene.rng, mask.shape, 30.0, 3) * np.float32(0.05)
    scene.lay(mask, np.clip(np.asarray(colour, np.float32) + uneven[..., None], 0, 1), at, fine=0.6)


def _bar(cx: float, cy: float, long: float, wide: float, turn: float) -> list[tuple[float, float]]:
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    corners = ((-long, -wide), (long, -wide), (long, wide), (-long, wide))
    return [(cx + (u * cos - v * sin) / 2, cy + (u * sin + v * cos) / 2) for u, v in corners]


def _grid(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh

    def cuts(size: int) -> list[float]:
        inner = np.sort(rng.uniform(0.1, 0.9, int(rng.integers(2, 5)))) * size
        keep = [0.0]
        for cut in inner:
            if cut - keep[-1] > 0.11 * size:
                keep.append(float(cut))
        return [*keep, float(size)]

    xs, ys = cuts(width), cuts(height)
    cells = [(i, j) for i in range(len(xs) - 1) for j in range(len(ys) - 1)]
    chosen = rng.permutation(len(cells))[: max(3, len(cells) // 3)]
    primaries = [
        (0.78, 0.13, 0.11),
        (0.13, 0.24, 0.55),
        (0.92, 0.75, 0.15),
        (0.1, 0.1, 0.1),
        (0.82, 0.81, 0.78),
    ]
    with scene.object("rectangles"):
        for order, which in enumerate(chosen):
            i, j = cells[int(which)]
            box = [(xs[i], ys[j]), (xs[i + 1], ys[j]), (xs[i + 1], ys[j + 1]), (xs[i], ys[j + 1])]
            _flat(scene, box, primaries[order % 5])
    line = scene.unit * float(rng.uniform(0.016, 0.026))
    with scene.object("grid"):
        for x in xs[1:-1]:
            _flat(
                scene,
                [
                    (x - line / 2, -5),
                    (x + line / 2, -5),
                    (x + line / 2, height + 5),
                    (x - line / 2, height + 5),
                ],
                (0.08, 0.08, 0.085),
            )
        for y in ys[1:-1]:
            thick = line * float(rng.uniform(0.8, 1.5))
            _flat(
                scene,
                [
                    (-5, y - thick / 2),
                    (width + 5, y - thick / 2),
                    (width + 5, y + thick / 2),
                    (-5, y + thick / 2),
                ],
                (0.08, 0.08, 0.085),
            )


def _planes(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    tilt = float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.75))
    with scene.object("rectangles"):
        for step in range(int(rng.integers(4, 7))):
            long = scene.unit * float(rng.uniform(0.18, 0.6)) * (1.15 - 0.12 * step)
            box = _bar(
                width * float(rng.uniform(0.25, 0.75)),
                height * float(rng.uniform(0.2, 0.8)),
                long,
                long * float(rng.uniform(0.25, 0.75)),
                tilt + float(rng.normal(0, 0.05)),
            )
            _flat(scene, box, school.pick(rng, "bright" if rng.random() < 0.75 else "quiet"))
    with scene.object("bars"):
        for _ in range(int(rng.integers(3, 8))):
            turn = tilt + float(rng.choice([0, np.pi / 2])) + float(rng.normal(0, 0.06))
            long = scene.unit * float(rng.uniform(0.2, 0.7))
            _flat(
                scene,
                _bar(
                    width * float(rng.uniform(0.2, 0.8)),
                    height * float(rng.uniform(0.15, 0.85)),
                    long,
                    scene.unit * float(rng.uniform(0.01, 0.035)),
                    turn,
                ),
                school.pick(rng, "bright"),
            )


def _circles(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    with scene.object("circles"):
        for step in range(int(rng.integers(4, 7))):
            radius = scene.unit * float(rng.uniform(0.06, 0.26)) * (1.2 - 0.13 * step)
            cx, cy = width * float(rng.uniform(0.2, 0.8)), height * float(rng.uniform(0.2, 0.8))
            tint = school.pick(rng, "bright")
            for ring in range(int(rng.integers(1, 5))):
                share = 1 - ring * 0.27
                colour = (
                    tint
                    if ring % 2 == 0
                    else mix(school.pick(rng, "bright"), school.pick(rng, "quiet"), 0.4)
                )
                _flat(scene, ellipse(cx, cy, radius * share, radius * share, n=72), colour)
    with scene.object("bars"):
        for _ in range(4):
            _flat(
                scene,
                _bar(
                    width / 2,
                    height * float(rng.uniform(0.2, 0.8)),
                    width * float(rng.uniform(0.4, 1.1)),
                    scene.unit * 0.009,
                    float(rng.normal(-0.4, 0.5)),
                ),
                (0.09, 0.09, 0.09),
            )


def _stripes(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    along = rng.random() < 0.5
    size = width if along else height
    place = 0.0
    with scene.object("stripes"):
        while place < size:
            wide = size * float(rng.choice([0.02, 0.045, 0.08, 0.14]))
            colour = school.pick(rng, "bright" if rng.random() < 0.65 else "quiet")
            end = place + wide
            box = (
                [(place, -5), (end, -5), (end, height + 5), (place, height + 5)]
                if along
                else [(-5, place), (width + 5, place), (width + 5, end), (-5, end)]
            )
            _flat(scene, box, colour)
            place = end


def _arcs(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    with scene.object("arcs"):
        for _ in range(3):
            cx, cy = width * float(rng.uniform(0.25, 0.75)), height * float(rng.uniform(0.3, 0.8))
            start = float(rng.choice([0, np.pi / 2, np.pi, 1.5 * np.pi]))
            for ring in range(5):
                outer = scene.unit * (0.34 - 0.062 * ring)
                angles = np.linspace(start, start + np.pi, 40)
                rim = [
                    (cx + outer * float(np.cos(a)), cy + outer * float(np.sin(a))) for a in angles
                ]
                _flat(scene, rim, school.pick(rng, "bright" if ring % 2 == 0 else "quiet"))
    with scene.object("triangle"):
        _shape_triangle(scene, school)
    with scene.object("circles"):
        for _ in range(2):
            radius = scene.unit * float(rng.uniform(0.04, 0.09))
            _flat(
                scene,
                ellipse(
                    width * float(rng.uniform(0.15, 0.85)),
                    height * float(rng.uniform(0.12, 0.4)),
                    radius,
                    radius,
                    n=60,
                ),
                school.pick(rng, "bright"),
            )


def _shape_triangle(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    cx, cy, size = (
        width * float(rng.uniform(0.35, 0.65)),
        height * float(rng.uniform(0.4, 0.6)),
        scene.unit * float(rng.uniform(0.2, 0.34)),
    )
    turn = float(rng.uniform(0, 2 * np.pi))
    corners = [
        (cx + size * float(np.cos(turn + a)), cy + size * float(np.sin(turn + a)))
        for a in (0.0, 2.2, 4.3)
    ]
    _flat(scene, corners, school.pick(rng, "bright"))


def _triangle(scene: Scene, school: School) -> None:
    rng = scene.rng
    width, height = scene.size_wh
    with scene.object("circles"):
        radius = scene.unit * float(rng.uniform(0.18, 0.26))
        _flat(
            scene,
            ellipse(width * 0.38, height * 0.36, radius, radius, n=72),
            school.pick(rng, "bright"),
        )
        _flat(
            scene,
            ellipse(width * 0.7, height * 0.7, radius * 0.4, radius * 0.4, n=60),
            school.pick(rng, "bright"),
        )
    with scene.object("triangle"):
        _shape_triangle(scene, school)
    with scene.object("bars"):
        for step in range(5):
            turn = -0.6 + 0.06 * step
            _flat(
                scene,
                _bar(
                    width * (0.45 + 0.05 * step),
                    height * (0.4 + 0.07 * step),
                    width * float(rng.uniform(0.3, 0.9)),
                    scene.unit * 0.011,
                    turn,
                ),
                (0.1, 0.1, 0.11),
            )


def _motif(told: str, shape: str = "any") -> Motif:
    return Motif(
        f"abstract_{told}", "abstract", shape, partial(plan_abstract, told=told), draw_abstract
    )


MOTIFS: tuple[Motif, ...] = tuple(_motif(told) for told in _PLANS)
