"""What each criterion sees, in a scholar's words: all of them, and the card of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.invariance import find_invariances, readiness_of
from bilderatlas.errors import NotFoundError, UnknownNameError
from bilderatlas.evaluation.wording import summary_of
from bilderatlas.extractors.base import Readiness
from bilderatlas.extractors.resolve import all_extractors
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.facts import Facts
from bilderatlas.words import mark

if TYPE_CHECKING:
    from bilderatlas.api import Library
    from bilderatlas.evaluation.invariance import Invariances
    from bilderatlas.store.collection import CollectionInfo


STATES = {
    "to fetch": mark("its weights are not here yet"),
    "to export": mark("its weights are here, but not in a form that runs here"),
}


@dataclass(frozen=True, slots=True)
class Use:
    """One collection that can be judged by a criterion, and what was measured there."""

    info: CollectionInfo
    n_images: int
    measured: Invariances | None

    @property
    def summary(self) -> str:
        """What the criterion notices in this collection; empty where nobody measured it."""
        return _(summary_of(self.measured)) if self.measured else ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion, whether it can run here, and the collections that are judged by it."""

    card: Mapping[str, Any]
    readiness: Readiness
    uses: Sequence[Use]

    @property
    def model_id(self) -> str:
        """The extractor's id."""
        return str(self.card["model_id"])

    @property
    def facts(self) -> Facts:
        """The facts of its card."""
        return Facts(self.card)

    @property
    def state_words(self) -> str:
        """What keeps it from running here; empty where nothing does."""
        words = STATES.get(self.readiness.state)
        return _(words) if words else ""

    @property
    def collections(self) -> list[tuple[str, int]]:
        """Name and number of works of each collection that uses it."""
        return [(use.info.name, use.n_images) for use in self.uses]

    def to_json(self) -> dict[str, Any]:
        """Return the card and its uses as JSON-ready values."""
        return {
            "card": dict(self.card),
            "readiness": {"state": self.readiness.state, "sentence": self.readiness.sentence},
            "collections": dict(self.collections),
        }


@dataclass(frozen=True, slots=True)
class CriteriaPage:
    """The data of the page about all criteria."""

    template: ClassVar[str] = "criteria.html"
    criteria: Sequence[Criterion]
    status: int = 200

    @property
    def used(self) -> list[Criterion]:
        """Those by which something can be judged now."""
        return [one for one in self.criteria if one.uses]

    @property
    def others(self) -> list[Criterion]:
        """Those that no collection was indexed with."""
        return [one for one in self.criteria if not one.uses]

    def to_json(self) -> dict[str, Any]:
        """Return the cards as JSON-ready values."""
        return {"criteria": [one.to_json() for one in self.criteria]}


@dataclass(frozen=True, slots=True)
class CardPage:
    """The data of the card of one criterion, whatever the collection."""

    template: ClassVar[str] = "card.html"
    one: Criterion
    others: Sequence[Criterion]
    status: int = 200

    def to_json(self) -> dict[str, Any]:
        """Return the card, and what was measured in each collection, as JSON-ready values."""
        measured = {use.info.name: use.measured.to_json() for use in self.one.uses if use.measured}
        return self.one.to_json() | {"invariances": measured}


def criteria_page(library: Library) -> CriteriaPage:
    """Gather the cards of every space in the library and of every extractor, each once."""
    return CriteriaPage(_gather(library))


def card_page(library: Library, model_id: str) -> CardPage:
    """Gather what there is about one criterion.

    Raises:
        NotFoundError: when neither a collection nor this machine has it; lists near names.
    """
    criteria = {one.model_id: one for one in _gather(library)}
    if model_id not in criteria:
        raise NotFoundError(str(UnknownNameError("criterion", model_id, criteria)))
    return CardPage(criteria[model_id], list(criteria.values()))


def _gather(library: Library) -> list[Criterion]:
    cards: dict[str, Mapping[str, Any]] = {}
    ready: dict[str, Readiness] = {}
    uses: dict[str, list[Use]] = {}
    for info in library.collections():
        collection = library[info.name]
        for space in collection.spaces():
            cards.setdefault(space.model_id, space.card)
            ready.setdefault(space.model_id, readiness_of(collection.store, space.model_id))
            measured = find_invariances(collection, space.model_id)
            uses.setdefault(space.model_id, []).append(Use(info, space.n_images, measured))
    for extractor in all_extractors():
        card = extractor.card
        cards.setdefault(card.model_id, card.to_json())
        ready.setdefault(card.model_id, extractor.readiness())
    return [
        Criterion(card, ready[model_id], uses.get(model_id, [])) for model_id, card in cards.items()
    ]
