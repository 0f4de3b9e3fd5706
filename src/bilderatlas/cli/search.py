"""`bilderatlas search`: ask a collection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bilderatlas.api import open as open_library
from bilderatlas.cli.options import CollectionOption, JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, print_table, say
from bilderatlas.errors import NotFoundError
from bilderatlas.search.hits import Hit, Hits

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
ExtractorOption = Annotated[str, typer.Option(metavar="ID", help="The criterion.")]
MetricOption = Annotated[str | None, typer.Option(help="angular, euclidean, manhattan or dot.")]
RuleOption = Annotated[str, typer.Option(help="difference, ranking, contrast or projection.")]
LambdaOption = Annotated[
    float, typer.Option("--lambda", help="Strength of the negatives, where a rule has one.")
]
KOption = Annotated[int, typer.Option("-k", help="Number of hits.")]
OffsetOption = Annotated[int, typer.Option(help="Hits to skip.")]
WhereOption = Annotated[
    str, typer.Option(help="Filter on metadata: \"year >= 1600 and school = 'Dutch'\".")
]
MatchOption = Annotated[str, typer.Option(help="Full-text search in the metadata.")]
WithinOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Only the ids in this file, one a line.")
]
WithoutOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Never the ids in this file.")
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
    extractor: ExtractorOption = "",
    metric: MetricOption = None,
    rule: RuleOption = "difference",
    lambda_: LambdaOption = 0.5,
    k: KOption = 30,
    offset: OffsetOption = 0,
    where: WhereOption = "",
    match: MatchOption = "",
    within: WithinOption = None,
    without: WithoutOption = None,
    include_query: IncludeOption = False,
    exact: ExactOption = False,
    mirrored: MirroredOption = False,
    seed: SeedOption = 0,
    library: LibraryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a collection by words, by examples and by counter-examples."""
    with open_library(library) as opened:
        say(f"Library: {opened.root}")
        hits = opened[collection].search(
            text,
            like=like or (),
            unlike=unlike or (),
            not_text=not_text or (),
            extractor=extractor,
            metric=metric,
            rule=rule,
            lambda_=lambda_,
            k=k,
            offset=offset,
            where=where,
            match=match,
            within=_read_ids(within) if within else None,
            without=_read_ids(without) if without else (),
            include_query=include_query,
            exact=exact,
            mirrored=mirrored,
            seed=seed,
        )
    if as_json:
        print_json(hits.to_json())
    else:
        _print_hits(hits)


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


def _shown(hit: Hit) -> str:
    """Return the score, or what is told instead: a verdict, the place of a figure."""
    if hit.match is not None:
        return f"{hit.match.verdict}: {hit.match.transform}"
    if hit.figure is None:
        return f"{hit.score:.4f}"
    x1, y1, x2, y2 = hit.figure.region_xyxyn
    mirrored = ", mirrored" if hit.figure.mirrored else ""
    return f"{hit.score:.4f}, figure at {x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}{mirrored}"


def _print_hits(hits: Hits) -> None:
    if hits.criterion is None:
        narrowed = hits.query.where or hits.query.match or hits.query.within is not None
        works = "1 work" if hits.n_candidates == 1 else f"{hits.n_candidates} works"
        fits = " that fit" if narrowed else ""
        say(f"{works}{fits}, hung at random (seed {hits.query.seed}).")
    else:
        criterion = hits.criterion
        say(
            f"{hits.n_candidates} of {hits.n_works} works judged by {criterion.judges_by} "
            f"({criterion.model_id}, {criterion.metric}, {criterion.rule}); {hits.recall}, "
            f"{hits.seconds * 1000:.0f} ms"
        )
    for note in hits.notes:
        say(note)
    rows = []
    for hit in hits:
        shown = _shown(hit)
        better = f"{hit.percentile:.1%}"
        if hits.criterion is None:
            shown = better = ""  # a random hang judges nothing
        rows.append((hit.rank, hit.image_id, shown, better, hit.record.label))
    print_table(("", "image", "score", "better than", "work"), rows)
