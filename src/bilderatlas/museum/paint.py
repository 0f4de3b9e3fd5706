"""From a plan to a picture: the scene is laid, then painted in its form and encoded."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from PIL import Image

from bilderatlas.arrays import Pixels
from bilderatlas.museum.forms.base import FORMS, picture_of
from bilderatlas.museum.motifs import MOTIFS
from bilderatlas.museum.palette import palette_of
from bilderatlas.museum.plan import Work, plan_work
from bilderatlas.museum.scene import Scene
from bilderatlas.museum.seeds import rng_for
from bilderatlas.museum.truth import Truth, truth_from
from bilderatlas.museum.variants import moved_scene, recoloured

PAINTER_VERSION = "2"
"""Rises whenever the same seed no longer gives the same picture."""

JPEG_QUALITY = 90


def lay_scene(work: Work) -> Scene:
    """Return the scene of a work: its own, or its model's as the variant shows it."""
    model = work if work.relation is None else plan_work(work.seed, work.scene_index)
    rng = rng_for(work.seed, work.scene_index, "scene")
    scene = Scene(model.scene_wh, model.in_school.make_light(rng), rng)
    MOTIFS[model.motif].draw(scene, model.in_school, model.plan)
    if work.relation is None:
        return scene
    moved = moved_scene(scene, work.relation.scene_matrix, work.scene_wh)
    if work.relation.kind == "recolouring":
        recoloured(moved, rng_for(work.seed, work.index, "colours"))
    return moved


def paint_pixels(work: Work, scene: Scene) -> Pixels:
    """Return the picture of a laid scene `(h, w, 3)`."""
    rng = rng_for(work.seed, work.index, "surface")
    return picture_of(scene, FORMS[work.form], work.in_school, work.margin_px, rng)


def encode(pixels: Pixels) -> bytes:
    """Return a JPEG without metadata: same pixels, same bytes."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def paint_work(seed: int, index: int) -> bytes:
    """Return work `index` of museum `seed` as JPEG."""
    work = plan_work(seed, index)
    return encode(paint_pixels(work, lay_scene(work)))


def paint_with_truth(seed: int, index: int) -> tuple[bytes, Truth]:
    """Return the JPEG of a work together with its ground truth, painted once."""
    work = plan_work(seed, index)
    scene = lay_scene(work)
    pixels = paint_pixels(work, scene)
    return encode(pixels), truth_from(work, scene, palette_of(pixels), PAINTER_VERSION)


def truth_of(seed: int, index: int) -> Truth:
    """Return all that is known about a work; paints it, for the palette is the picture's."""
    return paint_with_truth(seed, index)[1]


def objects_of(seed: int, index: int) -> Truth:
    """Return the truth without its palette: the scene is laid but not painted."""
    work = plan_work(seed, index)
    return replace(truth_from(work, lay_scene(work), (), PAINTER_VERSION), palette=())
