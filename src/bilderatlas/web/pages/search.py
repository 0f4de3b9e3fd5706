"""Search: the question as a sentence whose words are the controls, and the pictures it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.arrays import Metric
from bilderatlas.errors import BilderatlasError, UsageError
from bilderatlas.exchange.citation import Citation
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.arrange import MAX_GROUPS
from bilderatlas.search.combine import MAX_LAMBDA, Rule
from bilderatlas.search.run import MAX_DEPTH, MAX_K
from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import joined, ngettext, thousands
from bilderatlas.web.pages import menus
from bilderatlas.web.pages.facets import (
    ValuesPanel,
    YearsPanel,
    chosen_words,
    span_words,
    values_panels,
    years_panel,
)
from bilderatlas.web.pages.menus import Choice, CollectionChoice, RuleChoice, Weighed
from bilderatlas.web.pages.results import Grouped, Result, percent_box
from bilderatlas.web.pages.tiles import Tile, Words, find_collection
from bilderatlas.web.rendering import collection_title, span
from bilderatlas.web.state import DEFAULT_K, DEFAULT_LAMBDA, DEFAULT_RULE, SIZES, SearchState

if TYPE_CHECKING:
    from bilderatlas.api import SpaceInfo
    from bilderatlas.search.facets import Facet
    from bilderatlas.search.hits import Hits
    from bilderatlas.store.library import CollectionInfo

__all__ = ["Fault", "SearchPage", "find_collection", "percent_box"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, and beside which control it is told."""

    place: str
    error: BilderatlasError


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The data of the search page."""

    template: ClassVar[str] = "search.html"
    max_k: ClassVar[int] = MAX_K
    max_lambda: ClassVar[float] = MAX_LAMBDA
    state: SearchState
    info: CollectionInfo
    infos: Sequence[CollectionInfo]
    spaces: Sequence[SpaceInfo]
    space: SpaceInfo | None
    tiles: Sequence[Tile]
    words: Sequence[Words]
    columns: Sequence[str]
    panel_title: str = ""
    panels: Sequence[Choice] = ()
    hits: Hits | None = None
    results: Sequence[Result] = ()
    groups: Sequence[Grouped] = ()
    found_facets: Sequence[Facet] = ()
    citation: Citation | None = None
    marked: bool = False
    fault: Fault | None = None

    @property
    def status(self) -> int:
        """200, or the status of what went wrong."""
        return self.fault.error.http_status if self.fault else 200

    # ---- the sentence ----

    @property
    def title(self) -> str:
        """The collection's title; of all that are asked."""
        asked = {self.state.collection, *self.state.also}
        others = [one for one in self.infos if one.name in asked and one is not self.info]
        return joined(collection_title(one, self.infos) for one in (self.info, *others))

    @property
    def collections(self) -> list[CollectionChoice]:
        """The collections to ask."""
        return menus.collection_choices(self.state, self.infos)

    @property
    def card(self) -> Mapping[str, Any]:
        """The card of the chosen criterion; empty where there is none yet."""
        return self.space.card if self.space else {}

    @property
    def judged_by(self) -> str:
        """The criterion in words; as it was asked for where there is none of that name."""
        if self.is_mixed:
            even = len({weight for _words, weight in self.mixture}) == 1
            return joined(w if even else f"{w}\u00a0×{weight}" for w, weight in self.mixture)
        return _(str(self.card.get("judges_by", self.state.by)))

    @property
    def is_mixed(self) -> bool:
        """Tell whether several criteria are mixed."""
        return len(self.state.criteria) > 1

    @property
    def mixture(self) -> list[tuple[str, str]]:
        """The criteria that are mixed, in words, with their weights."""
        words = {space.model_id: _(str(space.card["judges_by"])) for space in self.spaces}
        return [(words.get(one, one), f"{weight:g}") for one, weight in self.state.criteria]

    @property
    def embeds_text(self) -> bool:
        """Tell whether words can be compared with pictures under the criterion."""
        asked = {model_id for model_id, _weight in self.state.criteria}
        if len(asked) > 1:
            cards = [space.card for space in self.spaces if space.model_id in asked]
            return any(card.get("embeds_text") for card in cards)
        return bool(self.card.get("embeds_text"))

    @property
    def likes(self) -> list[Tile]:
        """The light box of examples."""
        return [tile for tile in self.tiles if tile.sign > 0]

    @property
    def unlikes(self) -> list[Tile]:
        """The light box of counter-examples."""
        return [tile for tile in self.tiles if tile.sign < 0]

    @property
    def texts(self) -> list[Words]:
        """Words that works should look like."""
        return [one for one in self.words if one.name == "text"]

    @property
    def not_texts(self) -> list[Words]:
        """Words that works should look unlike."""
        return [one for one in self.words if one.name == "not"]

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """What facets narrow the answer to: title, values, and the question without it."""
        return chosen_words(self.state, self.found_facets)

    @property
    def chosen_years(self) -> str:
        """The years that were chosen, in words; as they were written where they are none."""
        try:
            return span_words(*self.state.span) if self.state.span else ""
        except UsageError:
            return self.state.years

    @property
    def hangs(self) -> bool:
        """Tell whether works hang here at random."""
        return not self.state.has_parts and self.hits is not None and self.hits.n_candidates > 0

    @property
    def idle(self) -> list[tuple[str, str]]:
        """The parts that take no part, as they are named, each with its reason."""
        told = str(self.fault.error) if self.fault else ""
        parts = [(tile.label, tile.reason) for tile in self.tiles]
        parts += [(one.text, one.reason) for one in self.words]
        return [(name, reason) for name, reason in parts if reason and reason not in told]

    @property
    def notes(self) -> list[str]:
        """What the reader should know about the answer, but for what the question tells itself."""
        if self.hits is None:
            return []
        told = [one.reason for one in self.hits.inactive]
        return [note for note in self.hits.notes if not any(reason in note for reason in told)]

    # ---- what opens from it ----

    @property
    def criteria(self) -> list[Choice]:
        """The question judged by each criterion."""
        n_works = self.info.n_images - self.info.n_failed
        return menus.space_choices(self.state, self.spaces, self.space, n_works)

    @property
    def weighed(self) -> list[Weighed]:
        """The criteria that can be mixed."""
        return menus.weighed(self.state, self.spaces, self.space)

    @property
    def metrics(self) -> list[str]:
        """The metrics that make sense under the criterion, the default first."""
        return list(self.card.get("metrics", ()))

    @property
    def metric(self) -> str:
        """The metric in use."""
        return self.state.metric or next(iter(self.metrics), "")

    @property
    def rule(self) -> Rule | None:
        """The rule in use, if there is one of that name."""
        used = self.hits.criterion.rule if self.hits and self.hits.criterion else ""
        return menus.find_rule(used or self.state.rule or DEFAULT_RULE)

    @property
    def rules(self) -> list[RuleChoice]:
        """The rules of combination."""
        name = self.rule.name if self.rule else ""
        return menus.rule_choices(self.card, self.metric, name, self.judged_by)

    @property
    def k(self) -> str:
        """The number of results asked for."""
        return self.state.k or str(DEFAULT_K)

    @property
    def lambda_(self) -> str:
        """The strength of the negatives."""
        return self.state.lambda_ or DEFAULT_LAMBDA

    @property
    def takes_mirrored(self) -> bool:
        """Tell whether the criterion finds mirror images on request."""
        return rows_are(self.card) != "image"

    @property
    def sorts(self) -> list[Choice]:
        """The orders of the works."""
        return menus.sort_choices(self.state)

    @property
    def groupings(self) -> list[Choice]:
        """By what the works can be grouped."""
        return menus.group_choices(self.state, self.found_facets)

    @property
    def hiding(self) -> list[Choice]:
        """What can be left out of the answer; nothing where nothing is marked."""
        return menus.hide_choices(self.state) if self.marked else []

    @property
    def compare_url(self) -> str:
        """The question judged in two ways, side by side."""
        return urls.rankings(self.state.collection, self.state.other_params("size"))

    def export_url(self, kind: str) -> str:
        """The answer to take along."""
        return urls.search_export(self.state.collection, kind, self.state.other_params("k"))

    @property
    def exports(self) -> list[tuple[str, str]]:
        """What the answer can be taken along as: words and address."""
        words = {
            "csv": _("A table (CSV)"),
            "json": _("Data (JSON)"),
            "zip": _("Pictures with captions (zip)"),
        }
        return [(text, self.export_url(kind)) for kind, text in words.items()]

    @property
    def sizes(self) -> list[tuple[str, Choice]]:
        """The sizes of the pictures."""
        return menus.size_choices(self.state)

    @property
    def facets(self) -> list[ValuesPanel]:
        """The columns to choose values from."""
        return values_panels(self.state, self.found_facets)

    @property
    def years(self) -> YearsPanel | None:
        """The histogram of years."""
        return years_panel(self.state, self.found_facets)

    # ---- the answer ----

    @property
    def size(self) -> str:
        """The size of the pictures, as the stylesheet names it."""
        return self.state.size if self.state.size in SIZES else "m"

    @property
    def facts(self) -> list[str]:
        """Model, metric and rule; works, exactness and time: two lines beside the results."""
        if self.hits is None:
            return []
        criterion = self.hits.criterion
        first = [criterion.metric, criterion.rule] if criterion else []
        models = [criterion.model_id] if criterion else []
        if criterion and self.is_mixed:
            models = [f"{model_id} ×{weight:g}" for model_id, weight in self.state.criteria]
        if criterion and self.shows_lambda and self.unlikes:
            first.append(f"λ {self.lambda_}")
        parts = [
            ngettext("%(num)s work", "%(num)s works", self.hits.n_works),
            _(self.hits.recall) if criterion else "",
            span(self.hits.seconds),
        ]
        lines = (" · ".join(part for part in line if part) for line in ([*models, *first], parts))
        return [line for line in lines if line]

    @property
    def shows_lambda(self) -> bool:
        """Tell whether λ has a part in the answer."""
        known = self.metric in set(Metric)
        return known and self.rule is not None and self.rule.uses_lambda(Metric(self.metric))

    @property
    def shown(self) -> str:
        """Which of them are on this page; empty where it holds them all."""
        if not self.results or self.hits is None or not (self.next_url or self.previous_url):
            return ""
        first = self.hits.query.offset + 1
        return f"{thousands(first)}–{thousands(first + len(self.results) - 1)}"

    @property
    def n_better(self) -> int | None:
        """How many works are better than chance; None where that was not estimated."""
        return self.hits.stop.n_better if self.hits is not None and self.hits.stop else None

    @property
    def stop(self) -> tuple[int, str] | None:
        """Before which result the stop line is drawn, and its words; None: there is none here."""
        if not self.state.has_parts or self.state.sort or self.groups or self.hits is None:
            return None
        if rows_are(self.card) == "detail" and not self.is_mixed:
            verified = [result.hit.match is not None for result in self.results]
            if all(verified):
                return None
            nearest = _("No detail agrees; these come nearest")
            return sum(verified), _("From here on, no detail agrees") if any(verified) else nearest
        if self.n_better is None:
            return None
        place = max(self.n_better - self.hits.query.offset, 0)
        if place >= len(self.results):
            return None
        none = _("No work stands out from the rest; the nearest come first.")
        return place, _("From here on, no better than chance for this question") if place else none

    @property
    def cut(self) -> str:
        """That there may be more groups than are shown, said in a sentence; else empty."""
        if len(self.groups) < MAX_GROUPS:
            return ""
        return _("At most %(number)s groups are shown, the largest ones.", number=MAX_GROUPS)

    @property
    def next_url(self) -> str:
        """The next page of results; empty on the last."""
        if self.hits is None or self.groups or len(self.results) < self.hits.query.k:
            return ""
        offset = self.hits.query.offset + len(self.results)
        if offset + self.hits.query.k > MAX_DEPTH:
            return ""  # farther than one can page
        return self.state.changed(offset=str(offset)).url()

    @property
    def previous_url(self) -> str:
        """The previous page of results; empty on the first."""
        if self.hits is None or not self.hits.query.offset:
            return ""
        offset = max(self.hits.query.offset - self.hits.query.k, 0)
        return self.state.changed(offset=str(offset)).url()

    @property
    def version(self) -> int:
        """The version of the collection that answered."""
        return self.hits.version if self.hits is not None else self.info.version

    @property
    def permanent_url(self) -> str:
        """The address to cite: this question to this version."""
        return self.state.permanent_url(self.version)

    @property
    def json_url(self) -> str:
        """The same for programs."""
        return self.state.permanent_url(self.version, json=True)

    @property
    def moved_on(self) -> str:
        """That the link was made for another version, in a sentence; empty where it was not."""
        asked = self.state.asked_version() if self.hits is not None else None
        if asked is None or asked == self.version:
            return ""
        return _(
            "This link was made for version %(asked)s; the collection is now at version "
            "%(version)s.",
            asked=asked,
            version=self.version,
        )

    @property
    def again_url(self) -> str:
        """Another random hang."""
        seed = self.hits.query.seed if self.hits is not None else 0
        return self.state.changed(seed=str((seed + 1) % 2**31)).url()

    def to_json(self) -> dict[str, Any]:
        """Return what `search --json` prints, with addresses; or the error."""
        if self.hits is None:
            error = self.fault.error if self.fault else None
            return {"error": {"code": getattr(error, "code", ""), "message": str(error or "")}}
        found = self.hits.to_json()
        for hit, result in zip(found["hits"], self.results, strict=True):
            hit["links"] = result.picture.links()
        found["notes"] += [self.moved_on] if self.moved_on else []
        found["facets"] = [asdict(facet) for facet in self.found_facets]
        if self.groups:
            found["groups"] = [group.to_json() for group in self.groups]
        found["links"] = {"page": self.permanent_url, "next": self.next_url or None}
        return found
