"""One question to several collections at once: each answers, the answers become one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.api.collection import Collection
from bilderatlas.errors import BilderatlasError, QueryError
from bilderatlas.records import Record
from bilderatlas.search.arrange import collated
from bilderatlas.search.hits import Criterion, Hit, Hits, Pool, StopLine
from bilderatlas.search.parts import local_id
from bilderatlas.search.query import Part, PartKind, Query
from bilderatlas.search.run import MAX_DEPTH, MAX_K, choose_space
from bilderatlas.search.stop_line import find_stop_line
from bilderatlas.words import said

if TYPE_CHECKING:
    from bilderatlas.api.library import Library

MAX_COLLECTIONS = 20


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one collection found, down to the last place that the merged answer may need."""

    collection: Collection
    hits: Hits


def search_several(library: Library, names: Sequence[str], query: Query) -> Hits:
    """Ask several collections at once.

    Images that `query` names without a collection are the first one's. Where all collections judge
    by the same criterion, works stand by their score; where they do not, by the share of works of
    their own collection that each is more alike than. A collection that cannot answer becomes a
    note.

    Args:
        library: Where the collections are.
        names: The collections; the first is at home in the question.
        query: What is asked. Without a criterion each collection takes the first one's, or its own
            first where it has not got that.

    Returns:
        The hits, each with its collection; `also` names those that answered beside the first.

    Raises:
        UnknownNameError: when there is no such first collection.
        QueryError: when too many are named, or one would page too deep.
        UsageError: when none can answer: what the first one says.
    """
    started = time.perf_counter()
    wanted = list(dict.fromkeys(names))
    if len(wanted) == 1:
        return library[wanted[0]].run(query)
    _check(wanted, query)
    home = library[wanted[0]]
    answers: list[_Answer] = []
    notes: list[str] = []
    refused: BilderatlasError | None = None
    for name in wanted:
        try:
            collection = library[name]  # one that was removed may stand in an old link
            hits = _first_places(collection, _carried(home, collection, query))
        except BilderatlasError as error:
            refused = refused or error
            notes.append(said("%(name)s could not answer. %(why)s", name=name, why=str(error)))
        else:
            answers.append(_Answer(collection, hits))
    if not answers and refused is not None:
        raise refused
    return _merged(home, query, answers, notes, started)


def _check(names: Sequence[str], query: Query) -> None:
    if not 2 <= len(names) <= MAX_COLLECTIONS:
        raise QueryError(
            f"Cannot ask {len(names)} collections at once: expected 1 to {MAX_COLLECTIONS}."
        )
    if not 1 <= query.k <= MAX_K:
        raise QueryError(f"Cannot return {query.k} hits: expected 1 to {MAX_K:,} at a time.")
    if query.offset < 0 or query.offset + query.k > MAX_DEPTH:
        raise QueryError(
            f"Cannot skip {query.offset} hits: only the first {MAX_DEPTH:,} can be paged through. "
            "Narrow the search with a filter."
        )


# Asking


def _carried(home: Collection, there: Collection, query: Query) -> Query:
    """Return the query as it is put to `there`: images named with their collection, a criterion."""
    if there is home:
        return query
    parts = tuple(_spelled(home, part) for part in query.parts)
    if query.model_id or query.blend:
        return replace(query, parts=parts)
    space = choose_space(home.store, query)
    same = space is not None and space.model_id in there.store.model_ids()
    return replace(query, parts=parts, model_id=space.model_id if space and same else "")


def _spelled(home: Collection, part: Part) -> Part:
    if part.kind is not PartKind.IMAGE:
        return part
    image_id = local_id(home.name, home.store.columns, part.value)
    return part if image_id is None else replace(part, value=f"{home.name}/{image_id}")


def _first_places(collection: Collection, query: Query) -> Hits:
    """Return all hits down to the last place that is asked for; a page of them at a time."""
    depth = query.offset + query.k
    hits = collection.run(replace(query, offset=0, k=min(depth, MAX_K)))
    found = list(hits)
    while len(found) < depth and len(found) % MAX_K == 0 and found:
        step = min(depth - len(found), MAX_K)
        more = collection.run(replace(query, offset=len(found), k=step))
        if not len(more):
            break
        found += more
    return replace(hits, hits=tuple(found))


# Merging


def _merged(
    home: Collection,
    query: Query,
    answers: Sequence[_Answer],
    notes: Sequence[str],
    started: float,
) -> Hits:
    first = answers[0].hits
    found = [answer.hits for answer in answers]
    alike = _judged_alike(found)
    key = _order(query.sort, found)
    ranked = sorted(
        ((key(hit, answer.hits), place, hit, answer) for place, answer in enumerate(answers)
         for hit in answer.hits),
        key=lambda each: (each[0], each[2].rank, each[1]),
    )  # fmt: skip
    page = ranked[query.offset : query.offset + query.k]
    line = _stop_line(answers) if alike else None
    if alike:  # facets and groups then follow the line that is drawn, not the line of each
        found = [replace(hits, pool=_above(line, hits.pool)) for hits in found]
    criteria = dict.fromkeys(one for answer in answers for one in _criteria(answer.hits))
    return replace(
        first,
        hits=tuple(
            replace(hit, rank=rank, collection=answer.collection.name)
            for rank, (_, _, hit, answer) in enumerate(page, query.offset + 1)
        ),
        query=replace(first.query, parts=query.parts, k=query.k, offset=query.offset),
        n_candidates=sum(answer.hits.n_candidates for answer in answers),
        n_works=sum(answer.hits.n_works for answer in answers),
        collection=home.name,
        version=home.store.version,
        seconds=time.perf_counter() - started,
        notes=(*notes, *_notes(home, answers, alike)),
        thumbnail_of=_thumbnails(answers),
        inactive=tuple(dict.fromkeys(one for answer in answers for one in answer.hits.inactive)),
        stop=line if not query.sort else None,
        criteria=tuple(criteria) if len(criteria) > 1 else (),
        also=tuple(a.collection.name for a in answers if a.collection is not home),
        pool=first.pool if len(answers) == 1 else None,
        answers=tuple(found),
    )


def _criteria(hits: Hits) -> tuple[Criterion, ...]:
    return hits.criteria or ((hits.criterion,) if hits.criterion else ())


def _judged_alike(answers: Sequence[Hits]) -> bool:
    """Tell whether scores of all answers may be compared: one space, no mixture of percentiles."""
    judged = {_criteria(hits) for hits in answers}
    return len(judged) == 1 and all(len(each) == 1 for each in judged)


def likeness_key(answers: Sequence[Hits]) -> Callable[[Hit, Hits], float]:
    """Return what sorts hits of several answers by likeness, rising; a hit and its own answer.

    By score where all were judged alike, else by percentile; a hang by its own place.
    """
    if _judged_alike(answers):
        return lambda hit, _: -hit.score
    return lambda hit, hits: -hit.percentile if hits.criterion else _hung(hit, hits)


def _order(sort: str, answers: Sequence[Hits]) -> Callable[[Hit, Hits], Any]:
    """Return what the hits are sorted by, rising."""
    if sort == "title":
        return lambda hit, _: _by_title(hit.record)
    if sort:
        return lambda hit, _: _by_date(hit.record, latest_first=sort == "-date")
    return likeness_key(answers)


def _by_title(record: Record) -> tuple[bool, str]:
    spelled = collated(record.title or "")
    return not spelled, spelled


def _by_date(record: Record, *, latest_first: bool) -> tuple[bool, int, int]:
    years = [year for year in (record.year_begin, record.year_end) if year is not None]
    if not years:
        return True, 0, 0
    first, last = min(years), max(years)
    return (False, -last, -first) if latest_first else (False, first, last)


def _hung(hit: Hit, hits: Hits) -> float:
    """Return how far down its own collection's hang a work is: all are used up at one pace."""
    return (hit.rank - 0.5) / max(hits.n_candidates, 1)


def _notes(home: Collection, answers: Sequence[_Answer], alike: bool) -> list[str]:
    notes = [
        note
        if answer.collection is home
        else said("%(name)s: %(note)s", name=answer.collection.name, note=note)
        for answer in answers
        for note in answer.hits.notes
    ]
    if not alike and answers[0].hits.criterion is not None and len(answers) > 1:
        notes.append(
            said(
                "These collections are not judged by one and the same criterion: works stand by "
                "the share of their own collection that they are more alike than."
            )
        )
        notes += [
            said(
                "%(name)s is judged by: %(criteria)s.",
                name=answer.collection.name,
                criteria=[said(one.judges_by) for one in _criteria(answer.hits)],
            )
            for answer in answers
        ]
    return list(dict.fromkeys(notes))


def _stop_line(answers: Sequence[_Answer]) -> StopLine | None:
    """Draw the line anew, through the works of all collections together.

    There is none where not even a perfect work would stand out among all of them.
    """
    pools = [answer.hits.pool for answer in answers if answer.hits.pool is not None]
    if len(pools) < len(answers) or not any(answer.hits.stop for answer in answers):
        return None
    scores, rankable, mask = (
        np.concatenate([getattr(pool, name) for pool in pools])
        for name in ("scores", "rankable", "mask")
    )
    line = find_stop_line(scores[rankable], perfect=min(pool.perfect for pool in pools))
    together = Pool.of(pools[0].columns, scores, rankable, mask)
    return line.drawn_in(together) if line else None


def _above(line: StopLine | None, pool: Pool | None) -> Pool | None:
    """Return the works behind one answer, better than chance where they are above `line`."""
    if pool is None:
        return None
    if line is None or not line.n_better:
        return replace(pool, better=pool.mask, threshold=-math.inf)
    better = pool.mask & (pool.scores >= line.threshold)
    return replace(pool, better=better, threshold=line.threshold)


def _thumbnails(answers: Sequence[_Answer]) -> Callable[[str], bytes | None]:
    def thumbnail_of(image_id: str) -> bytes | None:
        for answer in answers:
            if answer.hits.thumbnail_of and answer.collection.store.find_record(image_id):
                return answer.hits.thumbnail_of(image_id)
        return None

    return thumbnail_of
