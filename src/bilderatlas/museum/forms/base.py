"""Forms: techniques with their words, their margins, and how a scene becomes a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from bilderatlas.arrays import Pixels
from bilderatlas.museum.forms.drawings import paint_chalk, paint_wash, paint_watercolour
from bilderatlas.museum.forms.oil import paint_grisaille, paint_oil, paint_pastel, paint_tempera
from bilderatlas.museum.forms.prints import (
    paint_colour_woodcut,
    paint_engraving,
    paint_etching,
    paint_screenprint,
    paint_woodcut,
)
from bilderatlas.museum.forms.surface import paper
from bilderatlas.museum.noise import Plane
from bilderatlas.museum.scene import Colour, Scene
from bilderatlas.museum.school import School
from bilderatlas.museum.tints import blend

Painter = Callable[[Scene, School, np.random.Generator], Plane]


@dataclass(frozen=True, slots=True)
class Form:
    """One technique.

    Attributes:
        name: `oil`, `engraving` …
        object_type: `painting`, `drawing` or `print`.
        media: What catalogues say; one is chosen.
        margins: Least and greatest margin as a share of the short side; zeros for none.
        plate: Whether a plate mark is pressed into the sheet.
        sheets: Colours of paper; empty for paint that covers all.
        paint: Paints the scene: `(h, w, 3)`, or `(h, w, 4)` as ink on a sheet.
    """

    name: str
    object_type: str
    media: tuple[str, ...]
    margins: tuple[float, float]
    plate: bool
    sheets: tuple[Colour, ...]
    paint: Painter


_CREAM: tuple[Colour, ...] = ((0.93, 0.89, 0.79), (0.9, 0.86, 0.76), (0.94, 0.92, 0.85))
_TONED: tuple[Colour, ...] = (
    (0.62, 0.66, 0.68),
    (0.78, 0.68, 0.53),
    (0.72, 0.68, 0.6),
    (0.55, 0.6, 0.66),
)

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        Form("oil", "painting", ("oil on canvas", "oil on panel"), (0, 0), False, (), paint_oil),
        Form(
            "tempera", "painting", ("tempera and gold on panel",), (0, 0), False, (), paint_tempera
        ),
        Form(
            "grisaille",
            "painting",
            ("oil on panel, grisaille",),
            (0, 0),
            False,
            (),
            paint_grisaille,
        ),
        Form("pastel", "drawing", ("pastel on paper",), (0, 0), False, (), paint_pastel),
        Form(
            "watercolour",
            "drawing",
            ("watercolour over graphite",),
            (0.02, 0.04),
            False,
            ((0.95, 0.94, 0.9), (0.93, 0.91, 0.86)),
            paint_watercolour,
        ),
        Form(
            "chalk",
            "drawing",
            ("chalk heightened with white on toned paper",),
            (0, 0.02),
            False,
            _TONED,
            paint_chalk,
        ),
        Form(
            "wash",
            "drawing",
            ("pen and brown ink, brown wash",),
            (0, 0.03),
            False,
            _CREAM,
            paint_wash,
        ),
        Form("engraving", "print", ("engraving",), (0.04, 0.07), True, _CREAM, paint_engraving),
        Form(
            "etching",
            "print",
            ("etching", "etching and drypoint"),
            (0.05, 0.1),
            True,
            _CREAM,
            paint_etching,
        ),
        Form("woodcut", "print", ("woodcut",), (0.03, 0.06), False, _CREAM, paint_woodcut),
        Form(
            "colour woodcut",
            "print",
            ("colour woodblock print",),
            (0.01, 0.03),
            False,
            ((0.92, 0.87, 0.75), (0.9, 0.86, 0.76)),
            paint_colour_woodcut,
        ),
        Form(
            "screenprint",
            "print",
            ("screenprint",),
            (0.05, 0.09),
            False,
            ((0.95, 0.94, 0.91),),
            paint_screenprint,
        ),
    )
}


def picture_of(
    scene: Scene, form: Form, school: School, margin_px: int, rng: np.random.Generator
) -> Pixels:
    """Return the finished picture `(h, w, 3)`: the painted scene, on its sheet if it has one."""
    painted = form.paint(scene, school, rng)
    if painted.shape[2] == 3:
        return _bytes(painted)
    height, width = painted.shape[:2]
    sheet_hw = (height + 2 * margin_px, width + 2 * margin_px)
    sheet = paper(rng, sheet_hw, form.sheets[int(rng.integers(len(form.sheets)))])
    if form.plate:
        _press_plate(sheet, margin_px)
    there = sheet[margin_px : margin_px + height, margin_px : margin_px + width]
    ink, cover = np.ascontiguousarray(painted[..., :3]), painted[..., 3]
    if form.object_type == "print":
        ink = ink * (np.float32(0.75) + np.float32(0.25) * there)
    there[:] = blend(there, ink, cover)
    return _bytes(sheet)


def _press_plate(sheet: Plane, margin_px: int) -> None:
    """Press the plate's edge into the sheet, in place."""
    edge = max(1, int(margin_px * 0.55))
    height, width = sheet.shape[:2]
    low, high = (edge, edge), (width - 1 - edge, height - 1 - edge)
    mark = np.zeros((height, width), np.float32)
    cv2.rectangle(mark, low, high, (1.0,), 2, cv2.LINE_AA)
    light = np.zeros((height, width), np.float32)
    cv2.rectangle(light, (low[0] - 2, low[1] - 2), (high[0] - 2, high[1] - 2), (1.0,), 1)
    mark = cv2.GaussianBlur(mark, (0, 0), 0.9)
    sheet *= (1 - np.float32(0.16) * mark + np.float32(0.05) * light)[..., None]
    sheet[edge : height - edge, edge : width - edge] *= np.float32(0.985)


def _bytes(rgb: Plane) -> Pixels:
    rgb = np.ascontiguousarray(rgb, np.float32)
    return np.asarray(cv2.addWeighted(rgb, 255.0, rgb, 0.0, 0.0, dtype=cv2.CV_8U), np.uint8)
