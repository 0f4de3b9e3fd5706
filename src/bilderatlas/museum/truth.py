"""Ground truth: all that the museum knows about a work, as JSON (docs/reference)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bilderatlas.museum.captions import captions
from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.palette import Swatch
from bilderatlas.museum.plan import Work
from bilderatlas.museum.scene import Scene
from bilderatlas.museum.variants import Matrix

JOINTS = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ObjectBox:
    """An object: its label and its box in pixels of the picture, half-open."""

    label: str
    box_xyxy: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FigurePose:
    """A figure: its label and 17 COCO joints (x, y, visible); unseen joints are 0, 0, 0."""

    label: str
    joints: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """The relation of a variant to its model; `matrix` maps the model's pixels to the variant's."""

    kind: str
    model_id: str
    mirrored: bool
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known about one work."""

    image_id: str
    seed: int
    index: int
    painter_version: str
    size_wh: tuple[int, int]
    motif: str
    genre: str
    form: str
    object_type: str
    school: str
    year_begin: int
    year_end: int
    iconclass: tuple[str, ...]
    shown: tuple[str, ...]
    captions: dict[str, tuple[str, ...]]
    objects: tuple[ObjectBox, ...]
    figures: tuple[FigurePose, ...]
    link: Link | None
    palette: tuple[Swatch, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the documented JSON."""
        link = self.link
        return {
            "image_id": self.image_id,
            "seed": self.seed,
            "index": self.index,
            "painter_version": self.painter_version,
            "size_wh": list(self.size_wh),
            "motif": self.motif,
            "genre": self.genre,
            "form": self.form,
            "object_type": self.object_type,
            "school": self.school,
            "year_begin": self.year_begin,
            "year_end": self.year_end,
            "iconclass": list(self.iconclass),
            "shown": list(self.shown),
            "captions": {language: list(lines) for language, lines in self.captions.items()},
            "objects": [{"label": o.label, "box_xyxy": list(o.box_xyxy)} for o in self.objects],
            "figures": [
                {"label": f.label, "joints": [list(joint) for joint in f.joints]}
                for f in self.figures
            ],
            "link": None
            if link is None
            else {
                "kind": link.kind,
                "model_id": link.model_id,
                "mirrored": link.mirrored,
                "matrix": [list(row) for row in link.matrix],
            },
            "palette": [
                {"srgb": s.srgb, "lab": list(s.lab), "share": s.share} for s in self.palette
            ],
        }


def captions_of(work: Work) -> dict[str, tuple[str, ...]]:
    """Return the captions of a work, by language."""
    return captions(work.plan.noun, work.plan.shown, work.form, work.school, work.year_begin)


def link_of(work: Work) -> Link | None:
    """Return the link of a variant to its model."""
    relation = work.relation
    if relation is None:
        return None
    return Link(relation.kind, relation.model_id, relation.mirrored, relation.matrix)


def truth_from(work: Work, scene: Scene, palette: tuple[Swatch, ...], version: str) -> Truth:
    """Return the truth of a work from its plan, its scene and its picture's palette."""
    return Truth(
        image_id=work.image_id,
        seed=work.seed,
        index=work.index,
        painter_version=version,
        size_wh=work.size_wh,
        motif=work.motif,
        genre=work.genre,
        form=work.form,
        object_type=FORMS[work.form].object_type,
        school=work.school,
        year_begin=work.year_begin,
        year_end=work.year_end,
        iconclass=work.plan.iconclass,
        shown=work.plan.shown,
        captions=captions_of(work),
        objects=_objects(work, scene),
        figures=_figures(work, scene),
        link=link_of(work),
        palette=palette,
    )


def _objects(work: Work, scene: Scene) -> tuple[ObjectBox, ...]:
    m = work.margin_px
    return tuple(
        ObjectBox(
            box.label,
            (
                round(box.x1 + m, 2),
                round(box.y1 + m, 2),
                round(box.x2 + m, 2),
                round(box.y2 + m, 2),
            ),
        )
        for box in scene.boxes
    )


def _figures(work: Work, scene: Scene) -> tuple[FigurePose, ...]:
    m = work.margin_px
    figures = []
    for pose in scene.poses:
        joints = tuple(
            (round(float(x) + m, 2), round(float(y) + m, 2), 1) if seen else (0.0, 0.0, 0)
            for x, y, seen in pose.joints
        )
        if any(seen for _, _, seen in joints):
            figures.append(FigurePose(pose.label, joints))
    return tuple(figures)
