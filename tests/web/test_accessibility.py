"""Every page × light and dark × narrow and wide: axe finds nothing, nothing overflows or jumps."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from playwright.sync_api import Browser

import bilderatlas.api as ba
from tests.web.conftest import ROOT, Site, Visitor
from tests.web.every_page import SEARCH, every_page

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
WIDER = """
() => document.documentElement.scrollWidth > document.documentElement.clientWidth
  ? [`wider than the window: ${document.documentElement.scrollWidth}`] : []
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
    browser: Browser,
    full_site: Site,
    full_library: ba.Library,
    axe: Path,
    scheme: str,
    width: int,
) -> None:
    visitor = Visitor(
        browser,
        full_site,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        reduced_motion="reduce",
        bypass_csp=True,  # for axe itself; the policy is tested on the hostile collection
    )
    visitor.context.add_init_script(SHIFT)
    faults: list[str] = []
    for path in every_page(full_library):
        page = visitor.go(path)
        found = page.evaluate("window.shifts") + page.evaluate(WIDER) + page.evaluate(SMALL_TARGETS)
        page.add_script_tag(path=axe)
        found += page.evaluate(AXE, "html")
        faults += [f"{path}: {fault}" for fault in found]
    assert "\n".join(faults) == ""
    page = visitor.go(SEARCH)
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
    assert page.evaluate("document.activeElement.id") == "pictures"
    page = visitor.go("/c/fields")  # who does not skip comes by every control
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
    assert {"Add picture", "Add words", "Rule and number", "Copy link", "Export"} <= seen


def test_text_may_be_spaced_and_enlarged(browser: Browser, site: Site) -> None:
    visitor = Visitor(browser, site, viewport={"width": 640, "height": 800}, bypass_csp=True)
    page = visitor.go(SEARCH)
    page.add_style_tag(
        content="* { line-height: 1.5 !important; letter-spacing: 0.12em !important; "
        "word-spacing: 0.16em !important; } html { font-size: 200%; }"
    )
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 640
    visitor.context.close()
