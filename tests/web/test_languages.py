"""The languages of the interface: which one is spoken, that it is whole, that it fits."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.web import i18n
from bilderatlas.web.i18n import LOCALE_DIR, languages, negotiate, speaking
from bilderatlas.web.messages import Texts, collect, files, lacking, read_catalog
from bilderatlas.words import Said, said, said_of
from tests.web import pseudo
from tests.web.conftest import ROOT, Site, Visitor
from tests.web.every_page import every_page
from tests.web.reading import Document

COMPLETE = ("de", "fr")  # languages of which no text may lack its translation
PYTHON_PLACE = re.compile(r"%\((\w+)\)[a-z]")


@pytest.fixture(scope="module")
def texts() -> Texts:
    """Return every text of the interface."""
    return collect()


@pytest.mark.parametrize("code", COMPLETE)
def test_nothing_lacks_its_translation(texts: Texts, code: str) -> None:
    catalog = read_catalog(LOCALE_DIR / f"{code}.po")
    assert lacking(catalog, texts) == []
    assert [message.id for message in catalog if message.id and message.fuzzy] == []
    stale = [
        message.id
        for message in catalog
        if message.id and _singular(message.id) not in texts.plurals
    ]
    assert stale == [], "run: make messages"


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_translations_keep_the_places(path: object) -> None:
    for message in read_catalog(path):  # type: ignore[arg-type]
        if not message.id or not message.string:
            continue
        english = message.id if isinstance(message.id, str) else " ".join(message.id)
        forms = [message.string] if isinstance(message.string, str) else message.string
        for form in filter(None, forms):
            wanted, given = places(english), places(form)
            # a form for one thing may say "one" instead of the number
            assert given <= wanted and wanted - given <= {"num", "n"}, message.id
            assert len(forms) > 1 or given == wanted, message.id
            assert sorted(re.findall(r"</?\w+", form)) == sorted(
                re.findall(r"</?\w+", english if isinstance(message.id, str) else message.id[0])
            ), message.id


def places(text: str) -> set[str]:
    """Return the named places of a text, of Python or of islands."""
    if PYTHON_PLACE.search(text):
        return set(PYTHON_PLACE.findall(text))
    if re.search(r"\{\w+\}", text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return set()


def _singular(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


def test_markup_comes_from_our_own_templates_only() -> None:
    """`gettext` and `ngettext` make markup of their texts: those are literals."""
    for path in (ROOT / "src/bilderatlas/web/templates").rglob("*.html"):
        source = path.read_text("utf-8")
        for name, first in re.findall(r"\b(n?gettext)\(\s*(.)", source):
            assert first in "'\"", (path, name)


def test_texts_of_islands_are_literals(texts: Texts) -> None:
    for path in (ROOT / "frontend/src").rglob("*.ts"):
        if path.name == "words.ts":
            continue
        for first in re.findall(r"(?<![\w.])tn?\(\s*([^\s])", path.read_text("utf-8")):
            assert first == '"', path


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "spoken"),
    [
        ("", "", "", "en"),
        ("de", "fr", "en", "de"),
        ("xx", "fr", "en", "fr"),
        ("", "fr", "de", "fr"),
        ("", "", "de-AT,de;q=0.9,en;q=0.8", "de"),
        ("", "", "nl;q=1.0, fr;q=0.7, de;q=0.8", "de"),
        ("", "", "de;q=0, fr;q=0.1", "fr"),
        ("", "", "*", "en"),
        ("", "../../etc", "\x00;q=;;,", "en"),
        ("DE", "", "", "de"),
        ("fr-CA", "", "", "fr"),
    ],
)
def test_the_language_is_negotiated(
    asked: str, remembered: str, accepted: str, spoken: str
) -> None:
    assert negotiate(asked, remembered, accepted) == spoken


def test_a_choice_is_kept_in_a_cookie(client: TestClient) -> None:
    with_choice = client.get("/about/criteria?lang=de&x=1")
    assert Document(with_choice.text).one("html").get("lang") == "de"
    assert with_choice.headers["content-language"] == "de"
    cookie = with_choice.headers["set-cookie"]
    assert cookie.startswith("bilderatlas-language=de;") and "HttpOnly" in cookie
    assert "lang=" not in Document(with_choice.text).one("link", rel="alternate").get("href")
    again = client.get("/about/criteria")  # the client keeps cookies
    assert Document(again.text).one("html").get("lang") == "de"
    client.cookies.clear()
    accepting = client.get("/about/criteria", headers={"Accept-Language": "fr"})
    assert Document(accepting.text).one("html").get("lang") == "fr"
    assert "set-cookie" not in accepting.headers
    assert {"Accept-Language", "Cookie"} <= set(accepting.headers["vary"].split(", "))
    assert "vary" not in client.get("/c/fields/thumb/64/x/red.png").headers


def test_an_unknown_language_changes_nothing(client: TestClient) -> None:
    answer = client.get("/about/criteria?lang=%3Cscript%3E")
    assert Document(answer.text).one("html").get("lang") == "en"
    assert "set-cookie" not in answer.headers


def test_the_switch_works_without_scripts(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/c/fields?like=red.png")
    page.locator(".languages summary").click()
    page.get_by_role("link", name="Deutsch").click()
    assert page.locator("html").get_attribute("lang") == "de"
    assert "like=red.png" in page.url
    plain_visitor.go("/about/criteria")
    assert page.locator("html").get_attribute("lang") == "de"


def test_numbers_dates_and_lists_are_written_as_the_language_does() -> None:
    written = {}
    for code in ("en", "de", "fr"):
        with speaking(code):
            written[code] = (i18n.thousands(12345), i18n.decimal(3.5), i18n.percent(0.353, 1))
    assert written["en"] == ("12\u202f345", "3.5", "35.3%")
    assert written["de"] == ("12.345", "3,5", "35,3\u00a0%")
    assert written["fr"] == ("12\u202f345", "3,5", "35,3\u00a0%")


def test_sentences_of_other_rooms_are_said_again() -> None:
    words = {
        "%(n)s of %(things)s": "von %(things)s %(n)s",
        "red": "rot",
        "blue": "blau",
        "%(names)s and %(last)s": "%(names)s und %(last)s",
        "%(num)s field": ("ein Feld", "%(num)s Felder"),
    }
    sentence = said("%(n)s of %(things)s", n=2, things=[said("red"), said("blue"), "x"])
    counted = said_of("%(num)s field", "%(num)s fields", 3)
    assert (sentence, counted) == ("2 of red, blue and x", "3 fields")
    languages()["nds"] = i18n.Language("nds", words)
    try:
        with speaking("nds"):
            assert i18n.gettext(sentence) == "von rot, blau und x 2"
            assert i18n.gettext(counted) == "3 Felder"
            assert i18n.gettext(said_of("%(num)s field", "%(num)s fields", 1)) == "ein Feld"
    finally:
        del languages()["nds"]
    assert isinstance(sentence, Said) and i18n.gettext(sentence) == sentence


@pytest.fixture(scope="module")
def pseudo_language() -> Iterator[str]:
    """Let the site speak a language whose words are long."""
    with pseudo.spoken() as code:
        yield code


WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT = """
() => [...document.querySelectorAll('main *, header *, footer *')]
  .filter((e) => e.childElementCount === 0 && e.textContent.trim() && e.checkVisibility()
    && !e.closest('.hidden, .sideways, pre, .pop, svg, progress'))
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((e) => e.outerHTML.slice(0, 160))
"""


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_long_words_break_no_page(
    browser: Browser, full_site: Site, full_library: ba.Library, pseudo_language: str, width: int
) -> None:
    visitor = Visitor(browser, full_site, viewport={"width": width, "height": 900})
    visitor.go(f"/?lang={pseudo_language}")
    for path in every_page(full_library):
        page = visitor.go(path)
        assert page.locator("html").get_attribute("lang") == pseudo_language
        assert page.evaluate(WIDER) <= 0, path
        assert page.evaluate(CUT) == [], path
    visitor.check()
    visitor.context.close()


UNSAID = """
() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const own = '[lang=en], code, pre, script, div.sentence, .facts, .steps, .label, .languages';
    if (/[a-z]{3} [a-z]{3}/.test(text) && !/[áéíóúý]/i.test(text)
      && !walker.currentNode.parentElement.closest(own)) found.push(text.slice(0, 120));
  }
  return found;
}
"""


OWN_WORDS = re.compile(r"\bfield\b|Maria Rot|Jan Blauw|Still empty|Put away|Evening|pytest-of")


def test_every_text_goes_through_the_catalogue(
    browser: Browser, full_site: Site, full_library: ba.Library, pseudo_language: str
) -> None:
    """In the long language a text without accents is one that nobody translates."""
    visitor = Visitor(browser, full_site, viewport={"width": 1280, "height": 900})
    visitor.go(f"/?lang={pseudo_language}")
    unsaid = [
        f"{path}: {text}"
        for path in every_page(full_library)
        for text in visitor.go(path).evaluate(UNSAID)
        if not OWN_WORDS.search(text)
    ]
    assert "\n".join(unsaid) == ""
    visitor.context.close()
