"""The widths of pictures as class names, so that rows are justified without inline styles.

The stylesheet has one class for each step of this series; a picture carries the class nearest to
its ratio of width to height. One step is 1 %, so that a picture of 170 px height is off by less
than one pixel; it is shown whole all the same (`object-fit: contain`). `frontend/build.py` reads
this file by its path, hence: standard library only.
"""

from __future__ import annotations

import math

NARROWEST = 0.1  # beyond these two a picture is shown whole in a frame of this ratio
WIDEST = 10.0
_STEP = math.log(1.01)


def _step_of(ratio: float) -> int:
    return round(math.log(ratio / NARROWEST) / _STEP)


def ratio_class(width: int, height: int) -> str:
    """Return the class of a picture of this size.

    >>> ratio_class(100, 100)
    'r231'
    """
    ratio = width / height if width > 0 and height > 0 else 1.0
    return f"r{_step_of(min(max(ratio, NARROWEST), WIDEST))}"


def ratio_rules() -> str:
    """Return the stylesheet's rules: each class sets `--r`, the ratio that it stands for."""
    steps = range(_step_of(WIDEST) + 1)
    return "".join(f".r{n}{{--r:{NARROWEST * math.exp(n * _STEP):.4g}}}\n" for n in steps)
