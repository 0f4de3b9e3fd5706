"""Canonical JSON (RFC 8785): one spelling of a value, so that its SHA-256 can name it."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

_EXACT = 1 << 53


def canonical_json(value: Any) -> bytes:
    """Spell `value` as RFC 8785 says: keys by UTF-16 order, no spaces, numbers as ECMAScript.

    Raises:
        ValueError: for a number that is not finite, or a value that JSON does not have.

    Example:
        >>> canonical_json({"b": 1.0, "a": [0.000001, 1e21]})
        b'{"a":[0.000001,1e+21],"b":1}'
    """
    return _spelled(value).encode("utf-8")


def sha256_of(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `value`, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _spelled(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int) and abs(value) > _EXACT:
        return _number(float(value))  # every number of the standard is a double
    if value is None or isinstance(value, bool | int | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_spelled, value)) + "]"
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_spelled(key)}:{_spelled(one)}" for key, one in pairs) + "}"
    raise ValueError(f"JSON has no spelling for a {type(value).__name__}")


def _number(value: float) -> str:
    """Spell a double as ECMAScript does: the fewest digits that give it back."""
    if not math.isfinite(value):
        raise ValueError("JSON has no spelling for a number that is not finite")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, power = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(power or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    # the number is 0.digits × 10^point
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
