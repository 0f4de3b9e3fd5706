"""Which colours a picture is said to have: names for swatches, and how much counts.

The one home of these thresholds. A colour is true of a picture when the swatches of its palette
that bear its name cover at least `SHARES[name]` of it. Names are told apart in CIELAB by
lightness, chroma and hue angle; swatches between the names (beige, orange, purple) have none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bilderatlas.museum.palette import Swatch

SHARES = {
    "red": 0.15,
    "yellow": 0.15,
    "green": 0.2,
    "blue": 0.2,
    "brown": 0.4,
    "grey": 0.5,
    "black": 0.4,
    "white": 0.4,
}
"""What share of the picture a colour must cover before the picture is called by it: strong
colours speak early, earths and neutrals are everywhere and must prevail."""

_NEUTRAL_CHROMA = 10.0
_HUES_DEG = (  # from, below, name; brown where dark, see below
    (15.0, 48.0, "red"),
    (72.0, 108.0, "yellow"),
    (108.0, 190.0, "green"),
    (190.0, 300.0, "blue"),
    (345.0, 360.0, "red"),
    (0.0, 15.0, "red"),
)


def name_of(lab: tuple[float, float, float]) -> str | None:
    """Return the colour's name, or None for a colour between the names.

    >>> name_of((30.0, 0.0, -35.0)), name_of((95.0, 1.0, 4.0)), name_of((40.0, 14.0, 24.0))
    ('blue', 'white', 'brown')
    """
    light, a, b = lab
    chroma = math.hypot(a, b)
    hue = math.degrees(math.atan2(b, a)) % 360
    neutral = _neutral(light, chroma)
    if neutral is not None:
        return neutral
    if _is_brown(light, chroma, hue):
        return "brown"
    named = next((name for low, high, name in _HUES_DEG if low <= hue < high), None)
    if named == "red" and (chroma < 30 or light > 65):
        return None  # rose and flesh
    if named == "yellow" and (chroma < 32 or light < 45):
        return None  # beige and ochre
    return named


def _neutral(light: float, chroma: float) -> str | None:
    if light < 18 and chroma < 14:
        return "black"
    if light > 80 and chroma < (18 if light > 84 else _NEUTRAL_CHROMA):
        return "white"
    return "grey" if chroma < _NEUTRAL_CHROMA else None


def _is_brown(light: float, chroma: float, hue: float) -> bool:
    if 15 <= hue < 48:
        return light < 55 and chroma < 38
    return (48 <= hue < 72 and light < 60) or (72 <= hue < 108 and light < 45)


def colours_of(palette: Sequence[Swatch]) -> frozenset[str]:
    """Return the colours that are true of a picture with this palette."""
    shares = dict.fromkeys(SHARES, 0.0)
    for swatch in palette:
        name = name_of(swatch.lab)
        if name is not None:
            shares[name] += swatch.share
    return frozenset(name for name, share in shares.items() if share >= SHARES[name])
