"""Figures that act: a skeleton posed by angles, bodies of rounded limbs, and what they wear.

A figure stands at (x, base_y) and is `size` pixels tall. Angles are degrees from straight down,
positive towards the picture's right. COCO counts the figure's own left, which, seen from the
front, is the picture's right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    """A figure laid in a scene: where its joints and its head are, how thick its limbs."""

    size: float
    joints: dict[str, Place]
    head: HeadPlace
    stance: Stance
    stout: float = 1.0

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
        self.stout = figure.stout

    def limb(self, start: Place, end: Place, r1: float, r2: float) -> None:
        x0, y0 = self.at
        s = self.size * self.stout
        capsule(
            self.height, (start[0] - x0, start[1] - y0), (end[0] - x0, end[1] - y0), r1 * s, r2 * s
        )

    def dent(self, place: Place, sx: float, sy: float, depth: float) -> None:
        """Press a soft hollow into the body; a negative `depth` swells it."""
        s = self.size * self.stout
        x, y = place[0] - self.at[0], place[1] - self.at[1]
        x1, y1 = max(0, int(x - 3 * sx * s)), max(0, int(y - 3 * sy * s))
        window = self.height[y1 : int(y + 3 * sy * s) + 1, x1 : int(x + 3 * sx * s) + 1]
        ys, xs = np.ogrid[y1 : y1 + window.shape[0], x1 : x1 + window.shape[1]]
        hill = np.exp(-(((xs - x) / (sx * s)) ** 2) - ((ys - y) / (sy * s)) ** 2)
        window -= np.asarray(hill * (depth * s) * (window > 0), np.float32)

    def mound(self, place: Place, rx: float, ry: float, depth: float, base: float) -> None:
        s = self.size * self.stout
        ellipsoid(
            self.height,
            place[0] - self.at[0],
            place[1] - self.at[1],
            rx * s,
            ry * s,
            depth * s,
            base * s,
        )

    soft = 0.006
    """Blur of the form, in body heights: higher melts the muscles into each other."""

    def lay(self, scene: Scene, colour: Colour, gloss: float = 0.0, fine: float = 0.75) -> None:
        if not self.height.any():
            return
        mask = cv2.GaussianBlur(np.clip(self.height, 0, 1), (0, 0), 0.6)
        form = cv2.GaussianBlur(self.height, (0, 0), max(0.5, self.size * self.soft))
        rgb = shade(form, colour, scene.light, gloss=gloss, cast_px=self.size * 0.05)
        scene.lay(mask, rgb, self.at, fine=fine)


def _middle(a: Place, b: Place, share: float = 0.5) -> Place:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _legs(figure: Figure, body: _Body) -> None:
    j = figure.joints
    for side, out in (("right", -1.0), ("left", 1.0)):
        hip, knee, ankle = j[f"{side}_hip"], j[f"{side}_knee"], j[f"{side}_ankle"]
        thigh = _middle(hip, knee, 0.3)
        body.limb(hip, thigh, 0.06, 0.057)
        body.limb(thigh, knee, 0.057, 0.036)
        calf = _middle(knee, ankle, 0.32)
        calf = (calf[0] + out * 0.006 * figure.size, calf[1])
        body.limb(knee, calf, 0.034, 0.039)
        body.limb(calf, _middle(knee, ankle, 0.8), 0.039, 0.022)
        body.limb(_middle(knee, ankle, 0.8), ankle, 0.022, 0.021)
        body.dent(knee, 0.016, 0.014, -0.006)
        toe = (ankle[0] + out * 0.03 * figure.size, ankle[1] + 0.036 * figure.size)
        body.limb(ankle, toe, 0.022, 0.017)


def _arm(figure: Figure, body: _Body, side: str, thick: float = 1.0) -> None:
    j = figure.joints
    shoulder, elbow, wrist = (j[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    muscle = _middle(shoulder, elbow, 0.3)
    body.limb(shoulder, muscle, 0.037 * thick, 0.036 * thick)
    body.limb(muscle, elbow, 0.036 * thick, 0.027 * thick)
    body.limb(elbow, _middle(elbow, wrist, 0.25), 0.027 * thick, 0.029 * thick)
    body.limb(_middle(elbow, wrist, 0.25), wrist, 0.029 * thick, 0.019 * thick)


def _trunk(figure: Figure, body: _Body) -> None:
    """Raise a nude trunk: ribs, belly, hips, breast muscles, collar bones, navel."""
    j, s = figure.joints, figure.size
    chest = _middle(j["right_shoulder"], j["left_shoulder"])
    hips = _middle(j["right_hip"], j["left_hip"])

    def at(across: float, down: float) -> Place:
        """Return a place of the trunk: `across` in body heights, `down` 0 chest to 1 hips."""
        x, y = _middle(chest, hips, down)
        return x + across * s, y

    for down, rx, ry, depth in ((0.22, 0.112, 0.105, 0.088), (0.42, 0.098, 0.13, 0.082),
                                (0.72, 0.086, 0.13, 0.076), (0.98, 0.1, 0.085, 0.076)):  # fmt: skip
        body.mound(at(0.0, down), rx, ry, depth, 0.0)
    for side, name in ((-1.0, "right"), (1.0, "left")):
        shoulder = j[f"{name}_shoulder"]
        body.limb(shoulder, at(side * 0.05, 0.02), 0.04, 0.04)  # collar bone, trapezius
        body.limb(shoulder, at(side * 0.062, 0.38), 0.04, 0.05)  # flank below the armpit
        body.limb(at(side * 0.05, 0.8), j[f"{name}_hip"], 0.05, 0.06)
        body.limb(at(side * 0.02, 0.0), (figure.head.cx, figure.head.cy), 0.03, 0.03)
    for side in (-1.0, 1.0):
        body.dent(at(side * 0.05, 0.2), 0.042, 0.028, -0.014)  # breast
        body.dent(at(side * 0.055, 0.315), 0.045, 0.012, 0.01)  # its lower edge
        body.dent(at(side * 0.058, 0.5), 0.02, 0.05, 0.009)  # ribs' arch
        body.dent(at(side * 0.024, 0.62), 0.018, 0.07, -0.005)  # belly beside the middle line
    body.dent(at(0.0, 0.24), 0.009, 0.06, 0.007)  # breast bone
    body.dent(at(0.0, 0.58), 0.008, 0.08, 0.006)
    body.dent(at(0.0, 0.74), 0.009, 0.008, 0.016)  # navel
    body.limb(chest, (figure.head.cx, figure.head.cy + figure.head.half_px * 0.6), 0.038, 0.036)


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
    bare = wear.kind == "loincloth"
    with scene.object(label):
        if wear.mantle is not None and bare:  # it hangs behind the body that it leaves bare
            _mantle(scene, figure, wear.mantle)
        if wear.kind in ("loincloth", "tunic", "coat", "armour"):
            body = _Body(figure)
            _legs(figure, body)
            stocking = {"loincloth": flesh, "armour": wear.cloth}.get(
                wear.kind, mix(wear.cloth, (0.12, 0.1, 0.1), 0.55)
            )
            if wear.kind == "loincloth":
                body.soft = 0.0085
                _trunk(figure, body)
                _arm(figure, body, "right", 1.1)
                _arm(figure, body, "left", 1.1)
            body.lay(scene, stocking, 0.8 if wear.kind == "armour" else 0.05)
        if wear.mantle is not None and not bare:
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
        palm = figure.size * 0.042 * figure.stout
        draw_hand(scene, wrist, palm, turn, flesh, kind, flip=side == "left")


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
