"""What a table would become, before anything is written: the mapping and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from bilderatlas.errors import Failure
from bilderatlas.records import Record
from bilderatlas.sources.cells import is_empty, read_links, read_text
from bilderatlas.sources.columns import READINGS, Reading
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
        `rows`, `records`, `failures` (by code), `duplicates`, and all of `describe_records`.
    """
    failures: Counter[str] = Counter()
    seen: set[str] = set()

    def good_ones() -> Iterator[Record]:
        for row in table.read_rows():
            record = reader.read(row) if isinstance(row, Row) else row
            if isinstance(record, Failure):
                failures[record.code] += 1
            elif record.image_id in seen:
                failures["duplicate-id"] += 1
            else:
                seen.add(record.image_id)
                yield record

    described = describe_records(table, reader.mapping, good_ones())
    return {
        "rows": len(seen) + failures.total(),
        "records": len(seen),
        "failures": dict(failures),
        "duplicates": failures["duplicate-id"],
        **described,
    }


def describe_records(
    table: Table, mapping: ColumnMapping, records: Iterable[Record]
) -> dict[str, Any]:
    """Return how a table's columns are understood and what its records lack, JSON-ready.

    Returns:
        `columns`, `mapping` (field, columns, how it was found, how it is read, examples),
        `unmapped` columns, and the numbers of records `without_image`, `remote_only`,
        `without_rights`, `without_date` and `unreadable_dates`, with `unreadable_examples`.
    """
    counts: Counter[str] = Counter()
    unreadable: dict[str, None] = {}
    examples: dict[str, dict[str, None]] = {field: {} for field in READINGS}
    for record in records:
        missing = _missing(record)
        counts.update(missing)
        if "unreadable_dates" in missing and len(unreadable) < _MAX_UNREADABLE:
            unreadable[printable(str(record.date_display))[:_MAX_EXAMPLE_CHARS]] = None
        _collect(examples, mapping, record)
    return {
        "columns": list(mapping.columns or table.columns),
        "mapping": [
            _describe(mapping, field, list(examples[field]))
            for field in READINGS
            if field in mapping.places
        ],
        "unmapped": mapping.unmapped(),
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


def _collect(examples: dict[str, dict[str, None]], mapping: ColumnMapping, record: Record) -> None:
    """Keep the first distinct values of each field."""
    for field in mapping.places:
        kept = examples[field]
        if len(kept) >= N_EXAMPLES:
            continue
        for _, cell in mapping.cells(record.raw, field):
            if READINGS[field] in (Reading.IMAGE, Reading.ADDRESS):
                text = next(iter(read_links(cell)), None)
            else:
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
