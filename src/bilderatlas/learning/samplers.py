"""Draws true statements about works, and words for them: what a batch of learning is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bilderatlas.museum.lexicon import LANGUAGES
from bilderatlas.museum.plan import Work
from bilderatlas.museum.statements import Statement, atom_of_word
from bilderatlas.museum.wording import word

_TOPICS = ("thing", "noun", "genre", "form", "school", "century", "colour")
_TOPIC_WEIGHTS = np.array([0.34, 0.1, 0.09, 0.13, 0.11, 0.1, 0.13])
_LENGTH_SHARES = np.array([0.5, 0.32, 0.13, 0.05])  # of statements on one to four topics
_COLOUR_AND_NOUN_SHARE = 0.5  # of the statements on two topics, where the work has a colour


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be said of one work, by topic."""

    topics: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, work: Work, atoms: frozenset[str]) -> Facts:
        """Sort the true atoms of a work into topics."""
        by_kind = {
            kind: tuple(sorted(atom for atom in atoms if atom.startswith(f"{kind}:")))
            for kind in ("thing", "genre", "form", "type", "school", "style", "century", "colour")
        }
        noun = atom_of_word(work.plan.noun)
        topics = {
            "thing": tuple(atom for atom in by_kind["thing"] if atom != noun),
            "noun": (noun,) if noun.startswith("thing:") else (),
            "genre": by_kind["genre"],
            "form": by_kind["form"] + by_kind["type"],
            "school": by_kind["school"] + by_kind["style"],
            "century": by_kind["century"],
            "colour": by_kind["colour"],
        }
        return cls({topic: atoms for topic, atoms in topics.items() if atoms})


class StatementSampler:
    """Draws statements that are true of given works, rare things more often than they occur."""

    def __init__(self, facts: Sequence[Facts]) -> None:
        """Count what occurs in `facts`, one entry a work."""
        self.facts = facts
        counts = Counter(atom for each in facts for atoms in each.topics.values() for atom in atoms)
        self._rarity = {atom: count**-0.5 for atom, count in counts.items()}

    def draw(self, place: int, rng: np.random.Generator) -> Statement:
        """Return a statement that is true of the work at `place`."""
        topics = self.facts[place].topics
        length = int(rng.choice(4, p=_LENGTH_SHARES)) + 1
        if length == 2 and "colour" in topics and rng.random() < _COLOUR_AND_NOUN_SHARE:
            subject = "noun" if "noun" in topics and rng.random() < 0.5 else "genre"
            return self._say(topics, [subject, "colour"], rng)
        weights = _TOPIC_WEIGHTS * [topic in topics for topic in _TOPICS]
        n_topics = min(length, int((weights > 0).sum()))
        chosen = rng.choice(len(_TOPICS), n_topics, replace=False, p=weights / weights.sum())
        return self._say(topics, [_TOPICS[place] for place in chosen], rng)

    def _say(
        self, topics: dict[str, tuple[str, ...]], chosen: Sequence[str], rng: np.random.Generator
    ) -> Statement:
        subject = next((topics[topic][0] for topic in ("noun", "genre") if topic in chosen), "")
        atoms: list[str] = []
        for topic in chosen:
            if topic == "thing":
                atoms += self._things(topics[topic], rng)
            elif topic not in ("noun", "genre"):
                atoms.append(self._pick(topics[topic], rng))
        return Statement(subject, tuple(atoms))

    def _things(self, things: tuple[str, ...], rng: np.random.Generator) -> list[str]:
        first = self._pick(things, rng)
        others = [thing for thing in things if thing != first]
        if others and rng.random() < 0.3:
            return [first, self._pick(tuple(others), rng)]
        return [first]

    def _pick(self, atoms: tuple[str, ...], rng: np.random.Generator) -> str:
        if len(atoms) == 1:
            return atoms[0]
        weights = np.array([self._rarity[atom] for atom in atoms])
        return atoms[int(rng.choice(len(atoms), p=weights / weights.sum()))]


def say(statement: Statement, rng: np.random.Generator) -> str:
    """Word a statement in a language and a way left to chance."""
    return word(statement, LANGUAGES[int(rng.integers(len(LANGUAGES)))], rng)
