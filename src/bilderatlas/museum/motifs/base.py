"""What a motif is: how it is planned, without a pixel, and how it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from bilderatlas.museum.scene import Scene
from bilderatlas.museum.school import School


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be seen.

    Attributes:
        noun: Key of the lexicon that names the picture: `old man`, `river landscape`.
        shown: Keys of the things that captions name and the scene will hold.
        iconclass: Notations.
        traits: What else drawing needs to know.
    """

    noun: str
    shown: tuple[str, ...] = ()
    iconclass: tuple[str, ...] = ()
    traits: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Motif:
    """One motif.

    Attributes:
        name: Its name: `portrait_turban`.
        genre: Its genre.
        shape: `upright`, `wide` or `any`.
        plan: Chooses what will be seen.
        draw: Lays the scene.
        schools: Schools that know it; empty for all.
        weight: Share within its genre.
    """

    name: str
    genre: str
    shape: str
    plan: Callable[[np.random.Generator, School], Plan]
    draw: Callable[[Scene, School, Plan], None]
    schools: tuple[str, ...] = ()
    weight: float = 1.0
