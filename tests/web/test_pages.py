"""Every route in process: what a page says, where its links lead, and its JSON twin."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from PIL import Image
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.search.combine import RULES
from bilderatlas.web import urls
from bilderatlas.web.security import Access
from tests.web.conftest import EXTRACTORS, WORKS, client_of
from tests.web.reading import Document

RED = "/c/fields?like=red.png"
PAGES = (
    "/",
    "/c/fields",
    RED,
    "/c/fields?like=red.png&like=orange.png&unlike=blue.png&by=palette_lab.pixels",
    "/c/fields?unlike=red.png",
    "/c/fields?where=year+%3E+1700&match=field",
    "/c/fields?where=yeer+%3E+1",
    "/c/fields?rule=best",
    "/c/fields/nothing/here",
    urls.work("fields", "red.png"),
    urls.work("fields", "deep/grün & #1.png", [("like", "red.png")]),
    urls.work("fields", "torn.png"),
    "/about/criteria",
    "/c/fields/embeddings",
    "/about/criteria/palette_lab.pixels",
    "/c/fields/criteria/palette_lab.pixels?seed=2",
    "/c/fields/criteria/raw_32.pixels",
    "/jobs",
    "/c/none",
)


def page(client: TestClient, path: str, status: int = 200) -> Document:
    answer = client.get(path)
    assert answer.status_code == status, answer.text[:500]
    document = Document(answer.text)
    assert document.problems == []
    return document


def order(client: TestClient, path: str) -> list[str]:
    """Return the titles (ids where untitled) of the results on a search page."""
    return [one.text for one in page(client, path).all("cite", class_="title") if "li" in one.path]


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_well_formed(client: TestClient, path: str) -> None:
    document = Document(client.get(path).text)
    assert document.problems == []
    assert document.one("html").get("lang") == "en"
    assert len(document.all("h1")) == 1
    assert not any("style" in one.attributes for one in document.elements)
    assert not [n for one in document.elements for n in one.attributes if n.startswith("on")]
    assert all(one.get("src") for one in document.all("script"))
    for image in document.all("img"):
        assert int(image.get("width")) and int(image.get("height"))
        assert "alt" in image.attributes
    ids = [one.get("id") for one in document.elements if one.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", PAGES)
def test_every_link_on_a_page_leads_somewhere(client: TestClient, path: str) -> None:
    document = Document(client.get(path).text)
    links = {one.get("href") for one in document.all("a") if not one.get("hreflang")} | {
        one.get("src") for tag in ("img", "script") for one in document.all(tag)
    }
    for link in sorted(links):
        target = urljoin(path, link).partition("#")[0]
        if (
            target != path
            and target.startswith("/")
            and "rule=best" not in target
            and "yeer" not in target
        ):
            assert client.get(target).status_code == 200, (link, target)


def test_home_shows_the_collections(client: TestClient) -> None:
    document = page(client, "/")
    assert document.says("7 works · 1 without a readable picture · judged by")
    [start] = document.all("p", class_="start")
    assert "Works in Fields like" in start.text
    found = client.get("/index.json").json()
    assert [one["name"] for one in found["collections"]] == ["fields"]
    assert found["collections"][0]["model_ids"] == list(EXTRACTORS)


def test_an_empty_library_says_what_to_do_first(empty_library: ba.Library) -> None:
    document = page(client_of(empty_library, Access.local()), "/")
    assert document.says("Nothing hangs here yet.")
    assert [one.text.split()[:2] for one in document.all("pre")] == [
        ["bilderatlas", "index"],
        ["bilderatlas", "demo"],
    ]
    public = page(client_of(empty_library, Access.public()), "/")
    assert public.all("pre") == []


def test_a_random_hang(client: TestClient) -> None:
    document = page(client, "/c/fields")
    assert document.says("Works in Fields")
    assert document.says("hung at random.")
    titles = [title or Path(name).stem for name, title, *_ in WORKS]
    assert sorted(order(client, "/c/fields")) == sorted([*titles, "Torn"])
    assert document.one("span", class_="nopicture").text == "no picture"
    again = next(one for one in document.all("a") if one.text == "Hang again")
    assert again.get("href") == "/c/fields?seed=1"
    orders = {tuple(order(client, f"/c/fields?seed={seed}")) for seed in range(8)}
    assert len(orders) > 1
    assert order(client, "/c/fields?seed=3") == order(client, "/c/fields?seed=3")


def test_a_question_is_answered_by_its_criterion(client: TestClient) -> None:
    assert order(client, RED)[0] == "An orange field"
    assert order(client, "/c/fields?like=blue.png")[0] == "A teal field"
    document = page(client, RED)
    for words in ("like this", "judged by", "raw_32.pixels · ", "7 works · exact ·"):
        assert document.says(words), words
    assert "A red field" not in order(client, RED)  # the question itself is no answer
    assert order(client, "/c/fields?unlike=white.png")[0] != "white.png"


def test_the_answer_alone_is_what_the_page_holds(client: TestClient) -> None:
    path = f"{RED}&unlike=blue.png&k=3"
    whole, part = client.get(path), client.get(path, headers={"X-Part": "answer"})
    assert whole.headers["vary"] == part.headers["vary"]
    assert "X-Part" in whole.headers["vary"]
    timeless = [re.sub(r"[0-9]+\u00a0m?s\b", "", one.text) for one in (part, whole)]
    assert timeless[0].strip() in timeless[1]
    document = Document(part.text)
    assert document.problems == []
    outermost = [one.tag for one in document.elements if not one.path and one.tag != "rect"]
    assert outermost == ["section", "div"]
    works = [one.get("data-id") for one in document.all("li", class_="work")]
    ids = [
        hit["image_id"]
        for hit in client.get(path.replace("fields", "fields.json", 1)).json()["hits"]
    ]
    assert works == [f"fields/{one}" for one in ids]
    assert [one.get("data-part") for one in document.all("li", class_="work")] == ids
    tiles = document.all("details", class_="tile")
    assert [(one.get("data-part"), one.get("data-sign")) for one in tiles] == [
        ("red.png", "1"),
        ("blue.png", "-1"),
    ]
    assert {one.get("data-box") for one in document.all("div", class_="box")} == {"like", "unlike"}
    desk = Document(whole.text).one("search-desk")
    assert desk.get("data-collection") == "fields" and int(desk.get("data-version"))


def test_the_sentence_holds_what_is_in_use_and_nothing_else(client: TestClient) -> None:
    sentence = page(client, RED).all("div", class_="sentence")[0]
    said = sentence.text.partition("judged by")[0]
    assert ", not" not in said and ", where" not in said
    full = "/c/fields?like=red.png&unlike=blue.png&where=year+is+not+null&match=field"
    text = " ".join(page(client, full).all("div", class_="sentence")[0].text.split())
    places = [text.index(w) for w in ("like this", ", not", "mention", ", where", ", judged by")]
    assert places == sorted(places)


def test_tiles_can_be_removed_and_swapped(client: TestClient) -> None:
    document = page(client, RED)
    links = {one.text: one.get("href") for one in document.all("a")}
    assert links["Remove it"] == "/c/fields"
    assert links["Ask for works unlike it"] == "/c/fields?unlike=red.png"
    assert links["Count it double"] == "/c/fields?like=red.png%5E2".replace("%5E", "^")
    assert page(client, links["Count it double"]).says("×2")


def test_results_join_the_question(client: TestClient) -> None:
    document = page(client, RED)
    more = [one.get("href") for one in document.all("a", class_="plus")]
    less = [one.get("href") for one in document.all("a", class_="minus")]
    assert more[0] == "/c/fields?like=red.png&like=orange.png"
    assert less[0] == "/c/fields?like=red.png&unlike=orange.png"
    assert order(client, more[0])


def test_pages_of_results(client: TestClient) -> None:
    whole = order(client, "/c/fields")
    first = page(client, "/c/fields?k=4")
    [after] = first.all("a", rel="next")
    second = page(client, after.get("href"))
    assert [*order(client, "/c/fields?k=4"), *order(client, after.get("href"))] == whole
    assert second.all("a", rel="next") == []
    assert second.all("a", rel="prev")[0].get("href") == "/c/fields?k=4"
    assert page(client, "/c/fields?offset=60").says("There are no more works.")


def test_filters_and_words_of_the_records(client: TestClient) -> None:
    assert set(order(client, "/c/fields?where=year+%3C+1700")) == {"A red field", "An orange field"}
    assert set(order(client, "/c/fields?match=Blauw")) == {"A blue field", "A teal field"}
    document = page(client, "/c/fields?where=year+%3C+1700")
    assert document.says("2 works of 6 fit") or document.says("2 works of 7 fit")
    assert page(client, "/c/fields?match=zzz").says("No record mentions “zzz”.")
    assert page(client, "/c/fields?where=year+%3E+3000").says("No work fits the filter.")
    both = page(client, "/c/fields?where=year+%3E+3000&match=zzz")
    assert both.says("No work fits both the words and the filter.")


@pytest.mark.parametrize("params", ["match=zzz", "where=yeer+%3E+1", "where=year+%3E+3000"])
def test_what_is_not_there_does_not_hang(client: TestClient, params: str) -> None:
    answer = client.get(f"/c/fields?{params}")
    document = Document(answer.text)
    assert not document.says("hung at random")
    for fault in document.all("p", class_="fault"):
        assert " ".join(document.one("main").text.split()).count(fault.text) == 1


def test_rules_that_do_not_fit_the_metric_cannot_be_chosen(client: TestClient) -> None:
    for path in (RED, f"{RED}&by={EXTRACTORS[1]}"):
        document = page(client, path)
        offered = [one for one in document.all("input") if one.get("name") == "rule"]
        barred = {one.get("value") for one in offered if "disabled" in one.attributes}
        [metric] = {
            one.get("value")
            for one in document.all("input")
            if one.get("name") == "metric" and "checked" in one.attributes
        } or {""}
        used = client.get(f"{path.replace('fields', 'fields.json')}").json()["criterion"]["metric"]
        assert metric in {"", used}
        assert barred == {rule.name for rule in RULES if used not in rule.metrics}
        for name in barred:
            assert client.get(f"{path}&rule={name}").status_code == 400
        assert document.says("Not for ") or document.says("Only for ") or not barred
    assert barred  # distributions have no projection


@pytest.mark.parametrize(
    ("params", "status", "words", "around"),
    [
        ("where=yeer+%3E+1", 400, "year", "aside"),
        ("where=year+%3E", 400, "", "aside"),
        ("rule=best&like=red.png", 400, "difference", "div"),
        ("metric=anglar&like=red.png", 400, "angular", "div"),
        ("by=nothing&like=red.png", 400, "raw_32.pixels", "section"),
        ("text=evening&by=raw_32.pixels", 400, "pictures only", "section"),
        ("like=redd.png", None, "red.png", "section"),
        ("like=upload:" + "0" * 64, None, "", "section"),
        ("k=0", 400, "from 1 to 1000", "section"),
    ],
)
def test_mistakes_are_told_where_they_happened(
    client: TestClient, params: str, status: int | None, words: str, around: str
) -> None:
    answer = client.get(f"/c/fields?{params}")
    assert answer.status_code == status or (status is None and 400 <= answer.status_code < 500)
    document = Document(answer.text)
    alert = document.one("p", class_="fault")
    assert alert.get("role") == "alert" and words in alert.text and around in alert.path
    assert document.says("Works in Fields")  # the question is still there, to be mended
    twin = client.get(f"/c/fields.json?{params}")
    assert twin.status_code == answer.status_code
    assert twin.json()["error"]["message"] == alert.text
    assert client.get("/c/fields?where=yeer").text.count('aria-invalid="true"') == 1


def test_words_are_offered_only_where_they_can_be_compared(client: TestClient) -> None:
    document = page(client, RED)
    assert [one.get("name") for one in document.all("input") if one.get("name") == "text"] == []
    assert document.says("cannot be put into words")


def test_search_json_is_the_same_answer(client: TestClient) -> None:
    found = client.get("/c/fields.json?like=red.png&k=3").json()
    titles = [hit["record"].get("title") or hit["image_id"] for hit in found["hits"]]
    assert titles == order(client, "/c/fields?like=red.png&k=3")
    assert found["criterion"]["model_id"] == EXTRACTORS[0]
    assert found["links"]["next"] == "/c/fields?like=red.png&k=3&offset=3"
    thumbnail = found["hits"][0]["links"]["thumbnail"]
    assert client.get(thumbnail).headers["content-type"] == "image/webp"


@pytest.mark.parametrize("name", [work[0] for work in WORKS])
def test_works(client: TestClient, library: ba.Library, name: str) -> None:
    document = page(client, urls.work("fields", name))
    record = library["fields"].record(name).record
    assert document.one("h1").text == (record.title or name)
    strips = document.all("ul", class_="strip")
    assert len(strips) == len(EXTRACTORS)
    more = next(one for one in document.all("a") if one.text == "+ More like this")
    assert client.get(more.get("href")).status_code == 200
    twin = client.get(urls.work("fields", name, json=True)).json()
    assert twin["record"]["image_id"] == name
    assert set(twin["neighbours"]) == set(EXTRACTORS)


def test_a_work_says_why_it_was_found(client: TestClient) -> None:
    document = page(client, urls.work("fields", "orange.png", [("like", "red.png")]))
    assert document.says("Why it was found")
    assert document.says("Rank 1 of 6, closer to your question than")
    assert document.all("a", rel="next") and not document.all("a", rel="prev")
    assert "/c/fields?like=red.png" in [one.get("href") for one in document.all("a")]


def test_a_work_without_a_picture_says_so(client: TestClient) -> None:
    document = page(client, urls.work("fields", "torn.png"))
    assert document.all("p", class_="fault")[0].text
    buttons = [one.get("href") for one in document.all("a", class_="button")]
    assert all(one.startswith(urls.PANELS_PUT) for one in buttons)  # it can be kept, not asked for
    assert document.all("ground-switch") == []
    words = " ".join(document.one("main").text.split())
    assert words.count("has no place under") == 1


def test_the_link_names_the_version(client: TestClient, library: ba.Library) -> None:
    version = library["fields"].info.version
    document = page(client, RED)
    links = [one.get("href") for one in document.all("a")]
    assert f"{RED}&v={version}" in links
    assert f"/c/fields.json?like=red.png&v={version}" in links
    assert [one for one in links if "v=" in one] == [
        f"{RED}&v={version}",
        f"/c/fields.json?like=red.png&v={version}",
    ]
    assert document.one("copy-link").get("data-version") == str(version)
    for asked in (version, version + 4):
        said = f"made for version {asked}; the collection is now at version {version}."
        assert page(client, f"{RED}&v={asked}").says(said) is (asked != version)
        answer = client.get(f"/c/fields.json?like=red.png&v={asked}").json()
        assert any(said in note for note in answer["notes"]) is (asked != version)
        assert answer["version"] == version


@pytest.mark.parametrize("name", ["k", "offset", "seed", "lambda", "v"])
@pytest.mark.parametrize("value", ["9" * 400, "-" + "9" * 400, "9" * 5000, "1e999", "x"])
def test_numbers_beyond_all_bounds(client: TestClient, name: str, value: str) -> None:
    answer = client.get(f"/c/fields.json?like=red.png&{name}={value}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"Cannot use {name} = ")


@pytest.mark.parametrize("side_px", [64, 256, 512])
def test_thumbnails(client: TestClient, library: ba.Library, side_px: int) -> None:
    sha256 = library["fields"].record("red.png").content_sha256
    answer = client.get(urls.thumbnail("fields", "red.png", side_px, sha256))
    assert answer.headers["cache-control"].endswith("immutable")
    image = Image.open(io.BytesIO(answer.content))
    assert image.format == "WEBP" and max(image.size) == min(side_px, 120)
    old = client.get(urls.thumbnail("fields", "red.png", side_px, "0" * 64))
    assert "immutable" not in old.headers["cache-control"]


def test_originals(client: TestClient) -> None:
    answer = client.get(urls.original("fields", "red.png"))
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (120, 80)


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/c/none",
        "/c/none.json",
        "/c/fields/i/none",
        "/c/fields/i/none.json",
        "/c/fields/thumb/100/x/red.png",
        "/c/fields/thumb/64/x/torn.png",
        "/c/fields/original/none",
        "/static/none.js",
        "/static/..%2Fapp.py",
        "/jobs/none",
        "/jobs/none.json",
        "/jobs/none/events",
        f"/uploads/{'0' * 64}.webp",
        "/uploads/..%2F..%2Flibrary.toml.webp",
    ],
)
def test_what_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404, answer.text[:300]
    if path.endswith(".json"):
        assert answer.json()["error"]["code"] == "not-found"
    else:
        assert Document(answer.text).one("h1").text == "Nothing hangs here."


def test_methods_that_a_page_does_not_take(client: TestClient) -> None:
    assert client.post("/c/fields").status_code == 405
    assert client.put("/uploads").status_code == 405
    assert client.head("/c/fields").status_code == 200


def test_criteria(client: TestClient) -> None:
    document = page(client, "/about/criteria")
    assert {one.get("id") for one in document.all("section")} >= set(EXTRACTORS)
    twin = client.get("/about/criteria.json").json()["criteria"]
    assert [one["collections"] for one in twin[:2]] == [{"fields": 6}] * 2
    assert all(one["collections"] == {} for one in twin[2:])


def test_an_unexpected_error_tells_the_log_and_not_the_visitor(
    empty_library: ba.Library, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> list[object]:
        raise RuntimeError("secret detail")

    client = client_of(empty_library, Access.local())
    monkeypatch.setattr(empty_library, "collections", broken)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["Content-Security-Policy"]
    assert "secret detail" in caplog.text
    twin = client.get("/index.json")
    assert (twin.status_code, twin.json()["error"]["code"]) == (500, "unexpected")


def test_static_files_are_immutable_and_typed(client: TestClient) -> None:
    document = page(client, "/")
    [style] = document.all("link", rel="stylesheet")
    answer = client.get(style.get("href"))
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"].endswith("immutable")
    notice = client.get("/static/THIRD-PARTY.txt").text
    assert "SIL Open Font License" in notice and "lit" in notice
