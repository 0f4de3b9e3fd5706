"""What `bilderatlas search` prints: hits, groups, facets, two rankings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bilderatlas.api.facets import GroupOfHits
from bilderatlas.api.rankings import RankingComparison
from bilderatlas.cli.output import print_table, say
from bilderatlas.search.facets import Facet
from bilderatlas.search.hits import Hit, Hits


def say_answer(hits: Hits) -> None:
    """Tell by what was judged, how many works, where the line runs, and what to know beside it."""
    say(_judged(hits) if hits.criterion else _hung(hits))
    if hits.stop is not None:
        say(str(hits.stop.sentence))
    for note in hits.notes:
        say(str(note))


def print_hits(hits: Hits) -> None:
    """Print a line a hit."""
    judged = hits.criterion is not None  # a random hang judges nothing
    rows = [
        (
            hit.rank,
            spell_hit(hit),
            shown_score(hit) if judged else "",
            f"{hit.percentile:.1%}" if judged else "",
            hit.record.label,
        )
        for hit in hits
    ]
    print_table(("", "image", "score", "better than", "work"), rows)


def print_groups(groups: Sequence[GroupOfHits]) -> None:
    """Print a line a hit, each with its group and the number of works in that."""
    rows = [
        (group.label, group.n, hit.rank, spell_hit(hit), hit.record.label)
        for group in groups
        for hit in group.hits
    ]
    print_table(("group", "works", "", "image", "work"), rows)


def print_facets(facets: Sequence[Facet]) -> None:
    """Print a line a value, as `--facet` and `--years` take it."""
    rows: list[tuple[str, str, int, str]] = []
    for facet in facets:
        for value in facet.values:
            chosen = "chosen" if value.chosen else ""
            rows.append((facet.title, f"{facet.column}:{value.value}", value.n, chosen))
        if facet.n_more:
            rows.append((facet.title, f"and {facet.n_more} more", 0, ""))
        for span in facet.bins:
            if span.n:
                chosen = "chosen" if span.chosen else ""
                rows.append((facet.title, f"{span.begin}-{span.end}", span.n, chosen))
    print_table(("facet", "value", "works", ""), [(*row[:2], row[2] or "", row[3]) for row in rows])


def print_comparison(compared: RankingComparison) -> None:
    """Print two rankings beside each other, each work with its place in the other one."""
    say(
        f"{compared.verdict} Rank-biased overlap {compared.rbo:.2f}; "
        f"{len(compared.both)} works in both, {len(compared.only_a)} in the first alone, "
        f"{len(compared.only_b)} in the second alone."
    )
    rows = []
    for place in range(max(len(compared.a), len(compared.b))):
        a, b = (hits[place] if place < len(hits) else None for hits in (compared.a, compared.b))
        rank = next(hit.rank for hit in (a, b) if hit is not None)
        rows.append((rank, *_placed(a, compared.places_b), *_placed(b, compared.places_a)))
    headings = ("", _named(compared.a), "second's place", _named(compared.b), "first's place")
    print_table(headings, rows)


def spell_hit(hit: Hit) -> str:
    """Return the image as one asks for it; with its collection where several were asked."""
    return f"{hit.collection}/{hit.image_id}" if hit.collection else hit.image_id


def shown_score(hit: Hit) -> str:
    """Return the score, or what is told instead or beside: a verdict, a figure, the shares."""
    if hit.match is not None:
        return f"{hit.match.verdict}: {hit.match.transform}"
    if hit.figure is not None:
        x1, y1, x2, y2 = hit.figure.region_xyxyn
        mirrored = ", mirrored" if hit.figure.mirrored else ""
        return f"{hit.score:.4f}, figure at {x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}{mirrored}"
    shares = ", ".join(f"{share.share:.0%} {share.judges_by}" for share in hit.shares)
    return f"{hit.score:.4f} ({shares})" if shares else f"{hit.score:.4f}"


def _judged(hits: Hits) -> str:
    criteria = hits.criteria or ((hits.criterion,) if hits.criterion else ())
    judged = " and ".join(
        f"{one.judges_by} ({one.model_id}, {one.metric}, {one.rule})" for one in criteria
    )
    return (
        f"{hits.n_candidates} of {hits.n_works} works judged by {judged}; {hits.recall}, "
        f"{hits.seconds * 1000:.0f} ms"
    )


def _hung(hits: Hits) -> str:
    query = hits.query
    works = "1 work" if hits.n_candidates == 1 else f"{hits.n_candidates} works"
    narrowed = query.where or query.match or query.facets or query.years or query.within is not None
    order = f"by {query.sort}" if query.sort else f"hung at random (seed {query.seed})"
    return f"{works}{' that fit' if narrowed else ''}, {order}."


def _placed(hit: Hit | None, there: Mapping[str, int]) -> tuple[str, str]:
    if hit is None:
        return "", ""
    return hit.image_id, str(there.get(hit.image_id, "–"))


def _named(hits: Hits) -> str:
    criterion = hits.criterion
    if criterion is None:
        return "at random"
    models = "+".join(one.model_id for one in hits.criteria or (criterion,))
    return f"{models} {criterion.metric} {criterion.rule}"
