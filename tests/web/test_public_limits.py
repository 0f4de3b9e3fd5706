"""What a public server does not do for strangers: write, tell hidden words, work without end."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

import bilderatlas.api as ba
from bilderatlas.indexing import IndexOptions
from bilderatlas.web import urls
from bilderatlas.web.answers import Answers
from bilderatlas.web.costly import MAX_ALSO, MAX_COMPARED, MAX_HERE, MAX_RUNNING
from bilderatlas.web.security import Access
from tests.search.test_details_verify import scene
from tests.web.conftest import client_of, draw
from tests.web.reading import Document

N_WORKS = 6
OPTIONS = IndexOptions(extractors=("raw_32.pixels", "details_sift.pixels"), workers=1)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library of one table with a hidden column, one large picture, and three folders."""
    folder = tmp_path_factory.mktemp("source")
    lines = ["id,image,title,Secret Path"]
    for number in range(N_WORKS):
        Image.fromarray(scene(number)).save(folder / f"p{number}.png")
        title = "Santa Änna the Great" if number == 2 else f"Shapes {number}"
        lines.append(f"w{number},p{number}.png,{title},/srv/anna/{number % 3}")
    Image.fromarray(scene(1)).resize((2600, 1700)).save(folder / "large.jpg")
    lines.append("large,large.jpg,Large,")
    (folder / "works.csv").write_text("\n".join(lines), "utf-8")
    with ba.create(tmp_path_factory.mktemp("library")) as made:
        ba.index(made, str(folder / "works.csv"), "weird", options=OPTIONS)
        for name in ("one", "two", "three", "four"):
            source = tmp_path_factory.mktemp(name)
            draw(source / f"{name}.png", (200, 60, 40), (90, 60))
            options = IndexOptions(extractors=OPTIONS.extractors[:1], workers=1)
            ba.index(made, str(source), name, options=options)
        yield made


def files_in(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if path.is_file()}


def ids_of(answer: dict[str, list[dict[str, str]]]) -> set[str]:
    return {hit["image_id"] for hit in answer["hits"]}


def test_strangers_find_no_work_by_its_hidden_words(library: ba.Library) -> None:
    public, local = client_of(library, Access.public()), client_of(library, Access.local(8642))
    assert len(ids_of(local.get("/c/weird.json?match=anna").json())) == N_WORKS
    for typed in ("anna", "ANNA", "ann*", "anna+great", '"Santa+anna"'):
        answer = public.get(f"/c/weird.json?match={typed}")
        assert ids_of(answer.json()) == {"w2"}, typed  # by its title
        assert "/srv" not in answer.text and answer.json()["query"]["without"] == []
        assert answer.json()["n_candidates"] == 1
    for typed in ("srv", '"srv+anna"', "sr*"):
        assert ids_of(public.get(f"/c/weird.json?match={typed}").json()) == set(), typed
        together = public.get(f"/c/weird.json?match={typed}&also=one").json()
        assert together["hits"] == []
        exported = public.get(f"/c/weird/export.csv?match={typed}")
        assert exported.status_code != 200 or "w2" not in exported.text
    assert len(ids_of(public.get("/c/weird.json?match=shapes").json())) == N_WORKS - 1


def test_tiles_for_strangers_lie_outside_the_library_and_go(
    library: ba.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_in(library.root)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with client_of(library, Access.public()) as public:
        page = Document(public.get(urls.work("weird", "large")).text)
        told = public.get(page.one("deep-zoom").get("data-tiles")).json()
        tile = public.get(told["tile"].format(level=0, column=0, row=0))
        assert tile.headers["content-type"] == "image/jpeg"
        assert len(list(tmp_path.rglob("*.tiles"))) == 1
    assert not {path for path in files_in(library.root) - before if path.suffix == ".tiles"}
    assert told["n_levels"] > 1
    assert not list(tmp_path.glob("bilderatlas-tiles-*"))


def test_the_details_of_too_many_pictures_are_not_compared(library: ba.Library) -> None:
    public = client_of(library, Access.public())
    works = [f"like=w{number}" for number in range(MAX_COMPARED + 1)]
    for page in ("/c/weird.json", "/c/weird/export.csv", "/c/weird/rankings"):
        few = public.get(f"{page}?by=details_sift.pixels&{'&'.join(works[:-1])}")
        many = public.get(f"{page}?by=details_sift.pixels&{'&'.join(works)}")
        assert (few.status_code, many.status_code) == (200, 400), page
    assert public.get(f"/c/weird.json?{'&'.join(works)}").status_code == 200


def test_a_busy_server_says_when_to_ask_again(
    library: ba.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Answers] = []
    start = Answers.__init__

    def noted(self: Answers, *args: ba.Library, **named: bool) -> None:
        start(self, *args, **named)
        made.append(self)

    monkeypatch.setattr(Answers, "__init__", noted)
    public = client_of(library, Access.public())
    (answers,) = made
    inside, go = threading.Semaphore(0), threading.Event()

    def hold() -> None:
        inside.release()
        with answers.turn():
            go.wait(60)

    threads = [threading.Thread(target=hold) for _ in range(MAX_HERE)]
    with ExitStack() as held:
        held.callback(lambda: [thread.join(60) for thread in threads])
        held.callback(go.set)
        for thread in threads:
            thread.start()
        for _ in threads:
            assert inside.acquire(timeout=30)
        while answers._costly._here.acquire(blocking=False):
            answers._costly._here.release()
        for address in ("/c/weird.json?like=w1&by=details_sift.pixels",
                        "/c/weird?like=w1&by=raw_32.pixels&by=details_sift.pixels",
                        "/c/weird/rankings?like=w1&by=details_sift.pixels",
                        "/c/weird/export.csv?like=w1&by=details_sift.pixels",
                        "/c/weird/compare?a=w1&b=w2", urls.work("weird", "w1")):  # fmt: skip
            answer = public.get(address)
            assert answer.status_code == 503, address
            assert int(answer.headers["retry-after"]) > 0 and "Try again" in answer.text
        for address in ("/", "/c/weird.json?like=w1", urls.work("one", "one.png")):
            assert public.get(address).status_code == 200, address
    assert MAX_RUNNING < MAX_HERE
    assert public.get("/c/weird.json?like=w1&by=details_sift.pixels").status_code == 200


def test_few_collections_are_asked_at_once(library: ba.Library) -> None:
    also = ["also=one", "also=two", "also=three", "also=four"]
    public, local = client_of(library, Access.public()), client_of(library, Access.local(8642))
    asked = f"/c/weird.json?like=w1&{'&'.join(also)}"
    assert len(also) == MAX_ALSO + 1
    assert public.get(asked).status_code == 400 and local.get(asked).status_code == 200
    assert public.get(asked.replace("&also=four", "")).status_code == 200


@pytest.mark.parametrize("access", [Access.local(8642), Access.public()], ids=["local", "public"])
def test_a_collection_that_was_removed_becomes_a_note(library: ba.Library, access: Access) -> None:
    client = client_of(library, access)
    for address in ("/c/weird.json?like=w1&also=gone", "/c/weird.json?also=gone&also=one"):
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert any("gone could not answer" in note for note in answer.json()["notes"])
    assert client.get("/c/weird?like=w1&also=gone").status_code == 200
    assert client.get("/c/weird/export.csv?like=w1&also=gone").status_code == 200
    assert client.get("/c/gone.json?also=weird").status_code == 404
