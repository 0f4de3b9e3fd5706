"""Hits as a table: flat dictionaries, CSV, data frames."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import UnavailableError
from bilderatlas.records import FIELD_KINDS, FieldKind

if TYPE_CHECKING:
    from bilderatlas.search.hits import Hit

COLUMNS = ("rank", "image_id", "score", "percentile", *FIELD_KINDS)
_SHARE = "share "

# What a spreadsheet may take for the beginning of a formula or of the next cell; the wide forms
# are folded to the plain ones by some.
_FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠")


def to_records(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return one dictionary a hit, with every one of `COLUMNS`.

    Where several collections answered, `collection` stands before the id; where criteria were
    mixed, `share MODEL_ID` behind the percentile says what each gave to the score.
    """
    names = any(hit.collection for hit in hits)
    shared = dict.fromkeys(share.model_id for hit in hits for share in hit.shares)
    return [
        {"rank": hit.rank}
        | ({"collection": hit.collection} if names else {})
        | {"image_id": hit.image_id, "score": hit.score, "percentile": hit.percentile}
        | {f"{_SHARE}{model_id}": _share(hit, model_id) for model_id in shared}
        | {name: _field(hit, name, kind) for name, kind in FIELD_KINDS.items()}
        for hit in hits
    ]


def columns_of(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the names of the columns that rows of `to_records` have; without rows `COLUMNS`."""
    return list(rows[0]) if rows else list(COLUMNS)


def _share(hit: Hit, model_id: str) -> float | None:
    return next((each.share for each in hit.shares if each.model_id == model_id), None)


def _field(hit: Hit, name: str, kind: FieldKind) -> Any:
    value = getattr(hit.record, name)
    return list(value) if kind is FieldKind.TEXTS else value


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows of `to_records` as CSV, safe to open in a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    columns = columns_of(rows)
    writer.writerow(columns)
    writer.writerows([spreadsheet_cell(row[name]) for name in columns] for row in rows)
    return file.getvalue()


def spreadsheet_cell(value: Any) -> str:
    """Return a value as the text of a CSV cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return repr(value)  # a number is no formula, also where it begins with a minus
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    first = text[:1] if text[:1] in _FORMULA_STARTS else text.lstrip()[:1]
    return f"'{text}" if first in _FORMULA_STARTS else text


def to_pandas(rows: Sequence[dict[str, Any]]) -> Any:
    """Return rows of `to_records` as a pandas data frame, or say how to get pandas."""
    return _import("pandas").DataFrame(rows, columns=columns_of(rows))


def to_polars(rows: Sequence[dict[str, Any]]) -> Any:
    """Return rows of `to_records` as a polars data frame, or say how to get polars."""
    frame = _import("polars")
    types = {
        FieldKind.YEAR: frame.Int64,
        FieldKind.TEXTS: frame.List(frame.String),
    }
    known = {"rank": frame.Int64, "score": frame.Float64, "percentile": frame.Float64}
    known |= {name: types.get(kind, frame.String) for name, kind in FIELD_KINDS.items()}
    schema = {
        name: frame.Float64 if name.startswith(_SHARE) else known.get(name, frame.String)
        for name in columns_of(rows)
    }
    return frame.DataFrame(rows, schema=schema)


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnavailableError(
            f"Cannot make a data frame: {name} is not installed. Run `pip install {name}`, or use "
            "hits.to_records() or hits.to_csv()."
        ) from error
