"""Columns from records: dictionary-encoded in one pass, and extended when records are added.

A table of columns can be built from every record, or from an older table and the records that
changed since; both give columns that answer alike (the numbering of the values may differ).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.records import FIELD_KINDS, FieldKind

NUMBER = "number"
MAX_RAW_COLUMNS = 400
_BATCH = 4000
_NON_WORD = re.compile(r"\W+")
# No leading zeros: `007` is an inventory number, not seven.
_NUMERIC = re.compile(r"[-+]?(0|[1-9]\d{0,17})(\.\d+)?([eE][-+]?\d{1,2})?\Z")

IMAGE_FIELDS = ("key", "image_id", "state", "width_px", "height_px", "record_json")
"""What a row must have, in this order."""

_OWN_KINDS: dict[str, str] = {"state": FieldKind.TEXT, "width_px": NUMBER, "height_px": NUMBER}


@dataclass(frozen=True, slots=True)
class ColumnData:
    """One column of `n` images.

    Attributes:
        name: As a filter spells it.
        kind: A `FieldKind`, or `number`.
        raw: Whether it comes from the original rows.
        numbers: `(n,)` int32 (years) or float64; undefined where missing.
        missing: `(n,)`, for columns with numbers.
        codes: `(n,)` int32 into `values`, −1 missing; for lists one after another.
        offsets: `(n + 1,)` int64 into `codes`, for lists.
        values: The distinct strings.
    """

    name: str
    kind: str
    raw: bool = False
    numbers: npt.NDArray[Any] | None = None
    missing: Mask | None = None
    codes: npt.NDArray[np.int32] | None = None
    offsets: Ints | None = None
    values: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ColumnTable:
    """All columns of a collection, images by rising key."""

    keys: Ints
    image_ids: Sequence[str]
    columns: dict[str, ColumnData] = field(default_factory=dict)


class _Numbering(dict[str, int]):
    """Gives each new string the next number."""

    def __missing__(self, text: str) -> int:
        number = len(self)
        self[text] = number
        return number


def column_name(raw_name: str) -> str:
    """Spell the name of an original column as a filter does: lower case, `_` for other signs."""
    return _NON_WORD.sub("_", raw_name.strip().lower()).strip("_")


def build_table(rows: Iterable[Sequence[Any]]) -> ColumnTable:
    """Build every column from rows of `IMAGE_FIELDS`, ordered by key."""
    builder = _Builder()
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        builder.add(batch)
    return builder.table()


class _Builder:
    """Collects columns batch by batch."""

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.image_ids: list[str] = []
        self.years: dict[str, list[int | None]] = {}
        self.pixels: dict[str, list[int | None]] = {"width_px": [], "height_px": []}
        self.codes: dict[str, list[int]] = {"state": []}
        self.lengths: dict[str, list[int]] = {}
        self.values: dict[str, _Numbering] = {"state": _Numbering()}
        self.raw_codes: dict[str, list[int]] = {}
        self.raw_values: dict[str, _Numbering] = {}
        self.raw_names: dict[str, str] = {}
        for name, kind in FIELD_KINDS.items():
            if kind is FieldKind.YEAR:
                self.years[name] = []
            else:
                self.codes[name], self.values[name] = [], _Numbering()
                if kind is FieldKind.TEXTS:
                    self.lengths[name] = []

    def add(self, batch: Sequence[Sequence[Any]]) -> None:
        n_before = len(self.keys)
        keys, image_ids, states, widths, heights, texts = zip(*batch, strict=True)
        records: list[dict[str, Any]] = [json.loads(text) for text in texts]
        self.keys += keys
        self.image_ids += image_ids
        self.codes["state"] += [self.values["state"][state] for state in states]
        self.pixels["width_px"] += widths
        self.pixels["height_px"] += heights
        for name, years in self.years.items():
            years += [record.get(name) for record in records]
        for name, values in self.values.items():
            if name in self.lengths:
                lists = [record.get(name, ()) for record in records]
                self.lengths[name] += [len(items) for items in lists]
                self.codes[name] += [values[str(item)] for items in lists for item in items]
            elif name != "state":
                found = [record.get(name) for record in records]
                self.codes[name] += [-1 if text is None else values[str(text)] for text in found]
        self._add_raw([record.get("raw") or {} for record in records], n_before)

    def _add_raw(self, rows: list[Mapping[str, Any]], n_before: int) -> None:
        for raw_name in dict.fromkeys(name for row in rows for name in row):
            if raw_name not in self.raw_names:
                self._add_raw_name(raw_name, n_before)
            if not (name := self.raw_names[raw_name]):
                continue
            values = self.raw_values[name]
            found = [_scalar(row.get(raw_name)) for row in rows]
            self.raw_codes[name] += [-1 if text is None else values[text] for text in found]
        for name in self.raw_codes:
            n_lacking = n_before + len(rows) - len(self.raw_codes[name])
            self.raw_codes[name] += [-1] * n_lacking

    def _add_raw_name(self, raw_name: str, n_before: int) -> None:
        name = column_name(raw_name)
        taken = name in FIELD_KINDS or name in _OWN_KINDS or name in self.raw_values
        if not name or name == "image_id" or taken or len(self.raw_values) >= MAX_RAW_COLUMNS:
            self.raw_names[raw_name] = ""
            return
        self.raw_names[raw_name] = name
        self.raw_codes[name] = [-1] * n_before
        self.raw_values[name] = _Numbering()

    def table(self) -> ColumnTable:
        columns: dict[str, ColumnData] = {}
        for name, pixels in self.pixels.items():
            columns[name] = _number_column(name, NUMBER, pixels)
        for name, years in self.years.items():
            columns[name] = _number_column(name, FieldKind.YEAR, years)
        for name, codes in self.codes.items():
            kind = _OWN_KINDS.get(name) or FIELD_KINDS[name]
            offsets = None
            if name in self.lengths:
                offsets = np.concatenate([[0], np.cumsum(self.lengths[name], dtype=np.int64)])
            columns[name] = ColumnData(
                name,
                kind,
                codes=np.array(codes, np.int32),
                offsets=offsets,
                values=[text.replace("\0", "") for text in self.values[name]],
            )
        for name, codes in self.raw_codes.items():
            raw = ColumnData(
                name,
                FieldKind.TEXT,
                raw=True,
                codes=np.array(codes, np.int32),
                values=[text.replace("\0", "") for text in self.raw_values[name]],
            )
            if raw.values:  # nothing but nested or empty values: no column
                columns[name] = with_numbers(raw)
        return ColumnTable(np.array(self.keys, np.int64), self.image_ids, columns)


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() or None


def _number_column(name: str, kind: str, found: Sequence[int | None]) -> ColumnData:
    missing = np.array([number is None for number in found], np.bool_)
    numbers = np.array([0 if number is None else number for number in found], np.float64)
    if kind == FieldKind.YEAR:
        numbers = np.clip(numbers, -(2**31), 2**31 - 1).astype(np.int32)
    return ColumnData(name, kind, numbers=numbers, missing=missing)


def with_numbers(column: ColumnData) -> ColumnData:
    """Return a raw column as numbers if each of its values spells one, else as text."""
    assert column.codes is not None
    if not column.values or not all(_NUMERIC.match(text) for text in column.values):
        return replace(column, kind=FieldKind.TEXT, numbers=None, missing=None)
    spelled = np.array([float(text) for text in column.values], np.float64)
    missing = column.codes < 0
    numbers = np.where(missing, 0.0, spelled[np.maximum(column.codes, 0)])
    return replace(column, kind=NUMBER, numbers=numbers, missing=missing)


def extend_table(old: ColumnTable, live_keys: Ints, changed: ColumnTable) -> ColumnTable:
    """Return the table of `live_keys` `(n,)`: rows of `changed`, and of `old` for all others."""
    kept = np.flatnonzero(np.isin(old.keys, live_keys) & ~np.isin(old.keys, changed.keys))
    keys = np.concatenate([old.keys[kept], changed.keys])
    order = np.argsort(keys, kind="stable")
    ids = [old.image_ids[row] for row in kept.tolist()] + list(changed.image_ids)
    n_old, n_new = len(old.keys), len(changed.keys)
    columns: dict[str, ColumnData] = {}
    for name in dict.fromkeys([*changed.columns, *old.columns]):
        before = old.columns.get(name) or _empty_like(changed.columns[name], n_old)
        after = changed.columns.get(name) or _empty_like(before, n_new)
        joined = _joined(before, kept, after, order)
        if joined.raw and not joined.values:
            continue
        columns[name] = joined
    return ColumnTable(keys[order], [ids[row] for row in order.tolist()], columns)


def _empty_like(column: ColumnData, n: int) -> ColumnData:
    # Only a raw column can be in one table and not in the other.
    return ColumnData(
        column.name, FieldKind.TEXT, raw=column.raw, codes=np.full(n, -1, np.int32), values=()
    )


def _joined(before: ColumnData, kept: Ints, after: ColumnData, order: Ints) -> ColumnData:
    if before.codes is None or after.codes is None:
        assert before.numbers is not None and before.missing is not None
        assert after.numbers is not None and after.missing is not None
        return replace(
            before,
            numbers=np.concatenate([before.numbers[kept], after.numbers])[order],
            missing=np.concatenate([before.missing[kept], after.missing])[order],
        )
    numbering = {text: code for code, text in enumerate(before.values)}
    translated = np.array(
        [numbering.setdefault(text, len(numbering)) for text in after.values] or [0], np.int32
    )
    new_codes = np.where(after.codes < 0, -1, translated[np.maximum(after.codes, 0)])
    offsets = None
    if before.offsets is not None and after.offsets is not None:
        old_codes, old_lengths = _taken(before.codes, before.offsets, kept)
        lengths = np.concatenate([old_lengths, np.diff(after.offsets)])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        codes, lengths = _taken(np.concatenate([old_codes, new_codes]), starts, order)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    else:
        codes = np.concatenate([before.codes[kept], new_codes])[order]
    codes, values = _without_unused(codes, list(numbering))
    joined = replace(before, codes=codes, offsets=offsets, values=values)
    return with_numbers(joined) if joined.raw else joined


def _taken(codes: npt.NDArray[Any], offsets: Ints, rows: Ints) -> tuple[npt.NDArray[Any], Ints]:
    """Return the codes of the lists `rows`, one after another, and the lengths of the lists."""
    lengths = np.diff(offsets)[rows]
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
        offsets[rows] - (ends - lengths), lengths
    )
    return codes[places], lengths


def _without_unused(
    codes: npt.NDArray[Any], values: list[str]
) -> tuple[npt.NDArray[np.int32], list[str]]:
    used = np.zeros(len(values) + 1, np.bool_)
    used[codes] = True  # −1 falls on the last, spare place
    used = used[:-1]
    if used.all():
        return codes.astype(np.int32), values
    renumbered = np.concatenate([np.cumsum(used) - 1, [-1]])
    kept = [text for text, is_used in zip(values, used.tolist(), strict=True) if is_used]
    return renumbered[codes].astype(np.int32), kept
