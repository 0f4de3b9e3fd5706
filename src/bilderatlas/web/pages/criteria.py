"""What each criterion sees: the cards, in a scholar's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from bilderatlas.api import Library


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion and the collections that can be judged by it."""

    card: Mapping[str, Any]
    collections: Sequence[tuple[str, int]]

    @property
    def steps(self) -> list[str]:
        """Its preprocessing, one line a step."""
        return [_step(step) for step in self.card.get("preprocessing", ())]


def _step(step: Mapping[str, Any]) -> str:
    numbers = ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in step.items()
        if name not in {"step", "name", "op"}
    )
    name = str(step.get("step") or step.get("name") or step.get("op") or "")
    return f"{name}: {numbers}" if name and numbers else name or numbers


@dataclass(frozen=True, slots=True)
class CriteriaPage:
    """The data of the page about criteria."""

    template: ClassVar[str] = "criteria.html"
    criteria: Sequence[Criterion]
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the cards as JSON-ready values."""
        return {
            "criteria": [
                {"card": dict(one.card), "collections": dict(one.collections)}
                for one in self.criteria
            ]
        }


def criteria_page(library: Library) -> CriteriaPage:
    """Gather the cards of every space in the library, each once."""
    cards: dict[str, Mapping[str, Any]] = {}
    uses: dict[str, list[tuple[str, int]]] = {}
    for info in library.collections():
        for space in library[info.name].spaces():
            cards.setdefault(space.model_id, space.card)
            uses.setdefault(space.model_id, []).append((info.name, space.n_images))
    return CriteriaPage([Criterion(cards[model_id], uses[model_id]) for model_id in cards])
