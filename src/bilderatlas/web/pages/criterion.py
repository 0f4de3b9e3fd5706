"""A criterion at work on a collection: what it attends to, what it calls alike, what it notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.comparison import N_NEIGHBOURS, shows_details
from bilderatlas.api.invariance import (
    MADE_ELSEWHERE,
    find_invariances,
    find_test_job,
    readiness_of,
    submit_invariances,
)
from bilderatlas.errors import NotFoundError, QueryError, UnknownNameError
from bilderatlas.evaluation.invariance import MIN_WORKS, Effect, Invariances
from bilderatlas.evaluation.transformations import Transformation, get_transformation
from bilderatlas.evaluation.wording import aside_of, caution_of, sentence_of, summary_of
from bilderatlas.extractors.base import Readiness
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.i18n import day
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.facts import Facts
from bilderatlas.web.pages.jobs import JobRow
from bilderatlas.web.pages.search import find_collection, percent_box
from bilderatlas.web.pictures import Picture, hit_pictures, pictures_of
from bilderatlas.web.rendering import collection_title
from bilderatlas.web.state import SearchState, spell_image
from bilderatlas.words import mark

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library, SpaceInfo
    from bilderatlas.search.hits import Hit
    from bilderatlas.store.collection import CollectionInfo

MAX_SEED = 999
N_BOXES = 10  # in which the share of neighbours that stay is drawn


@dataclass(frozen=True, slots=True)
class Cell:
    """The nearest works to one example under one criterion."""

    space: SpaceInfo
    state: SearchState
    pictures: Sequence[tuple[Hit, Picture]]
    finds_details: bool

    @property
    def search_url(self) -> str:
        """The question whose answer begins with these works."""
        return self.state.url()

    def work_url(self, picture: Picture) -> str:
        """The page of a neighbour, which remembers the question."""
        return urls.work(picture.collection, picture.image_id, self.state.params())

    @property
    def lack(self) -> str:
        """Why there are none, where there are none."""
        return (
            _("No work shares its details.") if self.finds_details else _("It has no place here.")
        )


@dataclass(frozen=True, slots=True)
class Example:
    """One work, and its neighbours under each criterion."""

    picture: Picture
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class EffectRow:
    """What one change does, in words, in boxes and on a picture."""

    effect: Effect
    measured: Invariances
    picture: Picture | None

    @property
    def change(self) -> Transformation:
        """What was done to the pictures."""
        return get_transformation(self.effect.transformation)

    @property
    def sentence(self) -> str:
        """What it does to a work's neighbours."""
        return sentence_of(self.effect, self.measured)

    @property
    def aside(self) -> str:
        """Whether the work itself is still found."""
        return aside_of(self.effect)

    @property
    def share(self) -> float | None:
        """What stays, 0 to 1; None where nothing was tried."""
        if not self.effect.n_works:
            return None
        return self.effect.first if self.effect.overlap is None else self.effect.overlap

    @property
    def boxes(self) -> list[float]:
        """How much of each of ten boxes is filled, 0 to 1."""
        filled = N_BOXES * (self.share or 0.0)
        return [round(min(max(filled - box, 0.0), 1.0), 2) for box in range(N_BOXES)]

    @property
    def kept_box(self) -> tuple[str, str, str, str] | None:
        """For changes that cut something away: what was kept of the picture, in percent."""
        if self.effect.transformation == "cropped":
            return percent_box((0.1, 0.1, 0.9, 0.9))
        return percent_box(self.effect.example_xyxyn) if self.effect.example_xyxyn else None


@dataclass(frozen=True, slots=True)
class CriterionPage:
    """The data of the page of one criterion on one collection."""

    template: ClassVar[str] = "criterion.html"
    least_works: ClassVar[int] = MIN_WORKS
    near_a_row: ClassVar[int] = N_NEIGHBOURS // 2
    info: CollectionInfo
    collections: Sequence[CollectionInfo]
    spaces: Sequence[SpaceInfo]
    space: SpaceInfo
    readiness: Readiness
    seed: int
    examples: Sequence[Example]
    measured: Invariances | None
    rows: Sequence[EffectRow]
    job: JobRow | None
    status: int = 200

    @property
    def title(self) -> str:
        """The collection's title."""
        return collection_title(self.info)

    @property
    def card(self) -> Mapping[str, Any]:
        """The card of the criterion, as the space keeps it."""
        return self.space.card

    @property
    def facts(self) -> Facts:
        """The facts of its card."""
        return Facts(self.card)

    @property
    def shown_spaces(self) -> list[SpaceInfo]:
        """The criteria in the order of the columns: this one first."""
        return [self.space, *(one for one in self.spaces if one is not self.space)]

    @property
    def again_url(self) -> str:
        """The same page with other examples."""
        return self.url_of(self.info.name, self.space.model_id, (self.seed + 1) % (MAX_SEED + 1))

    def space_url(self, space: SpaceInfo) -> str:
        """The page of another criterion, with the same examples."""
        return self.url_of(self.info.name, space.model_id, self.seed)

    def collection_url(self, info: CollectionInfo) -> str:
        """The page of the same criterion on another collection; its first, if it has not this."""
        model_id = self.space.model_id
        if model_id not in info.model_ids and info.model_ids:
            model_id = info.model_ids[0]
        return self.url_of(info.name, model_id, 0)

    def url_of(self, collection: str, model_id: str, seed: int) -> str:
        """Spell the address of such a page."""
        params = [("seed", str(seed))] if seed else []
        return urls.criterion_here(collection, model_id, params)

    @property
    def search_url(self) -> str:
        """A search judged by this criterion."""
        by = "" if self.space is self.spaces[0] else self.space.model_id
        return SearchState(self.info.name, by=by).url()

    @property
    def is_ready(self) -> bool:
        """Tell whether the extractor can run here."""
        return self.readiness.state == "ready"

    @property
    def is_made_elsewhere(self) -> bool:
        """Tell whether nothing here could read a picture as its maker did."""
        return self.readiness.sentence == MADE_ELSEWHERE

    @property
    def is_too_small(self) -> bool:
        """Tell whether there are too few works for a test."""
        return self.space.n_images < MIN_WORKS

    @property
    def summary(self) -> str:
        """What it notices, in a sentence or two."""
        return summary_of(self.measured) if self.measured else ""

    @property
    def caution(self) -> str:
        """What lessens the worth of the measurement."""
        return caution_of(self.measured) if self.measured else ""

    @property
    def numbers(self) -> list[tuple[Effect, str]]:
        """Every change, the lack of any first, with what exactly was done."""
        if self.measured is None:
            return []
        changed = [(row.effect, row.change.how) for row in self.rows]
        return [(self.measured.again, mark("Nothing is changed; it is read again.")), *changed]

    @property
    def measured_on(self) -> str:
        """The day of the measurement."""
        if self.measured is None:
            return ""
        return day(datetime.fromisoformat(self.measured.measured_at))

    @property
    def moved_on(self) -> str:
        """That the collection has changed since the measurement; empty where it has not."""
        measured = self.measured
        if measured is None or measured.collection_version == self.info.version:
            return ""
        return _(
            "Measured at version %(then)s; the collection is now at version %(now)s.",
            then=measured.collection_version,
            now=self.info.version,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the card, the examples and the measurement as JSON-ready values."""
        return {
            "collection": self.info.name,
            "version": self.info.version,
            "card": dict(self.card),
            "readiness": {"state": self.readiness.state, "sentence": self.readiness.sentence},
            "seed": self.seed,
            "examples": [
                {
                    "image_id": example.picture.image_id,
                    "neighbours": {
                        cell.space.model_id: [hit.to_json() for hit, _ in cell.pictures]
                        for cell in example.cells
                    },
                    "links": example.picture.links(),
                }
                for example in self.examples
            ],
            "invariances": self._measured_json() if self.measured else None,
            "job": self.job.to_json() if self.job else None,
        }

    def _measured_json(self) -> dict[str, Any]:
        assert self.measured is not None
        found = self.measured.to_json()
        for effect, row in zip(found["effects"], self.rows, strict=True):
            effect["sentence"] = row.sentence
        return found | {"summary": self.summary, "caution": self.caution, "note": self.moved_on}


def criterion_page(
    library: Library,
    answers: Answers,
    name: str,
    model_id: str,
    params: Iterable[tuple[str, str]],
    *,
    with_jobs: bool,
) -> CriterionPage:
    """Gather what one criterion does on one collection; `params` may name a `seed`.

    Raises:
        NotFoundError: when there is no such collection, or it has no such space.
        QueryError: for a seed that cannot be read.
    """
    seed = _seed(dict(params).get("seed", ""))
    collection = find_collection(library, name)
    infos = library.collections()
    spaces = collection.spaces()
    space = next((one for one in spaces if one.model_id == model_id), None)
    if space is None:
        raise _unknown(name, model_id, spaces)
    measured = find_invariances(collection, model_id)
    job = find_test_job(library, name, model_id) if with_jobs else None
    shown = [space, *(one for one in spaces if one is not space)]
    return CriterionPage(
        info=next(info for info in infos if info.name == name),
        collections=infos,
        spaces=spaces,
        space=space,
        readiness=readiness_of(collection.store, model_id),
        seed=seed,
        examples=_examples(collection, shown, answers, seed),
        measured=measured,
        rows=_effect_rows(collection, measured) if measured else (),
        job=JobRow(job) if job else None,
    )


def start_test(library: Library, name: str, model_id: str) -> None:
    """Queue the test of a criterion on a collection, unless it waits or runs already.

    Raises:
        NotFoundError: when there is no such collection, or it has no such space.
        UnavailableError: when the extractor cannot run here.
    """
    collection = find_collection(library, name)
    if model_id not in collection.store.model_ids():
        raise _unknown(name, model_id, collection.spaces())
    submit_invariances(library, name, model_id)


def _unknown(name: str, model_id: str, spaces: Sequence[SpaceInfo]) -> NotFoundError:
    known = [space.model_id for space in spaces]
    advice = f"What other criteria see stands under Criteria; index '{name}' with one to use it."
    return NotFoundError(
        str(UnknownNameError(f"criterion of '{name}'", model_id, known, advice=advice))
    )


def _seed(text: str) -> int:
    try:
        seed = int(text or "0")
    except ValueError:
        seed = -1
    if not 0 <= seed <= MAX_SEED:
        raise QueryError(
            f"Cannot use seed = '{text[:40]}': expected a whole number from 0 to {MAX_SEED}."
        )
    return seed


def _examples(
    collection: Collection, spaces: Sequence[SpaceInfo], answers: Answers, seed: int
) -> list[Example]:
    compared = answers.compare(collection, seed)
    pictures = pictures_of(collection, [one.image_id for one in compared])
    examples = []
    for one, picture in zip(compared, pictures, strict=True):
        part = spell_image(collection.name, one.image_id)
        cells = [
            Cell(
                space,
                SearchState(collection.name, like=(part,), by=space.model_id),
                hit_pictures(collection, one.neighbours.get(space.model_id, ())),
                shows_details(space) and space.model_id in one.neighbours,
            )
            for space in spaces
        ]
        examples.append(Example(picture, cells))
    return examples


def _effect_rows(collection: Collection, measured: Invariances) -> list[EffectRow]:
    rows = []
    for effect in measured.effects:
        stored = collection.store.find_record(effect.example) if effect.example else None
        picture = None
        if stored is not None and stored.content_sha256:
            [picture] = pictures_of(collection, [effect.example])
        rows.append(EffectRow(effect, measured, picture))
    return rows
