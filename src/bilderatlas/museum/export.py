"""A museum on disk: pictures, metadata, links and all ground truth."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from bilderatlas.errors import UsageError
from bilderatlas.museum.forms.base import FORMS
from bilderatlas.museum.labels import tags_of
from bilderatlas.museum.paint import paint_with_truth
from bilderatlas.museum.plan import RIGHTS, plan_work
from bilderatlas.museum.pool import paint_ahead
from bilderatlas.museum.truth import Truth

COLUMNS = (
    "file", "id", "title", "creator", "date", "school", "genre", "object_type", "medium",
    "rights", "iconclass", "tags",
)  # fmt: skip
LINK_COLUMNS = ("source", "target", "kind", "mirrored", "matrix")


def paint_museum(out: Path, works: int, seed: int, processes: int = 0) -> None:
    """Write `works` works of museum `seed` to the folder `out`.

    `images/*.jpg`, `metadata.csv` (a table that the table source recognises), `truth.jsonl` (one
    JSON a work) and `links.csv` (variants and their models). What stands there is overwritten.

    Raises:
        UsageError: when `works` is below 1.
    """
    if works < 1:
        raise UsageError(f"Cannot paint {works} works; a museum has at least 1.")
    (out / "images").mkdir(parents=True, exist_ok=True)
    jobs = ((seed, index) for index in range(works))
    with (
        (out / "metadata.csv").open("w", newline="", encoding="utf-8") as table,
        (out / "links.csv").open("w", newline="", encoding="utf-8") as links,
        (out / "truth.jsonl").open("w", encoding="utf-8") as truths,
    ):
        rows, link_rows = csv.writer(table), csv.writer(links)
        rows.writerow(COLUMNS)
        link_rows.writerow(LINK_COLUMNS)
        for data, truth in paint_ahead(paint_with_truth, jobs, processes):
            (out / "images" / f"{truth.image_id}.jpg").write_bytes(data)
            rows.writerow(_row(truth))
            truths.write(json.dumps(truth.to_json(), ensure_ascii=False) + "\n")
            if truth.link is not None:
                link = truth.link
                matrix = json.dumps([list(row) for row in link.matrix])
                link_rows.writerow(
                    [truth.image_id, link.model_id, link.kind, link.mirrored, matrix]
                )


def _row(truth: Truth) -> list[str]:
    work = plan_work(truth.seed, truth.index)
    return [
        f"images/{truth.image_id}.jpg",
        truth.image_id,
        work.title,
        work.creator,
        work.date_display,
        work.school,
        work.genre,
        FORMS[work.form].object_type,
        work.medium,
        RIGHTS,
        "; ".join(work.plan.iconclass),
        "; ".join(tags_of(work)),
    ]
