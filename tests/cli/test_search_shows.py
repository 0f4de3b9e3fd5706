"""What `bilderatlas search` prints in the place of a score."""

from __future__ import annotations

from bilderatlas.cli.search_output import shown_score
from bilderatlas.records import Record
from bilderatlas.search.hits import FigureMatch, Hit, Match


def test_a_figure_is_told_by_its_place_as_one_asks_for_it() -> None:
    figure = FigureMatch((0.5, 0.25, 0.75, 1.0), (), "a", None, 0.98)
    hit = Hit(1, "b", 0.98, 0.9, Record("b"), figure=figure)
    assert shown_score(hit) == "0.9800, figure at 0.50,0.25,0.25,0.75"
    mirrored = FigureMatch((0.5, 0.25, 0.75, 1.0), (), "a", None, 0.98, mirrored=True)
    assert shown_score(Hit(1, "b", 0.98, 0.9, Record("b"), figure=mirrored)).endswith(", mirrored")


def test_a_detail_by_its_verdict_and_a_whole_picture_by_its_score() -> None:
    match = Match(20, "same work", (0, 0, 1, 1), (0, 0, 1, 1), "unchanged", (1.0,) * 9)
    assert shown_score(Hit(1, "b", 0.7, 0.9, Record("b"), match)) == "same work: unchanged"
    assert shown_score(Hit(1, "b", 0.71234, 0.9, Record("b"))) == "0.7123"
