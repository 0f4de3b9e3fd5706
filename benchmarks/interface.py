"""Time the interface in Chromium: from a click on + to the new ranking painted, 200 pictures.

The clock runs in the page: it starts with the click's own time stamp and stops two animation
frames after the answer was put in place. Two collections are asked: the synthetic museum, and
records that share its pictures with synthetic vectors. Layout shifts are counted as browsers
report them, those within half a second of a click, which browsers leave out, told apart; the
script is what the search page loads before anything is asked of it, in gzip.

    python benchmarks/interface.py --json
    python benchmarks/interface.py --works 600 --records 100000 --clicks 60 --library FOLDER --json
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, Response, sync_playwright

import bilderatlas.api as ba
from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.extractors import default_extractors
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.indexing import IndexOptions
from bilderatlas.store.images import StoredImage
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import NewImage

MUSEUM, SHARED = "museum", "shared"
MODEL = "synthetic_512.random"
DIM = 512
BATCH = 20_000
K = 200
CLICKS_A_PAGE = 10
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
CLOCK = """
(() => {
  const seen = (window.seen = { times: [], shift: 0, shiftByAnswers: 0 });
  let started = 0;
  addEventListener('click', (event) => (started = event.timeStamp), true);
  document.addEventListener('swapped', () => {
    const begun = started;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      seen.times.push(performance.now() - begun);
    }));
  });
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) {
      seen[one.hadRecentInput ? 'shiftByAnswers' : 'shift'] += one.value;
    }
  }).observe({ type: 'layout-shift', buffered: true });
})()
"""
ANSWERS = """
() => performance.getEntriesByType('resource')
  .filter((one) => one.initiatorType === 'fetch')
  .map((one) => one.responseEnd - one.startTime)
"""


def build(folder: Path, works: int, records: int) -> None:
    """Paint the museum and make the records that share its pictures; what is there stays."""
    if not (folder / "library.toml").exists():
        ba.create(folder).close()
    first = default_extractors(MUSEUM)[0].card.model_id
    with ba.open(folder) as library:
        options = IndexOptions(extractors=(first,))
        ba.index(library, f"museum://?works={works}&seed=7", MUSEUM, options=options)
    with LibraryStore.open(folder) as store:
        if SHARED in {info.name for info in store.list_collections()}:
            return
        pictures = list(store.get_collection(MUSEUM).iter_images("indexed"))
        made = store.create_collection(SHARED, source_kind="table", source_address="shared.csv")
        random = np.random.default_rng(7)
        with made.writer() as writer:
            writer.ensure_space(synthetic_card())
            for start in range(0, records, BATCH):
                numbers = range(start, min(start + BATCH, records))
                images = [shared_image(pictures, number) for number in numbers]
                vectors = unit_rows(random.standard_normal((len(images), DIM), dtype=np.float32))
                rows = [
                    (image.record.image_id, ImageRows(vectors[place : place + 1]))
                    for place, image in enumerate(images)
                ]
                writer.commit_batch(images, {MODEL: rows})


def synthetic_card() -> Card:
    """Return the card of the synthetic space."""
    return Card(
        model_id=MODEL,
        judges_by="chance",
        sees="Nothing: the vectors are random.",
        dim=DIM,
        dtype="f16",
        metrics=(Metric.ANGULAR,),
        side_px=256,
        preprocessing=(),
        normalised="l2",
    )


def shared_image(pictures: Sequence[StoredImage], number: int) -> NewImage:
    """Return a record of its own with one of the museum's pictures."""
    picture = pictures[number % len(pictures)]
    record = replace(picture.record, image_id=f"R-{number:06d}")
    return NewImage(record, picture.content_sha256, None, picture.size_wh)


def serve(folder: Path) -> None:
    """Serve the library in this process; say where in one line of JSON."""
    import uvicorn

    from bilderatlas.web.app import create_app
    from bilderatlas.web.security import Access
    from bilderatlas.web.server import open_socket

    with open_socket("127.0.0.1", 0) as bound, ba.open(folder) as library:
        port = bound.getsockname()[1]
        access = Access.local(port)
        print(json.dumps({"url": f"http://127.0.0.1:{port}", "bearer": access.bearer}), flush=True)
        config = uvicorn.Config(create_app(library, access), log_level="error")
        uvicorn.Server(config).run(sockets=[bound])


@contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """Serve the library in a process of its own."""
    command = [sys.executable, __file__, "--serve", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium: the system's, else Playwright's."""
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def measure(browser: Browser, site: dict[str, str], collection: str, clicks: int) -> dict[str, Any]:
    """Ask on from page to page: each click takes a picture of the ranking before."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_extra_http_headers({"Authorization": f"Bearer {site['bearer']}"})
    context.add_init_script(CLOCK)
    page = context.new_page()
    times: list[float] = []
    answers: list[float] = []
    shift = by_answers = 0.0
    for seed in range(1 + clicks // CLICKS_A_PAGE):  # the first page warms up and is left out
        page.goto(f"{site['url']}/c/{collection}?k={K}&seed={seed + 1}")
        page.wait_for_load_state("networkidle")
        for place in range(CLICKS_A_PAGE):
            ask(page, place)
        seen = page.evaluate("window.seen")
        shift = max(shift, seen["shift"])
        by_answers = max(by_answers, seen["shiftByAnswers"])
        if seed:
            times += seen["times"]
            answers += page.evaluate(ANSWERS)
    n_tiles = page.locator("li.work").count()
    context.close()
    return {
        "tiles": n_tiles,
        "clicks": len(times),
        "click_to_paint_ms": percentiles(times),
        "of_which_answer_ms": percentiles(answers),
        "cls": round(shift, 4),
        "shift_within_500_ms_of_a_click": round(by_answers, 4),
    }


def ask(page: Page, place: int) -> None:
    """Click + at a picture of the first rows, and wait until its answer is painted and settled."""
    n_seen = page.evaluate("window.seen.times.length")
    work = page.locator("li.work").nth(place % 5)
    work.hover()
    work.locator("a.plus").click()
    page.wait_for_function("n => window.seen.times.length > n", arg=n_seen)
    page.wait_for_load_state("networkidle")


def script_bytes(browser: Browser, site: dict[str, str]) -> dict[str, int]:
    """Return the size in gzip of every script that the search page loads on its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_extra_http_headers({"Authorization": f"Bearer {site['bearer']}"})
    page = context.new_page()
    scripts: list[Response] = []

    def note(response: Response) -> None:
        if response.request.resource_type == "script":
            scripts.append(response)

    page.on("response", note)
    page.goto(f"{site['url']}/c/{MUSEUM}?k={K}")
    page.wait_for_load_state("networkidle")
    sizes = {
        response.url.rpartition("/")[2]: len(gzip.compress(response.body(), 9))
        for response in scripts
    }
    context.close()
    return {**sizes, "total": sum(sizes.values())}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and the largest."""
    if not values:
        return {}
    found = {f"p{q}": float(np.percentile(values, q)) for q in (50, 95)}
    return {name: round(value, 1) for name, value in (found | {"max": max(values)}).items()}


def run(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Build what is missing, then measure."""
    build(folder, arguments.works, arguments.records)
    with served(folder) as site, chromium() as browser:
        return {
            "machine": platform.processor() or platform.machine(),
            "chromium": browser.version,
            "script_gzip_bytes": script_bytes(browser, site),
            f"museum_{arguments.works}": measure(browser, site, MUSEUM, arguments.clicks),
            f"shared_{arguments.records}": measure(browser, site, SHARED, arguments.clicks),
        }


def main() -> None:
    """Measure, or serve for the measuring process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--works", type=int, default=600)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--clicks", type=int, default=60)
    parser.add_argument("--library", type=Path, help="kept between runs; else a temporary one")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON (it always does)")
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    if arguments.library:
        print(json.dumps(run(arguments.library, arguments), indent=2))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(Path(folder) / "library", arguments), indent=2))


if __name__ == "__main__":
    main()
