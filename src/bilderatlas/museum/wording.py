"""How statements are worded in four languages: plainly, or in the many ways in which people ask."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from bilderatlas.museum.captions import century, joined
from bilderatlas.museum.lexicon import FORM_WORDS, LANGUAGES, LEXICON, SCHOOL_WORDS
from bilderatlas.museum.statements import Statement, atom_of_word
from bilderatlas.museum.synonyms import SYNONYMS

_ARTICLES = {
    "en": ("a ", "an ", "the "),
    "de": ("ein ", "eine ", "einem ", "einer ", "der ", "die ", "das ", "dem "),
    "fr": ("un ", "une ", "des ", "du ", "de la ", "la ", "le ", "l'", "de "),
    "nl": ("een ", "de ", "het "),
}
_WITH = {"en": "with", "de": "mit", "fr": "avec", "nl": "met"}
_PICTURE = {
    "en": ("picture of {}", "an image of {}", "{} shown"),
    "de": ("Bild: {}", "Darstellung: {}", "ein Bild, {}"),
    "fr": ("image : {}", "représentation : {}", "œuvre montrant {}"),
    "nl": ("afbeelding: {}", "voorstelling: {}", "beeld van {}"),
}
_IN_COLOUR = {
    "en": ("{thing} in {colour}", "{thing} in {colour} tones", "{colour} {bare}"),
    "de": ("{thing} in {noun}", "{thing} in {noun}tönen", "{adjective} {bare}"),
    "fr": ("{thing} en {colour}", "{thing} aux tons {plural}", "{bare} {colour}"),
    "nl": ("{thing} in {colour}", "{thing} in {adjective} tinten", "{adjective} {bare}"),
}
_COLOUR_ALONE = {
    "en": ("{colour}", "in {colour}", "in {colour} tones", "a {colour} picture", "mostly {colour}"),
    "de": ("{colour}", "in {noun}", "in {noun}tönen", "ein {adjective}s Bild", "{noun}"),
    "fr": ("{colour}", "en {colour}", "aux tons {plural}", "une image en {colour}"),
    "nl": ("{colour}", "in {colour}", "in {adjective} tinten", "een {adjective} afbeelding"),
}
_PLURALS_FR = {"gris": "gris", "blanc": "blancs", "rouge": "rouges"}
_ADJECTIVES_NL = {"rood": "rode", "geel": "gele", "grijs": "grijze", "wit": "witte"}
_CENTURY = {
    "en": ("{0}", "{0}", "the {0}", "from the {0}", "{1}s", "{2}"),
    "de": ("{0}", "{0}", "aus dem {0}", "im {0}", "{2}. Jh.", "{2}. Jahrhunderts"),
    "fr": ("{0}", "{0}", "du {0}", "au {0}", "{2}e siècle", "{0}"),
    "nl": ("{0}", "{0}", "uit de {0}", "{2}e eeuw", "de {0}", "{0}"),
}
_ORDINALS = {
    13: "thirteenth", 14: "fourteenth", 15: "fifteenth", 16: "sixteenth", 17: "seventeenth",
    18: "eighteenth", 19: "nineteenth", 20: "twentieth",
}  # fmt: skip


class Choice(Protocol):
    """Where variety comes from: `random()` in 0 to 1."""

    def random(self) -> float:
        """Return a number from 0, below 1."""


class Plain:
    """No variety: always the first way of saying it."""

    def random(self) -> float:
        """Return 0."""
        return 0.0


PLAIN = Plain()


def _one(options: tuple[str, ...], rng: Choice) -> str:
    return options[int(rng.random() * len(options))]


def bare(words: str, language: str) -> str:
    """Return words without their article: `ein Turban` → `Turban`.

    >>> bare("une nature morte", "fr")
    'nature morte'
    """
    for article in _ARTICLES[language]:
        if words.startswith(article):
            return words.removeprefix(article)
    return words


_WORD_OF = {atom_of_word(word): words for word, words in LEXICON.items()}


@lru_cache(maxsize=4096)
def names_of(atom: str, language: str, after_with: bool = False) -> tuple[str, ...]:
    """Return what an atom is called, the usual name first (things with their article)."""
    kind, name = atom.split(":", 1)
    synonyms = SYNONYMS.get(atom, {}).get(language, ())
    words = _WORD_OF.get(atom)
    if kind == "form":
        words = FORM_WORDS[name]
    elif kind == "school":
        words = SCHOOL_WORDS[name]
    if words is None:
        return synonyms
    if after_with and language == "de":
        return (words.de_dative, *(bare(each, "de") for each in synonyms))
    return (str(getattr(words, language)), *synonyms)


def word(statement: Statement, language: str, rng: Choice = PLAIN) -> str:
    """Say a statement in one of the `LANGUAGES`.

    Args:
        statement: What to say.
        language: `en`, `de`, `fr` or `nl`.
        rng: Chooses among wordings; the default says it plainly.

    >>> word(Statement("thing:man", ("thing:turban", "century:17")), "de")
    'ein Mann mit einem Turban, 17. Jahrhundert'
    """
    text = _subject_and_things(statement, language, rng)
    for name in statement.of_kind("colour"):
        text = _coloured(text, name, language, rng)
    parts = [text] if text else []
    for kind in ("form", "type", "style", "school"):
        parts += [_name(f"{kind}:{name}", language, rng) for name in statement.of_kind(kind)]
    parts += [_century(int(name), language, rng) for name in statement.of_kind("century")]
    if len(parts) == 2 and rng.random() > 0.6:
        parts = [f"{parts[1]}, {parts[0]}", f"{parts[1]} {bare(parts[0], language)}"][
            int(rng.random() * 2)
        ].split("\n")
    said = (", " if rng.random() < 0.8 else " ").join(parts)
    if text and rng.random() > 0.9:
        said = _one(_PICTURE[language], rng).format(said)
    return said


def _name(atom: str, language: str, rng: Choice, after_with: bool = False) -> str:
    """Return a name of an atom: the usual one more often than others, often without article."""
    names = names_of(atom, language, after_with)
    name = names[0] if rng.random() < 0.5 else _one(names, rng)
    return name if rng.random() < 0.5 else bare(name, language)


def _subject_and_things(statement: Statement, language: str, rng: Choice) -> str:
    subject = _name(statement.subject, language, rng) if statement.subject else ""
    atoms = [f"thing:{name}" for name in statement.of_kind("thing")]
    if not atoms:
        return subject
    things = [_name(atom, language, rng, after_with=bool(subject)) for atom in atoms]
    if not subject:
        return joined(things, language)
    if rng.random() > 0.85:
        return f"{subject}, {', '.join(things)}"
    return f"{subject} {_WITH[language]} {joined(things, language)}"


def _coloured(thing: str, name: str, language: str, rng: Choice) -> str:
    colour = _one(SYNONYMS[f"colour:{name}"][language], rng)
    forms = {"colour": colour, "noun": colour.capitalize(), "adjective": colour, "plural": colour}
    if language == "de":
        forms["adjective"] = colour + _one(("e", "er", "es"), rng) if thing else colour + "e"
    elif language == "fr":
        forms["plural"] = _PLURALS_FR.get(colour, colour + "s")
    elif language == "nl":
        forms["adjective"] = _ADJECTIVES_NL.get(colour, colour + "e")
    if not thing:
        return _one(_COLOUR_ALONE[language], rng).format(**forms)
    return _one(_IN_COLOUR[language], rng).format(thing=thing, bare=bare(thing, language), **forms)


def _century(number: int, language: str, rng: Choice) -> str:
    usual = century(number * 100 - 50, language)
    if language == "en" and rng.random() > 0.85:
        return f"{_ORDINALS[number]} century"
    template = _one(_CENTURY[language], rng)
    if template == "{2}" or (template == "{1}s" and number == 20):
        return usual if number == 20 else f"{number - 1}00s"
    return template.format(usual, f"{number - 1}00", number)


__all__ = ["LANGUAGES", "PLAIN", "Choice", "bare", "names_of", "word"]
