"""Citations: a search that can be asked again, a work with all that its record says, and no more.

A search is cited by everything that decided its answer: the parts of the question, the criterion
with the hash of its weights, the metric, the rule, the collection and its version. A work is cited
from its record; what the record does not say is named as missing, never guessed.
"""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bilderatlas import __version__
from bilderatlas.records import Record
from bilderatlas.search.hits import Criterion, Hits
from bilderatlas.search.query import Part, PartKind, Query

PROGRAM = f"Bilderatlas {__version__}"
N_HASH = 16  # signs of a hash of weights that a citation prints
WANTED = ("creators", "title", "date_display", "institution", "accession", "rights")


@dataclass(frozen=True, slots=True)
class Citation:
    """One citation in the forms that scholars keep.

    Attributes:
        text: Sentences for a footnote.
        bibtex: One BibTeX entry.
        missing: Fields of the record that a full citation would have and this one lacks.
    """

    text: str
    bibtex: str
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the citation as JSON-ready values."""
        return {"text": self.text, "bibtex": self.bibtex, "missing": list(self.missing)}


def cite_search(
    hits: Hits,
    url: str,
    date: datetime.date,
    *,
    title: str = "",
    names: Mapping[str, str] | None = None,
    n_chosen: int = 0,
) -> Citation:
    """Cite a search.

    Args:
        hits: The answer.
        url: Its permanent address.
        date: When it was asked.
        title: The collection's title; its name where this is empty.
        names: Panel id → name, for panels in the question.
        n_chosen: How many works were chosen from the answer by hand; 0: it is cited as a whole.
    """
    asked = _question(hits.query, names or {})
    collections = " and ".join([f"“{title or hits.collection}”", *(f"“{n}”" for n in hits.also)])
    found = f"works in {collections} {asked or 'hung at random'}"
    if n_chosen:
        found = f"{_counted(n_chosen)} chosen from {found}"
    facts = [_judged(hits), _limits(hits.query, names or {}), _order(hits.query), *_versions(hits)]
    note = ". ".join(filter(None, facts))
    digest = hashlib.sha256(f"{hits.collection}{hits.version}{url}{n_chosen or ''}".encode())
    entry = {
        "title": found[0].upper() + found[1:],
        "howpublished": PROGRAM,
        "note": note,
        "year": f"{date.year:04d}",
        "url": url,
        "urldate": date.isoformat(),
    }
    text = f"{PROGRAM}: {found}. {note}. {url} ({_day(date)})."
    return Citation(text, to_bibtex("misc", f"search-{digest.hexdigest()[:10]}", entry))


def _versions(hits: Hits) -> list[str]:
    """Return what each collection that answered was when it did."""
    return [
        f"Collection {one.collection}, version {one.version}, {_counted(one.n_works)}"
        for one in hits.answers or (hits,)
    ]


def _counted(n_works: int) -> str:
    return "1 work" if n_works == 1 else f"{n_works:,} works"


def cite_work(record: Record, url: str, date: datetime.date) -> Citation:
    """Cite a work.

    Args:
        record: What is known of it.
        url: Where it is seen: its page at its institution where the record names one, else this.
        date: When it was looked at.
    """
    makers = _makers(record)
    dated = record.date_display or _years(record)
    page = (record.page_url or "").strip()
    seen_at = page if page.lower().startswith(("http://", "https://")) else url
    where = ", ".join(filter(None, [record.institution, record.accession]))
    facts = [
        ", ".join(filter(None, [makers, record.title or record.image_id, dated])),
        ", ".join(filter(None, [record.medium, record.dimensions])),
        where,
        record.credit or "",
        record.rights or "",
    ]
    sentences = [fact.strip().rstrip(".") for fact in facts if fact and fact.strip()]
    text = f"{'. '.join(dict.fromkeys(sentences))}. {seen_at} ({_day(date)})."
    entry = {
        "author": " and ".join(f"{{{_escaped(name)}}}" for name in record.creators),
        "title": record.title or record.image_id,
        "year": dated,
        "howpublished": sentences[1] if record.medium or record.dimensions else "",
        "organization": record.institution or "",
        "number": record.accession or "",
        "note": "; ".join(filter(None, [record.credit, record.rights])),
        "url": seen_at,
        "urldate": date.isoformat(),
    }
    missing = tuple(name for name in WANTED if not getattr(record, name))
    if dated:
        missing = tuple(name for name in missing if name != "date_display")
    return Citation(text, to_bibtex("misc", _key(record), entry), missing)


def cite_panel(name: str, n_works: int, version: int, url: str, date: datetime.date) -> Citation:
    """Cite a panel as it stands at one version."""
    works = _counted(n_works)
    text = f"{PROGRAM}: panel “{name}”, {works}, version {version}. {url} ({_day(date)})."
    digest = hashlib.sha256(f"{name}{version}{url}".encode()).hexdigest()
    entry = {
        "title": f"Panel “{name}”",
        "howpublished": PROGRAM,
        "note": f"{works}, version {version}",
        "year": f"{date.year:04d}",
        "url": url,
        "urldate": date.isoformat(),
    }
    return Citation(text, to_bibtex("misc", f"panel-{digest[:10]}", entry))


# The question in words


def _question(query: Query, names: Mapping[str, str]) -> str:
    groups = (
        ("like", _listed(query.positives, names, words=False)),
        ("with", _listed(query.positives, names, words=True)),
        ("unlike", _listed(query.negatives, names, words=False)),
        ("without", _listed(query.negatives, names, words=True)),
    )
    return ", ".join(f"{word} {listed}" for word, listed in groups if listed)


def _listed(parts: Iterable[Part], names: Mapping[str, str], *, words: bool) -> str:
    chosen = [part for part in parts if (part.kind is PartKind.TEXT) == words]
    return " and ".join(_spelled(part, names) for part in chosen)


def _spelled(part: Part, names: Mapping[str, str]) -> str:
    values = {
        PartKind.TEXT: f"“{part.value}”",
        PartKind.UPLOAD: f"a picture brought along (sha256 {part.value[:N_HASH]})",
        PartKind.PANEL: f"the panel “{names.get(part.value, part.value)}”",
    }
    text = values.get(part.kind, part.value)
    if part.region is not None:
        text += f" (detail {part.region})"
    return text if part.weight == 1 else f"{text} (weight {part.weight:g})"


def _judged(hits: Hits) -> str:
    query = hits.query
    if not query.parts:
        return f"Seed {query.seed}"
    if hits.criteria:
        weights = dict(query.blend)
        parts = (f"{weights.get(one.model_id, 1):g} × {_criterion(one)}" for one in hits.criteria)
        judged, rule = " and ".join(parts), query.rule
    elif hits.criterion is not None:
        judged, rule = _criterion(hits.criterion), hits.criterion.rule
    else:
        return ""
    extra = [f"rule {rule}"]
    if query.negatives and query.lambda_ != 0.5:
        extra.append(f"lambda {query.lambda_:g}")
    if query.mirrored:
        extra.append("mirror images accepted")
    extra.append(hits.recall if hits.recall.startswith("exact") else f"recall {hits.recall}")
    return f"Judged by {judged}; {', '.join(extra)}"


def _criterion(criterion: Criterion) -> str:
    facts = [criterion.model_id]
    if criterion.weights_sha256:
        facts.append(f"weights sha256 {criterion.weights_sha256[:N_HASH]}")
    return f"{criterion.judges_by} ({', '.join([*facts, f'{criterion.metric} metric'])})"


def _limits(query: Query, names: Mapping[str, str]) -> str:
    """Return what narrowed the search, in words."""
    found = [f"{column} = {value}" for column, value in query.facets]
    if query.where:
        found.append(f"where {query.where}")
    if query.match:
        found.append(f"records that mention “{query.match}”")
    if query.years:
        found.append("years {}–{}".format(*query.years))
    if query.within_panel:
        name = names.get(query.within_panel, query.within_panel)
        found.append(f"within the panel “{name}”")
    found += [f"without works {one}" for one in query.hide]
    return f"Only {'; '.join(found)}" if found else ""


def _order(query: Query) -> str:
    orders = {"date": "date, earliest first", "-date": "date, latest first"}
    return f"Ordered by {orders.get(query.sort, query.sort)}" if query.sort else ""


def _makers(record: Record) -> str:
    return "; ".join(record.creators)


def _years(record: Record) -> str:
    years = [year for year in (record.year_begin, record.year_end) if year is not None]
    return "–".join(map(str, dict.fromkeys(years)))


def _day(date: datetime.date) -> str:
    return f"accessed {date.day} {_MONTHS[date.month - 1]} {date.year}"


# BibTeX


def to_bibtex(kind: str, key: str, fields: Mapping[str, str]) -> str:
    """Return a BibTeX entry; every value is text and can neither end the entry nor run as TeX.

    >>> print(to_bibtex("misc", "a", {"title": "50 % {of} it", "note": ""}))
    @misc{a,
      title = {50 \\% \\{of\\} it},
    }
    """
    lines = [
        f"  {name} = {{{_SPELLED.get(name, _escaped)(value)}}},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _address(text: str) -> str:
    """Return an address as it is, but for signs that no address may hold unencoded."""
    return quote(text, safe="!#$%&'()*+,-./:;=?@[]_~", errors="replace")


# names are escaped one by one, each in braces of its own; addresses stand as they are
_SPELLED: Mapping[str, Callable[[str], str]] = {"author": str, "url": _address}
_TEX = {sign: f"\\{sign}" for sign in "{}$&%#_"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _escaped(text: str) -> str:
    """Return `text` on one line with TeX's own signs spelled out."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return "".join(_TEX.get(sign, sign) for sign in line)


def _key(record: Record) -> str:
    """Return a key: the maker's name, the year and a few signs that tell two works apart."""
    maker = record.creators[0].split(",")[0].split()[-1] if _has_name(record) else "work"
    plain = unicodedata.normalize("NFKD", maker).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z]", "", plain.lower()) or "work"
    digest = hashlib.sha256(record.image_id.encode("utf-8", "surrogatepass")).hexdigest()
    year = "" if record.year_begin is None else str(abs(record.year_begin))
    return f"{name}{year}-{digest[:6]}"


def _has_name(record: Record) -> bool:
    return bool(record.creators and record.creators[0].split(",")[0].split())
