"""The desk: questions are answered in place, taken back, dragged and chosen together."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

import bilderatlas.api as ba
from bilderatlas.indexing import IndexOptions
from tests.web.conftest import TESTED, WORKS, Site, Visitor, draw, run_site
from tests.web.test_accessibility import AXE, SMALL_TARGETS, WIDER, axe
from tests.web.test_islands import DROP, focused

MARK = "() => { for (const one of document.querySelectorAll('li.work')) one.marked = true; }"
MARKED = "() => [...document.querySelectorAll('li.work')].filter((one) => one.marked).length"

__all__ = ["axe"]  # a fixture of the tests of access


@pytest.fixture
def page(visitor: Visitor) -> Iterator[Page]:
    """Return the page of six works at random; `stays` on it is lost when it is loaded anew."""
    page = visitor.go("/c/fields")
    page.evaluate("window.stays = true")
    return page


def stays(page: Page) -> bool:
    """Tell whether the page was never loaded anew."""
    return bool(page.evaluate("window.stays === true"))


def asked(page: Page) -> dict[str, list[str]]:
    """Return the parameters of the address."""
    return parse_qs(urlsplit(page.url).query)


def work(page: Page, title: str) -> str:
    """Return a selector of the work with this title."""
    return f"li.work:has(.title:text-is('{title}'))"


def ask_for(page: Page, title: str, sign: str = "plus") -> None:
    """Click + or − at a work and wait for the answer."""
    page.locator(work(page, title)).hover()
    page.locator(f"{work(page, title)} a.{sign}").click()
    expect(page.locator(f".tile.{sign} img[alt*='{title}']")).to_have_count(1)


def test_an_answer_takes_the_place_of_the_other(page: Page) -> None:
    page.evaluate(MARK)
    page.evaluate("document.querySelector('li.work img').marked = true")
    ask_for(page, "A red field")
    assert stays(page)
    assert asked(page) == {"like": ["red.png"]}
    assert titles_of(page)[0] == "An orange field"
    assert page.evaluate(MARKED) == 5  # all that are still shown kept their nodes
    assert page.locator("li.work").count() == 5
    # and their links ask what a fresh page would let them ask
    in_place = page.locator("search-desk a").evaluate_all("all => all.map((a) => a.href)")
    page.reload()
    assert not stays(page)
    again = page.locator("search-desk a").evaluate_all("all => all.map((a) => a.href)")
    assert in_place == again


def titles_of(page: Page) -> list[str]:
    return page.locator("li.work .title").all_text_contents()


def test_the_new_count_is_said(page: Page) -> None:
    voice = page.locator("search-desk > p[role=status]")
    expect(voice).to_be_empty()
    ask_for(page, "A red field")
    count = page.locator(".counts p").first.text_content() or ""
    expect(voice).to_have_text(" ".join(count.split()))
    expect(voice).not_to_be_empty()
    assert page.locator(".counts [role=status]").count() == 0  # nothing is said twice


def test_clicks_that_follow_fast_add_up(page: Page) -> None:
    waiting: list[Route] = []
    page.route(
        "**/c/fields?**", lambda route: waiting.append(route) if not waiting else route.continue_()
    )
    page.locator(f"{work(page, 'A red field')} a.plus").dispatch_event("click")
    page.locator(f"{work(page, 'A blue field')} a.minus").dispatch_event("click")
    expect(page.locator(".tile")).to_have_count(2)
    assert stays(page)
    assert asked(page) == {"like": ["red.png"], "unlike": ["blue.png"]}
    assert len(waiting) == 1  # the first was given up: its answer is never shown
    page.get_by_role("button", name="Take back").click()
    expect(page.locator(".tile")).to_have_count(1)
    assert asked(page) == {"like": ["red.png"]}


@pytest.mark.parametrize("way", ["silent", "broken"])
def test_what_goes_wrong_ends_in_navigation(visitor: Visitor, page: Page, way: str) -> None:
    def answer(route: Route) -> None:
        if "x-part" not in route.request.headers:
            route.continue_()
        elif way == "silent":
            route.abort()
        else:
            route.fulfill(status=500, content_type="text/html", body="<p>Nothing</p>")

    page.route("**/c/fields?**", answer)
    page.locator(f"{work(page, 'A red field')} a.plus").dispatch_event("click")
    page.wait_for_url("**/c/fields?like=red.png")
    expect(page.locator(".toast")).to_contain_text("The page was loaded anew")
    reason = "did not answer" if way == "silent" else "status 500"
    expect(page.locator(".toast")).to_contain_text(reason)
    assert not stays(page)
    assert page.locator(".tile").count() == 1
    visitor.complaints.clear()  # Chromium itself complains of what was cut off


def test_back_and_forward(page: Page) -> None:
    ask_for(page, "A red field")
    ask_for(page, "A blue field", "minus")
    page.go_back()
    expect(page.locator(".tile")).to_have_count(1)
    page.go_back()
    expect(page.locator(".tile")).to_have_count(0)
    assert urlsplit(page.url).query == ""
    page.go_forward()
    expect(page.locator(".tile")).to_have_count(1)
    assert asked(page) == {"like": ["red.png"]}
    page.get_by_role("button", name="Do again").click()  # forward is redo, and goes on as redo
    expect(page.locator(".tile")).to_have_count(2)
    assert stays(page)


def test_back_from_a_work_to_the_question(page: Page) -> None:
    ask_for(page, "A red field")
    page.locator(f"{work(page, 'A teal field')} a.pic").click()
    page.wait_for_url("**/i/**")
    page.go_back()
    page.wait_for_url("**/c/fields?like=red.png")
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator(".tile")).to_have_count(0)


def test_steps_are_taken_back_without_end(page: Page) -> None:
    back = page.get_by_role("button", name="Take back")
    again = page.get_by_role("button", name="Do again")
    expect(back).to_have_attribute("aria-disabled", "true")
    names = ["A red field", "A blue field", "A teal field"]
    for name in names:
        ask_for(page, name)
    back.click()
    expect(page.locator(".tile")).to_have_count(2)
    expect(back).to_be_focused()  # it is another button in another answer
    page.keyboard.press("Control+z")
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator(".tile")).to_have_count(0)
    assert stays(page)
    page.reload()  # the steps outlive the page
    for n, key in enumerate(["Shift+U", "Control+y", "Control+Shift+z"]):
        page.keyboard.press(key)
        expect(page.locator(".tile")).to_have_count(n + 1)
    expect(again).to_have_attribute("aria-disabled", "true")
    page.keyboard.press("Control+y")
    expect(page.locator(".toast")).to_contain_text("nothing to do again")


@pytest.fixture(scope="module")
def two_rooms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a library of two collections with one criterion."""
    source = tmp_path_factory.mktemp("rooms")
    for name, _, _, _, colour, size in WORKS[:4]:
        draw(source / name, colour, size)
    with ba.create(tmp_path_factory.mktemp("two")) as library:
        for room in ("upper", "lower"):
            options = IndexOptions(extractors=(TESTED,), workers=1)
            ba.index(library, str(source), room, options=options)
        yield from run_site(library)


def test_steps_lead_from_one_collection_to_another(browser: Browser, two_rooms: Site) -> None:
    visitor = Visitor(browser, two_rooms)
    page = visitor.go("/c/upper")
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("p")
    expect(page.locator(".tile")).to_have_count(1)
    asked_above = urlsplit(page.url)
    page.locator(".sentence .word summary").first.click()
    page.get_by_role("link", name=re.compile("^Lower")).click()
    page.wait_for_url("**/c/lower?like=upper/**")
    page.keyboard.press("Control+z")
    page.wait_for_url(f"**{asked_above.path}?{asked_above.query}")
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.press("Control+z")
    expect(page.locator(".tile")).to_have_count(0)
    page.keyboard.press("Control+y")
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.press("Control+y")
    page.wait_for_url("**/c/lower?like=upper/**")
    visitor.check()
    visitor.context.close()


def test_keys_of_a_field_are_its_own(page: Page) -> None:
    ask_for(page, "A red field")
    field = page.locator("#where")
    field.fill("year > 1")
    field.press("Control+z")
    field.press("u")
    field.press("?")
    assert asked(page) == {"like": ["red.png"]}
    assert page.locator("dialog[open]").count() == 0


def test_forms_are_answered_in_place(page: Page) -> None:
    ask_for(page, "A red field")
    page.locator("#where").fill("year > 1700")
    page.locator("#where").press("Enter")
    expect(page.locator("li.work")).to_have_count(3)
    assert stays(page)
    assert asked(page) == {"like": ["red.png"], "where": ["year > 1700"]}
    expect(page.locator("#where")).to_be_focused()
    page.locator("#where").fill("yeer > 1")
    page.locator("#where").press("Enter")
    expect(page.locator(".side .fault")).to_be_visible()  # a mistake is an answer, too
    assert stays(page)


def test_the_focus_goes_where_it_was(page: Page) -> None:
    page.locator("li.work a.pic").nth(2).focus()
    page.keyboard.press("p")
    expect(page.locator(".tile")).to_have_count(1)
    assert page.evaluate("document.activeElement.className") == "pic"
    place = "[...document.querySelectorAll('li.work')].indexOf(document.activeElement.parentNode)"
    assert page.evaluate(place) == 2  # what hangs in its place
    page.locator(".tile summary").focus()
    page.keyboard.press("n")  # the very picture, in the other box
    expect(page.locator(".tile.minus")).to_have_count(1)
    assert page.evaluate("document.activeElement.closest('.tile').dataset.sign") == "-1"
    page.keyboard.press("x")
    expect(page.locator(".tile")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body")
    assert stays(page)


def test_slash_leads_to_words_and_question_mark_to_the_sheet(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.locator("#record-words")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    sheet = page.locator("dialog.all-keys")
    expect(sheet).to_be_visible()
    assert sheet.locator("dt").count() >= 12
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_a_quick_look(visitor: Visitor, page: Page) -> None:
    names = titles_of(page)
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("Space")
    look = page.locator("dialog.look")
    expect(look.locator(".title")).to_have_text(names[0])
    assert look.locator("img").evaluate("e => e.decode().then(() => e.naturalWidth)") > 0
    page.keyboard.press("ArrowRight")
    expect(look.locator(".title")).to_have_text(names[1])
    page.keyboard.press("Space")
    expect(look).to_have_count(0)
    assert focused(visitor) == names[1]
    page.keyboard.press("Space")
    page.keyboard.press("p")
    expect(page.locator(".tile.plus")).to_have_count(1)
    expect(look).to_have_count(0)
    assert stays(page)


def drag(page: Page, source: str, target: str) -> None:
    """Drag from the middle of one to the middle of the other, which may appear only meanwhile."""
    start = page.locator(source).first.bounding_box()
    assert start is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + start["width"] / 2 + 20, start["y"] + start["height"] / 2)
    end = page.locator(target).first.bounding_box()
    assert end is not None
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=3)
    assert "over" in str(page.locator(target).first.get_attribute("class") or "")
    page.mouse.up()


def test_pictures_are_dragged_in_across_and_out(page: Page) -> None:
    drag(page, f"{work(page, 'A red field')} a.pic", ".drop-zones [data-box=like]")
    expect(page.locator(".tile.plus")).to_have_count(1)
    drag(page, f"{work(page, 'A blue field')} a.pic", ".sentence [data-box=like]")
    expect(page.locator(".tile.plus")).to_have_count(2)
    assert asked(page) == {"like": ["red.png", "blue.png"]}
    drag(page, ".tile.plus summary", ".drop-zones [data-box=unlike]")
    expect(page.locator(".tile.minus")).to_have_count(1)
    assert asked(page) == {"like": ["blue.png"], "unlike": ["red.png"]}
    drag(page, ".tile.minus summary", ".drop-zones [data-box=out]")
    expect(page.locator(".tile.minus")).to_have_count(0)
    assert stays(page)  # no drop was a click on a link
    assert page.locator(".drop-zones, .ghost, .dragging").count() == 0


def test_a_drag_is_given_up(page: Page) -> None:
    box = page.locator("li.work a.pic").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    assert page.locator(".drop-zones div").count() == 2
    assert page.locator(".ghost").count() == 1
    page.mouse.move(box["x"] + 90, box["y"] + 200)
    assert page.evaluate("getSelection().toString()") == ""
    page.keyboard.press("Escape")
    assert page.locator(".drop-zones, .ghost").count() == 0
    page.mouse.up()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.up()  # over no box
    assert page.locator(".drop-zones, .ghost").count() == 0
    assert asked(page) == {} and stays(page)


def test_nothing_moves_for_those_who_want_no_motion(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, reduced_motion="reduce")
    page = visitor.go("/c/fields")
    box = page.locator("li.work a.pic").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    assert page.locator(".drop-zones").count() == 1
    assert page.locator(".ghost").count() == 0
    assert page.evaluate("document.getAnimations().length") == 0
    page.mouse.up()
    visitor.check()
    visitor.context.close()


FINGER = """
([selector, wait]) => new Promise((done) => {
  const source = document.querySelector(selector);
  const box = source.getBoundingClientRect();
  const [x, y] = [box.left + 20, box.top + 20];
  const fire = (type, on, x, y) => on.dispatchEvent(new PointerEvent(type, {
    bubbles: true, pointerId: 7, pointerType: 'touch', button: 0, clientX: x, clientY: y,
  }));
  fire('pointerdown', source, x, y);
  setTimeout(() => {
    fire('pointermove', source, x + 2, y + 9);
    const zone = document.querySelector('.drop-zones [data-box=unlike]')?.getBoundingClientRect();
    if (zone) fire('pointermove', source, zone.left + 9, zone.top + 9);
    fire('pointerup', source, zone?.left + 9 || x, zone?.top + 9 || y);
    done(Boolean(zone));
  }, wait);
})
"""


def test_a_finger_drags_after_a_moment_and_scrolls_before(page: Page) -> None:
    assert page.evaluate(FINGER, ["li.work a.pic", 20]) is False
    assert page.evaluate(FINGER, ["li.work a.pic", 500]) is True
    expect(page.locator(".tile.minus")).to_have_count(1)


def chosen(page: Page) -> list[str]:
    return page.locator("li.work.chosen .title").all_text_contents()


def test_works_are_chosen_by_click_and_range(page: Page) -> None:
    names = titles_of(page)
    page.evaluate("document.addEventListener('selection', (e) => (window.said = e.detail))")
    pictures = page.locator("li.work a.pic")
    pictures.nth(1).click(modifiers=["Control"])
    assert chosen(page) == [names[1]]
    pictures.nth(4).click(modifiers=["Shift"])
    assert chosen(page) == names[1:5]
    assert page.evaluate("getSelection().toString()") == ""
    pictures.nth(2).click(modifiers=["Control"])
    assert chosen(page) == [names[1], *names[3:5]]
    expect(page.locator(".chosen-bar")).to_contain_text("3 works chosen")
    expect(page.locator("selection-bar > [role=status]")).to_have_text("3 works chosen")
    assert all(re.match("fields/", one) for one in page.evaluate("window.said.ids"))
    page.get_by_role("button", name="More like them").click()
    expect(page.locator(".tile.plus")).to_have_count(3)
    assert page.locator(".chosen-bar").count() == 0 and chosen(page) == []
    assert stays(page)
    page.keyboard.press("Control+z")  # all of them were one step
    expect(page.locator(".tile")).to_have_count(0)


def test_works_are_chosen_by_keyboard(visitor: Visitor, page: Page) -> None:
    names = titles_of(page)
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("s")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert chosen(page) == names[:3]
    assert focused(visitor) == names[2]
    described = page.locator("li.work a.pic").nth(2).get_attribute("aria-description")
    assert described == "chosen"
    page.keyboard.press("n")  # at one of them: all of them
    expect(page.locator(".tile.minus")).to_have_count(3)
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    assert chosen(page) == []


def test_works_are_chosen_by_plain_clicks(page: Page) -> None:
    page.get_by_role("button", name="Choose").click()
    page.locator("li.work a.pic").nth(0).click()
    page.locator("li.work a.pic").nth(1).click()
    page.locator("li.work a.pic").nth(0).click()
    assert chosen(page) == titles_of(page)[1:2]
    first = titles_of(page)[1]
    ask_for(page, titles_of(page)[0])  # the choice outlives a search, chosen works keep their mark
    assert chosen(page) == [first]
    page.get_by_role("button", name="Choose").click()
    page.locator("li.work a.pic").nth(0).click()
    page.wait_for_url("**/i/**")


def test_chosen_works_are_dragged_together(page: Page) -> None:
    page.locator("li.work a.pic").nth(1).click(modifiers=["Control"])
    page.locator("li.work a.pic").nth(2).click(modifiers=["Control"])
    drag(page, "li.work.chosen a.pic", ".drop-zones [data-box=like]")
    expect(page.locator(".tile.plus")).to_have_count(2)


def test_a_dropped_picture_is_asked_in_place(page: Page, library: ba.Library) -> None:
    picture = base64.b64encode(library["fields"].original("orange.png")).decode()
    page.evaluate(DROP, ["drop", picture, "image/png"])
    expect(page.locator(".tile.plus")).to_have_count(1)
    assert stays(page)
    page.keyboard.press("Control+z")
    expect(page.locator(".tile")).to_have_count(0)


SHIFTS = """
(() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      if (one.hadRecentInput) continue;
      for (const { node, currentRect: to, previousRect: from } of one.sources) {
        window.shifts.push(`${node?.className}: ${from.x},${from.y} to ${to.x},${to.y}`);
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
  // an answer that comes late (500 ms) counts as unexpected itself; what follows it must not move
  document.addEventListener('swapped', () => {
    requestAnimationFrame(() => requestAnimationFrame(() => (window.shifts.length = 0)));
  });
})()
"""


@pytest.mark.parametrize("width", [320, 820, 1440])
def test_nothing_shifts(browser: Browser, site: Site, width: int) -> None:
    visitor = Visitor(browser, site, viewport={"width": width, "height": 900})
    visitor.page.add_init_script(SHIFTS)
    page = visitor.go("/c/fields")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shifts") == []
    ask_for(page, "A red field")
    page.keyboard.press("Control+z")
    expect(page.locator(".tile")).to_have_count(0)
    page.wait_for_timeout(600)
    assert page.evaluate("window.shifts") == []
    visitor.check()
    visitor.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_what_opens_on_the_desk_is_accessible(
    browser: Browser, site: Site, axe: Path, scheme: str, width: int
) -> None:
    visitor = Visitor(
        browser,
        site,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        bypass_csp=True,  # for axe itself
    )
    page = visitor.go("/c/fields?like=red.png&unlike=blue.png")

    def check() -> None:
        assert page.evaluate(AXE, "html") == []
        assert page.evaluate(WIDER) == []
        assert page.evaluate(SMALL_TARGETS) == []

    page.add_script_tag(path=axe)
    pictures = page.locator("li.work a.pic")
    pictures.nth(0).click(modifiers=["Control"])
    pictures.nth(1).click(modifiers=["Shift"])
    check()  # the bar of chosen works
    pictures.nth(0).focus()
    page.keyboard.press("Space")
    check()  # the quick look
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    check()  # the sheet of keys
    page.keyboard.press("Escape")
    page.keyboard.press("n")  # all that are chosen; then the answer that was put in place
    expect(page.locator(".tile.minus")).to_have_count(3)
    expect(page.locator("search-desk[aria-busy]")).to_have_count(0)
    check()
    visitor.check()
    visitor.context.close()
