"""What the search page offers beside the question: facets, orders, groups, mixtures, panels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.indexing import IndexOptions
from bilderatlas.records import Record
from bilderatlas.search.hits import Hit
from bilderatlas.web import urls
from bilderatlas.web.pages.results import Marks, Surroundings
from bilderatlas.web.pictures import Picture
from bilderatlas.web.security import Access
from bilderatlas.web.state import SearchState
from tests.web.conftest import EXTRACTORS, client_of, draw
from tests.web.reading import Document, Element

RED = "/c/fields?like=red.png"


def page(client: TestClient, path: str) -> Document:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:500]
    document = Document(answer.text)
    assert document.problems == []
    return document


def works(client: TestClient, path: str) -> list[str]:
    return [one.get("data-id") for one in page(client, path).all("li", class_="work")]


def link(document: Document, *words: str) -> Element:
    """Return the only link that says all of `words`, in whatever white space."""
    found = [
        one
        for one in document.all("a")
        if all(word in " ".join(one.text.split()) for word in words)
    ]
    assert len(found) == 1, [one.text for one in found]
    return found[0]


@pytest.fixture
def other(library: ba.Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the name of a second collection, judged by the same criteria, for a while."""
    source = tmp_path_factory.mktemp("others")
    draw(source / "rust.png", (200, 60, 40), (90, 60))
    draw(source / "sky.png", (60, 90, 230), (90, 60))
    options = IndexOptions(extractors=EXTRACTORS, workers=1)
    ba.index(library, str(source), "others", options=options)
    yield "others"
    library.remove("others")


def test_values_are_counted_and_chosen_by_links(client: TestClient) -> None:
    chosen = page(client, "/c/fields?facet=creators:Maria+Rot")
    assert chosen.says("narrowed to Maria Rot") and chosen.says("2 works of 7 fit")
    rot, blauw = link(chosen, "Maria Rot", "2"), link(chosen, "Jan Blauw", "2")
    assert (rot.get("aria-current"), blauw.get("aria-current")) == ("true", "")
    assert (rot.get("href"), link(chosen, "Any").get("href")) == ("/c/fields", "/c/fields")
    both = page(client, blauw.get("href"))  # values of one column are alternatives
    assert both.says("narrowed to Maria Rot or Jan Blauw") and both.says("4 works of 7 fit")
    assert works(client, link(both, "Maria Rot", "2").get("href")) != works(client, "/c/fields")


def test_years_are_chosen_by_links_and_by_form(client: TestClient) -> None:
    document = page(client, "/c/fields")
    links = [one for one in document.all("a") if "years=" in one.get("href")]
    assert links and all(client.get(one.get("href")).status_code == 200 for one in links)
    asked = client.get("/c/fields?from=1700&to=1800&like=red.png")
    assert asked.status_code == 303  # a form's own fields become the address of the question
    assert asked.headers["location"] == "/c/fields?like=red.png&years=1700-1800"
    assert set(works(client, "/c/fields?years=1700-1800")) == {"fields/blue.png", "fields/teal.png"}
    narrowed = page(client, "/c/fields?years=1700-1800")
    assert narrowed.says("narrowed to 1700–1800")
    fields = {one.get("name"): one.get("value") for one in narrowed.all("input")}
    assert (fields["from"], fields["to"]) == ("1700", "1800")
    assert page(client, "/c/fields?years=-99999-1700").says("narrowed to up to 1700")
    assert client.get("/c/fields?from=&to=").headers["location"] == "/c/fields"


def test_works_stand_by_date_or_title(client: TestClient) -> None:
    dated = ["red.png", "orange.png", "blue.png", "teal.png", "white.png"]
    early = [one.removeprefix("fields/") for one in works(client, "/c/fields?sort=date")]
    assert early[:5] == dated
    late = [one.removeprefix("fields/") for one in works(client, "/c/fields?sort=-date")]
    assert late[:5] == dated[::-1]
    document = page(client, f"{RED}&sort=title")
    current = [one.text for one in document.all("a", **{"aria-current": "true"})]
    assert "By title" in current


def test_works_hang_in_groups(client: TestClient) -> None:
    document = page(client, "/c/fields?group=century")
    headings = [" ".join(one.text.split()) for one in document.all("h2") if "section" in one.path]
    assert any(one.startswith("17th century 2") for one in headings)
    only = next(one for one in document.all("a") if one.text == "Only these 17th century")
    assert set(works(client, only.get("href"))) == {"fields/red.png", "fields/orange.png"}
    makers = page(client, f"{RED}&group=creators")
    blue = next(one for one in makers.all("a") if one.text == "Only these Jan Blauw")
    assert set(works(client, blue.get("href"))) == {"fields/blue.png", "fields/teal.png"}
    assert client.get("/c/fields?group=nothing").status_code == 400


def test_several_criteria_are_weighed(client: TestClient) -> None:
    document = page(client, RED)
    names = [one.get("name") for one in document.all("input") if ":" in one.get("name")]
    assert names == [f"weight:{model_id}" for model_id in EXTRACTORS]
    first, second = EXTRACTORS
    asked = client.get(f"{RED}&weight:{first}=2&weight:{second}=1")
    assert asked.headers["location"].replace("%5E", "^") == f"{RED}&by={first}^2&by={second}"
    mixed = page(client, asked.headers["location"])
    assert mixed.says("judged by colour and layout ×2 and palette ×1")
    bars = mixed.all("svg", class_="shares")
    assert len(bars) == len(mixed.all("li", class_="work"))
    assert all("colour and layout: " in bar.get("aria-label") for bar in bars)
    assert mixed.says(f"{first} ×2 · {second} ×1")
    asked = client.get(f"{RED}&weight:{first}=0&weight:{second}=3")
    assert asked.headers["location"] == f"{RED}&by={second}"
    alone = page(client, asked.headers["location"])
    summaries = [one.text for one in alone.all("summary") if "open-words" in one.path]
    assert "palette" in summaries and not alone.all("svg", class_="shares")


def test_several_collections_are_asked_at_once(client: TestClient, other: str) -> None:
    document = page(client, RED)
    too = link(document, "Ask Others too")
    found = works(client, too.get("href"))
    assert {one.partition("/")[0] for one in found} == {"fields", other}
    assert found[0] == f"{other}/rust.png"
    both = page(client, too.get("href"))
    assert both.says("Works in Fields and Others")
    rust = next(one for one in both.all("li") if one.get("data-id") == f"{other}/rust.png")
    assert rust.get("data-part") == f"{other}/rust.png"
    more = next(one for one in both.all("a", class_="plus") if "rust" in one.get("aria-label"))
    assert set(works(client, more.get("href"))) == set(found) - {f"{other}/rust.png"}
    for one in both.all("a", class_="pic"):
        assert client.get(one.get("href")).status_code == 200
    assert link(both, "Leave Others out").get("href") == RED
    grouped = page(client, f"{too.get('href')}&group=creators")
    assert grouped.says("Jan Blauw") and grouped.all("section", class_="group")
    narrowed = works(client, f"{too.get('href')}&facet=creators:Jan+Blauw")
    assert set(narrowed) == {"fields/blue.png", "fields/teal.png"}
    first = page(client, both.all("a", class_="pic")[0].get("href"))  # a work of the others
    [after] = first.all("a", rel="next")
    assert "/c/fields/i/" in after.get("href")
    assert (
        page(client, after.get("href")).all("a", rel="prev")[0].get("href").startswith("/c/others")
    )


def test_what_takes_no_part_stays_with_its_reason(client: TestClient) -> None:
    document = page(client, f"{RED}&like=redd.png&text=evening")
    struck = [one.text for one in document.all("del")]
    assert struck == ["redd.png", "evening"]
    [tile] = document.all("details", class_="idle")
    assert tile.get("data-part") == "redd.png"
    assert document.says("‘colour and layout’ compares pictures only.")
    [words] = [one for one in document.all("input", name="text") if one.get("type") != "hidden"]
    assert words.get("value") == "evening"
    assert document.says("evening takes no part.")
    # each reason is told once, among the parts and not in a note as well
    assert " ".join(document.one("body").text.split()).count("redd.png' in collection") <= 2
    assert document.all("p", class_="note") == []


def test_kept_and_seen_works_are_marked_and_left_out(
    client: TestClient, library: ba.Library
) -> None:
    panel = library.panels.create("Reds", works=["fields/orange.png", "fields/red.png"])
    library.panels.mark_seen("fields", ["teal.png"])
    try:
        document = page(client, RED)
        assert [one.text for one in document.all("span", class_="kept")] == ["on a panel"]
        assert [one.text for one in document.all("span", class_="seen")] == ["looked at"]
        assert "fields/orange.png" not in works(
            client, link(document, "Works on a panel").get("href")
        )
        assert "fields/teal.png" not in works(client, link(document, "Works looked at").get("href"))
        within = page(client, link(page(client, "/c/fields"), "Reds", "2").get("href"))
        assert within.says("on the panel Reds") and within.says("2 works of 7 fit")
        asked = page(client, f"/c/fields?like=panel:{panel.id}")
        assert asked.one("span", class_="lost").text == "Reds"
        public = client_of(library, Access.public())
        assert page(public, RED).all("span", class_="kept") == []
        assert not page(public, RED).says("Works looked at")
    finally:
        library.panels.put_away("Reds")
        library.panels.forget_seen("fields")


def test_an_answer_is_cited_with_what_decides_it(client: TestClient, library: ba.Library) -> None:
    version = library["fields"].info.version
    document = page(client, f"{RED}&unlike=blue.png")
    [cited] = document.all("div", class_="cite")
    for words in ("like red.png", EXTRACTORS[0], "difference", f"version {version}"):
        assert words in cited.text, words
    assert f"http://127.0.0.1:8642{RED}&unlike=blue.png&v={version}" in cited.text


def test_an_answer_is_taken_along(client: TestClient) -> None:
    document = page(client, RED)
    links = [one.get("href") for one in document.all("a") if "/export." in one.get("href")]
    kinds = [one.partition("?")[0].rpartition(".")[2] for one in links]
    assert sorted(kinds) == ["bib", "csv", "json", "txt", "zip"]
    for one in links:
        assert client.get(one).status_code == 200
    table = client.get(links[kinds.index("csv")]).text
    assert "orange.png" in table and "red.png" not in table.replace("like=red.png", "")


@pytest.mark.parametrize("size", ["s", "m", "l"])
def test_pictures_have_a_size(client: TestClient, size: str) -> None:
    document = page(client, f"{RED}&size={size}")
    assert document.one("ul", class_="rows").get("class") == f"rows {size}"
    assert document.one("a", class_=f"size-{size}").get("aria-current") == "true"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("en", ["Works in Fields like these", ", not", ", judged by"]),
        ("de", ["Werke aus Fields wie diese", ", aber nicht", ", beurteilt nach"]),
        ("fr", ["Œuvres de Fields semblables à celles-ci", ", mais pas", ", jugées d’après"]),
    ],
)
def test_each_language_has_its_sentence(library: ba.Library, code: str, words: list[str]) -> None:
    client = client_of(library, Access.local(8642))  # of its own: the choice is remembered
    document = page(client, f"{RED}&like=orange.png&unlike=blue.png&lang={code}")
    sentence = " ".join(document.one("div", class_="sentence").text.split())
    places = [sentence.index(one) if one in sentence else -1 for one in words[1:]]
    assert places == sorted(places) and -1 not in places, sentence
    for word in words[0].split():
        assert word in sentence
    assert client.get(f"/c/fields?match=field&lang={code}").status_code == 200


def test_addresses_are_those_that_the_state_would_write() -> None:
    state = SearchState.from_params(
        "fields",
        [("like", "a b"), ("unlike", "c&d"), ("text", "é?"), ("k", "5"), ("offset", "9")],
    )
    around = Surroundings(state)
    for image_id in ("x", "deep/grün & #1.png", "a b", "c&d", "sheet^2", "100%"):
        record = Record(image_id=image_id)
        picture = Picture("fields", image_id, record, (10, 10), "0" * 64)
        one = around.result(Hit(1, image_id, 0.5, 0.5, record), picture, Marks())
        assert one.more_url == state.with_part(one.part, 1).url()
        assert one.less_url == state.with_part(one.part, -1).url()
        assert one.url == urls.work("fields", image_id, state.params())
