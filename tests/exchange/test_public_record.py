"""What of a record strangers get."""

from __future__ import annotations

import pytest

from bilderatlas.exchange.public_record import public_record


@pytest.mark.parametrize(
    "path",
    [
        "/srv/a.png",
        "C:\\pictures\\a.png",
        "d:/pictures/a.png",
        "\\\\server\\a.png",
        "~/a.png",
        "~alice/a.png",
        "file:///srv/a.png",
        " /srv/a.png",
        "own/a.png",
    ],
)
def test_paths_of_this_machine_go(path: str) -> None:
    raw = {"file": path, "more": {"files": [path, "an oil sketch"]}, "year": 1642, "none": None}
    found = public_record({"title": path, "image_path": "own/a.png", "raw": raw})
    assert found == {
        "title": path,  # as the source spells it
        "raw": {"more": {"files": ["an oil sketch"]}, "year": 1642, "none": None},
    }


@pytest.mark.parametrize(
    "value", ["oil / canvas", "https://museum.example/a.png", "c. 1860", "~ 1860", "a/b.png", ""]
)
def test_everything_else_stays(value: str) -> None:
    values = {"image_url": "https://museum.example/a.png", "raw": {"any": value}}
    assert public_record(values) == values


def test_a_link_to_a_file_goes() -> None:
    assert public_record({"image_url": "file:///srv/a.png", "page_url": "/srv/a.html"}) == {}
