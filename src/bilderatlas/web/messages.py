"""Collect every text of the interface into the files of `locale/`, for whoever translates.

    python -m bilderatlas.web.messages            write messages.pot, bring every .po up to date
    python -m bilderatlas.web.messages --check    tell what has no translation; write nothing

Texts come from calls in Python (`_`, `ngettext`, `said`, `said_of`, `counted`, `mark`), from
templates, from islands (`t`, `tn`), and from the registries: what criteria, rules and changes to
pictures say of themselves. A translation stays as long as its English text does. It needs a
checkout, since a wheel lacks the sources of the islands.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po
from jinja2 import nodes
from jinja2.ext import babel_extract

from bilderatlas.evaluation.transformations import TRANSFORMATIONS
from bilderatlas.extractors.base import EXTRACTORS
from bilderatlas.search.combine import RULES
from bilderatlas.search.verify import SAME_OBJECT, SAME_WORK, SIMILAR
from bilderatlas.web.i18n import LOCALE_DIR
from bilderatlas.web.rendering import environment

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parents[1]
TEMPLATES = Path(__file__).parent / "templates"
ISLANDS = ROOT / "frontend" / "src"
POT = LOCALE_DIR / "messages.pot"

_ONE = {"_", "gettext", "said", "mark", "N_"}  # the first argument is the text
_COUNTED = {"ngettext", "said_of"}  # the first two are
_CALL = re.compile(r"""(?<![\w.])(tn?)\(\s*((?:"(?:[^"\\]|\\.)*"\s*,?\s*)+)""")
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass
class Texts:
    """English texts: singular → plural (empty where nothing is counted), and where they stand."""

    plurals: dict[str, str] = field(default_factory=dict)
    places: dict[str, set[str]] = field(default_factory=dict)

    def add(self, place: str, text: str, plural: str = "") -> None:
        """Note a text."""
        if not text.strip():
            return
        self.plurals[text] = plural or self.plurals.get(text, "")
        self.places.setdefault(text, set()).add(place)

    def catalog(self, language: str = "", known: Catalog | None = None) -> Catalog:
        """Return them as a catalogue, with the translations that are `known`."""
        catalog = Catalog(locale=language or None)
        for text in sorted(self.plurals, key=lambda one: (one.lower(), one)):
            plural = self.plurals[text]
            old = known.get(text) if known else None
            string = _kept(old, plural, catalog.num_plurals)
            catalog.add(
                (text, plural) if plural else text,
                string,
                locations=[(place, None) for place in sorted(self.places[text])],  # type: ignore[misc]
                user_comments=old.user_comments if old else (),
            )
        return catalog


def _kept(old: Message | None, plural: str, n_forms: int) -> str | tuple[str, ...] | None:
    """Return a translation as it was; None where there was none of this kind."""
    empty = ("",) * n_forms if plural else ""
    if old is None or old.fuzzy or isinstance(old.string, str) == bool(plural):
        return empty
    return old.string if isinstance(old.string, str) else tuple(old.string or ())


def collect() -> Texts:
    """Return every text of the interface."""
    texts = Texts()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path != Path(__file__):
            _collect_python(texts, path)
    for path in sorted(TEMPLATES.rglob("*.html")):
        _collect_template(texts, path)
    for path in sorted(ISLANDS.rglob("*.ts")):
        _collect_island(texts, path)
    for place, text in registered():
        texts.add(place, text)
    return texts


def _collect_python(texts: Texts, path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else name
        given = [
            one.value if isinstance(one, ast.Constant) and isinstance(one.value, str) else ""
            for one in node.args
        ]
        _note(texts, place, name, given)


def _note(texts: Texts, place: str, name: str, given: list[str]) -> None:
    if name in _ONE and given:
        texts.add(place, given[0])
    elif name in _COUNTED and len(given) > 1:
        texts.add(place, given[0], given[1])
    elif name == "counted" and len(given) > 1 and given[1]:
        _note_counted(texts, place, *given[1:])


def _note_counted(texts: Texts, place: str, singular: str, plural: str = "") -> None:
    texts.add(place, f"%(num)s {singular}", f"%(num)s {plural or singular + 's'}")


def _collect_template(texts: Texts, path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    source = path.read_text("utf-8")
    options = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
    options |= {"trim_blocks": "true", "lstrip_blocks": "true"}
    found = babel_extract(BytesIO(source.encode()), ("_", "gettext", "ngettext"), (), options)
    for _line, name, message, _comments in found:
        given = [message] if isinstance(message, str) else [one or "" for one in message or ()]
        _note(texts, place, name or "_", given)
    for call in environment().parse(source).find_all(nodes.Filter):
        if call.name == "counted":
            nouns = [one.value for one in call.args if isinstance(one, nodes.Const)]
            _note_counted(texts, place, *nouns)


def _collect_island(texts: Texts, path: Path) -> None:
    if path.name == "words.ts":
        return
    place = path.relative_to(ROOT).as_posix()
    for name, arguments in _CALL.findall(path.read_text("utf-8")):
        given = [json.loads(f'"{one}"') for one in _LITERAL.findall(arguments)]
        texts.add(place, given[0], given[1] if name == "tn" else "")


def registered() -> Iterator[tuple[str, str]]:
    """Yield what is registered says of itself: whose it is, and the text."""
    for name in EXTRACTORS.names():
        card = EXTRACTORS.get(name).card
        for text in (card.judges_by, card.sees, card.knows_only):
            yield "cards", text
    for name in RULES.names():
        rule = RULES.get(name)
        yield "rules", rule.title
        yield "rules", rule.sentence
    for change in TRANSFORMATIONS:
        for text in (change.noun, change.done, change.how, change.lacking):
            yield "changes", text
    for verdict in (SAME_WORK, SAME_OBJECT, SIMILAR):
        yield "verdicts", verdict


def read_catalog(path: Path) -> Catalog:
    """Read a language's file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def files() -> list[Path]:
    """Return the files of all languages but English."""
    return sorted(LOCALE_DIR.glob("*.po"))


def lacking(catalog: Catalog, texts: Texts) -> list[str]:
    """Return the texts that a catalogue does not translate in all their forms."""
    return [text for text in texts.plurals if not _is_whole(catalog.get(text))]


def _is_whole(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    forms = [message.string] if isinstance(message.string, str) else message.string
    return bool(forms) and all(forms or ())


def write(path: Path, catalog: Catalog, language: str) -> None:
    """Write a catalogue; nothing in the file changes by itself (no dates, no numbers of lines)."""
    head = ['msgid ""', 'msgstr ""']
    if language:
        n_forms, rule = get_plural(language)[:2]
        head.append(f'"Language: {language}\\n"')
        head.append(f'"Plural-Forms: nplurals={n_forms}; plural={rule};\\n"')
    head.append('"Content-Type: text/plain; charset=utf-8\\n"')
    body = BytesIO()
    write_po(body, catalog, width=96, omit_header=True, include_lineno=False)
    path.write_bytes("\n".join(head).encode() + b"\n\n" + body.getvalue().strip() + b"\n")


def main(arguments: Iterable[str] | None = None) -> int:
    """Write the files, or tell what they lack; return 1 where what is checked lacks some."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="tell what lacks, write nothing")
    check = parser.parse_args(arguments if arguments is None else list(arguments)).check
    texts = collect()
    n_lacking = 0
    for path in files():
        known = read_catalog(path)
        missing = lacking(known, texts)
        n_lacking += len(missing)
        print(f"{path.name}: {len(texts.plurals) - len(missing)} of {len(texts.plurals)} texts")
        if not check:
            write(path, texts.catalog(path.stem, known), path.stem)
    if not check:
        write(POT, texts.catalog(), "")
    return int(check and n_lacking > 0)


if __name__ == "__main__":
    sys.exit(main())
