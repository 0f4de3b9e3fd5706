"""What a table would become, before anything is written: the mapping and what is missing."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bilderatlas.errors import Failure
from bilderatlas.records import Record
from bilderatlas.sources.cells import is_empty, read_text
from bilderatlas.sources.columns import READINGS
from bilderatlas.sources.dates import says_undated
from bilderatlas.sources.files import printable
from bilderatlas.sources.mapping import ColumnMapping, RecordReader
from bilderatlas.sources.rows import Row, Table

N_EXAMPLES = 3
_MAX_EXAMPLE_CHARS = 80
_MAX_UNREADABLE = 10


def preview_rows(table: Table, reader: RecordReader) -> dict[str, Any]:
    """Read all rows and return a JSON-ready account of them.

    Returns:
        `rows`, `records`, `failures` (by code), `mapping` (field, columns, how it was found, how
        it is read, examples), `unmapped` columns, and the numbers of records `without_image`,
        `remote_only`, `without_rights`, `without_date`, `unreadable_dates` (with examples) and
        `duplicates`.
    """
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    unreadable: dict[str, None] = {}
    examples: dict[str, dict[str, None]] = {field: {} for field in READINGS}
    seen: set[str] = set()
    n_rows = 0
    for row in table.iter_rows():
        n_rows += 1
        record = reader.read(row) if isinstance(row, Row) else row
        if isinstance(record, Failure):
            failures[record.code] += 1
        elif record.image_id in seen:
            failures["duplicate-id"] += 1
        else:
            seen.add(record.image_id)
            counts.update(_missing(record))
            if _is_unreadable(record) and len(unreadable) < _MAX_UNREADABLE:
                unreadable[str(record.date_display)[:_MAX_EXAMPLE_CHARS]] = None
            if isinstance(row, Row):
                _collect(examples, reader.mapping, row)
    return {
        "columns": list(reader.mapping.columns),
        "rows": n_rows,
        "records": len(seen),
        "failures": dict(failures),
        "duplicates": failures["duplicate-id"],
        "mapping": [
            _describe(reader.mapping, field, list(examples[field]))
            for field in READINGS
            if field in reader.mapping.places
        ],
        "unmapped": reader.mapping.unmapped(),
        **{name: counts[name] for name in _COUNTED},
        "unreadable_examples": list(unreadable),
    }


_COUNTED = ("without_image", "remote_only", "without_rights", "without_date", "unreadable_dates")


def _missing(record: Record) -> list[str]:
    """Name what a record lacks."""
    remote = bool(record.image_url or record.iiif_service)
    facts = {
        "without_image": not (record.image_path or remote),
        "remote_only": remote and not record.image_path,
        "without_rights": record.rights is None,
        "without_date": record.year_begin is None and not _is_unreadable(record),
        "unreadable_dates": _is_unreadable(record),
    }
    return [name for name, holds in facts.items() if holds]


def _is_unreadable(record: Record) -> bool:
    """Tell whether a date is written that could not be read; `n.d.` was read and says nothing."""
    display = record.date_display
    return record.year_begin is None and bool(display) and not says_undated(display or "")


def _collect(examples: dict[str, dict[str, None]], mapping: ColumnMapping, row: Row) -> None:
    """Keep the first distinct values of each field."""
    for field in mapping.places:
        kept = examples[field]
        if len(kept) >= N_EXAMPLES:
            continue
        for _, cell in mapping.cells(row, field):
            text = None if is_empty(cell) else read_text(cell)
            if text:
                kept[printable(text)[:_MAX_EXAMPLE_CHARS]] = None
                break


def _describe(mapping: ColumnMapping, field: str, examples: list[str]) -> dict[str, Any]:
    places = mapping.places[field]
    by_content = field == "image" and mapping.by_content is not None
    chosen = "content" if by_content else "option" if field in mapping.chosen else "name"
    return {
        "field": field,
        "columns": [place.name for place in places],
        "found_by": chosen,
        "read_as": str(READINGS[field]),
        "examples": examples,
    }
