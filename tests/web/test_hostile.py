"""Hostile metadata, names and requests: nothing runs, nothing leaks, nothing leaves the root."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

import bilderatlas.api as ba
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
)


@pytest.fixture(scope="module")
def hostile_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library whose records hold a payload in every field; ids and columns too."""
    source = tmp_path_factory.mktemp("hostile")
    rows: list[dict[str, object]] = []
    for place, payload in enumerate(PAYLOADS):
        safe = payload.replace("/", "∕").replace("\\", "∖")[:60]
        name = f"{place:02d} {safe}.png" if sys.platform != "win32" else f"{place:02d}.png"
        draw(source / name, (place * 5 % 256, place * 11 % 256, 90), (30 + place % 7, 30))
        rows.append({"file": name, **dict.fromkeys(FIELDS, payload)})
    write_table(source / "metadata.csv", rows)
    made = ba.create(tmp_path_factory.mktemp("hostile-library"))
    options = IndexOptions(extractors=("raw_32.pixels",), workers=1)
    report = ba.index(made, str(source), "hostile", options=options)
    assert report.added == len(PAYLOADS)
    yield made
    made.close()


@pytest.fixture(scope="module")
def hostile_site(hostile_library: ba.Library) -> Iterator[Site]:
    """Return the site of the hostile library, running."""
    yield from run_site(hostile_library)


NODES = """
() => [...document.querySelectorAll('*')]
  .filter((e) => /^(iframe|object|embed|base|math|marquee|video|template|style)$/i.test(e.tagName)
    || [...e.attributes].some((a) => /^on/i.test(a.name) || /^\\s*javascript:/i.test(a.value)
      && ['href', 'src', 'action', 'data'].includes(a.name)))
  .map((e) => e.outerHTML.slice(0, 200))
"""
VIOLATIONS = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (e) =>
  window.violations.push(e.violatedDirective + ' ' + e.blockedURI));
"""


def walk(browser: Browser, site: Site, paths: list[str]) -> None:
    """Open each page; no dialog, no violation of the policy, no element that was smuggled in."""
    visitor = Visitor(browser, site)
    visitor.context.add_init_script(VIOLATIONS)
    for path in paths:
        page = visitor.go(path)
        assert page.evaluate("window.violations") == [], path
        assert page.evaluate(NODES) == [], path
        assert page.locator("script").count() == 2, path
    visitor.check()
    visitor.context.close()


def work_paths(library: ba.Library) -> list[str]:
    hits = library["hostile"].sample(len(PAYLOADS))
    return [urls.work("hostile", hit.image_id) for hit in hits]


def test_hostile_metadata_stays_text(
    browser: Browser, hostile_site: Site, hostile_library: ba.Library
) -> None:
    works = work_paths(hostile_library)
    asked = [
        urls.search("hostile", [(name, payload)])
        for name in ("like", "where", "match", "by")
        for payload in PAYLOADS[:3]
    ]
    model_id = hostile_library["hostile"].store.model_ids()[0]
    criteria = ["/about/criteria", urls.criterion_here("hostile", model_id)]
    criteria.append(urls.embeddings("hostile"))
    walk(browser, hostile_site, ["/", "/c/hostile?k=100", *asked, *works[::4], *criteria])


@pytest.mark.slow
def test_hostile_metadata_stays_text_on_every_page(
    browser: Browser, hostile_site: Site, hostile_library: ba.Library
) -> None:
    names = ("like", "unlike", "text", "not", "where", "match", "by", "metric", "rule", "k", "seed")
    asked = [urls.search("hostile", [(name, payload)]) for name in names for payload in PAYLOADS]
    walk(browser, hostile_site, [*work_paths(hostile_library), *asked])


def test_hostile_metadata_in_process(hostile_library: ba.Library) -> None:
    client = client_of(hostile_library, Access.local())
    for path in work_paths(hostile_library):
        document = Document(client.get(path).text)
        assert document.problems == []
        for link in document.all("a"):
            assert link.get("href").startswith(("/", "#", "http://", "https://")), link
            if not link.get("href").startswith(("/", "#")):
                assert "noreferrer" in link.get("rel")


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
