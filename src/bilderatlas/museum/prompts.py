"""Prompts to examine a model of words by: chosen by a rule from what the works are, not from what
a model finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bilderatlas.museum.colour_words import SHARES
from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.plan import Work
from bilderatlas.museum.schools import SCHOOLS
from bilderatlas.museum.statements import (
    CENTURIES,
    GENRES,
    TYPES,
    Statement,
    atom_of_word,
    truth_of_statements,
)

KINDS = ("motif", "genre", "colour with motif", "style", "century")
LEAST_RELEVANT = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question whose answer is known.

    Attributes:
        kind: One of `KINDS`.
        statement: What is asked for.
    """

    kind: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class NegativeCase:
    """A question with a counter-word: works of `wanted`, but without the thing `unwanted`."""

    wanted: Statement
    unwanted: Statement


def choose_prompts(
    works: Sequence[Work], atoms: npt.NDArray[np.float32], per_kind: int = 12
) -> list[Prompt]:
    """Return `per_kind` prompts of each kind, those with too few relevant works left out.

    The candidates of a kind are all statements that can be made in it, sorted by their atoms; of
    those true of at least `LEAST_RELEVANT` works every i-th is taken, evenly from first to last.
    Genres and centuries are too few to fill a kind: they come first, whole, then their pairs with
    a type of work and with a genre.

    Args:
        works: The works that will be searched.
        atoms: What is true of each, `(n, len(ATOMS))`.
        per_kind: How many of each kind, where there are as many.
    """
    first = {"genre": _genres(), "century": _centuries()}
    more = {
        "motif": _motifs(works),
        "genre": _pairs(_genres(), [f"type:{name}" for name in TYPES]),
        "colour with motif": _pairs(_nouns(works), [f"colour:{name}" for name in SHARES]),
        "style": _styles(),
        "century": _pairs(_genres(), [f"century:{number}" for number in CENTURIES]),
    }
    chosen = []
    for kind in KINDS:
        sure = _frequent(first.get(kind, []), atoms)[:per_kind]
        rest = _evenly(_frequent(more[kind], atoms), per_kind - len(sure))
        chosen += [Prompt(kind, statement) for statement in [*sure, *rest]]
    return chosen


def choose_negatives(
    works: Sequence[Work], atoms: npt.NDArray[np.float32], n_cases: int = 100, k: int = 30
) -> list[NegativeCase]:
    """Return cases in which a counter-word has something to move and something to leave.

    A case pairs a genre, a noun, a technique, a style, a school or a type with a thing: at least
    `LEAST_RELEVANT` works and a tenth of the wanted ones show the thing, so that some would be
    expected among the first `k`, and at least `2 * k` wanted works do not. Sorted by their atoms,
    evenly taken.
    """
    wanted = [*_genres(), *_nouns(works), *_styles(), *_types(), *_schools()]
    things = sorted({atom_of_word(word) for work in works for word in work.plan.shown})
    unwanted = [Statement(atoms=(thing,)) for thing in things]
    has, shows = truth_of_statements(wanted, atoms), truth_of_statements(unwanted, atoms)
    both = has.astype(np.int64) @ shows.T.astype(np.int64)
    left = has.sum(axis=1, keepdims=True) - both
    usable = (both >= LEAST_RELEVANT) & (both * 10 >= both + left) & (left >= 2 * k)
    pairs = sorted((wanted[i].all_atoms, things[j], i, j) for i, j in np.argwhere(usable).tolist())
    cases = [NegativeCase(wanted[i], unwanted[j]) for _, _, i, j in pairs]
    return [cases[i] for i in _places(len(cases), n_cases)]


def _genres() -> list[Statement]:
    return [Statement(f"genre:{name}") for name in GENRES]


def _centuries() -> list[Statement]:
    return [Statement(atoms=(f"century:{number}",)) for number in CENTURIES]


def _types() -> list[Statement]:
    return [Statement(atoms=(f"type:{name}",)) for name in TYPES]


def _schools() -> list[Statement]:
    return [Statement(atoms=(f"school:{school.name}",)) for school in SCHOOLS]


def _styles() -> list[Statement]:
    styles = {f"style:{school.style}" for school in SCHOOLS} | {f"form:{name}" for name in FORMS}
    return [Statement(atoms=(atom,)) for atom in sorted(styles)]


def _nouns(works: Sequence[Work]) -> list[Statement]:
    nouns = {atom_of_word(work.plan.noun) for work in works} | {f"genre:{name}" for name in GENRES}
    return [Statement(atom) for atom in sorted(nouns)]


def _motifs(works: Sequence[Work]) -> list[Statement]:
    """Return what works are about: their noun with the first thing that they show."""
    told = {
        Statement(atom_of_word(work.plan.noun), tuple(map(atom_of_word, work.plan.shown[:1])))
        for work in works
    }
    return sorted(told, key=lambda statement: statement.all_atoms)


def _pairs(subjects: Sequence[Statement], atoms: Sequence[str]) -> list[Statement]:
    pairs = [Statement(subject.subject, (atom,)) for atom in atoms for subject in subjects]
    return sorted(pairs, key=lambda statement: (statement.atoms, statement.subject))


def _frequent(statements: Sequence[Statement], atoms: npt.NDArray[np.float32]) -> list[Statement]:
    """Return the statements with enough relevant works that are not true of nearly all."""
    if not statements:
        return []
    counts = truth_of_statements(statements, atoms).sum(axis=1)
    return [
        statement
        for statement, count in zip(statements, counts.tolist(), strict=True)
        if LEAST_RELEVANT <= count <= len(atoms) // 2
    ]


def _evenly(statements: Sequence[Statement], count: int) -> list[Statement]:
    return [statements[place] for place in _places(len(statements), count)]


def _places(n: int, count: int) -> Iterator[int]:
    """Return `count` places from the first to the last of `n`, evenly apart."""
    if n <= count or count < 1:
        return iter(range(min(n, max(0, count))))
    return (round(step * (n - 1) / max(1, count - 1)) for step in range(count))


__all__ = ["KINDS", "NegativeCase", "Prompt", "choose_negatives", "choose_prompts"]
