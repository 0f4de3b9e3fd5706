"""A language that nobody speaks: English with accents, 40 % longer. For tests alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bilderatlas.web import i18n
from bilderatlas.web.messages import collect

CODE = "eo"
_ACCENTS = str.maketrans("aeiouyAEIOU", "áéíóúýÁÉÍÓÚ")
_KEPT = re.compile(r"(%\\(\\w+\\)[a-z]|%%|\\{\\w+\\}|<[^>]*>|&\\w+;)".replace("\\\\", "\\"))


def lengthened(text: str) -> str:
    """Return a text with accents and two fifths more letters; places and markup stay."""
    pieces = _KEPT.split(text)
    n_letters = sum(len(piece) for piece in pieces[::2])
    spoken = "".join(
        piece if place % 2 else piece.translate(_ACCENTS) for place, piece in enumerate(pieces)
    )
    more = " ~" + "lóng wórds "[: max(round(0.4 * n_letters) - 2, 0) % 11]
    more += "lóng wórds " * (max(round(0.4 * n_letters) - 2, 0) // 11)
    return spoken + more.rstrip() if n_letters > 2 else spoken


@contextmanager
def spoken() -> Iterator[str]:
    """Let the site speak it for a while; yields its code."""
    texts = collect()
    words: dict[str, i18n.Forms] = {
        text: (lengthened(text), lengthened(plural)) if plural else lengthened(text)
        for text, plural in texts.plurals.items()
    }
    islands = frozenset(
        text
        for text, places in texts.places.items()
        if any(place.startswith(i18n.ISLANDS) for place in places)
    )
    known = i18n.languages()
    known[CODE] = i18n.Language(CODE, words, island_words=islands)
    try:
        yield CODE
    finally:
        del known[CODE]
