"""Collections come and go in the browser: added with their mapping, retried, removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.api.folders import look_into
from bilderatlas.errors import SourceError
from bilderatlas.indexing import IndexOptions
from bilderatlas.jobs.queue import JobState
from bilderatlas.web.pages.add import slug
from bilderatlas.web.pages.paging import Paging
from bilderatlas.web.security import Access
from tests.web.conftest import client_of, draw, write_table
from tests.web.reading import Document

BY = "raw_32.pixels"


@pytest.fixture
def own_library(tmp_path: Path) -> Iterator[ba.Library]:
    """Return an empty library of this test's own."""
    with ba.create(tmp_path / "library") as made:
        yield made


@pytest.fixture
def client(own_library: ba.Library) -> TestClient:
    """Return the owner's client."""
    return client_of(own_library, Access.local(8642))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of three rows whose columns nobody would recognise as picture or title."""
    folder = tmp_path / "Käthe's maps"
    for name, colour in (("a.png", (200, 0, 0)), ("b.png", (0, 200, 0)), ("c.png", (0, 0, 200))):
        draw(folder / name, colour, (40, 30))
    rows: list[dict[str, object]] = [
        {"alpha": f"{stem}.png", "beta": f"Map {stem}", "Rights": "CC0" if stem == "a" else ""}
        for stem in "abc"
    ]
    write_table(folder / "maps.csv", rows)
    return folder / "maps.csv"


def add_url(**fields: object) -> str:
    return f"/add?{urlencode({name.replace('__', ':'): value for name, value in fields.items()})}"


def fields_of(document: Document) -> dict[str, str]:
    """Return what the form of the page would send as it stands, but the menus."""
    inputs = [one for one in document.all("input") if one.get("name")]
    ticked = [one for one in inputs if one.get("type") != "checkbox" or "checked" in one.attributes]
    return {one.get("name"): one.get("value") for one in ticked}


def test_a_folder_is_looked_at_named_indexed_and_searched(
    client: TestClient, own_library: ba.Library, table: Path
) -> None:
    folder = table.parent
    assert Document(client.get("/").text).says("Add a collection")
    page = Document(client.get(add_url(source=folder)).text)
    assert page.problems == [] and page.says("A folder with 3 pictures.")
    fields = fields_of(page)
    assert fields["name"] == "kathe_s_maps" and fields["source"] == str(folder)
    answer = client.post("/add", data={**fields, "by": BY})
    assert answer.status_code == 303
    job_url = answer.headers["location"]
    assert Document(client.get(job_url).text).says("Indexing kathe_s_maps")
    assert own_library.run_jobs() == 1
    assert own_library.jobs.get(job_url.rpartition("/")[2]).state is JobState.DONE
    page = Document(client.get(job_url).text)
    assert page.says("3 added") and page.says("finished just now")
    assert client.get("/c/kathe_s_maps").status_code == 200
    assert own_library["kathe_s_maps"].info.model_ids == (BY,)
    again = Document(client.get(add_url(source=folder)).text)
    assert again.says("is the collection kathe_s_maps already")


def test_the_mapping_is_shown_and_can_be_changed(
    client: TestClient, own_library: ba.Library, table: Path
) -> None:
    page = Document(client.get(add_url(source=table)).text)
    assert page.says("by what stands in it") and page.says("a.png")  # the picture's column
    assert page.says("2 without a statement of rights") and page.says("3 without a date")
    assert page.says("can be filtered by: beta")
    menu = [one for one in page.all("option") if one.path[-1] == "select"]
    assert {one.text for one in menu} >= {"alpha", "beta", "Rights", "leave out"}
    changed = client.get(add_url(source=table, column__title="beta", column__rights="-"))
    page = Document(changed.text)
    assert page.says("as you chose") and page.says("Map a") and page.says("3 without a statement")
    fields = {"source": str(table), "name": "maps", "by": BY, "ticked": "1"}
    mapping = {"column:title": "beta", "column:rights": "-"}
    assert client.post("/add", data={**fields, **mapping}).status_code == 303
    own_library.run_jobs()
    records = own_library["maps"].records(["a.png", "b.png"])
    assert [one.record.title for one in records] == ["Map a", "Map b"]
    assert records[0].record.rights is None
    kept = Document(client.get("/c/maps/source").text)
    assert kept.says("beta") and kept.says("left out")


def test_a_table_that_was_changed_is_read_again(client: TestClient, table: Path) -> None:
    assert Document(client.get(add_url(source=table)).text).says("3 records")
    rows: list[dict[str, object]] = [{"alpha": "a.png", "beta": "Only one", "Rights": ""}]
    write_table(table, rows)
    assert Document(client.get(add_url(source=table)).text).says("1 record.")


def test_a_table_without_pictures_asks_for_the_column(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    write_table(path, [{"name": "Night", "number": 7}])
    page = Document(client.get(add_url(source=path)).text)
    assert page.says("None of its columns names a picture")
    assert page.says("A table: 1 row, 1 record.")
    refused = client.post("/add", data={"source": str(path), "name": "w", "by": BY})
    assert refused.status_code == 400
    left_out = client.get(add_url(source=path, column__image="-"))
    assert not Document(left_out.text).all("p", class_="fault")


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"source": "/no/such/folder"}, "source", "there is no such folder"),
        ({"source": ""}, "source", "Say first which"),
        ({"source": "~nobody-of-that-name/x.csv"}, "source", "home directory"),
        ({"source": "a" * 5000 + ".csv"}, "source", "too long"),
        ({"name": "Bad Name!"}, "name", "lower-case letters"),
        ({"name": "../x"}, "name", "lower-case letters"),
        ({"by": ""}, "criteria", "at least one criterion"),
        ({"by": "none.such"}, "criteria", "none.such"),
        ({"by": "vgg19_fc2.imagenet1k"}, "criteria", "weights"),
        ({"column:title": "nowhere"}, "mapping", "nowhere"),
        ({"images": "/no/such/folder"}, "source", "no folder"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: TestClient,
    own_library: ba.Library,
    table: Path,
    change: dict[str, str],
    place: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BILDERATLAS_MODELS", str(tmp_path / "no-weights"))
    fields = {"source": str(table), "name": "maps", "by": BY, "ticked": "1"} | change
    answer = client.post("/add", data=fields)
    assert 400 <= answer.status_code < 500 or answer.status_code == 503
    page = Document(answer.text)
    assert page.problems == []
    [fault] = page.all("p", class_="fault")
    assert fault.get("id") == f"fault-{place}" and words in fault.text
    assert own_library.jobs.list() == []


def test_a_name_that_is_taken_and_a_source_that_is_indexed_already(
    client: TestClient, own_library: ba.Library, table: Path, tmp_path: Path
) -> None:
    fields = {"source": str(table), "name": "maps", "by": BY}
    assert client.post("/add", data=fields).status_code == 303
    waiting = client.post("/add", data=fields)
    assert waiting.status_code == 409 and "Wait for it or cancel it" in waiting.text
    own_library.run_jobs()
    draw(tmp_path / "other" / "x.png", (1, 2, 3), (30, 30))
    other = client.post("/add", data=fields | {"source": str(tmp_path / "other")})
    assert other.status_code == 409
    assert Document(other.text).one("p", class_="fault").get("id") == "fault-name"


def test_rows_that_share_an_identifier_are_asked_about(
    client: TestClient, own_library: ba.Library, table: Path
) -> None:
    rows: list[dict[str, object]] = [{"id": 1, "file": "a.png"}, {"id": 1, "file": "b.png"}]
    write_table(table, rows)
    fields = {"source": str(table), "name": "maps", "by": BY}
    refused = client.post("/add", data=fields)
    assert refused.status_code == 400 and 'id="fault-doubles"' in refused.text
    assert client.post("/add", data=fields | {"keep_first": "1"}).status_code == 303
    own_library.run_jobs()
    assert own_library["maps"].info.n_images == 1


@pytest.fixture
def torn(own_library: ba.Library, tmp_path: Path) -> Path:
    """Return the folder of the collection `torn`: one good picture, 130 that are none."""
    folder = tmp_path / "torn"
    draw(folder / "good.png", (9, 9, 200), (40, 40))
    for n in range(130):
        (folder / f"bad {n:03d}.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing")
    ba.index(own_library, str(folder), "torn", options=IndexOptions(extractors=(BY,), workers=1))
    return folder


def test_failures_are_paged_and_tried_again(
    client: TestClient, own_library: ba.Library, torn: Path
) -> None:
    first = Document(client.get("/c/torn/failures").text)
    assert first.says("130 could not be used") and first.says("1–100 of 130")
    assert first.says("bad 000.png") and not first.says("bad 129.png")
    second = Document(client.get("/c/torn/failures?page=2").text)
    assert second.says("bad 129.png") and not second.says("bad 000.png")
    assert client.get("/c/torn/failures.json?page=99").json()["page"] == 2
    draw(torn / "bad 007.png", (200, 10, 10), (40, 40))
    draw(torn / "bad 008.png", (200, 90, 10), (40, 40))
    os.utime(torn / "bad 008.png", ns=(1, 1))
    answer = client.post("/c/torn/failures/retry", data={"image_id": "bad 007.png"})
    assert answer.status_code == 303
    [job] = own_library.jobs.list()
    assert job.params["retry_ids"] == ["bad 007.png"]
    blocked = client.post("/c/torn/failures/retry", data={"all": "1"})
    assert blocked.status_code == 409
    own_library.run_jobs()
    assert own_library["torn"].info.n_failed == 128  # what changed is read again anyway
    assert client.post("/c/torn/failures/retry", data={"all": "1"}).status_code == 303
    own_library.run_jobs()
    found = own_library.jobs.list()[0]
    assert found.result is not None and found.result["n_failures"] == 128
    page = Document(client.get(f"/jobs/{found.id}?page=2").text)
    assert page.says("bad 129.png") and page.says("101–128 of 128")


def test_only_the_named_failure_is_read_again(
    client: TestClient, own_library: ba.Library, torn: Path
) -> None:
    client.post("/c/torn/failures/retry", data={"image_id": "bad 007.png"})
    own_library.run_jobs()
    result = own_library.jobs.list()[0].result
    assert result is not None
    assert (result["failed"], result["unchanged"]) == (1, 130)


@pytest.mark.parametrize("data", [{}, {"image_id": ""}, {"code": "no-such"}, {"all": "yes"}])
def test_nothing_named_is_nothing_tried(
    client: TestClient, torn: Path, data: dict[str, str]
) -> None:
    assert client.post("/c/torn/failures/retry", data=data).status_code == 400


def test_a_further_criterion_and_what_is_new(
    client: TestClient, own_library: ba.Library, torn: Path
) -> None:
    draw(torn / "new.png", (10, 200, 10), (40, 40))
    assert client.post("/c/torn/index").status_code == 303
    own_library.run_jobs()
    assert "new.png" in {one.record.image_id for one in own_library["torn"].store.iter_images()}
    page = Document(client.get("/c/torn/source").text)
    assert "palette_lab.pixels" in [one.get("value") for one in page.all("input")]
    assert client.post("/c/torn/index", data={"by": "palette_lab.pixels"}).status_code == 303
    own_library.run_jobs()
    assert own_library["torn"].info.model_ids == (BY, "palette_lab.pixels")
    refused = client.post("/c/torn/index", data={"by": "none.such"})
    assert refused.status_code == 400 and "none.such" in refused.text


def test_a_collection_is_removed_after_it_was_said_what_is_lost(
    client: TestClient, own_library: ba.Library, torn: Path
) -> None:
    page = Document(client.get("/c/torn/remove").text)
    assert page.says("The records of 131 works") and page.says(str(torn))
    assert client.post("/c/torn/remove").status_code == 400
    assert client.post("/c/torn/remove", data={"name": "other"}).status_code == 400
    client.post("/c/torn/index")
    blocked = client.post("/c/torn/remove", data={"name": "torn"})
    assert blocked.status_code == 409 and "being indexed" in blocked.text
    [waiting] = own_library.jobs.list([JobState.QUEUED])
    own_library.jobs.pause(waiting.id)  # a paused job would make the collection anew: it counts
    assert "paused" in client.get("/c/torn/remove").text
    assert client.post("/c/torn/remove", data={"name": "torn"}).status_code == 409
    assert client.post("/c/torn/index").status_code == 409
    own_library.jobs.resume(waiting.id)
    own_library.run_jobs()
    assert client.post("/c/torn/remove", data={"name": "torn"}).headers["location"] == "/"
    assert "torn" not in own_library and (torn / "good.png").exists()
    assert client.get("/c/torn/remove").status_code == 404


def test_a_folder_is_looked_through(client: TestClient, table: Path) -> None:
    (table.parent / ".hidden").mkdir()
    (table.parent / "<b>bold").mkdir()
    (table.parent / "notes.txt").write_text("x")
    found = look_into(str(table.parent))
    assert (found.folders, found.tables) == (("<b>bold",), ("maps.csv",))
    assert (found.n_pictures, found.n_hidden) == (3, 1)
    assert found.parent == table.parent.parent and look_into("/").parent is None
    page = Document(client.get(add_url(at=table.parent)).text)
    assert page.problems == [] and page.says("<b>bold/") and not page.says("notes.txt")
    for link in [one.get("href") for one in page.all("a") if one.get("href").startswith("/add?")]:
        assert client.get(link).status_code in {200, 422}


@pytest.mark.parametrize(
    "at", ["/no/such", "\x00", "~nobody-of-that-name", "/etc/hostname", "a" * 5000]
)
def test_what_is_no_folder_is_told(client: TestClient, at: str) -> None:
    with pytest.raises(SourceError):
        look_into(at)
    answer = client.get(add_url(at=at.replace("\x00", "%00")))
    assert answer.status_code == 200
    assert Document(answer.text).all("p", class_="fault")


def test_pipes_and_devices_are_not_read(client: TestClient, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    answer = client.get(add_url(source=pipe))
    assert answer.status_code == 422 and "neither a folder nor an ordinary file" in answer.text


def test_proposed_names() -> None:
    assert slug("Old Masters (Städel).csv") == "old_masters_stadel"
    assert [slug(one) for one in ("絵", "", ".hidden", "-x-", "a" * 99)] == [
        "collection",
        "collection",
        "hidden",
        "x",
        "a" * 60,
    ]


def test_pages_of_a_list() -> None:
    pages = [Paging.read([("page", text)], 250, "/x") for text in ("1", "2", "9", "0", "-1", "é")]
    assert [page.number for page in pages] == [1, 2, 3, 1, 1, 1]
    assert (pages[1].previous_url, pages[1].next_url) == ("/x", "/x?page=3")
    assert (pages[2].next_url, list(range(250))[pages[2].slice]) == ("", list(range(200, 250)))
    assert Paging.read([], 0, "/x").shown == ""
