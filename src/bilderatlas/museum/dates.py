"""Dates as catalogues write them, each with the years that it means."""

from __future__ import annotations

import numpy as np


def date_of(rng: np.random.Generator, year: int) -> tuple[str, int, int]:
    """Return a date as written, its first and its last year.

    Styles are mixed as in real catalogues: `1652`, `c. 1660`, `1640–1645`, `1650s`,
    `late 16th century`, `n.d.`. An undated work keeps its true years in the ground truth.
    """
    style = rng.random()
    if style < 0.3:
        return str(year), year, year
    if style < 0.55:
        rounded = int(round(year / 5) * 5)
        return f"c. {rounded}", rounded - 5, rounded + 5
    if style < 0.75:
        end = year + int(rng.integers(1, 9))
        return f"{year}–{end}", year, end
    if style < 0.85:
        decade = year // 10 * 10
        return f"{decade}s", decade, decade + 9
    if style < 0.96:
        return _part_of_century(year)
    return "n.d.", year, year


def _part_of_century(year: int) -> tuple[str, int, int]:
    number = (year - 1) // 100 + 1
    start = (number - 1) * 100 + 1
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    place = (year - start) // 34
    name = ("early", "mid", "late")[min(2, place)]
    first = start + min(2, place) * 33
    joint = "-" if name == "mid" else " "
    return f"{name}{joint}{number}{ending} century", first, min(start + 99, first + 33)
