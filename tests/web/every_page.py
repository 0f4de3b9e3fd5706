"""Every page of the site, on the library of `full_library`: what is tested on all pages walks this.

A new page is added here, once for each state in which it looks different. Works of the collection
`fields` are red.png, orange.png, blue.png, teal.png, white.png and torn.png, which has no picture.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import bilderatlas.api as ba
from bilderatlas.api.index import submit_index
from bilderatlas.indexing import IndexOptions
from bilderatlas.web import urls

SEARCH = "/c/fields?like=red.png&like=orange.png&unlike=blue.png&match=field"
PLAIN = (
    "/",
    "/c/fields",
    SEARCH,
    "/c/fields?group=century&like=red.png&size=l",
    "/c/fields?by=raw_32.pixels&by=palette_lab.pixels%5E2&like=red.png",
    "/c/fields?like=red.png&also=more",
    "/c/fields?like=red.png&sort=-date&years=1600-1800&facet=artist%3AMaria+Rot",
    "/c/fields?text=a+red+field&like=gone.png&like=red.png",
    "/c/fields?where=yeer+%3E+1",
    "/c/fields?match=nothing+of+the+kind",
    "/c/fields/i/red.png?like=orange.png",
    "/c/fields/i/torn.png",
    "/about/criteria",
    "/about/criteria/palette_lab.pixels",
    "/c/fields/criteria/palette_lab.pixels?seed=2",
    "/c/fields/criteria/raw_32.pixels",
    "/c/fields/embeddings",
    "/c/fields/compare?a=red.png&b=orange.png&like=blue.png",
    "/c/fields/compare?a=red.png&b=torn.png",
    "/c/fields/compare?a=red.png",
    "/c/fields/compare",
    "/c/fields/rankings?like=red.png&unlike=blue.png",
    "/c/fields/rankings?text=red&b.by=palette_lab.pixels",
    "/c/fields/rankings",
    "/c/none",
    "/nowhere",
)
LOCAL = (
    "/jobs",
    "/uploads",
    "/panels",
    "/panels/put?work=fields%2Fred.png&work=fields%2Fgone.png&back=%2Fc%2Ffields",
    "/panels/put",
)


def furnish(library: ba.Library, folder: Path) -> None:
    """Give a library with the collection `fields` something for every other page.

    A second collection, a job that is done and had a failure, and one that failed; a panel with
    notes, one without works, and one that was put away.
    """
    for name, colour in (
        ("dawn", (240, 180, 120)),
        ("noon", (90, 160, 240)),
        ("dusk", (60, 30, 90)),
    ):
        Image.new("RGB", (90, 60), colour).save(folder / f"{name}.png")
    ba.index(library, str(folder), "more", options=IndexOptions(extractors=("raw_32.pixels",)))
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    submit_index(library, str(folder), "more")
    library.run_jobs()
    panel = library.panels.create(
        "Dusk", note="Evening.", works=["fields/red.png", "more/dusk.png"]
    )
    library.panels.add(
        panel.id, ["fields/torn.png", "fields/blue.png@0.1,0.1,0.5,0.5"], note="See."
    )
    library.panels.create("Still empty")
    library.panels.put_away(library.panels.create("Put away").id)
    submit_index(library, str(folder), "more")
    library.jobs.cancel(library.jobs.list()[0].id)


def every_page(library: ba.Library) -> list[str]:
    """Return the address of every page, in every state in which it looks different."""
    jobs = [urls.job(job.id) for job in library.jobs.list()]
    panels = [*library.panels.list_panels(), *library.panels.list_panels(removed=True)]
    collections = [
        address
        for info in library.collections()
        for address in (
            urls.source(info.name),
            urls.failures(info.name),
            urls.remove(info.name),
            urls.add([("source", info.source_address), ("at", info.source_address)]),
        )
    ]
    return [
        *PLAIN,
        *LOCAL,
        *jobs,
        *(urls.panel(info.id) for info in panels),
        *collections,
        urls.add([("source", "no/such/folder")]),
    ]
