"""Figures that act: a skeleton posed by angles, bodies of rounded limbs, and what they wear.

A figure stands at (x, base_y) and is `size` pixels tall. Angles are degrees from straight down,
positive towards the picture's right. COCO counts the figure's own left, which, seen from the
front, is the picture's right.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from bilderatlas.museum.noise import smooth_curve
from bilderatlas.museum.relief import capsule, ellipsoid, shade
from bilderatlas.museum.scene import Colour, Pose, Scene, ellipse, mix
from bilderatlas.museum.things.dress import draped
from bilderatlas.museum.things.hands import draw_hand
from bilderatlas.museum.things.heads import HeadLook, HeadPlace, draw_head

Place = tuple[float, float]
HEAD_HALF = 0.076


@dataclass(frozen=True, slots=True)
class Stance:
    """How a figure holds itself.

    Attributes:
        right_arm: Upper arm and forearm of the figure's right (the picture's left).
        left_arm: The same of its left.
        right_leg: Thigh and shin of its right.
        left_leg: The same of its left.
        lean: Lean of the trunk in degrees.
        drop: How far the hips are below their standing height, in body heights (kneeling).
        hands: Kinds of hands, right and left.
    """

    right_arm: tuple[float, float] = (-12, -6)
    left_arm: tuple[float, float] = (12, 6)
    right_leg: tuple[float, float] = (-4, -2)
    left_leg: tuple[float, float] = (4, 2)
    lean: float = 0.0
    drop: float = 0.0
    hands: tuple[str, str] = ("rest", "rest")


@dataclass(frozen=True, slots=True)
class Wear:
    """What a figure wears.

    Attributes:
        kind: `robe`, `tunic`, `loincloth`, `armour` or `coat`.
        cloth: Main colour.
        mantle: Colour of a mantle over the shoulders, or None.
    """

    kind: str
    cloth: Colour
    mantle: Colour | None = None


@dataclass(slots=True)
class Figure:
    """A figure laid in a scene: where its joints and its head are."""

    size: float
    joints: dict[str, Place]
    head: HeadPlace
    stance: Stance
    extra: dict[str, Place] = field(default_factory=dict)

    def coco(self, scene: Scene, hidden: tuple[str, ...] = ()) -> np.ndarray:
        """Return the 17 joints `(17, 3)`; those hidden or outside are unseen."""
        names = (
            "nose",
            "left_eye",
            "right_eye",
            "left_ear",
            "right_ear",
            "left_shoulder",
            "right_shoulder",
            "left_elbow",
            "right_elbow",
            "left_wrist",
            "right_wrist",
            "left_hip",
            "right_hip",
            "left_knee",
            "right_knee",
            "left_ankle",
            "right_ankle",
        )
        yaw = self.head.look.yaw
        all_places = {
            "nose": self.head.of_face(0.08 * float(np.sin(yaw)), 0.36),
            "left_eye": self.head.of_face(0.31, -0.02),
            "right_eye": self.head.of_face(-0.31, -0.02),
            "left_ear": self.head.on_picture(
                0.74 * float(np.cos(yaw)) - 0.2 * float(np.sin(yaw)), 0.12
            ),
            "right_ear": self.head.on_picture(
                -0.74 * float(np.cos(yaw)) - 0.2 * float(np.sin(yaw)), 0.12
            ),
            **self.joints,
        }
        unseen = set(hidden)
        if yaw > 0.15:
            unseen.add("left_ear")
        elif yaw < -0.15:
            unseen.add("right_ear")
        width, height = scene.size_wh
        result = np.zeros((17, 3))
        for row, name in enumerate(names):
            x, y = all_places[name]
            if name not in unseen and 0 <= x < width and 0 <= y < height:
                result[row] = (x, y, 1.0)
        return result


def _step(start: Place, angle: float, length: float) -> Place:
    turn = np.deg2rad(angle)
    return start[0] + float(np.sin(turn)) * length, start[1] + float(np.cos(turn)) * length


def pose_figure(x: float, base_y: float, size: float, stance: Stance, look: HeadLook) -> Figure:
    """Return where the joints of a figure are; nothing is laid yet."""
    hip_y = base_y - (0.5 - stance.drop) * size
    lean = np.deg2rad(stance.lean)
    up = (float(np.sin(lean)), -float(np.cos(lean)))
    neck = (x + up[0] * 0.33 * size, hip_y + up[1] * 0.33 * size)
    across = (-up[1], up[0])
    joints: dict[str, Place] = {}
    for name, side in (("right", -1.0), ("left", 1.0)):
        shoulder = (
            neck[0] + side * across[0] * 0.105 * size,
            neck[1] + side * across[1] * 0.105 * size,
        )
        hip = (x + side * 0.062 * size, hip_y)
        arm = stance.right_arm if side < 0 else stance.left_arm
        leg = stance.right_leg if side < 0 else stance.left_leg
        joints[f"{name}_shoulder"] = shoulder
        joints[f"{name}_elbow"] = _step(shoulder, arm[0], 0.17 * size)
        joints[f"{name}_wrist"] = _step(joints[f"{name}_elbow"], arm[1], 0.155 * size)
        joints[f"{name}_hip"] = hip
        joints[f"{name}_knee"] = _step(hip, leg[0], 0.25 * size)
        joints[f"{name}_ankle"] = _step(joints[f"{name}_knee"], leg[1], 0.235 * size)
    half = HEAD_HALF * size
    tilt = look.tilt + float(lean) * 0.6
    head_at = (
        neck[0] + up[0] * half * 1.45 + np.sin(tilt) * half * 0.5,
        neck[1] + up[1] * half * 1.45,
    )
    head = HeadPlace(float(head_at[0]), float(head_at[1]), half, replace(look, tilt=tilt))
    return Figure(size, joints, head, stance)


class _Body:
    """A patch of heights in which limbs of one material are joined."""

    def __init__(self, figure: Figure) -> None:
        places = np.array([*figure.joints.values(), (figure.head.cx, figure.head.cy)])
        pad = figure.size * 0.12 + 3
        low, high = places.min(axis=0) - pad, places.max(axis=0) + pad
        self.at = (int(low[0]), int(low[1]))
        self.height = np.zeros((int(high[1] - low[1]) + 1, int(high[0] - low[0]) + 1), np.float32)
        self.size = figure.size

    def limb(self, start: Place, end: Place, r1: float, r2: float) -> None:
        x0, y0 = self.at
        s = self.size
        capsule(
            self.height, (start[0] - x0, start[1] - y0), (end[0] - x0, end[1] - y0), r1 * s, r2 * s
        )

    def mound(self, place: Place, rx: float, ry: float, depth: float, base: float) -> None:
        s = self.size
        ellipsoid(
            self.height,
            place[0] - self.at[0],
            place[1] - self.at[1],
            rx * s,
            ry * s,
            depth * s,
            base * s,
        )

    def lay(self, scene: Scene, colour: Colour, gloss: float = 0.0, fine: float = 0.75) -> None:
        if not self.height.any():
            return
        mask = np.clip(self.height * 0.7, 0, 1)
        form = cv2.GaussianBlur(self.height, (0, 0), max(0.5, self.size * 0.006))
        rgb = shade(form, colour, scene.light, gloss=gloss, cast_px=self.size * 0.05)
        scene.lay(mask, rgb, self.at, fine=fine)


def _middle(a: Place, b: Place, share: float = 0.5) -> Place:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _legs(figure: Figure, body: _Body) -> None:
    j = figure.joints
    for side in ("right", "left"):
        body.limb(j[f"{side}_hip"], j[f"{side}_knee"], 0.056, 0.036)
        calf = _middle(j[f"{side}_knee"], j[f"{side}_ankle"], 0.35)
        body.limb(j[f"{side}_knee"], calf, 0.034, 0.036)
        body.limb(calf, j[f"{side}_ankle"], 0.036, 0.02)
        ankle = j[f"{side}_ankle"]
        out = -1.0 if side == "right" else 1.0
        body.limb(
            ankle,
            (ankle[0] + out * 0.025 * figure.size, ankle[1] + 0.03 * figure.size),
            0.021,
            0.019,
        )


def _arm(figure: Figure, body: _Body, side: str, thick: float = 1.0) -> None:
    j = figure.joints
    body.limb(j[f"{side}_shoulder"], j[f"{side}_elbow"], 0.036 * thick, 0.028 * thick)
    body.limb(j[f"{side}_elbow"], j[f"{side}_wrist"], 0.028 * thick, 0.02 * thick)


def _trunk(figure: Figure, body: _Body) -> None:
    j = figure.joints
    chest = _middle(j["right_shoulder"], j["left_shoulder"])
    waist = _middle(_middle(j["right_hip"], j["left_hip"]), chest, 0.3)
    for side in ("right", "left"):
        inner = _middle(j[f"{side}_shoulder"], chest, 0.35)
        body.limb(
            (inner[0], inner[1] + 0.05 * figure.size),
            _middle(waist, j[f"{side}_hip"], 0.35),
            0.068,
            0.055,
        )
        body.limb(_middle(waist, j[f"{side}_hip"], 0.5), j[f"{side}_hip"], 0.055, 0.058)
        body.mound((inner[0], inner[1] + 0.065 * figure.size), 0.052, 0.03, 0.006, 0.064)
        body.limb(j[f"{side}_shoulder"], inner, 0.038, 0.045)
    body.limb(chest, (figure.head.cx, figure.head.cy + figure.head.half_px * 0.6), 0.036, 0.034)


def lay_figure(
    scene: Scene,
    figure: Figure,
    wear: Wear,
    label: str,
    hidden: tuple[str, ...] = (),
    *,
    head: bool = True,
) -> None:
    """Lay a posed figure and record its pose."""
    flesh = figure.head.look.flesh
    with scene.object(label):
        if wear.kind in ("loincloth", "tunic", "coat", "armour"):
            body = _Body(figure)
            _legs(figure, body)
            stocking = {"loincloth": flesh, "armour": wear.cloth}.get(
                wear.kind, mix(wear.cloth, (0.12, 0.1, 0.1), 0.55)
            )
            if wear.kind == "loincloth":
                _trunk(figure, body)
                _arm(figure, body, "right")
                _arm(figure, body, "left")
            body.lay(scene, stocking, 0.8 if wear.kind == "armour" else 0.05)
        if wear.mantle is not None:
            _mantle(scene, figure, wear.mantle)
        if wear.kind == "loincloth":
            _loincloth(scene, figure, wear.cloth)
        else:
            _neck(scene, figure, flesh)
            _garment(scene, figure, wear)
        _hands(scene, figure, flesh)
        if head:
            draw_head(scene, figure.head, label=False)
    scene.poses.append(Pose(label, figure.coco(scene, hidden)))


def _neck(scene: Scene, figure: Figure, flesh: Colour) -> None:
    body = _Body(figure)
    j = figure.joints
    chest = _middle(j["right_shoulder"], j["left_shoulder"])
    body.limb(
        (chest[0], chest[1] + 0.02 * figure.size),
        (figure.head.cx, figure.head.cy + figure.head.half_px * 0.5),
        0.045,
        0.034,
    )
    body.lay(scene, flesh)


def _hands(scene: Scene, figure: Figure, flesh: Colour) -> None:
    for side, kind in zip(("right", "left"), figure.stance.hands, strict=True):
        if kind == "none":
            continue
        elbow, wrist = figure.joints[f"{side}_elbow"], figure.joints[f"{side}_wrist"]
        turn = float(np.arctan2(wrist[1] - elbow[1], wrist[0] - elbow[0]))
        draw_hand(scene, wrist, figure.size * 0.042, turn, flesh, kind, flip=side == "left")


def _loincloth(scene: Scene, figure: Figure, cloth: Colour) -> None:
    j, s = figure.joints, figure.size
    (rx, ry), (lx, ly) = j["right_hip"], j["left_hip"]
    shape = [
        (rx - 0.06 * s, ry - 0.045 * s),
        (lx + 0.06 * s, ly - 0.05 * s),
        (lx + 0.062 * s, ly + 0.06 * s),
        ((rx + lx) / 2 + 0.02 * s, ry + 0.13 * s),
        (rx - 0.06 * s, ry + 0.075 * s),
    ]
    draped(
        scene,
        smooth_curve(shape, closed=True, steps=5),
        cloth,
        0.03 * s,
        0.03 * s,
        lean=0.6,
        fine=0.7,
    )
    tail = [
        (lx + 0.03 * s, ly - 0.04 * s),
        (lx + 0.1 * s, ly + 0.02 * s),
        (lx + 0.12 * s, ly + 0.17 * s),
        (lx + 0.06 * s, ly + 0.12 * s),
    ]
    draped(scene, smooth_curve(tail, closed=True, steps=5), cloth, 0.02 * s, 0.025 * s, fine=0.7)


def _mantle(scene: Scene, figure: Figure, colour: Colour) -> None:
    j, s = figure.joints, figure.size
    (rx, ry), (lx, ly) = j["right_shoulder"], j["left_shoulder"]
    low = max(j["right_ankle"][1], j["left_ankle"][1], j["right_knee"][1] + 0.05 * s)
    shape = [
        (rx - 0.03 * s, ry - 0.03 * s),
        (lx + 0.03 * s, ly - 0.03 * s),
        (lx + 0.1 * s, ly + 0.25 * s),
        (lx + 0.15 * s, low),
        (rx - 0.13 * s, low + 0.01 * s),
        (rx - 0.1 * s, ry + 0.25 * s),
    ]
    draped(scene, smooth_curve(shape, closed=True, steps=5), colour, 0.05 * s, 0.04 * s, fine=0.55)


def _garment(scene: Scene, figure: Figure, wear: Wear) -> None:
    """Lay sleeves and a robe, a tunic, a coat or a cuirass."""
    j, s = figure.joints, figure.size
    back = _Body(figure)
    for side in ("right", "left"):
        _arm(figure, back, side, 1.35 if wear.kind == "robe" else 1.2)
    gloss = 0.85 if wear.kind == "armour" else 0.08
    (rx, ry), (lx, ly) = j["right_shoulder"], j["left_shoulder"]
    (hrx, hry), (hlx, hly) = j["right_hip"], j["left_hip"]
    shoulders = [
        (rx - 0.035 * s, ry - 0.01 * s),
        (_middle((rx, ry), (lx, ly))[0], ry - 0.035 * s),
        (lx + 0.035 * s, ly - 0.01 * s),
    ]
    if wear.kind == "robe":
        knees = [j["left_knee"], j["right_knee"]]
        low = max(j["right_ankle"][1], j["left_ankle"][1], *(k[1] for k in knees)) + 0.02 * s
        left_x = max(j["left_ankle"][0], j["left_knee"][0]) + 0.075 * s
        right_x = min(j["right_ankle"][0], j["right_knee"][0]) - 0.075 * s
        skirt = [
            (hlx + 0.055 * s, hly),
            (left_x, (hly + low) / 2),
            (left_x + 0.03 * s, low),
            ((left_x + right_x) / 2, low + 0.012 * s),
            (right_x - 0.03 * s, low),
            (right_x, (hry + low) / 2),
            (hrx - 0.055 * s, hry),
        ]
    else:
        hem = {"tunic": 0.2, "coat": 0.26, "armour": 0.1}[wear.kind] * s
        skirt = [
            (hlx + 0.05 * s, hly),
            (hlx + 0.085 * s, hly + hem),
            ((hlx + hrx) / 2, hly + hem * 1.04),
            (hrx - 0.085 * s, hry + hem),
            (hrx - 0.05 * s, hry),
        ]
    waist = [(lx + 0.03 * s, (ly + hly) / 2)], [(rx - 0.03 * s, (ry + hry) / 2)]
    outline = smooth_curve([*shoulders, *waist[0], *skirt, *waist[1]], closed=True, steps=5)
    if wear.kind == "armour":
        scene.solid(outline, wear.cloth, 0.07 * s, gloss=0.8, fine=0.65)
    else:
        draped(scene, outline, wear.cloth, 0.06 * s, 0.042 * s, fine=0.55)
    belt = [
        (hrx - 0.05 * s, hry - 0.06 * s),
        (hlx + 0.05 * s, hly - 0.06 * s),
        (hlx + 0.05 * s, hly - 0.04 * s),
        (hrx - 0.05 * s, hry - 0.04 * s),
    ]
    scene.solid(belt, mix(wear.cloth, (0.2, 0.12, 0.05), 0.6), 0.01 * s, fine=0.6)
    back.lay(scene, mix(wear.cloth, (1, 1, 1), 0.04), gloss, 0.6)


def draw_wings(scene: Scene, figure: Figure, colour: Colour, tip: Colour) -> None:
    """Lay two feathered wings behind a figure."""
    s = figure.size
    for side, name in ((-1.0, "right"), (1.0, "left")):
        x, y = figure.joints[f"{name}_shoulder"]
        for row, (long, tint) in enumerate(((0.5, 0.75), (0.4, 0.4), (0.26, 0.1))):
            for step in range(9 - row):
                turn = np.deg2rad(158 - step * 15 - row * 4)
                end = (
                    x + side * float(np.sin(turn)) * long * s * (1 - 0.02 * step),
                    y + float(np.cos(turn)) * long * s,
                )
                middle = ((x + end[0]) / 2, (y + end[1]) / 2)
                angle = float(np.arctan2(end[1] - y, end[0] - x))
                feather = ellipse(middle[0], middle[1], long * s * 0.52, s * 0.03, angle, n=16)
                shade_of = mix(
                    mix(colour, tip, tint), (0.1, 0.08, 0.1), float(scene.rng.uniform(0, 0.2))
                )
                scene.solid(feather, shade_of, s * 0.016, fine=0.65)
