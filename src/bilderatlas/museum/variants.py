"""Variants: prints after paintings, details, recolourings, workshop repetitions, studies.

Matrices map continuous pixel coordinates of the model to those of the variant: (0, 0) is the
corner of the picture, not the middle of its first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from bilderatlas.museum.scene import Box, Pose, Scene

Matrix: TypeAlias = tuple[
    tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]
]
IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

# COCO joints whose names change when a figure is seen in a mirror.
_SWAPPED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]


@dataclass(frozen=True, slots=True)
class Relation:
    """The link from a variant to its model.

    Attributes:
        kind: `print after`, `detail`, `recolouring`, `workshop repetition`, `study`.
        model_index: Index of the model.
        model_id: Image id of the model.
        scene_matrix: From the model's scene to the variant's scene.
        matrix: From the model's picture to the variant's picture, margins included.
        title_tail: What the title adds.
    """

    kind: str
    model_index: int
    model_id: str
    scene_matrix: Matrix
    matrix: Matrix
    title_tail: str

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged."""
        (a, b, _), (c, d, _), _ = self.matrix
        return a * d - b * c < 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of variant."""

    name: str
    title_tail: str
    forms: tuple[str, ...]
    years_after: tuple[int, int]

    def form_for(self, rng: np.random.Generator, model_form: str) -> str:
        """Return the technique of a variant of something in `model_form`."""
        return str(rng.choice(self.forms)) if self.forms else model_form

    def years(self, rng: np.random.Generator) -> int:
        """Return how many years after its model it was made."""
        return int(rng.integers(self.years_after[0], self.years_after[1] + 1))


KINDS = (
    Kind("print after", " (Print in Reverse)", ("engraving", "etching"), (1, 25)),
    Kind("detail", " (Detail)", (), (0, 0)),
    Kind("recolouring", " (Other Colours)", (), (0, 15)),
    Kind("workshop repetition", " (Workshop Repetition)", (), (0, 12)),
    Kind("study", " (Study)", ("chalk", "wash"), (-2, 0)),
)
_SHARES = {
    "painting": (0.3, 0.2, 0.14, 0.24, 0.12),
    "print": (0.4, 0.3, 0.0, 0.3, 0.0),
    "drawing": (0.3, 0.3, 0.1, 0.3, 0.0),
}


def choose_kind(rng: np.random.Generator, object_type: str) -> Kind:
    """Choose a kind of variant for a model of `object_type`."""
    return KINDS[int(rng.choice(len(KINDS), p=_SHARES[object_type]))]


def choose_matrix(
    rng: np.random.Generator, kind: str, model_wh: tuple[int, int]
) -> tuple[Matrix, tuple[int, int]]:
    """Return the map from the model's scene to the variant's, and the variant's size."""
    width, height = model_wh
    if kind == "detail":
        zoom = float(rng.uniform(1.5, 2.4))
        left = float(rng.uniform(0.15, 0.85)) * (width - width / zoom)
        top = float(rng.uniform(0.1, 0.7)) * (height - height / zoom)
        return ((zoom, 0.0, -zoom * left), (0.0, zoom, -zoom * top), (0.0, 0.0, 1.0)), model_wh
    if kind == "recolouring":
        return IDENTITY, model_wh
    scale = float(rng.uniform(0.8, 1.0))
    size = (round(width * scale), round(height * scale))
    if kind == "print after":
        return ((-scale, 0.0, scale * width), (0.0, scale, 0.0), (0.0, 0.0, 1.0)), size
    turn = float(rng.normal(0, 0.01))
    cos, sin = scale * float(np.cos(turn)), scale * float(np.sin(turn))
    dx, dy = (float(v) for v in rng.normal(0, 0.012, 2) * min(size))
    cx, cy = width / 2, height / 2
    return (
        (cos, -sin, size[0] / 2 + dx - cos * cx + sin * cy),
        (sin, cos, size[1] / 2 + dy - sin * cx - cos * cy),
        (0.0, 0.0, 1.0),
    ), size


def placed(margin_px: float) -> Matrix:
    """Return the shift by a margin."""
    return ((1.0, 0.0, float(margin_px)), (0.0, 1.0, float(margin_px)), (0.0, 0.0, 1.0))


def product(*matrices: Matrix) -> Matrix:
    """Return the product of matrices: the last is applied first."""
    total = np.eye(3)
    for matrix in matrices:
        total = total @ np.asarray(matrix)
    a, b, c = (tuple(float(v) for v in row) for row in total)
    return (a[0], a[1], a[2]), (b[0], b[1], b[2]), (c[0], c[1], c[2])


def moved_scene(scene: Scene, matrix: Matrix, size_wh: tuple[int, int]) -> Scene:
    """Return the scene as a variant sees it, its boxes and poses included."""
    result = Scene(size_wh, scene.light, scene.rng)
    if matrix == IDENTITY and size_wh == scene.size_wh:
        result.rgb, result.ids, result.fine = scene.rgb, scene.ids, scene.fine
    else:
        full = np.asarray(matrix, np.float64)
        half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        centres = (np.linalg.inv(half) @ full @ half)[:2]  # pixel centres, as OpenCV counts
        edge = cv2.BORDER_REPLICATE
        result.rgb = cv2.warpAffine(
            scene.rgb, centres, size_wh, flags=cv2.INTER_CUBIC, borderMode=edge
        )
        result.fine = cv2.warpAffine(scene.fine, centres, size_wh, borderMode=edge)
        result.ids = cv2.warpAffine(
            scene.ids, centres, size_wh, flags=cv2.INTER_NEAREST, borderMode=edge
        )
    result.boxes = moved_boxes(scene.boxes, matrix, size_wh)
    result.poses = [moved_pose(pose, matrix, size_wh) for pose in scene.poses]
    return result


def moved_boxes(boxes: list[Box], matrix: Matrix, size_wh: tuple[int, int]) -> list[Box]:
    """Return boxes around the moved corners, cut at the picture; what left it is dropped."""
    full = np.asarray(matrix)
    result = []
    for box in boxes:
        corners = np.array(
            [[box.x1, box.y1, 1], [box.x2, box.y1, 1], [box.x1, box.y2, 1], [box.x2, box.y2, 1]]
        )
        there = corners @ full.T
        low, high = there[:, :2].min(axis=0), there[:, :2].max(axis=0)
        x1, y1 = max(0.0, float(low[0])), max(0.0, float(low[1]))
        x2, y2 = min(float(size_wh[0]), float(high[0])), min(float(size_wh[1]), float(high[1]))
        if x2 - x1 >= 1 and y2 - y1 >= 1:
            result.append(Box(box.label, x1, y1, x2, y2))
    return result


def moved_pose(pose: Pose, matrix: Matrix, size_wh: tuple[int, int]) -> Pose:
    """Return a pose under the map; joints outside are unseen, a mirror swaps left and right."""
    full = np.asarray(matrix)
    joints = pose.joints.copy()
    there = np.c_[joints[:, :2], np.ones(len(joints))] @ full.T
    inside = ((there[:, :2] >= 0) & (there[:, :2] < np.asarray(size_wh))).all(axis=1)
    joints[:, :2] = np.where(joints[:, 2:] > 0, there[:, :2], 0.0)
    joints[:, 2] *= inside
    joints[joints[:, 2] == 0] = 0.0
    if np.linalg.det(full[:2, :2]) < 0:
        joints = joints[_SWAPPED]
    return Pose(pose.label, joints)


def recoloured(scene: Scene, rng: np.random.Generator) -> None:
    """Change the colours of a scene but not its lights, in place."""
    lab = cv2.cvtColor(np.clip(scene.rgb, 0, 1), cv2.COLOR_RGB2LAB)
    turn = float(rng.choice([-1, 1]) * rng.uniform(0.8, 2.6))
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1] = (a * cos - b * sin) * np.float32(0.9)
    lab[..., 2] = (a * sin + b * cos) * np.float32(0.9)
    scene.rgb = np.asarray(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1), np.float32)
