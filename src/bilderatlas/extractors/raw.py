"""The picture itself, 32 × 32 pixels small: alike is what shows like colours in like places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from bilderatlas.arrays import Metric, Pixels
from bilderatlas.extractors.base import EXTRACTORS, Card, Extractor, ImageRows

SIDE = 32


class RawPixels(Extractor):
    """The colour feature of the founding paper: 32 × 32 RGB values, 0 to 255, in reading order."""

    card = Card(
        model_id="raw_32.pixels",
        judges_by="colour and layout",
        sees=(
            "Two pictures are alike when, made very small, they show the same colours in the same "
            "places; what they depict does not matter."
        ),
        dim=SIDE * SIDE * 3,
        dtype="u8",
        metrics=(Metric.MANHATTAN, Metric.EUCLIDEAN, Metric.ANGULAR, Metric.DOT),
        side_px=256,
        preprocessing=(
            {"step": "resize", "to_wh": [SIDE, SIDE], "filter": "lanczos", "keep_aspect": False},
            {"step": "flatten", "order": "row, column, channel", "range": [0, 255]},
        ),
        paper="F. Offert, P. Bell: imgs.ai, a deep visual search engine for digital art history",
    )

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract each of `images`: one row of `(3072,)` uint8."""
        return [ImageRows(shrunk(pixels).reshape(1, -1)) for pixels in images]


def shrunk(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return `pixels` as `(32, 32, 3)`, the aspect ignored."""
    small = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.array(small, dtype=np.uint8)


EXTRACTORS.register(RawPixels.card.model_id, RawPixels())
