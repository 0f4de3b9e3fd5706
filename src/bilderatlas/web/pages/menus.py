"""What can be chosen on the search page: criteria, mixtures, rules, order, groups, sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bilderatlas.arrays import Metric
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.combine import RULES, Rule
from bilderatlas.search.figures import FIGURE_RULES
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import joined, ngettext, thousands
from bilderatlas.web.rendering import collection_title
from bilderatlas.web.state import CENTURY, DEFAULT_RULE, PANEL_PREFIX, SIZES, SearchState

if TYPE_CHECKING:
    from bilderatlas.api import SpaceInfo
    from bilderatlas.api.panels import PanelInfo
    from bilderatlas.search.facets import Facet
    from bilderatlas.store.library import CollectionInfo

MAX_PANELS = 8  # beside the pictures; the others are on their own page


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu."""

    words: str
    url: str
    current: bool = False
    more: str = ""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A criterion with its weight in the mixture; `weight` is empty where it has no part in it."""

    space: SpaceInfo
    weight: str


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """A rule of combination, and why it cannot be chosen; empty where it can."""

    rule: Rule
    bar: str
    only_for: Sequence[str]
    current: bool


@dataclass(frozen=True, slots=True)
class CollectionChoice:
    """A collection, the question to it, and the question with it among those that are asked."""

    title: str
    works: str
    url: str
    current: bool
    asking_url: str
    asked: bool


def space_choices(
    state: SearchState, spaces: Sequence[SpaceInfo], chosen: SpaceInfo | None, n_works: int
) -> list[Choice]:
    """Return the question judged by each criterion alone."""
    found = []
    for space in spaces:
        card = space.card
        more = [_(card["sees"]), _(card["knows_only"]) if card.get("knows_only") else ""]
        if space.n_images < n_works:
            so_far = ngettext("(%(num)s work so far)", "(%(num)s works so far)", space.n_images)
            more.append(so_far)
        current = space is chosen and len(state.criteria) < 2
        url = _space_url(state, space, is_first=space is spaces[0])
        words = _(card["judges_by"])
        found.append(Choice(words, url, current, " ".join(filter(None, more))))
    return found


def _space_url(state: SearchState, space: SpaceInfo, *, is_first: bool) -> str:
    metric = state.metric if state.metric in space.card["metrics"] else ""
    used = metric or next(iter(space.card["metrics"]), "")
    rule = find_rule(state.rule or DEFAULT_RULE)
    fits = rule is None or used not in set(Metric) or rule.accepts(Metric(used))
    by = "" if is_first else space.model_id
    return state.changed(by=by, metric=metric, rule=state.rule if fits else "").url()


def weighed(
    state: SearchState, spaces: Sequence[SpaceInfo], chosen: SpaceInfo | None
) -> list[Weighed]:
    """Return the criteria that can be mixed, with their weights; details have no such scores."""
    weights = {model_id: f"{weight:g}" for model_id, weight in state.criteria}
    if len(weights) < 2:
        weights = {chosen.model_id: "1"} if chosen else {}
    return [
        Weighed(space, weights.get(space.model_id, ""))
        for space in spaces
        if rows_are(space.card) == "image"
    ]


def rule_choices(
    card: Mapping[str, Any], metric: str, rule_name: str, judged_by: str
) -> list[RuleChoice]:
    """Return the rules, each with what keeps it from being chosen under `metric`."""
    metrics = list(card.get("metrics", ()))
    return [
        RuleChoice(
            rule,
            _bar(rule, card, metric, judged_by),
            _only_for(rule, metrics),
            rule.name == rule_name,
        )
        for rule in RULES
    ]


def _only_for(rule: Rule, metrics: Sequence[str]) -> list[str]:
    """Return the metrics that `rule` is for, if the criterion has others too."""
    if all(metric in rule.metrics for metric in metrics):
        return []
    return [metric.value for metric in rule.metrics if metric.value in metrics]


def _bar(rule: Rule, card: Mapping[str, Any], metric: str, judged_by: str) -> str:
    metrics = list(card.get("metrics", ()))
    if rows_are(card) == "figure" and rule.name not in FIGURE_RULES:
        return _("Not for %(criterion)s: a picture may show several figures.", criterion=judged_by)
    if metric not in set(Metric) or rule.accepts(Metric(metric)):
        return ""
    others = _only_for(rule, metrics)
    if others:
        return _(
            "Only for %(metrics)s: choose that below and apply it first.", metrics=joined(others)
        )
    return _(
        "Not for %(criterion)s: its works are compared by %(metrics)s.",
        criterion=judged_by,
        metrics=joined(metrics),
    )


def find_rule(name: str) -> Rule | None:
    """Return the rule called `name`, if there is one."""
    return next((rule for rule in RULES if rule.name == name), None)


def collection_choices(
    state: SearchState, infos: Sequence[CollectionInfo]
) -> list[CollectionChoice]:
    """Return the question put to each collection, and to each of them as well."""
    names = [info.name for info in infos]
    found = []
    for info in infos:
        by = state.by if set(dict(state.criteria)) <= set(info.model_ids) else ""
        current = info.name == state.collection
        url = state.url() if current else state.moved_to(info.name, by=by, known=names).url()
        found.append(
            CollectionChoice(
                collection_title(info, infos),
                ngettext("%(num)s work", "%(num)s works", info.n_images),
                url,
                current,
                "" if current else state.asking(info.name).url(),
                info.name in state.also,
            )
        )
    return found


def sort_choices(state: SearchState) -> list[Choice]:
    """Return the orders in which works can stand, the one in use among them."""
    likeness = _("Most alike first")
    if not state.has_parts:
        likeness = _("At random")
    elif not (state.like or state.text):
        likeness = _("Least alike first")
    words = {
        "": likeness,
        "date": _("Earliest first"),
        "-date": _("Latest first"),
        "title": _("By title"),
    }
    return [
        Choice(text, state.changed(sort=sort).url(), sort == state.sort)
        for sort, text in words.items()
    ]


def group_choices(state: SearchState, facets: Sequence[Facet]) -> list[Choice]:
    """Return by what works can be grouped."""
    columns = {"": _("Not grouped"), CENTURY: _("By century")}
    columns |= {facet.column: _(facet.title) for facet in facets if facet.kind == "values"}
    if state.group not in columns:
        columns[state.group] = state.group
    return [
        Choice(text, state.changed(group=column).url(), column == state.group)
        for column, text in columns.items()
    ]


def size_choices(state: SearchState) -> list[tuple[str, Choice]]:
    """Return the sizes of pictures, each with its name in the stylesheet."""
    words = {"s": _("Small pictures"), "": _("Middling pictures"), "l": _("Large pictures")}
    used = state.size if state.size in SIZES else ""
    return [
        (size or "m", Choice(text, replace(state, size=size).url(), size == used))
        for size, text in words.items()
    ]


def panel_choices(state: SearchState, panels: Sequence[PanelInfo]) -> list[Choice]:
    """Return the question to the works of each panel alone, the panels changed last first."""
    listed = []
    for one in panels[:MAX_PANELS]:
        spelled = f"{PANEL_PREFIX}{one.id}"
        chosen = spelled == state.within
        url = state.changed(within="" if chosen else spelled).url()
        listed.append(Choice(one.name, url, chosen, thousands(one.n_items)))
    return listed


def hide_choices(state: SearchState) -> list[Choice]:
    """Return what can be left out of the answer."""
    words = {"kept": _("Works on a panel"), "seen": _("Works looked at")}
    return [
        Choice(text, state.hiding(what).url(), what in state.hide) for what, text in words.items()
    ]
