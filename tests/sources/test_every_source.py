"""What every kind of source owes, asked of all that are registered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bilderatlas.errors import Failure, ImageError, SourceError
from bilderatlas.records import Record
from bilderatlas.sources.base import SOURCES, Source, SourceKind, SourceOptions, open_source

KINDS = list(SOURCES)


@pytest.fixture(params=KINDS, ids=[kind.name for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> SourceKind:
    member = request.param
    assert isinstance(member, SourceKind)
    return member


@pytest.fixture
def address(kind: SourceKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the kind's own example, with what it names put in place."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b/c.png"):
        path = tmp_path / "paintings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (200, 30, 30)).save(path)
    (tmp_path / "works.csv").write_text("image,title\npaintings/a.png,A\npaintings/b/c.png,C\n")
    return kind.example


@pytest.fixture
def source(kind: SourceKind, address: str) -> Iterator[Source]:
    opened = kind.open(address, SourceOptions())
    yield opened
    opened.close()


def first_records(source: Source, n: int = 20) -> list[Record]:
    records = []
    for item in source.iter_records():
        assert isinstance(item, Record), item
        records.append(item)
        if len(records) == n:
            break
    return records


def test_the_example_is_accepted_by_its_kind_first(kind: SourceKind, address: str) -> None:
    opened = open_source(address)
    assert opened.kind == kind.name
    opened.close()


def test_identifiers_are_unique_and_stable(kind: SourceKind, address: str, source: Source) -> None:
    ids = [record.image_id for record in first_records(source)]
    assert ids
    assert len(ids) == len(set(ids))
    again = kind.open(address, SourceOptions())
    assert [record.image_id for record in first_records(again)] == ids
    assert again.address == source.address
    again.close()
    source.check_ids()


def test_the_address_opens_the_same_source(source: Source) -> None:
    again = open_source(source.address)
    assert (again.kind, again.address) == (source.kind, source.address)
    again.close()


def test_fingerprints_and_pictures_are_stable(source: Source) -> None:
    record = first_records(source, 1)[0]
    assert source.fingerprint(record) == source.fingerprint(record)
    assert source.read_image(record) == source.read_image(record)


def test_pictures_come_in_order_and_missing_ones_as_failures(source: Source) -> None:
    record = first_records(source, 1)[0]
    pairs = list(source.iter_images([record, record]))
    assert [given.image_id for given, _ in pairs] == [record.image_id] * 2
    assert all(isinstance(content, bytes) for _, content in pairs)


def test_records_and_preview_are_json(source: Source) -> None:
    for record in first_records(source):
        assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
    preview = json.loads(json.dumps(source.preview()))
    assert (preview["kind"], preview["address"]) == (source.kind, source.address)


def test_a_record_of_no_picture_is_refused_with_a_reason(source: Source) -> None:
    with pytest.raises(ImageError):
        source.read_image(Record("no such image", image_path="no/such.png"))


@pytest.mark.parametrize("bad", ["no-such-thing", "no-such.csv", "no\0such", "gopher://x", ""])
def test_bad_addresses_end_in_one_sentence(bad: str) -> None:
    with pytest.raises(SourceError, match="Cannot"):
        open_source(bad)


def test_failures_are_values(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("image,title\na.png,A\nb.png\n")
    items = list(open_source(str(tmp_path / "w.csv")).iter_records())
    assert [type(item) for item in items] == [Record, Failure]
