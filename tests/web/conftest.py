"""A small library of drawn pictures, its site in process, and the same site in Chromium."""

from __future__ import annotations

import csv
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import uvicorn
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.api.invariance import measure_invariances
from bilderatlas.indexing import IndexOptions
from bilderatlas.web.app import create_app
from bilderatlas.web.security import Access
from tests.web.every_page import furnish

ROOT = Path(__file__).parents[2]
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
EXTRACTORS = ("raw_32.pixels", "palette_lab.pixels")
TESTED = EXTRACTORS[1]  # what it notices is measured, what the other one notices is not
WORKS = (
    ("red.png", "A red field", "Maria Rot", 1620, (220, 30, 30), (120, 80)),
    ("orange.png", "An orange field", "Maria Rot", 1630, (230, 120, 30), (80, 120)),
    ("blue.png", "A blue field", "Jan Blauw", 1790, (30, 40, 220), (100, 100)),
    ("teal.png", "A teal field", "Jan Blauw", 1795, (20, 130, 160), (160, 50)),
    ("deep/grün & #1.png", "A green field", "", None, (30, 160, 40), (40, 120)),
    ("white.png", "", "anon", 1901, (245, 245, 245), (90, 70)),
)


def draw(path: Path, colour: tuple[int, int, int], size: tuple[int, int]) -> None:
    """Draw a field of one colour with a darker frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, colour)
    shade = tuple(channel // 2 for channel in colour)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] - 1, size[1] - 1), outline=shade, width=4)
    image.save(path)


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    """Write `rows` as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="session", autouse=True)
def frontend() -> ModuleType:
    """Bring the front end up to date (nothing to do as a rule); return its build module."""
    sys.path.insert(0, str(ROOT / "frontend"))
    try:
        import build
    finally:
        sys.path.pop(0)
    build.build_frontend(ROOT)
    return build


def make_fields(source: Path, root: Path) -> ba.Library:
    """Return a library with the collection `fields`: six pictures, two criteria, one failure."""
    rows: list[dict[str, object]] = []
    for name, title, maker, year, colour, size in WORKS:
        draw(source / name, colour, size)
        rows.append({"file": name, "title": title, "artist": maker, "year": year or ""})
    (source / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    rows.append({"file": "torn.png", "title": "Torn", "artist": "", "year": ""})
    write_table(source / "metadata.csv", rows)
    made = ba.create(root)
    options = IndexOptions(extractors=EXTRACTORS, workers=1)
    report = ba.index(made, str(source), "fields", options=options)
    assert report.added == len(WORKS) and report.failed == 1
    measure_invariances(made, "fields", TESTED)
    return made


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library with the collection `fields`."""
    made = make_fields(tmp_path_factory.mktemp("fields"), tmp_path_factory.mktemp("library"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def full_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library that has something for every page: see `every_page`."""
    made = make_fields(tmp_path_factory.mktemp("fields"), tmp_path_factory.mktemp("full"))
    furnish(made, tmp_path_factory.mktemp("more"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def full_site(full_library: ba.Library) -> Iterator[Site]:
    """Return the site of the full library, running."""
    yield from run_site(full_library)


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library without collections."""
    made = ba.create(tmp_path_factory.mktemp("empty"))
    yield made
    made.close()


def client_of(library: ba.Library, access: Access) -> TestClient:
    """Return an in-process client that may do what `access` lets it."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    if access.bearer:
        headers["Authorization"] = f"Bearer {access.bearer}"
    return TestClient(
        create_app(library, access),
        base_url="http://127.0.0.1:8642",
        headers=headers,
        follow_redirects=False,
        raise_server_exceptions=False,
    )


@pytest.fixture(scope="session")
def client(library: ba.Library) -> TestClient:
    """Return a client of the local site."""
    return client_of(library, Access.local(8642))


@dataclass(frozen=True)
class Site:
    """A running server."""

    url: str
    access: Access


def run_site(library: ba.Library) -> Iterator[Site]:
    """Serve `library` on a free port in a thread until the generator is closed."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        access = Access.local(port)
        config = uvicorn.Config(
            create_app(library, access), log_level="error", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield Site(f"http://127.0.0.1:{port}", access)
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def site(library: ba.Library) -> Iterator[Site]:
    """Return the local site, running."""
    yield from run_site(library)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Chromium; skip where there is none."""
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


class Visitor:
    """A browser context that has opened the link, and what it noticed on its pages."""

    def __init__(self, browser: Browser, site: Site, **options: object) -> None:
        """Open a context; `options` are Playwright's."""
        self.site = site
        self.context: BrowserContext = browser.new_context(**options)  # type: ignore[arg-type]
        self.context.set_extra_http_headers({"Authorization": f"Bearer {site.access.bearer}"})
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.outward: list[str] = []
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", self._on_dialog)
        self.context.on("request", self._on_request)

    def _on_console(self, message: object) -> None:
        text = getattr(message, "text", "")
        if getattr(message, "type", "") == "error" and "status of 4" not in text:
            self.complaints.append(text)

    def _on_dialog(self, dialog: object) -> None:
        self.complaints.append(f"dialog: {getattr(dialog, 'message', '')}")
        dialog.dismiss()  # type: ignore[attr-defined]

    def _on_request(self, request: object) -> None:
        url = getattr(request, "url", "")
        if not url.startswith((self.site.url, "data:", "blob:")):
            self.outward.append(url)

    def go(self, path: str) -> Page:
        """Open a page of the site."""
        self.page.goto(self.site.url + path)
        return self.page

    def check(self) -> None:
        """Nothing was complained about, and nothing was asked of the world outside."""
        assert self.complaints == []
        assert self.outward == []


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """Return somebody with a browser, on a common screen; nothing may go wrong."""
    one = Visitor(browser, site, viewport={"width": 1280, "height": 900})
    yield one
    one.check()
    one.context.close()


@pytest.fixture
def plain_visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """Return somebody whose browser runs no scripts."""
    one = Visitor(browser, site, java_script_enabled=False)
    yield one
    one.check()
    one.context.close()
