"""Addresses: any id becomes one, and comes back unchanged."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bilderatlas.web import urls

IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(IDS)
@example("a.json")
@example("../../etc/passwd")
@example("~2E")
@example("prints/é?x=1#y%20.jpg")
@example("\\\\host\\share")
def test_every_id_survives_its_address(image_id: str) -> None:
    path = urls.work("c", image_id)
    parts = urlsplit(path)
    assert parts.query == "" and parts.fragment == ""
    assert urls.decode_id(unquote(parts.path.removeprefix("/c/c/i/"))) == image_id


@given(IDS)
def test_no_address_holds_what_browsers_rewrite(image_id: str) -> None:
    encoded = urls.encode_id(image_id)
    assert not encoded.endswith(".json")
    assert not {".", ".."} & {unquote(segment) for segment in encoded.split("/")}
    assert "\\" not in encoded


@given(IDS)
@example("a #1?.png")
def test_the_json_twin_is_spelled_as_its_page_is(image_id: str) -> None:
    path = unquote(urls.work("c", image_id))
    assert urls.json_twin(path, [("like", "#")]) == urls.work(
        "c", image_id, [("like", "#")], json=True
    )


def test_json_twin_of_an_id_that_ends_like_one() -> None:
    assert urls.work("c", "a.json") == "/c/c/i/a~2Ejson"
    assert urls.work("c", "a.json", json=True) == "/c/c/i/a~2Ejson.json"


@pytest.mark.parametrize(
    ("params", "url"),
    [
        ([], "/c/paintings"),
        ([("like", "a b&c"), ("like", "x/y")], "/c/paintings?like=a+b%26c&like=x/y"),
        ([("where", "year >= 1600")], "/c/paintings?where=year+%3E%3D+1600"),
    ],
)
def test_search_addresses(params: list[tuple[str, str]], url: str) -> None:
    assert urls.search("paintings", params) == url
