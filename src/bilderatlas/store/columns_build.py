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
from bilderatlas.store.columns_texts import PlainTexts, TextsBuilder

NUMBER = "number"
MAX_RAW_COLUMNS = 400
_BATCH = 4000
_NON_WORD = re.compile(r"\W+")
# No leading zeros: `007` is an inventory number, not seven.
_NUMERIC = re.compile(r"[-+]?(0|[1-9]\d{0,17})(\.\d+)?([eE][-+]?\d{1,2})?\Z")

IMAGE_FIELDS = ("key", "image_id", "state", "width_px", "height_px", "record_json")
"""What a row must have, in this order."""

_PIXELS = ("width_px", "height_px")
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
        self.n = 0
        self.keys: list[Ints] = []
        self.image_ids = PlainTexts()
        self.texts: dict[str, TextsBuilder] = {"state": TextsBuilder()}
        self.numbers: dict[str, _NumbersBuilder] = {name: _NumbersBuilder() for name in _PIXELS}
        self.raw: dict[str, TextsBuilder] = {}
        self.raw_names: dict[str, str] = {}
        for name, kind in FIELD_KINDS.items():
            if kind is FieldKind.YEAR:
                self.numbers[name] = _NumbersBuilder()
            else:
                self.texts[name] = TextsBuilder(lists=kind is FieldKind.TEXTS)

    def add(self, batch: Sequence[Sequence[Any]]) -> None:
        keys, image_ids, states, widths, heights, texts = zip(*batch, strict=True)
        records: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")  # at once: one call
        if len(records) != len(texts):
            raise ValueError("a record is not one JSON object")
        self.keys.append(np.array(keys, np.int64))
        self.image_ids.add(image_ids)
        self.texts["state"].add(states, self.n)
        self.numbers["width_px"].add(widths, self.n)
        self.numbers["height_px"].add(heights, self.n)
        for name in set().union(*records) & FIELD_KINDS.keys():
            found = [record.get(name) for record in records]
            if name in self.numbers:
                self.numbers[name].add(found, self.n)
            else:
                self.texts[name].add(found, self.n)
        if raw := {
            place: row for place, record in enumerate(records) if (row := record.get("raw"))
        }:
            self._add_raw([raw.get(place) or {} for place in range(len(records))])
        self.n += len(records)

    def _add_raw(self, rows: list[Mapping[str, Any]]) -> None:
        for raw_name in dict.fromkeys(name for row in rows for name in row):
            if raw_name not in self.raw_names:
                self.raw_names[raw_name] = self._name_of(raw_name)
            if name := self.raw_names[raw_name]:
                self.raw[name].add([_scalar(row.get(raw_name)) for row in rows], self.n)

    def _name_of(self, raw_name: str) -> str:
        """Return under which name an original column is kept; empty: it is not."""
        name = column_name(raw_name)
        taken = name in FIELD_KINDS or name in _OWN_KINDS or name in self.raw
        if not name or name == "image_id" or taken or len(self.raw) >= MAX_RAW_COLUMNS:
            return ""
        self.raw[name] = TextsBuilder()
        return name

    def table(self) -> ColumnTable:
        """Return what was added, and forget it column by column."""
        columns: dict[str, ColumnData] = {}
        for name in list(self.numbers):
            kind = _OWN_KINDS.get(name) or FIELD_KINDS[name]
            columns[name] = self.numbers.pop(name).column(name, kind, self.n)
        for name in list(self.texts):
            kind = _OWN_KINDS.get(name) or FIELD_KINDS[name]
            codes, offsets, values = self.texts.pop(name).finish(self.n)
            columns[name] = ColumnData(name, kind, codes=codes, offsets=offsets, values=values)
        for name in list(self.raw):
            codes, _, values = self.raw.pop(name).finish(self.n)
            if len(values):  # nothing but nested or empty values: no column
                raw = ColumnData(name, FieldKind.TEXT, raw=True, codes=codes, values=values)
                columns[name] = with_numbers(raw)
        keys = np.concatenate([np.empty(0, np.int64), *self.keys])
        return ColumnTable(keys, self.image_ids.finish(), columns)


class _NumbersBuilder:
    """Collects a column of numbers; batches that have none cost nothing."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, npt.NDArray[np.float64], Mask]] = []

    def add(self, found: Sequence[int | None], start: int) -> None:
        missing = np.array([number is None for number in found], np.bool_)
        if not missing.all():
            numbers = [0 if number is None else number for number in found]
            self._parts.append((start, np.array(numbers, np.float64), missing))

    def column(self, name: str, kind: str, n: int) -> ColumnData:
        is_year = kind == FieldKind.YEAR
        numbers = np.zeros(n, np.int32 if is_year else np.float64)
        missing = np.ones(n, np.bool_)
        for start, part, lacks in self._parts:
            fitting = np.clip(part, -(2**31), 2**31 - 1) if is_year else part
            numbers[start : start + len(part)] = fitting.astype(numbers.dtype)
            missing[start : start + len(part)] = lacks
        return ColumnData(name, kind, numbers=numbers, missing=missing)


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() or None


def with_numbers(column: ColumnData) -> ColumnData:
    """Return a raw column as numbers if each of its values spells one, else as text."""
    assert column.codes is not None
    if not len(column.values) or not all(_NUMERIC.match(text) for text in column.values):
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
        if joined.raw and not len(joined.values):
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
