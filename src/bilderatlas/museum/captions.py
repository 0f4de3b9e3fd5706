"""Captions in four languages, and titles in English."""

from __future__ import annotations

from collections.abc import Sequence

from bilderatlas.museum.lexicon import FORM_WORDS, LANGUAGES, LEXICON, SCHOOL_WORDS, Words

_AND = {"en": "and", "de": "und", "fr": "et", "nl": "en"}
_WITH = {"en": "with", "de": "mit", "fr": "avec", "nl": "met"}
_ROMAN = (
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV",
    "XVI", "XVII", "XVIII", "XIX", "XX", "XXI",
)  # fmt: skip


def joined(words: Sequence[str], language: str) -> str:
    """Return words as a list is spoken: `a, b and c`."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} {_AND[language]} {words[-1]}"


def _after_with(words: Words, language: str) -> str:
    return words.de_dative if language == "de" else str(getattr(words, language))


def phrase(noun: str, shown: Sequence[str], language: str) -> str:
    """Return `a man with a turban and a beard` in one of the `LANGUAGES`."""
    start = str(getattr(LEXICON[noun], language))
    things = [_after_with(LEXICON[label], language) for label in shown]
    if not things:
        return start
    return f"{start} {_WITH[language]} {joined(things, language)}"


def century(year: int, language: str) -> str:
    """Return the century of `year`: `17th century`, `17. Jahrhundert`, `XVIIe siècle` …"""
    number = (year - 1) // 100 + 1
    if language == "en":
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number != 11 else 0, "th")
        ending = "th" if number in (11, 12, 13) else ending
        return f"{number}{ending} century"
    if language == "de":
        return f"{number}. Jahrhundert"
    if language == "fr":
        return f"{_ROMAN[number - 1]}{'er' if number == 1 else 'e'} siècle"
    return f"{number}{'ste' if number in (1, 8) or number >= 20 else 'de'} eeuw"


def captions(
    noun: str, shown: Sequence[str], form: str, school: str, year: int
) -> dict[str, tuple[str, ...]]:
    """Return three captions for each language, from plain to full.

    >>> captions("man", ("turban",), "oil", "Dutch", 1650)["de"][2]
    'Ein Mann mit einem Turban, Ölgemälde, holländische Schule, 17. Jahrhundert'
    """
    result: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        plain = _capital(phrase(noun, (), language))
        full = _capital(phrase(noun, shown, language))
        kind = str(getattr(FORM_WORDS[form], language))
        hand = str(getattr(SCHOOL_WORDS[school], language))
        lines = (full, f"{plain}, {kind}", f"{full}, {kind}, {hand}, {century(year, language)}")
        result[language] = lines
    return result


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_SMALL = {"a", "an", "and", "at", "in", "of", "on", "the", "to", "with", "by"}


def headline(text: str) -> str:
    """Return an English phrase in title case."""
    words = text.split()
    return " ".join(
        word if place and word in _SMALL else _capital(word) for place, word in enumerate(words)
    )


def title_of(noun: str, shown: Sequence[str], genre: str) -> str:
    """Return the title as a catalogue gives it: `Portrait of a Man with a Turban`."""
    if genre == "portrait":
        return headline("portrait of " + phrase(noun, shown[:2], "en"))
    if genre == "abstract":
        things = [LEXICON[label].en for label in shown[:2]]
        return headline("composition with " + joined(things, "en"))
    start = LEXICON[noun].en
    for article in ("a ", "an ", "the "):
        start = start.removeprefix(article)
    things = [LEXICON[label].en for label in shown[:2]]
    tail = f" with {joined(things, 'en')}" if things else ""
    return headline(start + tail)
