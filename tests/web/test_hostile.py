"""Hostile metadata, names and requests: nothing runs, nothing leaks, nothing leaves the root."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.errors import BilderatlasError
from bilderatlas.indexing import IndexOptions
from bilderatlas.web import urls
from bilderatlas.web.security import Access
from tests.web.conftest import Site, Visitor, client_of, draw, run_site, write_table
from tests.web.reading import Document

FIELDS = (
    *("title", "artist", "date", "school", "style", "genre", "type", "culture", "place"),
    *("medium", "dimensions", "institution", "accession", "credit", "rights", "description"),
    *("tags", "url", "my_column"),
)
PAYLOADS = (
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)//",
    "<body onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href='javascript:alert(1)'>x</a>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    "` onload=alert(1) `",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "<!--<script>alert(1)</script>-->",
    "]]><script>alert(1)</script>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<details open ontoggle=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=javascript:alert(1)><button>x",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<object data='javascript:alert(1)'>",
    "<embed src='javascript:alert(1)'>",
    "{{7*7}}{{ ''.__class__.__mro__ }}",
    "{% for x in ().__class__ %}x{% endfor %}",
    "${alert(1)}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u202e<script>alert(1)</script>",
    "＜script＞alert(1)＜/script＞",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<template><script>alert(1)</script></template>",
    "<drop-upload data-action='https://evil.example/'>",
    "<job-progress data-active data-events='https://evil.example/'>",
    'https://evil.example/"onclick=alert(1)//',
    "//evil.example/x",
    "http://[::1",
    "%(num)s %(x)s %s %d %%",
    "{n} {0} {name!r}",
    "<language-switch><a hreflang='https://evil.example/'>x</a></language-switch>",
    "<search-desk data-collection='../../evil'>",
    '</script><script type="application/json" id="words">{"words":{"Close":"evil"}}</script>',
    "<deep-zoom data-tiles='https://evil.example/'>",
    "<style>*{display:none}</style>",
    "<p style='position:fixed;inset:0;background:red'>",
    "\x01\x7f<script>alert(1)</script>\ufeff",
    "'; DROP TABLE images; --",
)


@pytest.fixture(scope="module")
def hostile_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library whose records hold a payload in every field; ids and columns too."""
    source = tmp_path_factory.mktemp("hostile")
    rows: list[dict[str, object]] = []
    for place, payload in enumerate(PAYLOADS):
        safe = "".join(filter(str.isprintable, payload))
        safe = safe.replace("/", "∕").replace("\\", "∖")[:60]
        name = f"{place:02d} {safe}.png" if sys.platform != "win32" else f"{place:02d}.png"
        draw(source / name, (place * 5 % 256, place * 11 % 256, 90), (30 + place % 7, 30))
        rows.append({"file": name, **dict.fromkeys(FIELDS, payload)})
    write_table(source / "metadata.csv", rows)
    made = ba.create(tmp_path_factory.mktemp("hostile-library"))
    options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
    report = ba.index(made, str(source), "hostile", options=options)
    assert report.added == len(PAYLOADS)
    some = [f"hostile/{hit.image_id}" for hit in made["hostile"].sample(3)]
    made.panels.create(PAYLOADS[0], note=PAYLOADS[4], works=some)
    made.panels.create(PAYLOADS[13], works=())
    with contextlib.suppress(BilderatlasError):
        ba.index(made, str(source / PAYLOADS[2].replace("/", "_")), "gone", options=options)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hostile_site(hostile_library: ba.Library) -> Iterator[Site]:
    """Return the site of the hostile library, running."""
    yield from run_site(hostile_library)


NODES = """
() => [...document.querySelectorAll('*')]
  .filter((e) => /^(iframe|object|embed|base|math|marquee|video|template|style)$/i.test(e.tagName)
    || (e.hasAttribute('style') && e.getAttribute('style').includes('fixed'))
    || ['data-action', 'data-events', 'data-tiles', 'data-json', 'action']
      .some((name) => e.hasAttribute(name) && !/^\\/[^/]/.test(e.getAttribute(name)))
    || [...e.attributes].some((a) => /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value)
      && ['href', 'src', 'action', 'data'].includes(a.name)))
  .map((e) => e.outerHTML.slice(0, 200))
"""
VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (e) =>
  window.violations.push(e.violatedDirective + ' ' + e.blockedURI));
"""
OF_OPENSEADRAGON = ["style-src-attr inline", "style-src-elem inline"]  # one, where it is loaded
INPUTS = (
    *("like", "unlike", "text", "not", "by", "metric", "rule", "lambda", "k", "where", "match"),
    *("mirrored", "exact", "seed", "offset", "also", "facet", "years", "sort", "group", "within"),
    *("hide", "size", "version", "lang"),
)


def walk(browser: Browser, site: Site, paths: list[str]) -> None:
    """Open each page; no dialog, no violation of the policy, no element that was smuggled in."""
    visitor = Visitor(browser, site)
    visitor.context.add_init_script(VIOLATIONS)
    faults = []
    for path in paths:
        page = visitor.go(path)
        reports = page.evaluate("window.violations")
        if page.locator(".openseadragon-container").count() and reports[:1] <= OF_OPENSEADRAGON:
            reports = reports[1:]
        found = [*reports, *page.evaluate(NODES)]
        n_scripts = page.locator("script").count()
        faults += [f"{path}: {one}" for one in found]
        faults += [f"{path}: {n_scripts} scripts"] if n_scripts != 2 else []
    assert "\n".join(faults) == ""
    visitor.check()
    visitor.context.close()


def work_paths(library: ba.Library) -> list[str]:
    hits = library["hostile"].sample(len(PAYLOADS))
    return [urls.work("hostile", hit.image_id) for hit in hits]


def other_paths(library: ba.Library) -> list[str]:
    """Return the pages of the hostile library that show more than one work, in all their states."""
    ids = [hit.image_id for hit in library["hostile"].sample(4)]
    model_id = library["hostile"].store.model_ids()[0]
    likes = [("like", ids[0]), ("unlike", ids[1])]
    panel = library.panels.list_panels()[0]
    return [
        *("/", "/c/hostile?k=100", "/jobs", "/uploads", "/about/criteria"),
        urls.search("hostile", [*likes, ("group", "artist")]),
        urls.search("hostile", [*likes, ("facet", f"artist:{PAYLOADS[0]}"), ("sort", "title")]),
        urls.search("hostile", [("like", f"panel:{panel.id}"), ("within", f"panel:{panel.id}")]),
        urls.with_params("/c/hostile/rankings", [*likes, ("b.rule", "nearest")]),
        urls.with_params("/c/hostile/compare", [("a", ids[2]), ("b", ids[3]), *likes]),
        urls.work("hostile", ids[2], likes),
        urls.criterion(model_id),
        urls.criterion_here("hostile", model_id),
        urls.embeddings("hostile"),
        *[urls.job(job.id) for job in library.jobs.list()],
        *[urls.panel(one.id) for one in library.panels.list_panels()],
        urls.source("hostile"),
        urls.failures("hostile"),
        urls.remove("hostile"),
        urls.add([("source", library["hostile"].info.source_address)]),
        *[urls.add([("source", payload)]) for payload in PAYLOADS[:3]],
        urls.panels_put([f"hostile/{image_id}" for image_id in ids], PAYLOADS[0]),
    ]


def test_hostile_metadata_stays_text(
    browser: Browser, hostile_site: Site, hostile_library: ba.Library
) -> None:
    works = work_paths(hostile_library)
    asked = [
        urls.search("hostile", [(name, payload)])
        for name in ("like", "where", "match", "by")
        for payload in PAYLOADS[:2]
    ]
    walk(browser, hostile_site, [*other_paths(hostile_library), *asked, *works[::5]])


@pytest.mark.slow
def test_hostile_metadata_stays_text_on_every_page(
    browser: Browser, hostile_site: Site, hostile_library: ba.Library
) -> None:
    asked = [urls.search("hostile", [(name, payload)]) for name in INPUTS for payload in PAYLOADS]
    walk(browser, hostile_site, [*work_paths(hostile_library), *asked])


def test_hostile_pages_in_process(hostile_library: ba.Library) -> None:
    """Every work, every other page, every payload in every input of a search."""
    client = client_of(hostile_library, Access.local())
    asked = [
        urls.search("hostile", [(name, payload)])
        for place, name in enumerate(INPUTS)
        for payload in PAYLOADS[place % 3 :: 3]
    ]
    for path in [*work_paths(hostile_library), *other_paths(hostile_library), *asked]:
        answer = client.get(path)
        assert answer.status_code < 500, path
        document = Document(answer.text)
        assert document.problems == [], path
        assert len(document.all("script")) == 2, path
        for link in document.all("a"):
            assert link.get("href").startswith(("/", "#", "?", "http://", "https://")), link
            if link.get("href").startswith("http"):
                assert "noreferrer" in link.get("rel"), link
        for one in document.elements:
            assert not any(name.startswith("on") for name in one.attributes), (path, one)


def test_hostile_texts_in_another_language(hostile_library: ba.Library) -> None:
    """Translations are filled with the same payloads."""
    client = client_of(hostile_library, Access.local())
    for path in other_paths(hostile_library):
        document = Document(client.get(path, headers={"Accept-Language": "de"}).text)
        assert document.problems == [], path
        assert len(document.all("script")) <= 3, path


TRAVERSALS = [
    prefix + name
    for prefix in (
        "../" * 8,
        "..%2f" * 8,
        "%2e%2e/" * 8,
        "..%252f" * 8,
        "..\\" * 8,
        "..%5c" * 8,
        "%c0%ae%c0%ae/" * 8,
        "~2E~2E/" * 8,
        "....//" * 8,
        "/",
        "//",
        "file:///",
        "",
    )
    for name in ("etc/passwd", "proc/self/environ", "library.toml", "library.sqlite%00.webp")
]
PLACES = (
    "/c/fields/i/{}",
    "/c/fields/i/{}.json",
    "/c/fields/thumb/64/x/{}",
    "/c/fields/original/{}",
    "/c/{}",
    "/static/{}",
    "/uploads/{}.webp",
    "/jobs/{}",
    "/{}",
)


class OpenedFiles:
    """An audit hook that notes which files are opened; it cannot be removed, only look away."""

    def __init__(self) -> None:
        """Begin to watch."""
        self.paths: list[str] = []
        self.watching = True
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.watching and event == "open" and isinstance(arguments[0], str | bytes):
            self.paths.append(str(arguments[0]))


def test_no_address_reads_a_file_elsewhere(client: TestClient, library: ba.Library) -> None:
    """Every payload on every route: nothing outside the library, the source and the package."""
    opened = OpenedFiles()
    for place in PLACES:
        for payload in TRAVERSALS:
            answer = client.get("http://127.0.0.1:8642" + place.format(payload))
            assert answer.status_code in {400, 403, 404, 405}, (place, payload)
            assert b"root:" not in answer.content
    (library.root / "library.toml").read_bytes()
    opened.watching = False
    assert any(path.endswith("library.toml") for path in opened.paths)  # the hook does see
    assert [path for path in opened.paths if "passwd" in path or "environ" in path] == []
    data = [path for path in opened.paths if "library." in path]
    assert all(Path(path).is_relative_to(library.root) for path in data)
