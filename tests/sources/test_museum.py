"""The museum as a source."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import Failure, ImageError, SourceError
from bilderatlas.museum import paint_work
from bilderatlas.records import Record
from bilderatlas.sources.base import open_source
from bilderatlas.sources.museum import MuseumSource, format_address, parse_address


@given(works=st.integers(1, 1_000_000), seed=st.integers(0, 2**31 - 1))
def test_addresses_make_the_round_trip(works: int, seed: int) -> None:
    assert parse_address(format_address(works, seed)) == (works, seed)


@given(st.text(max_size=30))
def test_any_other_text_is_read_or_refused_in_a_sentence(text: str) -> None:
    try:
        works, seed = parse_address(f"museum://?{text}")
    except (SourceError, ValueError) as error:
        assert str(error)
    else:
        assert works >= 1 and seed >= 0


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("museum://?works=0", "works is '0' but must be a whole number from 1"),
        ("museum://?works=abc", "works is 'abc'"),
        ("museum://?works=1000001", "to 1000000"),
        ("museum://?seed=-1", "seed is '-1'"),
        ("museum://?works=", "works is ''"),
        ("museum://?works=5&works=6", "said twice"),
        ("museum://?size=5", "no parameter 'size'"),
        ("museum://rijks?works=5", "parameters only"),
    ],
)
def test_bad_addresses_end_in_one_clear_sentence(address: str, said: str) -> None:
    with pytest.raises(SourceError, match=said.replace("?", r"\?")) as caught:
        open_source(address)
    assert str(caught.value).startswith("Cannot open")


def test_equal_museums_have_one_address() -> None:
    assert open_source("museum://?seed=7&works=600").address == "museum://?works=600&seed=7"
    assert open_source("museum:").address == "museum://?works=600&seed=7"


def test_records_are_full_and_need_no_painting() -> None:
    source = MuseumSource(300, 7)
    records = [record for record in source.iter_records() if isinstance(record, Record)]
    assert len(records) == source.count() == 300
    for record in records:
        assert record.title and record.creators and record.date_display and record.medium
        assert record.rights == "CC0-1.0"
        assert record.institution == "The Synthetic Museum"
        assert record.iconclass and record.tags
        assert (record.year_begin is None) == (record.date_display == "n.d.")
    assert any("link_to" in record.raw for record in records)


def test_fingerprints_tell_works_and_museums_apart() -> None:
    first, other = MuseumSource(5, 7), MuseumSource(5, 8)
    prints = [
        s.fingerprint(r) for s in (first, other) for r in s.iter_records() if isinstance(r, Record)
    ]
    assert len(set(prints)) == 10
    again = [
        MuseumSource(9, 7).fingerprint(r) for r in first.iter_records() if isinstance(r, Record)
    ]
    assert again == prints[:5]


def test_a_strange_record_is_missing() -> None:
    source = MuseumSource(5, 7)
    for image_id in ("m7-000005", "m8-000001", "SK-C-5", "m7-1"):
        with pytest.raises(ImageError) as caught:
            source.read_image(Record(image_id))
        assert caught.value.reason_code == "missing"


def test_pictures_come_in_order_from_several_processes() -> None:
    source = MuseumSource(12, 7, processes=2)
    records = [record for record in source.iter_records() if isinstance(record, Record)]
    asked = [*records[:3], Record("nobody"), *records[3:9], Record("nobody-2")]
    found = list(source.iter_images(iter(asked)))
    assert [record.image_id for record, _ in found] == [record.image_id for record in asked]
    assert [isinstance(picture, Failure) for _, picture in found] == [
        record.image_id.startswith("nobody") for record in asked
    ]
    assert found[0][1] == paint_work(7, 0)


def test_closing_early_ends_the_painters() -> None:
    source = MuseumSource(1000, 7, processes=2)
    records = (record for record in source.iter_records() if isinstance(record, Record))
    pictures = source.iter_images(records)
    assert len(list(islice(pictures, 2))) == 2
    pictures.close()  # type: ignore[attr-defined]
    assert list(pictures) == []


def test_painting_ahead_works_in_a_script_without_a_main_guard() -> None:
    code = (
        "from bilderatlas.sources.museum import MuseumSource\n"
        "source = MuseumSource(6, 7, processes=2)\n"
        "pictures = source.iter_images(list(source.iter_records()))\n"
        "print(sum(len(data) > 1000 for _, data in pictures))"
    )
    run = subprocess.run(
        [sys.executable, "-"], input=code, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "6"
