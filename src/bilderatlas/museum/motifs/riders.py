"""Riders: one on horseback, and many in battle."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bilderatlas.museum.motifs.base import Plan
from bilderatlas.museum.motifs.stage import lay_outdoors, look_of
from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.scene import Colour, Scene, ellipse, mix, spread, trace
from bilderatlas.museum.school import School
from bilderatlas.museum.things.animals import draw_horse
from bilderatlas.museum.things.dress import draped
from bilderatlas.museum.things.figures import Figure, Stance, Wear, lay_figure, pose_figure
from bilderatlas.museum.things.headgear import draw_helmet


@dataclass(frozen=True, slots=True)
class Mount:
    """A rider's place: where the horse stands, how large, which way, and how he is armed."""

    x: float
    base: float
    size: float
    side: float
    gallop: bool
    armour: bool
    lance: bool


def _lay_mounted(scene: Scene, school: School, mount: Mount) -> None:
    """Lay a rider on a horse."""
    rng = scene.rng
    size, side = mount.size, mount.side
    coat = mix(school.pick(rng, "hair"), (0.9, 0.87, 0.8), float(rng.choice([0.0, 0.0, 0.85])))
    draw_horse(scene, mount.x, mount.base, size, coat, side, mount.gallop)
    figure = _seated(scene, school, mount)
    metal, bright = school.pick(rng, "metal"), school.pick(rng, "bright")
    mantle = school.pick(rng, "bright")
    near, far = ("right", "left") if side > 0 else ("left", "right")
    if mount.gallop or mount.armour:
        sx, sy = figure.joints[f"{near}_shoulder"]
        cape = [(0, -0.01), (-0.3, 0.08), (-0.55, 0.02), (-0.5, 0.28), (-0.1, 0.32)]
        outline = smooth_curve(spread(cape, sx, sy, size, side), closed=True)
        draped(scene, outline, mantle, size * 0.05, size * 0.05, lean=0.8, fine=0.5)
    hidden = tuple(f"{near}_{joint}" for joint in ("hip", "knee", "ankle"))
    wear = Wear("armour", metal) if mount.armour else Wear("tunic", bright)
    lay_figure(scene, figure, wear, "rider", hidden)
    if mount.armour:
        draw_helmet(scene, figure.head, metal, mantle)
    if mount.lance:
        wx, wy = figure.joints[f"{far}_wrist"]
        with scene.object("lance"), scene.ink(0.7) as canvas:
            shaft = spread([(-0.45, 0.3), (0.75, -0.5)], wx, wy, size, side)
            trace(canvas, shaft, (0.3, 0.2, 0.12), max(1.5, size * 0.022))
            point = spread([(0.68, -0.453), (0.75, -0.5)], wx, wy, size, side)
            trace(canvas, point, (0.8, 0.8, 0.8), max(2.0, size * 0.035))


def _seated(scene: Scene, school: School, mount: Mount) -> Figure:
    """Return the rider's pose in the saddle: one hand at the rein, one raised with a lance."""
    side, tall = mount.side, mount.size * 1.05
    beard = str(scene.rng.choice(["none", "short", "moustache"]))
    hair = "hidden" if mount.armour else "short"
    look = look_of(scene, school, yaw=0.55 * side, beard=beard, hair_style=hair)
    rest = (-20.0 * side, 50.0 * side)
    active = (100.0 * side, 60.0 * side) if mount.lance else (45.0 * side, 80.0 * side)
    right, left = (rest, active) if side > 0 else (active, rest)
    thigh, other = (22.0 * side, -8.0 * side), (26.0 * side, -4.0 * side)
    lean = 6.0 * side if mount.gallop else 1.0
    stance = Stance(right, left, thigh, other, lean=lean, hands=("closed", "closed"))
    seat_y = mount.base - mount.size * 0.78
    return pose_figure(mount.x - side * mount.size * 0.02, seat_y + tall * 0.5, tall, stance, look)


def _flag(scene: Scene, colour: Colour, x: float, y: float, size: float) -> None:
    with scene.object("flag"):
        with scene.ink(0.6) as canvas:
            pole = [(x, y + size * 1.6), (x, y - size * 0.1)]
            trace(canvas, pole, (0.25, 0.17, 0.1), max(1.2, size * 0.03))
        shape = [(0, 0), (0.4, 0.06), (0.85, -0.04), (0.8, 0.42), (0.4, 0.52), (0, 0.45)]
        outline = smooth_curve(spread(shape, x, y, size), closed=True)
        draped(scene, outline, colour, size * 0.06, size * 0.09, fine=0.5)


def draw_rider(scene: Scene, school: School, plan: Plan) -> None:
    """Lay one rider in open land."""
    rng = scene.rng
    width, height = scene.size_wh
    lay_outdoors(scene, school, height * float(rng.uniform(0.5, 0.62)))
    side = float(rng.choice([-1.0, 1.0]))
    if "flag" in plan.shown:
        x = width * (0.5 - side * 0.36)
        _flag(scene, school.pick(rng, "bright"), x, height * 0.18, height * 0.22)
    armour = school.dress != "modern" and bool(rng.random() < 0.5)
    gallop = bool(rng.random() < 0.4)
    mount = Mount(width * 0.5, height * 0.93, height * 0.5, side, gallop, armour, False)
    _lay_mounted(scene, school, mount)


def draw_battle(scene: Scene, school: School, plan: Plan) -> None:
    """Lay riders against riders, lances, smoke."""
    rng = scene.rng
    width, height = scene.size_wh
    lay_outdoors(scene, school, height * 0.45)
    if "flag" in plan.shown:
        x = width * float(rng.uniform(0.2, 0.7))
        _flag(scene, school.pick(rng, "bright"), x, height * 0.16, height * 0.16)
    _smoke(scene, height * 0.45, 0.55)
    with scene.object("horses"):
        for row, depth in enumerate((0.62, 0.78, 0.95)):
            for step in range(3 - (row + 1) // 2):
                side = 1.0 if (step + row) % 2 == 0 else -1.0
                shift = 0.3 * step + float(rng.normal(0, 0.03)) + (0.08 if row == 1 else 0.0)
                size, armour = height * (0.2 + 0.09 * row), bool(rng.random() < 0.6)
                x = width * (0.2 + shift)
                mount = Mount(x, height * depth, size, side, True, armour, True)
                _lay_mounted(scene, school, mount)
    _smoke(scene, height * 0.9, 0.3)


def _smoke(scene: Scene, y: float, strength: float) -> None:
    width, height = scene.size_wh
    cloud = np.zeros((height, width), np.float32)
    for _ in range(6):
        x, drift = float(scene.rng.uniform(0, width)), float(scene.rng.normal(0, height * 0.05))
        puff = ellipse(x, y + drift, width * 0.16, height * 0.06)
        cv2.fillPoly(cloud, [puff.astype(np.int32)], (strength,))
    soft = cv2.GaussianBlur(cloud, (0, 0), scene.unit * 0.05)
    scene.lay(soft, (0.78, 0.74, 0.68), new_id=False, record=False)
