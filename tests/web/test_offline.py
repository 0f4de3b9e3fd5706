"""With every request but those to this machine cut off, all works."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Browser, Route

import bilderatlas.api as ba
from tests.web.conftest import Site, Visitor
from tests.web.every_page import every_page

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def test_everything_works_without_the_world(
    browser: Browser, full_site: Site, full_library: ba.Library
) -> None:
    visitor = Visitor(browser, full_site, viewport={"width": 1280, "height": 900})
    cut_off: list[str] = []

    def decide(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.scheme in {"http", "https", "ws", "wss"} and address.hostname not in LOOPBACK:
            cut_off.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    visitor.context.route("**/*", decide)
    for path in every_page(full_library):
        page = visitor.go(path)
        page.wait_for_load_state("load")
        assert page.locator("h1").count() == 1, path
        fonts = page.evaluate("document.fonts.check('16px \"Source Serif 4\"')")
        assert fonts, path
        broken = page.evaluate(
            "[...document.images].filter((one) => one.complete && !one.naturalWidth"
            " && one.loading !== 'lazy').map((one) => one.src)"
        )
        assert broken == [], path
    page = visitor.go("/c/fields")
    first = page.locator("li.work").first
    first.hover()
    first.locator("a", has_text="+").first.click()
    page.wait_for_url("**like=**")
    assert page.locator("li.work").count() > 0
    assert cut_off == []
    visitor.check()
    visitor.context.close()
