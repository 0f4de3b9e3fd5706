"""Every page × light and dark × narrow and wide: axe finds nothing, nothing overflows or jumps."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser

from tests.web.conftest import ROOT, Site, Visitor

PAGES = (
    "/",
    "/c/fields",
    "/c/fields?like=red.png&like=orange.png&unlike=blue.png&match=field",
    "/c/fields?where=yeer+%3E+1",
    "/c/fields/i/red.png?like=orange.png",
    "/c/fields/i/torn.png",
    "/jobs",
    "/about/criteria",
    "/c/fields/embeddings",
    "/about/criteria/palette_lab.pixels",
    "/c/fields/criteria/palette_lab.pixels?seed=2",
    "/c/fields/criteria/raw_32.pixels",
    "/c/none",
)
AXE = """
(where) => axe.run(where, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa',
  'best-practice'] }).then((found) => found.violations.map((v) =>
    v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 160) + n.failureSummary).join(' | ')))
"""
SHIFT = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.value < 0.001) continue;
    for (const source of entry.sources) {
      const what = source.node?.outerHTML ?? source.node?.textContent ?? '?';
      window.shifts.push(`${entry.value.toFixed(4)} ${what.slice(0, 120)}`);
    }
  }
}).observe({ type: 'layout-shift', buffered: true });
"""
SMALL_TARGETS = """
() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
  .map((e) => [e, e.getBoundingClientRect()])
  .filter(([e, box]) => box.width > 1 && box.height > 1 && e.checkVisibility()
    && !e.closest('p, dd, li.stop, .hidden, label') && (box.width < 24 || box.height < 23.5))
  .map(([e, box]) => e.outerHTML.slice(0, 120) + ` ${box.width}×${box.height}`)
"""


@pytest.fixture(scope="module")
def axe(frontend: ModuleType) -> Path:
    """Return axe-core; skip where it cannot be installed."""
    try:
        return Path(frontend.install_development(ROOT)) / "axe-core" / "axe.min.js"
    except RuntimeError as error:
        pytest.skip(f"needs axe-core from npm: {error}")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(
    browser: Browser, site: Site, axe: Path, scheme: str, width: int
) -> None:
    visitor = Visitor(
        browser,
        site,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        bypass_csp=True,  # for axe itself; the policy is tested on the hostile collection
    )
    visitor.context.add_init_script(SHIFT)
    for path in PAGES:
        page = visitor.go(path)
        assert page.evaluate("window.shifts") == [], path
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0, path
        assert page.evaluate(SMALL_TARGETS) == [], path
        page.add_script_tag(path=axe)
        assert page.evaluate(AXE, "html") == [], path
    page = visitor.go(PAGES[2])
    page.add_script_tag(path=axe)
    for word in page.locator("summary").all():
        word.click()
        assert page.evaluate(AXE, "details[open]") == [], word.inner_text()
        word.click()
    visitor.check()
    visitor.context.close()


def test_the_whole_task_by_keyboard(visitor: Visitor) -> None:
    page = visitor.go("/c/fields")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(() => { const e = document.activeElement; const s = getComputedStyle(e);"
            " return [e.tagName, s.outlineStyle, parseFloat(s.outlineWidth)]; })()"
        )
        if outline[0] == "BODY":
            break
        assert outline[1] != "none" and outline[2] >= 2, page.evaluate(
            "document.activeElement.outerHTML"
        )
        seen.add(page.evaluate("document.activeElement.innerText.trim()"))
    assert {"Add picture", "Add words", "Rule and number", "Copy link", "JSON"} <= seen


def test_text_may_be_spaced_and_enlarged(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, viewport={"width": 640, "height": 800}, bypass_csp=True)
    page = visitor.go(PAGES[2])
    page.add_style_tag(
        content="* { line-height: 1.5 !important; letter-spacing: 0.12em !important; "
        "word-spacing: 0.16em !important; } html { font-size: 200%; }"
    )
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 640
    visitor.context.close()
