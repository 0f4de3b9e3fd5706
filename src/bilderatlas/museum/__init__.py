"""The synthetic museum: a seeded painter that knows what it painted.

Work `index` of museum `seed` is a pure function of the two: nothing depends on which works were
painted before, and the same seed gives the same bytes on one platform.
"""

from __future__ import annotations

from bilderatlas.museum.export import paint_museum
from bilderatlas.museum.paint import PAINTER_VERSION, paint_work, truth_of
from bilderatlas.museum.plan import Work, image_id_of, plan_work

__all__ = [
    "PAINTER_VERSION",
    "Work",
    "image_id_of",
    "paint_museum",
    "paint_work",
    "plan_work",
    "truth_of",
]
