"""A homography in words: `mirrored, 3 % larger, turned 4° clockwise`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UNCHANGED = "unchanged in size and direction"

_SCALE_SEEN = 0.015  # smaller changes than these are within what the fit can tell
_TURN_SEEN_DEG = 1.0
_FORESHORTENING_SEEN = 0.05


@dataclass(frozen=True, slots=True)
class Transform:
    """What becomes of a small piece of the query in the hit.

    Attributes:
        mirrored: Whether it was first mirrored, left to right.
        scale: How many times as large it is, both pictures measured by their long sides.
        turn_deg: By how much it is turned, clockwise, −180 to 180.
        foreshortening: By what share its shorter axis is compressed: 0 where it keeps its shape.
    """

    mirrored: bool
    scale: float
    turn_deg: float
    foreshortening: float

    @classmethod
    def from_jacobian(
        cls, jacobian: npt.NDArray[np.float64], *, mirrored: bool = False
    ) -> Transform:
        """Take apart a `(2, 2)` map with a positive determinant; y points down, as on a screen."""
        (a, b), (c, d) = jacobian.tolist()
        longer, shorter = np.linalg.svd(jacobian, compute_uv=False).tolist()
        return cls(
            mirrored,
            float(np.sqrt(abs(a * d - b * c))),
            float(np.degrees(np.arctan2(c - b, a + d))),
            1 - shorter / longer,
        )

    def __str__(self) -> str:
        """Say it in words; what cannot be told from the pictures' own noise is left out."""
        words = ["mirrored"] if self.mirrored else []
        if abs(self.scale - 1) >= _SCALE_SEEN:
            words.append(_scale_in_words(self.scale))
        if abs(self.turn_deg) >= _TURN_SEEN_DEG:
            sense = "clockwise" if self.turn_deg > 0 else "anticlockwise"
            words.append(f"turned {abs(self.turn_deg):.0f}° {sense}")
        if self.foreshortening >= _FORESHORTENING_SEEN:
            words.append(f"foreshortened by {100 * self.foreshortening:.0f} %")
        return ", ".join(words) or UNCHANGED


def _scale_in_words(scale: float) -> str:
    """Return `3 % larger`, or `2.4 times as large` where a percentage would be hard to picture.

    >>> [_scale_in_words(scale) for scale in (1.03, 0.5, 2.4, 0.1)]
    ['3 % larger', '50 % smaller', '2.4 times as large', '90 % smaller']
    """
    if scale >= 2:
        return f"{scale:.1f} times as large"
    return f"{100 * abs(scale - 1):.0f} % {'larger' if scale > 1 else 'smaller'}"
