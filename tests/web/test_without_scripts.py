"""The whole way without scripts: forms and links alone."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.web.conftest import Visitor, draw


def titles(visitor: Visitor) -> list[str]:
    """Return the titles shown, once the page has come whole: a click waits for its address only."""
    visitor.page.wait_for_load_state()
    return visitor.page.locator("li.work .title").all_text_contents()


def expect_address(visitor: Visitor, *parts: str) -> None:
    """Wait until the address holds each of `parts`, in any order."""
    for part in parts:
        expect(visitor.page).to_have_url(re.compile(re.escape(part)))


def test_from_home_to_a_question_and_back(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/")
    page.get_by_role("heading", name="Fields").get_by_role("link").click()
    page.get_by_role("link", name="More like A red field").click()
    expect_address(plain_visitor, "like=red.png")
    assert titles(plain_visitor)[0] == "An orange field"
    page.get_by_role("link", name="Less like A blue field").click()
    expect(page.locator(".tile.minus")).to_have_count(1)
    page.locator(".tile.minus summary").click()
    page.get_by_role("link", name="Remove it").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.locator(".word summary").last.click()
    page.locator(".choices a", has_text="palette").click()
    expect_address(plain_visitor, "by=palette_lab.pixels")
    page.locator("li.work a.pic").first.click()
    expect(page.get_by_text("Why it was found")).to_be_visible()
    page.get_by_role("link", name="Back to the question").click()
    expect_address(plain_visitor, "like=red.png", "by=palette_lab.pixels")
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".tile")).to_have_count(0)


def test_filter_words_and_rule_by_form(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/c/fields?like=red.png")
    page.locator("#where").fill("year < 1700")
    page.locator("#where").press("Enter")
    expect_address(plain_visitor, "where=year")
    assert titles(plain_visitor) == ["An orange field"]
    page.get_by_role("textbox", name="Filter").fill("year > ")  # in the sentence itself
    page.get_by_role("textbox", name="Filter").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="leave it out").click()
    page.get_by_label("Words in the records", exact=True).last.fill("Blauw")
    page.get_by_role("button", name="Find").last.click()
    expect_address(plain_visitor, "Blauw")
    assert set(titles(plain_visitor)) == {"A blue field", "A teal field"}
    page.get_by_text("Rule and number").click()
    page.get_by_label("Works a page").fill("1")
    page.get_by_label("euclidean", exact=True).check()
    page.get_by_role("button", name="Apply").first.click()
    expect_address(plain_visitor, "metric=euclidean", "k=1", "like=red.png")
    page.get_by_role("link", name="After these").click()
    expect_address(plain_visitor, "offset=")
    assert len(titles(plain_visitor)) == 1


def test_a_picture_by_form(plain_visitor: Visitor, tmp_path: Path) -> None:
    draw(tmp_path / "mine.png", (225, 40, 35), (64, 48))
    page = plain_visitor.go("/c/fields?where=year+is+not+null")
    page.get_by_text("Add picture").click()
    page.get_by_label("Pictures of yours").set_input_files(tmp_path / "mine.png")
    page.get_by_role("button", name="+ More like it").click()
    expect_address(plain_visitor, "like=upload:", "where=")
    assert titles(plain_visitor)[0] == "A red field"
    page.locator(".tile summary").click()
    page.get_by_role("link", name="Ask for works unlike it").click()
    expect_address(plain_visitor, "unlike=upload:")
    assert titles(plain_visitor)[0] != "A red field"


def test_facets_years_order_and_criteria(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/c/fields?like=red.png&facet=creators:Maria+Rot")
    page.locator(".facet").get_by_role("link", name="Jan Blauw").click()
    expect_address(plain_visitor, "facet=creators:Maria+Rot", "facet=creators:Jan+Blauw")
    page.get_by_label("From", exact=True).fill("1700")
    page.locator(".between").get_by_role("button", name="Apply").click()
    expect_address(plain_visitor, "years=1700-99999")
    assert set(titles(plain_visitor)) == {"A blue field", "A teal field"}
    page.locator(".outs summary", has_text="Most alike first").click()
    page.get_by_role("link", name="Latest first").click()
    expect_address(plain_visitor, "sort=-date")
    assert titles(plain_visitor) == ["A teal field", "A blue field"]
    page.locator(".word summary").last.click()
    page.get_by_label("palette", exact=True).fill("2")
    page.get_by_role("button", name="Weigh them").click()
    expect_address(plain_visitor, "by=raw_32.pixels&by=palette_lab.pixels")
    expect(page.locator(".shares")).to_have_count(2)
    page.locator(".word summary").first.click()
    page.locator(".outs summary", has_text="Not grouped").click()
    page.get_by_role("link", name="By century").click()
    expect(page.get_by_role("heading", name="18th century")).to_be_visible()
    page.get_by_role("link", name="Large pictures").click()
    expect_address(plain_visitor, "size=l", "group=century", "like=red.png")
