"""The plan of a work: everything about it that needs no pixel.

Work `index` of museum `seed` is a pure function of the two. About one work in six is a variant of
an earlier one; it names its model's index and repaints its scene, so that no work depends on
another having been painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bilderatlas.museum.captions import title_of
from bilderatlas.museum.dates import date_of
from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.motifs import MOTIFS, Motif, Plan
from bilderatlas.museum.school import School
from bilderatlas.museum.schools import SCHOOL_SHARES, SCHOOLS
from bilderatlas.museum.seeds import rng_for
from bilderatlas.museum.variants import (
    IDENTITY,
    Matrix,
    Relation,
    choose_kind,
    choose_matrix,
    placed,
    product,
)

VARIANT_SHARE = 0.16
FIRST_VARIANT = 24  # before it there would be too few models to choose from
INSTITUTION = "The Synthetic Museum"
RIGHTS = "CC0-1.0"


@dataclass(frozen=True, slots=True)
class Work:
    """What will be painted.

    Attributes:
        seed: The museum.
        index: The work's number in it, from 0.
        motif: Name of the motif.
        genre: Its genre.
        plan: What the scene holds.
        school: Name of the school.
        form: Name of the technique.
        year_begin: First year of its date.
        year_end: Last year, inclusive.
        date_display: The date as written; `n.d.` for undated works.
        title: English title.
        creator: Workshop.
        medium: As catalogues say it.
        dimensions: As catalogues say them.
        scene_wh: Size of the painted part in pixels.
        margin_px: Paper around it.
        relation: The link to its model, for variants.
        scene_index: Whose scene it shows: its own index, or its model's.
    """

    seed: int
    index: int
    motif: str
    genre: str
    plan: Plan
    school: str
    form: str
    year_begin: int
    year_end: int
    date_display: str
    title: str
    creator: str
    medium: str
    dimensions: str
    scene_wh: tuple[int, int]
    margin_px: int
    relation: Relation | None
    scene_index: int

    @property
    def image_id(self) -> str:
        """The stable id: `m7-000123`."""
        return image_id_of(self.seed, self.index)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Size of the picture in pixels, paper included."""
        width, height = self.scene_wh
        return width + 2 * self.margin_px, height + 2 * self.margin_px

    @property
    def in_school(self) -> School:
        """The school itself."""
        return school_named(self.school)


def image_id_of(seed: int, index: int) -> str:
    """Return the id of a work: `m7-000123`."""
    return f"m{seed}-{index:06d}"


def school_named(name: str) -> School:
    """Return the school called `name`."""
    return next(school for school in SCHOOLS if school.name == name)


def is_variant(seed: int, index: int) -> bool:
    """Tell whether a work is a copy or variant of an earlier one."""
    return index >= FIRST_VARIANT and bool(rng_for(seed, index, "variant").random() < VARIANT_SHARE)


def plan_work(seed: int, index: int) -> Work:
    """Return the plan of work `index` of museum `seed`.

    >>> plan_work(7, 3) == plan_work(7, 3)
    True
    """
    if is_variant(seed, index):
        model_index = _model_of(seed, index)
        if model_index is not None:
            return _plan_variant(seed, index, _plan_original(seed, model_index))
    return _plan_original(seed, index)


def _model_of(seed: int, index: int) -> int | None:
    """Return an earlier work that is no variant itself."""
    rng = rng_for(seed, index, "model")
    for _ in range(12):
        candidate = int(rng.integers(index))
        if not is_variant(seed, candidate):
            return candidate
    return None


def _weighted(rng: np.random.Generator, names: Sequence[str], shares: Sequence[float]) -> str:
    weights = np.asarray(shares, np.float64)
    return str(names[int(rng.choice(len(names), p=weights / weights.sum()))])


@lru_cache(maxsize=256)
def _motifs_for(school: str, genre: str) -> tuple[Motif, ...]:
    return tuple(
        motif
        for motif in MOTIFS.values()
        if motif.genre == genre and (not motif.schools or school in motif.schools)
    )


@lru_cache(maxsize=4096)
def _plan_original(seed: int, index: int) -> Work:
    rng = rng_for(seed, index, "plan")
    school = school_named(_weighted(rng, [s.name for s in SCHOOLS], SCHOOL_SHARES))
    genre = _weighted(rng, list(school.genres), list(school.genres.values()))
    motifs = _motifs_for(school.name, genre)
    motif = MOTIFS[_weighted(rng, [m.name for m in motifs], [m.weight for m in motifs])]
    plan = motif.plan(rng, school)
    form = _weighted(rng, list(school.forms), list(school.forms.values()))
    scene_wh = _scene_size(rng, motif.shape, school)
    year = int(rng.integers(school.years[0], school.years[1] + 1))
    return _finished(rng, seed, index, motif, plan, school, form, scene_wh, year, None, index)


def _scene_size(rng: np.random.Generator, shape: str, school: School) -> tuple[int, int]:
    """Return the size of the painted part: upright, wide, or nearly square."""
    ratio = float(rng.uniform(1.18, 1.36) if shape == "upright" else rng.uniform(1.24, 1.5))
    if shape == "any":
        ratio = float(rng.uniform(1.0, 1.35))
        shape = "upright" if rng.random() < 0.6 else "wide"
    if school.dress == "japanese":
        ratio = 1.48
    long_px = int(rng.integers(500, 561))
    short_px = round(long_px / ratio)
    return (short_px, long_px) if shape == "upright" else (long_px, short_px)


def _finished(
    rng: np.random.Generator,
    seed: int,
    index: int,
    motif: Motif,
    plan: Plan,
    school: School,
    form_name: str,
    scene_wh: tuple[int, int],
    year: int,
    relation: Relation | None,
    scene_index: int,
    margin_px: int | None = None,
) -> Work:
    """Return a work with its label: date, title, maker, medium, size."""
    form = FORMS[form_name]
    if margin_px is None:
        margin_px = _margin(rng, form_name, scene_wh)
    display, begin, end = date_of(rng, year)
    return Work(
        seed=seed,
        index=index,
        motif=motif.name,
        genre=motif.genre,
        plan=plan,
        school=school.name,
        form=form_name,
        year_begin=begin,
        year_end=end,
        date_display=display,
        title=title_of(plan.noun, plan.shown, motif.genre)
        + (relation.title_tail if relation else ""),
        creator=school.makers[int(rng.integers(len(school.makers)))],
        medium=form.media[int(rng.integers(len(form.media)))],
        dimensions=_dimensions(rng, form.object_type, scene_wh),
        scene_wh=scene_wh,
        margin_px=margin_px,
        relation=relation,
        scene_index=scene_index,
    )


def _margin(rng: np.random.Generator, form_name: str, scene_wh: tuple[int, int]) -> int:
    low, high = FORMS[form_name].margins
    return round(float(rng.uniform(low, high)) * min(scene_wh))


def _dimensions(rng: np.random.Generator, object_type: str, scene_wh: tuple[int, int]) -> str:
    """Return a believable size: `64.5 × 50.2 cm`, height first."""
    low, high = {"painting": (38.0, 150.0), "print": (11.0, 42.0)}.get(object_type, (16.0, 46.0))
    scale = float(np.exp(rng.uniform(np.log(low), np.log(high)))) / max(scene_wh)
    return f"{scene_wh[1] * scale:.1f} × {scene_wh[0] * scale:.1f} cm"


def _plan_variant(seed: int, index: int, model: Work) -> Work:
    """Return the plan of a variant of `model`: same scene, other place, hand or technique."""
    rng = rng_for(seed, index, "plan")
    kind = choose_kind(rng, FORMS[model.form].object_type)
    school = model.in_school
    form = kind.form_for(rng, model.form)
    matrix, scene_wh = choose_matrix(rng, kind.name, model.scene_wh)
    margin = _margin(rng, form, scene_wh)
    to_variant = product(placed(margin), matrix, placed(-model.margin_px))
    relation = Relation(
        kind=kind.name,
        model_index=model.index,
        model_id=model.image_id,
        scene_matrix=matrix,
        matrix=to_variant,
        title_tail=kind.title_tail,
    )
    year = int(np.clip((model.year_begin + model.year_end) // 2 + kind.years(rng), 1280, 1960))
    return _finished(
        rng, seed, index, MOTIFS[model.motif], model.plan, school, form, scene_wh, year,
        relation, model.index, margin,
    )  # fmt: skip


__all__ = [
    "IDENTITY",
    "INSTITUTION",
    "RIGHTS",
    "Matrix",
    "Work",
    "image_id_of",
    "is_variant",
    "plan_work",
    "school_named",
]
