"""Sentences that a reader may get in another language, said in English here.

A room below the web says `said("{n} of them …")` in English and knows no other language; what it
returns is a plain text to everyone. The web finds in it what it was made of, and says it again in
the language of the reader (`web/i18n.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Said(str):
    """An English text that remembers its template and what stands in its places.

    Attributes:
        template: English, with places like `%(name)s`; where it counts, of one thing.
        plural: The same of several things; empty where nothing is counted.
        number: How many, where something is counted.
        values: What stands in the places: texts, numbers, other `Said`, or lists of these, which
            are joined as in prose.
    """

    template: str
    plural: str
    number: int
    values: Mapping[str, Any]

    def __new__(
        cls, template: str, plural: str = "", number: int = 1, values: Mapping[str, Any] = {}
    ) -> Said:
        """Say `template` with its `values`, in English."""
        chosen = plural if plural and number != 1 else template
        spelled = {name: _in_english(value) for name, value in values.items()}
        self = super().__new__(cls, chosen % spelled if spelled else chosen)
        self.template, self.plural, self.number = template, plural, number
        self.values = dict(values)
        return self

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Become a plain text where it leaves the process."""
        return str, (str(self),)


def said(template: str, **values: Any) -> Said:
    """Say a sentence whose named places are filled with `values`.

    >>> said("%(n)s works are few.", n=3)
    '3 works are few.'
    """
    return Said(template, values=values)


def said_of(singular: str, plural: str, number: int, **values: Any) -> Said:
    """Say a sentence of one thing or of several; `%(num)s` is their number.

    >>> said_of("%(num)s work is new.", "%(num)s works are new.", 2)
    '2 works are new.'
    """
    return Said(singular, plural, number, {"num": number, **values})


def _in_english(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return value
    items = [str(one) for one in value]
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]])) if items else ""


def mark(text: str) -> str:
    """Mark a constant that is said later, with `_(…)`, so that it is collected for translation."""
    return text
