"""Strangers are told no file of the server's machine: in no facet, no group, by no filter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import bilderatlas.api as ba
from bilderatlas.exchange.public_columns import private_columns
from bilderatlas.indexing import IndexOptions
from bilderatlas.web.security import Access
from tests.web.conftest import client_of, draw

N_WORKS = 12
OPTIONS = IndexOptions(extractors=("raw_32.pixels",), workers=1)
ASKED = ("group=secret_path", "group=image_path", "facet=secret_path:/srv/anna/0",
         "facet=image_path:sub/p000.png", "facet=scan:sub/p000.png",
         "where=secret_path+contains+'anna'", "where=SECRET_PATH+contains+'anna'",
         "where=image_path+contains+'sub'")  # fmt: skip


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library of one table, two of whose columns name files."""
    folder = tmp_path_factory.mktemp("source")
    (folder / "sub").mkdir()
    lines = ["id,image,title,scan,Secret Path,Colour"]
    for number in range(N_WORKS):
        file = f"sub/p{number // 2:03d}.png"
        draw(folder / file, (20 * number, 90, 30), (60, 50))
        colour = "red" if number % 2 else "blue"
        lines.append(f"w{number},{file},Shapes,{file},/srv/anna/{number % 3},{colour}")
    (folder / "works.csv").write_text("\n".join(lines))
    with ba.create(tmp_path_factory.mktemp("library")) as made:
        ba.index(made, str(folder / "works.csv"), "weird", options=OPTIONS)
        yield made


def test_the_columns_that_name_files_are_known(library: ba.Library) -> None:
    columns = library["weird"].store.columns
    assert {"image_path", "secret_path"} <= private_columns(columns)
    assert private_columns(columns).isdisjoint({"title", "colour", "id"})


@pytest.mark.parametrize("address", ["/c/weird", "/c/weird.json", "/c/weird?like=w3"])
def test_no_facet_tells_of_files(library: ba.Library, address: str) -> None:
    answer = client_of(library, Access.public()).get(address)
    assert answer.status_code == 200
    assert "anna" not in answer.text and "secret" not in answer.text.lower()
    assert "sub/p" not in answer.text
    assert "olour" in answer.text  # other columns are there
    local = client_of(library, Access.local(8642)).get("/c/weird.json").text
    assert "/srv/anna/0" in local  # to its owner all is shown


@pytest.mark.parametrize("asked", ASKED)
def test_what_names_files_is_no_column_to_strangers(library: ba.Library, asked: str) -> None:
    client = client_of(library, Access.public())
    answer = client.get(f"/c/weird.json?{asked}")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unknown-name"
    assert client.get(f"/c/weird/export.csv?{asked}").status_code == (
        400 if "group" not in asked else 200
    )
    assert client_of(library, Access.local(8642)).get(f"/c/weird.json?{asked}").status_code == 200
