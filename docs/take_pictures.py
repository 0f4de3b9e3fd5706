"""Take the pictures of the documentation, in Chromium, of the synthetic museum.

python docs/take_pictures.py LIBRARY      # a library in which `bilderatlas demo` has run
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
QUESTION = "/c/museum?like=m7-000011&like=m7-000014&unlike=m7-000018&by=composition_hog.pixels"
PAGES = {"search": (QUESTION, "light"), "search-dark": (QUESTION, "dark")}


def main() -> None:
    """Serve the library, look at the pages, write JPEG files."""
    command = [sys.executable, "-m", "bilderatlas", "serve", "--no-browser", "--port", "0"]
    command += ["--library", sys.argv[1]]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        told = (re.search(r"http://\S+", line) for line in server.stderr)
        link = next(found.group() for found in told if found)
        HERE.mkdir(exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 980})
            page.goto(link)
            for name, (address, scheme) in PAGES.items():
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                page.goto(link.split("/?")[0] + address, wait_until="networkidle")
                page.screenshot(path=HERE / f"{name}.jpg", type="jpeg", quality=82)
            browser.close()
        server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
