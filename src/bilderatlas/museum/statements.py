"""Statements about works, and whether they are true: what a model of words learns from.

A statement joins atoms: `thing:turban`, `genre:portrait`, `form:etching`, `type:print`,
`school:Dutch`, `style:Baroque`, `century:17`, `colour:blue`. It is true of a work when each of its
atoms is, so its truth can be decided for any work, whatever was said of it. How statements are
worded stands in `wording.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bilderatlas.museum.colour_words import SHARES, colours_of
from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.lexicon import LEXICON
from bilderatlas.museum.palette import Swatch
from bilderatlas.museum.plan import Work
from bilderatlas.museum.schools import SCHOOLS

GENRES = ("portrait", "still life", "landscape", "seascape", "history", "genre scene", "abstract")
TYPES = ("painting", "drawing", "print")
CENTURIES = tuple(range(13, 21))
_GENRE_NOUNS = frozenset({"still life", "landscape", "seascape", "abstract"})

IMPLIED: dict[str, tuple[str, ...]] = {
    "old man": ("man",),
    "old woman": ("woman",),
    "reading": ("woman",),
    "river landscape": ("river",),
    "mountain landscape": ("mountain",),
    "moonlit landscape": ("moon",),
    "madonna": ("child",),
    "crucifixion": ("cross",),
    "annunciation": ("angel",),
    "sebastian": ("arrows",),
    "horseman": ("horse",),
    "apple": ("fruit",),
    "lemon": ("fruit",),
    "pear": ("fruit",),
    "grapes": ("fruit",),
    "poplars": ("trees", "tree"),
    "trees": ("tree",),
    "flowers": ("flower",),
    "lily": ("flower",),
    "books": ("book",),
    "houses": ("house",),
    "mountains": ("mountain",),
    "ships": ("ship",),
    "boats": ("boat",),
    "horses": ("horse",),
    "lances": ("lance",),
}
"""What is true besides: whoever shows an apple shows fruit, whoever shows ships shows a ship."""


def atom_of_word(word: str) -> str:
    """Return the atom of an entry of the lexicon: a thing, or a genre for nouns that name one."""
    return f"genre:{word}" if word in _GENRE_NOUNS else f"thing:{word}"


ATOMS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *(atom_of_word(word) for word in LEXICON),
            *(f"genre:{name}" for name in GENRES),
            *(f"form:{name}" for name in FORMS),
            *(f"type:{name}" for name in TYPES),
            *(f"school:{school.name}" for school in SCHOOLS),
            *(f"style:{school.style}" for school in SCHOOLS),
            *(f"century:{number}" for number in CENTURIES),
            *(f"colour:{name}" for name in SHARES),
        )
    )
)
_PLACE = {atom: place for place, atom in enumerate(ATOMS)}


def atoms_of(work: Work, palette: Sequence[Swatch]) -> frozenset[str]:
    """Return all atoms that are true of a work whose picture has this palette."""
    words = {work.plan.noun, *work.plan.shown}
    words |= {more for word in words for more in IMPLIED.get(word, ())}
    return frozenset(
        {
            *(atom_of_word(word) for word in words),
            f"genre:{work.genre}",
            f"form:{work.form}",
            f"type:{FORMS[work.form].object_type}",
            f"school:{work.school}",
            f"style:{work.in_school.style}",
            *(f"century:{number}" for number in centuries(work.year_begin, work.year_end)),
            *(f"colour:{name}" for name in colours_of(palette)),
        }
    )


def centuries(year_begin: int, year_end: int) -> tuple[int, ...]:
    """Return the centuries that a dating touches: 1695 to 1705 touches the 17th and the 18th."""
    first, last = (year_begin - 1) // 100 + 1, (year_end - 1) // 100 + 1
    return tuple(range(max(first, CENTURIES[0]), min(last, CENTURIES[-1]) + 1))


@dataclass(frozen=True, slots=True)
class Statement:
    """Atoms that are said together; the subject, if any, is named first.

    Attributes:
        subject: A `thing:` or `genre:` atom that the sentence is about; empty where it has none.
        atoms: The other atoms, in the order in which they are said.
    """

    subject: str = ""
    atoms: tuple[str, ...] = ()

    @property
    def all_atoms(self) -> tuple[str, ...]:
        """Return the subject and all that is said of it."""
        return (self.subject, *self.atoms) if self.subject else self.atoms

    def of_kind(self, kind: str) -> list[str]:
        """Return the names of the atoms of one kind, without the subject: `thing` → `turban`."""
        return [atom.split(":", 1)[1] for atom in self.atoms if atom.startswith(f"{kind}:")]


def matrix_of(atom_sets: Iterable[Iterable[str]]) -> npt.NDArray[np.float32]:
    """Return sets of atoms as rows of zeros and ones: `(n, len(ATOMS))`."""
    sets = [list(atoms) for atoms in atom_sets]
    matrix = np.zeros((len(sets), len(ATOMS)), np.float32)
    for row, atoms in enumerate(sets):
        matrix[row, [_PLACE[atom] for atom in atoms]] = 1
    return matrix


def truth_of_statements(
    statements: Sequence[Statement], works: npt.NDArray[np.float32]
) -> npt.NDArray[np.bool_]:
    """Return which statements are true of which works: `(t, n)`.

    Args:
        statements: The `t` statements.
        works: `(n, len(ATOMS))`, as `matrix_of` makes it from `atoms_of` of each work.
    """
    said = matrix_of(statement.all_atoms for statement in statements)
    said_and_true = said @ works.T
    return np.asarray(said_and_true >= said.sum(axis=1, keepdims=True), np.bool_)
