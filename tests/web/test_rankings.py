"""Two rankings side by side: the page, its JSON, its form, and what it says of bad questions."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from tests.web.conftest import Visitor
from tests.web.reading import Document

ASKED = "/c/fields/rankings?like=red.png"
RAW, PALETTE = "raw_32.pixels", "palette_lab.pixels"


def found(page: dict) -> list[list[str]]:
    return [[hit["image_id"] for hit in page[side]["hits"]] for side in "ab"]


def test_both_answers_are_those_of_two_searches(client: TestClient) -> None:
    page = client.get(f"{ASKED.replace('?', '.json?')}&b.by={PALETTE}&k=3").json()
    for side, model_id in (("a", RAW), ("b", PALETTE)):
        alone = client.get(f"/c/fields.json?like=red.png&by={model_id}&k=3").json()
        assert page[side]["criterion"]["model_id"] == model_id
        assert page[side]["hits"] == [
            {name: value for name, value in hit.items() if name != "links"}
            for hit in alone["hits"]
        ]  # fmt: skip
    a, b = found(page)
    assert page["both"] == [one for one in a if one in b]
    assert page["only_a"] == [one for one in a if one not in b]
    assert page["only_b"] == [one for one in b if one not in a]
    assert 0 <= page["rbo"] <= 1


def test_another_criterion_is_compared_where_none_is_named(client: TestClient) -> None:
    page = client.get(f"{ASKED.replace('?', '.json?')}").json()
    assert page["b"]["criterion"]["model_id"] == PALETTE
    other = client.get(f"{ASKED.replace('?', '.json?')}&by={PALETTE}").json()
    assert other["b"]["criterion"]["model_id"] == RAW


def test_the_second_side_has_a_metric_and_a_rule_of_its_own(client: TestClient) -> None:
    question = f"{ASKED.replace('?', '.json?')}&unlike=blue.png&metric=euclidean"
    page = client.get(f"{question}&b.by={RAW}&b.metric=manhattan&b.rule=ranking").json()
    assert (page["a"]["criterion"]["metric"], page["a"]["criterion"]["rule"]) == (
        "euclidean", "difference"
    )  # fmt: skip
    assert (page["b"]["criterion"]["metric"], page["b"]["criterion"]["rule"]) == (
        "manhattan", "ranking"
    )  # fmt: skip
    assert page["a"]["query"]["parts"] == page["b"]["query"]["parts"]


def test_the_form_asks_the_same_again(client: TestClient) -> None:
    html = Document(
        client.get(f"{ASKED}&unlike=blue.png&facet=artist:Maria+Rot&b.rule=ranking").text
    )
    names = [
        tag.attributes.get("name") for tag in [one for one in html.elements if one.tag == "select"]
    ]
    assert names == ["by", "metric", "rule", "b.by", "b.metric", "b.rule"]
    carried = {
        (tag.attributes["name"], tag.attributes["value"])
        for tag in [one for one in html.elements if one.tag == "input"]
        if tag.attributes.get("type") == "hidden"
    }
    assert carried == {
        ("like", "red.png"), ("unlike", "blue.png"), ("facet", "artist:Maria Rot")
    }  # fmt: skip


def test_places_lead_to_the_other_side(client: TestClient) -> None:
    text = client.get(f"{ASKED}&b.by={PALETTE}").text
    html = Document(text)
    ids = {
        tag.attributes["id"]
        for tag in [one for one in html.elements if one.tag == "li"]
        if "id" in tag.attributes
    }
    assert {f"{side}-{place}" for side in "ab" for place in range(1, 6)} <= ids
    targets = {
        tag.attributes["href"].removeprefix("#")
        for tag in [one for one in html.elements if one.tag == "a"]
        if tag.attributes.get("href", "").startswith(("#a-", "#b-"))
    }
    assert targets
    assert targets <= ids


def test_shows_what_both_found_or_one_alone(client: TestClient) -> None:
    question = f"{ASKED}&b.by={PALETTE}&k=3"
    page = client.get(question.replace("?", ".json?")).json()
    both = client.get(f"{question}&show=both").text
    one = client.get(f"{question}&show=one").text
    assert both.count('class="work') == 2 * len(page["both"])
    assert one.count('class="work') == len(page["only_a"]) + len(page["only_b"])


@pytest.mark.parametrize(
    ("params", "status", "words"),
    [
        ("", 400, "Nothing is asked yet"),
        ("?like=red.png&b.by=none.such", 400, "none.such"),
        ("?like=red.png&b.rule=none", 400, "none"),
        ("?like=red.png&metric=none", 400, "none"),
        ("?text=red", 400, "words"),
        ("?like=nothing.png", 400, "nothing.png"),
    ],
)
def test_says_what_is_wrong_where_it_is(
    client: TestClient, params: str, status: int, words: str
) -> None:
    answer = client.get(f"/c/fields/rankings{params}")
    assert answer.status_code == status
    assert words in answer.text
    told = client.get(f"/c/fields/rankings.json{params}")
    assert told.status_code == status
    assert told.json()["error"]["message"]


def test_one_side_may_fail_alone(client: TestClient) -> None:
    html = client.get(f"{ASKED}&b.by={PALETTE}&b.metric=angular").text
    assert html.count('role="alert"') == 1
    assert 'id="a-1"' in html
    assert 'id="b-1"' not in html


def test_an_unknown_collection_is_not_found(client: TestClient) -> None:
    assert client.get("/c/none/rankings?like=red.png").status_code == 404


def test_a_form_chooses_how_the_second_side_judges(plain_visitor: Visitor) -> None:
    page = plain_visitor.go(f"{ASKED}&b.by={RAW}&b.rule=ranking")
    page.get_by_role("group", name="The second judges by").get_by_label("Criterion").select_option(
        PALETTE
    )
    page.get_by_role("button", name="Compare").click()
    assert f"b.by={PALETTE}" in page.url
    assert "b.rule=ranking" in page.url
    assert page.get_by_role("heading", level=2).all_inner_texts()[1].lower() == "palette"
    page.get_by_role("link", name="Exchange the sides").click()
    assert page.get_by_role("heading", level=2).all_inner_texts()[0].lower() == "palette"
    first = page.locator("#a-1 .place a, #b-1 .place a").first
    first.click()
    assert page.url.rpartition("#")[2][0] in "ab"
