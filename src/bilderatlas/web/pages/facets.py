"""Facets beside the pictures: what can be chosen, how many works each choice would leave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import joined
from bilderatlas.web.spelling import MAX_YEAR
from bilderatlas.web.state import SearchState

if TYPE_CHECKING:
    from bilderatlas.search.facets import Facet, YearBin

MAKERS = "creators"  # names, of which sources write some without capitals
SAME_SHARE = 0.95  # of two columns' counts, from which on one says nothing that the other does not
MAX_YEAR_LINKS = 8  # side by side in the narrow column, each wide enough to be hit


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value to choose: its words, its count and the length of its bar, of 100."""

    words: str
    n: int
    chosen: bool
    url: str
    bar: float
    is_lower_name: bool = False


@dataclass(frozen=True, slots=True)
class ValuesPanel:
    """A column to choose values from; `any_url` is the question without a choice in it."""

    column: str
    title: str
    rows: Sequence[ValueRow]
    n_more: int
    any_url: str


@dataclass(frozen=True, slots=True)
class YearBar:
    """One bar of the histogram: x and width of 100, y and height of 40."""

    x: float
    width: float
    y: float
    height: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class YearLink:
    """Years that one click chooses: x and width of 100."""

    words: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class YearsPanel:
    """The histogram of years, the links that lie over it, and what the two fields hold."""

    title: str
    bars: Sequence[YearBar]
    links: Sequence[YearLink]
    begin: int
    end: int
    chosen_begin: str
    chosen_end: str
    any_url: str


def values_panels(state: SearchState, facets: Sequence[Facet]) -> list[ValuesPanel]:
    """Return the columns that have values to choose from."""
    chosen = {column for column, _value in state.facets}
    panels = []
    for facet in facets:
        if facet.kind != "values" or not facet.values:
            continue
        most = max(one.n for one in facet.values) or 1
        rows = [
            ValueRow(
                one.value,
                one.n,
                one.chosen,
                state.with_facet(facet.column, one.value).url(),
                round(100 * one.n / most, 1),
                facet.column == MAKERS and one.value.islower(),
            )
            for one in facet.values
        ]
        any_url = state.without_facet(facet.column).url() if facet.column in chosen else ""
        panels.append(ValuesPanel(facet.column, _(facet.title), rows, facet.n_more, any_url))
    return panels


def distinct_facets(facets: Iterable[Facet]) -> list[Facet]:
    """Return facets without those that repeat another: a column as its source spells it."""
    found: list[Facet] = []
    told: list[dict[str, int]] = []
    for facet in facets:
        counts = {one.value.casefold(): one.n for one in facet.values}
        in_use = any(one.chosen for one in facet.values)
        if counts and not in_use and any(_repeats(counts, before) for before in told):
            continue
        told.append(counts)
        found.append(facet)
    return found


def _repeats(counts: Mapping[str, int], before: Mapping[str, int]) -> bool:
    n_shared = sum(min(n, before.get(value, 0)) for value, n in counts.items())
    return n_shared >= SAME_SHARE * max(sum(counts.values()), sum(before.values()))


def years_panel(state: SearchState, facets: Sequence[Facet]) -> YearsPanel | None:
    """Return the histogram of years; None where no work is dated."""
    facet = next((one for one in facets if one.kind == "years" and one.bins), None)
    if facet is None:
        return None
    bins = facet.bins
    begin, end = _chosen(state)
    return YearsPanel(
        _(facet.title),
        _bars(bins),
        _links(state, bins),
        bins[0].begin,
        bins[-1].end,
        str(begin) if begin > -MAX_YEAR else "",
        str(end) if end < MAX_YEAR else "",
        state.changed(years="").url() if state.years else "",
    )


def span_words(begin: int, end: int) -> str:
    """Write a span of years that may be open on one side: `1600–1750`, `from 1600`, `to 1750`."""
    if end >= MAX_YEAR:
        return _("from %(year)s", year=begin)
    if begin <= -MAX_YEAR:
        return _("up to %(year)s", year=end)
    return str(begin) if begin == end else f"{begin}–{end}"


def chosen_words(state: SearchState, facets: Sequence[Facet]) -> list[tuple[str, str, str]]:
    """Return what narrows the answer: title, values in words, and the question without it."""
    titles = {facet.column: _(facet.title) for facet in facets}
    by_column: dict[str, list[str]] = {}
    for column, value in state.facets:
        by_column.setdefault(column, []).append(value)
    return [
        (
            titles.get(column, column),
            _("%(names)s or %(last)s", names=", ".join(values[:-1]), last=values[-1])
            if len(values) > 1
            else joined(values),
            state.without_facet(column).url(),
        )
        for column, values in by_column.items()
    ]


def _chosen(state: SearchState) -> tuple[int, int]:
    return state.span or (-MAX_YEAR, MAX_YEAR)


def _bars(bins: Sequence[YearBin]) -> list[YearBar]:
    most = max(one.n for one in bins) or 1
    width = 100 / len(bins)
    bars = []
    for place, one in enumerate(bins):
        height = round(max(40 * one.n / most, 1 if one.n else 0), 2)
        x = round(place * width, 2)
        bars.append(YearBar(x, round(width * 0.9, 2), 40 - height, height, one.chosen))
    return bars


def _links(state: SearchState, bins: Sequence[YearBin]) -> list[YearLink]:
    """Return links that choose some bins each; beside a chosen span they widen it."""
    step = -(-len(bins) // MAX_YEAR_LINKS)
    begin, end = _chosen(state)
    links = []
    for start in range(0, len(bins), step):
        few = bins[start : start + step]
        low, high = few[0].begin, few[-1].end
        chosen = bool(state.years) and low <= end and high >= begin
        if state.years == f"{low}-{high}":
            years = ""
        elif state.years and not chosen:
            years = f"{min(low, begin)}-{max(high, end)}"
        else:
            years = f"{low}-{high}"
        links.append(YearLink(f"{low}–{high}", state.changed(years=years).url(), chosen))
    return links
