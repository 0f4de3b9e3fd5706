"""A further space for pictures that need not be read: the library has their rows already."""

from __future__ import annotations

from collections.abc import Sequence

from bilderatlas.extractors import Extractor, ImageRows
from bilderatlas.indexing.plan import Plan
from bilderatlas.indexing.report import IndexReport
from bilderatlas.store.reuse import KnownRows
from bilderatlas.store.writer import CollectionWriter

N_AT_ONCE = 500


def copy_known_rows(
    known_rows: KnownRows,
    writer: CollectionWriter,
    plan: Plan,
    extractors: Sequence[Extractor],
    report: IndexReport,
) -> None:
    """Commit the rows that some collection has for unchanged pictures; strike those off the plan.

    A picture is struck off when it then lacks no space any more.
    """
    struck: set[str] = set()
    waiting = [record.image_id for record in plan.to_read if record.image_id in plan.only_lacking]
    for start in range(0, len(waiting), N_AT_ONCE):
        chunk = waiting[start : start + N_AT_ONCE]
        rows = {
            extractor.card.model_id: _known(known_rows, extractor, plan, chunk)
            for extractor in extractors
        }
        rows = {model_id: some for model_id, some in rows.items() if some}
        if not rows:
            continue
        writer.commit_batch((), rows)
        for model_id, some in rows.items():
            report.reused += len(some)
            for image_id, _ in some:
                plan.lacking[image_id] -= {model_id}
        struck |= {image_id for image_id in chunk if not plan.lacking[image_id]}
    report.completed += len(struck)
    plan.leave(struck)


def _known(
    known_rows: KnownRows, extractor: Extractor, plan: Plan, image_ids: Sequence[str]
) -> list[tuple[str, ImageRows]]:
    lacking = [one for one in image_ids if extractor.card.model_id in plan.lacking[one]]
    found = known_rows.find(extractor.card, {str(plan.known_sha256[one]) for one in lacking})
    return [
        (image_id, found[content])
        for image_id in lacking
        if (content := str(plan.known_sha256[image_id])) in found
    ]
