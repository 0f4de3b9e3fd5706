"""A column that repeats another is not offered twice."""

from __future__ import annotations

from bilderatlas.search.facets import Facet, FacetValue
from bilderatlas.web.pages.facets import distinct_facets


def facet(column: str, chosen: str = "", **counts: int) -> Facet:
    values = tuple(FacetValue(value, n, value == chosen) for value, n in counts.items())
    return Facet(column, column.title(), "values", values)


def columns(*facets: Facet) -> list[str]:
    return [one.column for one in distinct_facets(facets)]


def test_a_raw_column_that_fed_a_field_is_left_out() -> None:
    maker = facet("creators", Rubens=60, Rembrandt=39)
    assert columns(maker, facet("artist", RUBENS=60, Rembrandt=39)) == ["creators"]
    assert columns(maker, facet("artist", Rubens=60, Rembrandt=38, Unknown=1)) == ["creators"]
    assert columns(maker, facet("artist", Rubens=50, Bol=49)) == ["creators", "artist"]


def test_what_is_chosen_and_what_is_empty_stays() -> None:
    maker = facet("creators", Rubens=60)
    assert columns(maker, facet("artist", chosen="Rubens", Rubens=60)) == ["creators", "artist"]
    assert columns(Facet("years", "Date", "years"), maker) == ["years", "creators"]
