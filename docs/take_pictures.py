"""Take pictures of every page in Chromium: three widths, light and dark.

    python docs/take_pictures.py LIBRARY [FOLDER]    # make screenshots

LIBRARY is one in which `bilderatlas demo` has run. All pictures go into FOLDER (`screenshots`,
which git ignores), to be looked at; the few that the documentation shows go to `docs/pictures`.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

import bilderatlas.api as ba
from bilderatlas.web import urls

ROOT = Path(__file__).parents[1]
CHOSEN_DIR = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDTHS = {1440: 980, 820: 1100, 390: 844}
SCHEMES = ("light", "dark")
NAME = "museum"
BY = "composition_hog.pixels"
# what the documentation shows: page, width, scheme → name of the file
CHOSEN = {
    ("search", 1440, "light"): "search",
    ("search", 1440, "dark"): "search-dark",
    ("search", 390, "light"): "search-phone",
    ("work", 1440, "light"): "work",
    ("compare", 1440, "dark"): "compare",
    ("panel", 1440, "light"): "panel",
    ("search-de", 1440, "light"): "search-german",
}


def pages(library: ba.Library) -> dict[str, str]:
    """Return the name and the address of every page."""
    collection = library[NAME]
    ids = ["m7-000011", "m7-000014", "m7-000018"]  # like two landscapes, not like a seascape
    near = [hit.image_id for hit in collection.search(like=ids[0], extractor=BY, k=6)]
    asked = [("like", ids[0]), ("like", ids[1]), ("unlike", ids[2]), ("by", BY)]
    one = [("like", ids[0]), ("by", BY)]
    mixed = [("like", ids[0]), ("by", BY), ("by", "palette_lab.pixels^2")]
    panel = next(iter(library.panels), None) or library.panels.create(
        "Churches in landscapes", works=[f"{NAME}/{image_id}" for image_id in (*ids[:2], *near)]
    )
    found = {
        "home": "/",
        "hang": urls.search(NAME, [("seed", "7")]),
        "search": urls.search(NAME, asked),
        "search-de": urls.search(NAME, [*asked, ("lang", "de")]),
        "search-fr": urls.search(NAME, [*asked, ("lang", "fr")]),
        "mixed": urls.search(NAME, mixed),
        "grouped": urls.search(NAME, [*one, ("group", "century")]),
        "large": urls.search(NAME, [*one, ("size", "l")]),
        "inactive": urls.search(NAME, [*one, ("text", "a turban")]),
        "wrong": urls.search(NAME, [*one, ("where", "yeer > 1600")]),
        "work": urls.work(NAME, near[0], one),
        "compare": urls.with_params(f"/c/{NAME}/compare", [("a", ids[0]), ("b", near[0]), *one]),
        "rankings": urls.with_params(f"/c/{NAME}/rankings", [*one, ("b.by", "palette_lab.pixels")]),
        "panels": "/panels",
        "panel": f"/panels/{panel.id}",
        "add": urls.ADD,
        "jobs": urls.JOBS,
        "uploads": urls.UPLOADS,
        "criteria": urls.CRITERIA,
        "card": urls.criterion(BY),
        "criterion": urls.criterion_here(NAME, BY),
        "embeddings": urls.embeddings(NAME),
        "nothing": "/nowhere",
    }
    jobs = library.jobs.list()
    return found | ({"job": urls.job(jobs[0].id)} if jobs else {})


@contextmanager
def served(root: Path) -> Iterator[str]:
    """Serve a library; yields the link that opens it."""
    command = [sys.executable, "-m", "bilderatlas", "serve", "--no-browser", "--port", "0"]
    command += ["--library", str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = (re.search(r"http://\S+", line) for line in server.stderr)
        try:
            yield next(found.group() for found in told if found)
        finally:
            server.send_signal(signal.SIGINT)


def take(browser: Browser, link: str, addresses: dict[str, str], folder: Path) -> None:
    """Take every page in every width and scheme; write the chosen ones for the documentation."""
    page = browser.new_page(locale="en-GB")
    page.goto(link)
    site = link.split("/?", maxsplit=1)[0]
    for name, address in addresses.items():
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                _open(page, site + urls.with_params(address, []))
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                if chosen := CHOSEN.get((name, width, scheme)):
                    path = CHOSEN_DIR / f"{chosen}.jpg"
                    page.screenshot(path=path, type="jpeg", quality=82)
        if "lang=" in address:  # the choice is remembered
            page.goto(f"{site}/?lang=en")
        print(name, file=sys.stderr)


def _open(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    height = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, min(height, 12_000), 800):  # pictures below the fold load as they come near
        page.evaluate(f"scrollTo(0, {top})")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(250)


def main() -> None:
    """Serve the library, look at every page, write PNG files and the chosen JPEG files."""
    root = Path(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "screenshots"
    folder.mkdir(exist_ok=True, parents=True)
    CHOSEN_DIR.mkdir(exist_ok=True)
    with ba.open(root) as library:
        addresses = pages(library)
    with served(root) as link, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        take(browser, link, addresses, folder)
        browser.close()


if __name__ == "__main__":
    main()
