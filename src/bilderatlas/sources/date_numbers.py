"""Numbers in dates that are more, or less, than their digits say: `1,860`, `185-`, `inv. 1234`.

A number that is cut or taken for a year by mistake is worse than a date that is not read, for
nobody sees it: what may be an inventory number, a telephone or a measure is taken out.
"""

from __future__ import annotations

import re

DASHES = "-‐‑‒–—―−"
REFUSED = "¤"
"""Stands in place of a number that is no year; no date is read from it."""

_THOUSANDS = re.compile(r"(?<![0-9])(?<![0-9][.,'’])[1-9][0-9]{0,2}(?:[.,'’][0-9]{3})+(?![0-9])")
_SPACED = re.compile(r"(?<![\w.,/:-])([1-9]) ([0-9]{3})(?![\w/:]| [0-9])")
_SUPPLIED = re.compile(r"(?<![0-9])([0-9]{1,3})\]?\[([0-9]{1,3})\]?([0-9]{0,2})(?![0-9])")
_SUPPLIED_FIRST = re.compile(r"(?<![0-9])\[([0-9]{1,3})\]([0-9]{1,3})(?![0-9])")
_POINTED = re.compile(r"(?<![0-9])[0-9]+(?:[.:_][0-9]+)+")
_POINTED_DATE = re.compile(
    r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{3,4}|[0-9]{1,2}[.:][0-9]{4}|[0-9]{3,4}(?:[.:][0-9]{1,2}){1,2}"
    r"|[0-9]{1,2}(?:[.:][0-9]{1,2})*"
)
_TELEPHONE = re.compile(r"\+\s?[0-9][0-9 ()/-]*")
_MEASURES = re.compile(
    r"[0-9.,]+\s?[x×]\s?[0-9.,]+(?:\s?[x×]\s?[0-9.,]+)*"
    r"|[0-9.,]+\s?(?:mm|cm|m|km|kg|g|px|dpi|inches|inch|in|ft|%|°|eur|euro|usd|chf|bp|ah)(?![^\W_])",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"(?:(?<![^\W_])(?:inv|inventar|inventory|no|nr|num|numero|number|nummer|acc|accession|lot|cat"
    r"|kat|pl|plate|tafel|fol|folio|page|pages|p|pp|s|seite|vol|band|edition of|auflage|tel|fax"
    r"|ah|eur|usd|chf)\b\.?(?:\s?-?(?:no|nr)\b\.?)?|[#£$€])\s*:?\s*[0-9]+(?:[./-][0-9]+)*",
    re.IGNORECASE,
)
_QUERIED = re.compile(r"(?<![0-9])[0-9]{3}(?:\?|[.*](?=[\s\])]*$))")
_CODE = re.compile(r"(?<![^\W_])[^\W\d_]{1,3}-(?:[^\W\d_]{1,3}-)*[0-9]+(?![0-9])", re.IGNORECASE)
_DATE_WORDS = (
    "jan feb fev mar mrz mrt apr avr mai may mei jun jui jul aug aou sep oct okt nov dec dez "
    "mid pre ca c um bis to ad bc bce ce chr jc"
)
_BEFORE_A_DASH = frozenset(_DATE_WORDS.split())


def settle_numbers(plain: str) -> str:
    """Return a text without accents in which every number that is left may be a year.

    >>> settle_numbers("1,860"), settle_numbers("186[0]"), settle_numbers("inv. 1234")
    ('1860', '1860', '¤')
    """
    if plain.isdecimal():
        return plain
    text = _SUPPLIED.sub(_join_supplied, plain)
    text = _SUPPLIED_FIRST.sub(_join_supplied, text)
    text = _THOUSANDS.sub(lambda match: re.sub("[^0-9]", "", match[0]), text)
    text = _SPACED.sub(r"\1\2", text)
    for refused in (_TELEPHONE, _MEASURES, _LABELLED, _QUERIED):
        text = refused.sub(REFUSED, text)
    text = _CODE.sub(_keep_words, text)
    return _POINTED.sub(lambda m: m[0] if _POINTED_DATE.fullmatch(m[0]) else REFUSED, text)


def _join_supplied(match: re.Match[str]) -> str:
    """Join what a cataloguer supplied in brackets: `18[60]`."""
    digits = "".join(part for part in match.groups() if part)
    return digits + "]" if len(digits) == 4 else match[0]


def _keep_words(match: re.Match[str]) -> str:
    """Keep `Jan-1860` and `mid-1860`; `SK-A-1718` is an inventory number."""
    first = match[0].split("-")[0].casefold()
    return match[0] if first in _BEFORE_A_DASH else REFUSED
