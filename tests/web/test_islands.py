"""Each island in Chromium, and that nothing is complained about or fetched from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

import bilderatlas.api as ba
from bilderatlas.jobs.queue import JobState
from tests.web.conftest import Site, Visitor


def focused(visitor: Visitor) -> str:
    """Return the title of the picture that has the focus."""
    script = "document.activeElement.closest('li.work')?.querySelector('.title')?.textContent"
    return str(visitor.page.evaluate(script))


def titles(visitor: Visitor) -> list[str]:
    return visitor.page.locator("li.work .title").all_text_contents()


LONELY = """
() => [...document.querySelectorAll('.held')].filter((held) => {
  const mark = held.lastChild;
  if (mark.nodeType !== Node.TEXT_NODE || !/^[,.]$/.test(mark.data.trim())) return false;
  const word = mark.previousSibling.querySelector?.('summary, input:not([type=hidden]), .box')
    ?? mark.previousSibling;
  const range = document.createRange();
  range.selectNodeContents(mark);
  return range.getBoundingClientRect().left < word.getBoundingClientRect().left;
}).map((held) => held.textContent.trim().slice(0, 60))
"""


@pytest.mark.parametrize("width", [320, 390, 700])
def test_no_comma_begins_a_line(visitor: Visitor, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 900})
    for match in ("m", "a field", "a red field", "many words that are long and fill a line"):
        path = f"/c/fields?like=red.png&unlike=blue.png&match={match}&where=year+%3E+1"
        page = visitor.go(path)
        assert page.locator(".held").count() == 6
        assert page.evaluate(LONELY) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_small_pictures_stay_small_on_the_home_page(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 2400, "height": 900})
    shown = visitor.go("/").evaluate(
        "[...document.querySelectorAll('.band img')].map((e) => e.getBoundingClientRect())"
        ".map((box) => [box.width, box.height])"
    )
    assert len(shown) == 6
    assert max(width for width, _ in shown) <= 1.5 * 160 + 1  # the widest has 160 pixels
    assert max(height for _, height in shown) <= 1.5 * 120 + 1


def test_arrows_move_among_the_pictures(visitor: Visitor) -> None:
    page = visitor.go("/c/fields")
    names = titles(visitor)
    page.locator("li.work a.pic").first.focus()
    for key, expected in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", -1),
        ("ArrowRight", -1),
        ("Home", 0),
        ("ArrowUp", 0),
    ):
        page.keyboard.press(key)
        assert focused(visitor) == names[expected], key
    stops = page.locator("picture-grid a:not([tabindex='-1'])")
    assert stops.count() == 3  # one picture with its + and −


def test_arrow_down_goes_to_the_picture_below(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, viewport={"width": 420, "height": 900})
    page = visitor.go("/c/fields")
    page.locator("li.work a.pic").first.focus()
    tops = page.locator("li.work").evaluate_all("all => all.map(e => e.offsetTop)")
    page.keyboard.press("ArrowDown")
    place = titles(visitor).index(focused(visitor))
    rows = sorted(set(tops))
    assert tops[place] == rows[1]
    page.keyboard.press("ArrowUp")
    assert tops[titles(visitor).index(focused(visitor))] == rows[0]
    visitor.check()
    visitor.context.close()


def test_keys_ask_and_take_out(visitor: Visitor) -> None:
    page = visitor.go("/c/fields?seed=1")
    first = titles(visitor)[0]
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("p")
    page.wait_for_url("**like=**")
    assert page.locator(".tile.plus").count() == 1
    assert first not in titles(visitor)
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("n")
    page.wait_for_url("**unlike=**")
    assert page.locator(".tile.minus").count() == 1
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("x")
    expect(page.locator(".tile")).to_have_count(1)
    page.wait_for_load_state()
    page.locator("li.work a.pic").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/i/**")
    expect(page.get_by_text("Why it was found")).to_be_visible()


def test_keys_can_be_switched_off(visitor: Visitor) -> None:
    page = visitor.go("/c/fields")
    page.get_by_role("button", name="Keys").click()
    switch = page.get_by_role("button", name="Single keys are on")
    switch.click()
    page.keyboard.press("Escape")
    page.locator("li.work a.pic").first.focus()
    for key in ("p", "u", "/", "s", "Space"):
        page.keyboard.press(key)
    page.keyboard.press("?")
    assert page.locator("dialog[open], .chosen, details[open]").count() == 0
    page.reload()
    assert "like=" not in page.url
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("button", name="Single keys are off")).to_have_attribute(
        "aria-pressed", "false"
    )


def test_words_open_one_at_a_time_and_close(visitor: Visitor) -> None:
    page = visitor.go("/c/fields?like=red.png")
    opened = page.locator("details[open]")
    page.locator(".word summary").first.click()
    page.locator(".word summary").last.click()
    assert opened.count() == 1
    page.keyboard.press("Escape")
    assert opened.count() == 0
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.get_by_text("Rule and number").click()
    box = page.locator("details[open] .pop").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 1280
    page.mouse.click(1270, 890)
    assert opened.count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_viewers_choice(browser: Browser, site: Site, scheme: str) -> None:
    visitor = Visitor(browser, site, color_scheme=scheme)
    page = visitor.go("/c/fields")
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(243, 243, 241)", "rgb(20, 20, 19)"
    assert page.evaluate(ground) == (light if scheme == "light" else dark)
    switch = page.locator("theme-switch button")
    switch.click()
    assert page.evaluate(ground) == light
    switch.click()
    assert page.evaluate(ground) == dark
    page.reload()
    assert page.evaluate(ground) == dark
    switch.click()
    assert page.evaluate(ground) == (light if scheme == "light" else dark)
    visitor.check()
    visitor.context.close()


def test_the_ground_behind_a_work(visitor: Visitor) -> None:
    page = visitor.go("/c/fields/i/red.png")
    stage = "getComputedStyle(document.querySelector('.stage')).backgroundColor"
    assert page.evaluate(stage) == "rgb(222, 222, 219)"
    page.get_by_role("button", name="Black ground").click()
    assert page.evaluate(stage) == "rgb(0, 0, 0)"
    page.goto(visitor.site.url + "/c/fields/i/blue.png")
    assert page.evaluate(stage) == "rgb(0, 0, 0)"
    page.get_by_role("button", name="Grey ground").click()
    assert page.evaluate("document.documentElement.dataset.ground") == "grey"
    assert page.evaluate(stage) == "rgb(222, 222, 219)"


def test_the_link_is_copied(visitor: Visitor, library: ba.Library) -> None:
    version = library["fields"].info.version
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.go("/c/fields?like=red.png")
    page.get_by_text("Copy link").click()
    expect(page.locator(".toast")).to_contain_text(f"names version {version}")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{visitor.site.url}/c/fields?like=red.png&v={version}"


DROP = """
([type, bytes, mime]) => {
  const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([data], "a.png", { type: mime }));
  if (type === "paste") {
    const event = new ClipboardEvent("paste", { clipboardData: carried, bubbles: true });
    document.body.dispatchEvent(event);
    return;
  }
  for (const name of ["dragenter", "dragover", "drop"]) {
    const options = { dataTransfer: carried, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent(name, options));
  }
}
"""


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(visitor: Visitor, library: ba.Library, way: str) -> None:
    picture = base64.b64encode(library["fields"].original("orange.png")).decode()
    page = visitor.go("/c/fields?where=year+is+not+null")
    page.evaluate(DROP, [way, picture, "image/png"])
    page.wait_for_url("**like=upload:**")
    assert "where=" in page.url  # the rest of the question stays
    assert titles(visitor)[:2] == ["An orange field", "A red field"]
    tile = page.locator(".tile img")
    assert tile.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_what_is_added_while_a_picture_is_sent_stays(visitor: Visitor, library: ba.Library) -> None:
    picture = base64.b64encode(library["fields"].original("orange.png")).decode()
    page = visitor.go("/c/fields")
    page.evaluate(DROP, ["drop", picture, "image/png"])
    detail = "{ kind: 'add', parts: ['blue.png'], sign: 1 }"
    options = f"{{ detail: {detail}, cancelable: true }}"
    page.evaluate(f"() => {{ document.dispatchEvent(new CustomEvent('act', {options})) }}")
    page.wait_for_url("**like=upload:**")
    assert "like=blue.png" in page.url
    expect(page.locator(".tile.plus")).to_have_count(2)


def test_what_is_no_picture_is_refused_in_words(visitor: Visitor) -> None:
    page = visitor.go("/c/fields")
    page.evaluate(DROP, ["drop", base64.b64encode(b"words").decode(), "text/plain"])
    expect(page.locator(".toast")).to_contain_text("That is no picture")
    page.evaluate(DROP, ["drop", base64.b64encode(b"words").decode(), "image/png"])
    expect(page.locator(".toast")).not_to_contain_text("Taking", timeout=20_000)
    assert page.url == f"{visitor.site.url}/c/fields"


@pytest.fixture
def job_id(library: ba.Library) -> Iterator[str]:
    """Return a job that runs, held by a worker of this test's own."""
    job = library.jobs.submit("index", {"collection": "fields"})
    claimed = library.jobs.claim("test")
    assert claimed is not None and claimed.id == job.id
    yield job.id
    if library.jobs.get(job.id).state not in {JobState.DONE, JobState.FAILED, JobState.CANCELLED}:
        library.jobs.cancel(job.id)


def test_a_job_is_followed_to_its_end(visitor: Visitor, library: ba.Library, job_id: str) -> None:
    library.jobs.report(job_id, "test", 10, 40, "decoding")
    page = visitor.go(f"/jobs/{job_id}")
    line, bar = page.locator("[data-line]"), page.locator("progress")
    expect(line).to_contain_text("10 of 40")
    assert bar.evaluate("bar => bar.value / bar.max") == 0.25
    library.jobs.report(job_id, "test", 30, 40, "decoding")
    expect(line).to_contain_text("30 of 40")
    assert bar.evaluate("bar => bar.value / bar.max") == 0.75
    failure = {"subject": "torn.png", "stage": "decode", "code": "x", "reason": "It is torn."}
    library.jobs.finish(job_id, "test", {"failures": [failure]})
    expect(line).to_contain_text("finished")
    expect(page.get_by_text("It is torn.")).to_be_visible()  # the page fetched itself anew
    assert bar.count() == 0
