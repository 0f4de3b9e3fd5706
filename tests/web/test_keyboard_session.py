"""A whole session by keyboard alone: search, refine, zoom, detail, compare, export."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.conftest import Site, Visitor

FOCUSED = """
() => {
  const one = document.activeElement;
  const style = getComputedStyle(one);
  return { text: (one.innerText || one.getAttribute('aria-label') || '').trim(),
    tag: one.tagName, outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) };
}
"""
MAX_STOPS = 150


@pytest.fixture
def keyboard(browser: Browser, full_site: Site) -> Iterator[Visitor]:
    """Return somebody without a pointer."""
    one = Visitor(browser, full_site, viewport={"width": 1280, "height": 900}, locale="en-GB")
    yield one
    one.context.close()


def tab_to(page: Page, text: str) -> None:
    """Press Tab until what says `text` has the focus, which can be seen."""
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused["text"].startswith(text):
            assert focused["outline"], f"nobody sees that the focus is on {text}"
            return
    raise AssertionError(f"Tab does not lead to '{text}'")


def tab_to_pictures(page: Page) -> None:
    """Press Tab until a picture among the results has the focus."""
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('li.work a.pic')"):
            return
    raise AssertionError("Tab does not lead to the pictures")


def test_a_whole_session(keyboard: Visitor) -> None:
    page = keyboard.go("/")
    tab_to(page, "Fields")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/fields")

    # search and refine: more like the first, less like another; taken back; explained
    tab_to_pictures(page)
    page.keyboard.press("p")
    page.wait_for_url(re.compile(r"[?&]like="))
    expect(page.locator(".box[data-box=like] .tile")).to_have_count(1)
    tab_to_pictures(page)
    page.keyboard.press("End")
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"[?&]unlike="))
    page.keyboard.press("Control+z")
    expect(page).not_to_have_url(re.compile(r"[?&]unlike="))
    page.keyboard.press("Control+y")
    page.wait_for_url(re.compile(r"[?&]unlike="))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # the answer is taken along
    tab_to(page, "Export")
    page.keyboard.press("Enter")
    with page.expect_download() as waiting:
        tab_to(page, "A table (CSV)")
        page.keyboard.press("Enter")
    assert waiting.value.suggested_filename.endswith(".csv")
    page.keyboard.press("Escape")

    # a work, from near
    page.evaluate("document.activeElement.blur(); document.getElementById('main').focus()")
    tab_to_pictures(page)
    page.keyboard.press("Enter")
    page.wait_for_url("**/i/**")
    tab_to(page, "Look closely")
    page.keyboard.press("Enter")
    expect(page.locator(".openseadragon-container")).to_be_visible()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.evaluate("document.getElementById('main').focus()")
    tab_to(page, "Look closely")
    page.keyboard.press("Enter")
    expect(page.locator(".openseadragon-container")).to_have_count(0)

    # compared with another
    tab_to(page, "Compare")
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare**")
    tab_to(page, "Laid over")
    page.keyboard.press("Enter")
    page.go_back()

    # a detail of it, asked for
    page.wait_for_url("**/i/**")
    page.evaluate("document.getElementById('main').focus()")
    tab_to(page, "Draw a detail")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    tab_to(page, "+ More like this detail")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"like=[^&]*(@|%40)"))
    expect(page.locator("li.work").first).to_be_visible()
    # OpenSeadragon sets one inline style, which is refused and harmless
    refused = [one for one in keyboard.complaints if "inline style" in one]
    assert len(refused) <= 1
    assert keyboard.complaints == refused and keyboard.outward == []
