"""`bilderatlas search`: ask a collection, or several; choose, order and group what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bilderatlas.api import Collection, Library
from bilderatlas.api import open as open_library
from bilderatlas.api.asking import PANEL_PREFIX, read_criteria
from bilderatlas.api.rankings import compare_rankings
from bilderatlas.cli.options import CollectionOption, JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, say
from bilderatlas.cli.search_output import (
    print_comparison,
    print_facets,
    print_groups,
    print_hits,
    say_answer,
)
from bilderatlas.cli.search_words import read_facet, read_judging, read_years
from bilderatlas.errors import NotFoundError, QueryError
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Query, parse_metric

TextArgument = Annotated[
    str, typer.Argument(metavar="[TEXT]", help="Words that the works should show.")
]
LikeOption = Annotated[
    list[str] | None,
    typer.Option(metavar="ID|FILE", help="Resemble this image: ID[@x,y,w,h][^weight]."),
]
UnlikeOption = Annotated[
    list[str] | None, typer.Option(metavar="ID|FILE", help="Differ from this image.")
]
NotOption = Annotated[
    list[str] | None, typer.Option("--not", metavar="TEXT", help="Words not to be shown.")
]
ExtractorOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID[^weight]", help="The criterion. Several are mixed, each by its weight."
    ),
]
MetricOption = Annotated[str | None, typer.Option(help="angular, euclidean, manhattan or dot.")]
RuleOption = Annotated[str, typer.Option(help="difference, ranking, contrast, projection or svm.")]
LambdaOption = Annotated[
    float, typer.Option("--lambda", help="Strength of the negatives, where a rule has one.")
]
KOption = Annotated[int, typer.Option("-k", help="Number of hits.")]
OffsetOption = Annotated[int, typer.Option(help="Hits to skip.")]
WhereOption = Annotated[
    str, typer.Option(help="Filter on metadata: \"year >= 1600 and school = 'Dutch'\".")
]
MatchOption = Annotated[str, typer.Option(help="Full-text search in the metadata.")]
FacetOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN:VALUE",
        help="Only works with this value; several of one column are alternatives.",
    ),
]
YearsOption = Annotated[
    str, typer.Option(metavar="FROM-TO", help="Only works made, perhaps, in these years.")
]
SortOption = Annotated[
    str, typer.Option(help="date, -date (latest first) or title, of the works above the stop line.")
]
GroupOption = Annotated[
    str, typer.Option(metavar="COLUMN", help="Put the works together by a column, or by century.")
]
CountOption = Annotated[
    bool, typer.Option("--count", help="Count what can be chosen with --facet and --years.")
]
AlsoOption = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="Ask this collection as well.")
]
WithinOption = Annotated[
    str,
    typer.Option(metavar="FILE|panel:ID", help="Only the ids in this file, or on this panel."),
]
WithoutOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Never the ids in this file.")
]
HideOption = Annotated[
    list[str] | None, typer.Option(help="kept (on any panel) or seen: leave such works out.")
]
CompareOption = Annotated[
    str,
    typer.Option(
        metavar="ID,METRIC,RULE",
        help="Judge in a second way too, and compare: any of an extractor, a metric and a rule.",
    ),
]
IncludeOption = Annotated[
    bool, typer.Option("--include-query", help="Let the query's images be hits.")
]
ExactOption = Annotated[bool, typer.Option("--exact", help="Force the exact scan.")]
MirroredOption = Annotated[
    bool, typer.Option("--mirrored", help="Let details and poses match their mirror image.")
]
SeedOption = Annotated[int, typer.Option(help="Of the random hang when nothing is asked.")]


def search(
    collection: CollectionOption,
    text: TextArgument = "",
    like: LikeOption = None,
    unlike: UnlikeOption = None,
    not_text: NotOption = None,
    extractor: ExtractorOption = None,
    metric: MetricOption = None,
    rule: RuleOption = "difference",
    lambda_: LambdaOption = 0.5,
    k: KOption = 30,
    offset: OffsetOption = 0,
    where: WhereOption = "",
    match: MatchOption = "",
    facet: FacetOption = None,
    years: YearsOption = "",
    sort: SortOption = "",
    group: GroupOption = "",
    count: CountOption = False,
    also: AlsoOption = None,
    within: WithinOption = "",
    without: WithoutOption = None,
    hide: HideOption = None,
    compare_with: CompareOption = "",
    include_query: IncludeOption = False,
    exact: ExactOption = False,
    mirrored: MirroredOption = False,
    seed: SeedOption = 0,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a collection by words, by examples and by counter-examples."""
    if also and compare_with:
        raise QueryError(
            "Cannot use --compare-with with --also: two rankings are compared in one collection. "
            "Leave one of them out."
        )
    model_id, blend = read_criteria(extractor or ())
    panel = within if within.startswith(PANEL_PREFIX) else ""
    listed = frozenset(_read_ids(Path(within))) if within and not panel else None
    with open_library(library) as opened:
        say(f"Library: {opened.root}")
        home = opened[collection]
        query = Query(
            home.parts(text, like=like or (), unlike=unlike or (), not_text=not_text or ()),
            model_id=model_id, blend=blend, metric=parse_metric(metric), rule=rule,
            lambda_=lambda_, k=k, offset=offset, where=where, match=match,
            facets=tuple(map(read_facet, facet or ())), years=read_years(years), sort=sort,
            within_panel=panel.removeprefix(PANEL_PREFIX), hide=tuple(hide or ()), within=listed,
            without=frozenset(_read_ids(without) if without else ()), mirrored=mirrored,
            include_query=include_query, exact=exact, seed=seed,
        )  # fmt: skip
        if compare_with:
            _compare(home, query, compare_with, as_json)
            return
        hits = opened.search_several([collection, *(also or ())], query)
        _show(opened, hits, group, count, as_json)


def _compare(home: Collection, query: Query, judging: str, as_json: bool) -> None:
    if not query.parts:
        raise QueryError(
            "Cannot compare two rankings: nothing was asked for. Name an image or words to search "
            "by."
        )
    compared = compare_rankings(home, query, read_judging(query, judging))
    if as_json:
        print_json(compared.to_json())
        return
    for hits in (compared.a, compared.b):
        say_answer(hits)
    print_comparison(compared)


def _show(library: Library, hits: Hits, group: str, count: bool, as_json: bool) -> None:
    groups = library.grouped(hits, group) if group else []
    facets = library.facets(hits) if count else []
    if as_json:
        more: dict[str, Any] = {"groups": [one.to_json() for one in groups]} if group else {}
        more |= {"facets": [one.to_json() for one in facets]} if count else {}
        print_json(hits.to_json() | more)
        return
    say_answer(hits)
    if count:
        print_facets(facets)
    elif group:
        print_groups(groups)
    else:
        print_hits(hits)


def _read_ids(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise NotFoundError(
            f"Cannot read the list of ids in '{path}': {reason}. Expected a text file with one id "
            "a line."
        ) from error
    return [line.strip() for line in lines if line.strip()]
