"""The whole way without scripts: forms and links alone."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.web.conftest import Visitor, draw


def titles(visitor: Visitor) -> list[str]:
    return visitor.page.locator("li.work .title").all_text_contents()


def test_from_home_to_a_question_and_back(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/")
    page.get_by_role("heading", name="Fields").get_by_role("link").click()
    page.get_by_role("link", name="More like A red field").click()
    assert titles(plain_visitor)[0] == "An orange field"
    page.get_by_role("link", name="Less like A blue field").click()
    expect(page.locator(".tile.minus")).to_have_count(1)
    page.locator(".tile.minus summary").click()
    page.get_by_role("link", name="Remove it").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.locator(".word summary").last.click()
    page.locator(".choices a", has_text="palette").click()
    assert "by=palette_lab.pixels" in page.url
    page.locator("li.work a.pic").first.click()
    expect(page.get_by_text("Why it was found")).to_be_visible()
    page.get_by_role("link", name="Back to the question").click()
    assert "like=red.png" in page.url and "by=palette_lab.pixels" in page.url
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".tile")).to_have_count(0)


def test_filter_words_and_rule_by_form(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/c/fields?like=red.png")
    page.locator("#where").fill("year < 1700")
    page.locator("#where").press("Enter")
    assert titles(plain_visitor) == ["An orange field"]
    page.get_by_role("textbox", name="Filter").fill("year > ")  # in the sentence itself
    page.get_by_role("textbox", name="Filter").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="leave it out").click()
    page.get_by_label("Words in the records", exact=True).last.fill("Blauw")
    page.get_by_role("button", name="Find").last.click()
    assert set(titles(plain_visitor)) == {"A blue field", "A teal field"}
    page.get_by_text("Rule and number").click()
    page.get_by_label("Works a page").fill("1")
    page.get_by_label("euclidean", exact=True).check()
    page.get_by_role("button", name="Apply").first.click()
    assert "metric=euclidean" in page.url and "k=1" in page.url and "like=red.png" in page.url
    page.get_by_role("link", name="After these").click()
    assert len(titles(plain_visitor)) == 1


def test_a_picture_by_form(plain_visitor: Visitor, tmp_path: Path) -> None:
    draw(tmp_path / "mine.png", (225, 40, 35), (64, 48))
    page = plain_visitor.go("/c/fields?where=year+is+not+null")
    page.get_by_text("Add picture").click()
    page.get_by_label("A picture of yours").set_input_files(tmp_path / "mine.png")
    page.get_by_role("button", name="+ More like it").click()
    assert "like=upload:" in page.url and "where=" in page.url
    assert titles(plain_visitor)[0] == "A red field"
    page.locator(".tile summary").click()
    page.get_by_role("link", name="Ask for works unlike it").click()
    assert titles(plain_visitor)[0] != "A red field"
