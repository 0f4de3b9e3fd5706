"""Records: through JSON and back, filled without overwriting."""

from __future__ import annotations

import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.records import FIELD_KINDS, FieldKind, Record

TEXT = st.none() | st.text(min_size=1, max_size=20)
TEXTS = st.lists(st.text(max_size=10), max_size=3).map(tuple)
YEAR = st.none() | st.integers(-3000, 2100)
BY_KIND = {
    FieldKind.TEXT: TEXT,
    FieldKind.TEXTS: TEXTS,
    FieldKind.YEAR: YEAR,
    FieldKind.LINK: TEXT,
}
RECORDS = st.builds(
    Record,
    image_id=st.text(min_size=1),
    raw=st.dictionaries(st.text(), st.text()),
    **{name: BY_KIND[kind] for name, kind in FIELD_KINDS.items()},
)


@given(RECORDS)
def test_json_and_back(record: Record) -> None:
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


@given(RECORDS, RECORDS)
def test_filling_never_overwrites(record: Record, other: Record) -> None:
    found = {name: getattr(other, name) for name in FIELD_KINDS}
    filled = record.filled_from(found)
    for name in FIELD_KINDS:
        mine = getattr(record, name)
        assert getattr(filled, name) == (mine if mine not in (None, ()) else found[name] or mine)


def test_every_field_has_a_kind() -> None:
    assert {field.name for field in fields(Record)} - {"image_id", "raw"} == set(FIELD_KINDS)
