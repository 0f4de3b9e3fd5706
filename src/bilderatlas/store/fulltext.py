"""Full-text search in the metadata: the one thing that each database spells differently.

What a user types is words, never a query language of the database: every word is quoted. Words
must all occur; "two words" in quotes stand side by side; `water*` is the beginning of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bilderatlas.arrays import Ints
from bilderatlas.records import FIELD_KINDS, FieldKind, Record
from bilderatlas.store.database import in_chunks

_MAX_TERMS = 64
_MAX_WORDS_CHARS = 100_000
_TERM = re.compile(r'"([^"]*)"?(\*)?|(\S+)')
_WORD = re.compile(r"[^\W_]+")
_OWN_FIELDS = ("title", "creators", "description", "tags", "place", "medium")
_MORE_FIELDS = tuple(
    name
    for name, kind in FIELD_KINDS.items()
    if name not in _OWN_FIELDS and kind in (FieldKind.TEXT, FieldKind.TEXTS)
)
_own_values = attrgetter(*_OWN_FIELDS)
_more_values = attrgetter(*_MORE_FIELDS)


@dataclass(frozen=True, slots=True)
class Term:
    """One word, or several that stand side by side; the last may be a beginning only."""

    words: tuple[str, ...]
    is_prefix: bool = False


def parse_terms(typed: str) -> list[Term]:
    """Read what a user typed; signs that are no part of a word separate words.

    >>> parse_terms('turban "blue sea" water*')
    [Term(words=('turban',), is_prefix=False), Term(words=('blue', 'sea'), is_prefix=False), \
Term(words=('water',), is_prefix=True)]
    """
    terms = []
    for match in _TERM.finditer(typed):
        phrase, star, bare = match.groups()
        spelled = phrase if bare is None else bare
        if words := tuple(_WORD.findall(unicodedata.normalize("NFC", spelled))):
            terms.append(Term(words, bool(star) or (bare is not None and bare.endswith("*"))))
    return terms[:_MAX_TERMS]


def index_texts(connection: Connection, records: Iterable[tuple[int, Record]]) -> None:
    """Add the words of records, by key; keys must not be there yet."""
    if connection.dialect.name == "postgresql":
        worded = [{"key": key, "words": _folded(_all_words(record))} for key, record in records]
        if worded:
            statement = "INSERT INTO image_texts VALUES (:key, to_tsvector('simple', :words))"
            connection.execute(text(statement), worded)
        return
    rows: list[tuple[Any, ...]] = [(key, *_texts_of(record)) for key, record in records]
    if rows:  # given to the driver as they are: they are many
        connection.exec_driver_sql(
            "INSERT INTO image_texts"
            "(rowid, title, creators, description, tags, place, medium, more) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def remove_texts(connection: Connection, keys: Sequence[int]) -> None:
    """Remove the words of images, by key; unknown keys are ignored."""
    column = "key" if connection.dialect.name == "postgresql" else "rowid"
    for part in in_chunks(list(keys)):
        connection.execute(
            text(f"DELETE FROM image_texts WHERE {column} = :key"),  # noqa: S608  our own words
            [{"key": key} for key in part],
        )


def count_texts(connection: Connection, first: int, last: int) -> int:
    """Return how many images between two keys have their words in the index."""
    column = "key" if connection.dialect.name == "postgresql" else "rowid"
    statement = f"SELECT count(*) FROM image_texts WHERE {column} BETWEEN :first AND :last"  # noqa: S608
    return int(connection.execute(text(statement), {"first": first, "last": last}).scalar_one())


def match_keys(connection: Connection, typed: str, first: int, last: int) -> Ints:
    """Return the keys `(m,)` between `first` and `last`, rising, whose words match.

    Nothing that a user can type raises; a text without a word matches nothing.
    """
    terms = parse_terms(typed)
    if not terms:
        return np.empty(0, np.int64)
    if connection.dialect.name == "postgresql":
        query = " & ".join(_postgres_term(term) for term in terms)
        statement = (
            "SELECT key FROM image_texts WHERE words @@ to_tsquery('simple', :query) "
            "AND key BETWEEN :first AND :last ORDER BY key"
        )
    else:
        query = " AND ".join(_sqlite_term(term) for term in terms)
        statement = (
            "SELECT rowid FROM image_texts WHERE image_texts MATCH :query "
            "AND rowid BETWEEN :first AND :last ORDER BY rowid"
        )
    values: dict[str, Any] = {"query": query, "first": first, "last": last}
    try:
        keys = connection.execute(text(statement), values).scalars().all()
    except DBAPIError as error:
        if "fts5" not in str(error.orig):
            raise
        keys = []
    return np.array(keys, np.int64)


def record_says(record: Record, typed: str) -> bool:
    """Tell whether the words of one record match, as `match_keys` would."""
    said = f" {_folded(_all_words(record))} "
    terms = [(_folded(" ".join(term.words)), term.is_prefix) for term in parse_terms(typed)]
    wanted = (f" {words}" if is_prefix else f" {words} " for words, is_prefix in terms)
    return bool(terms) and all(words in said for words in wanted)


def _sqlite_term(term: Term) -> str:
    return f'"{" ".join(term.words)}"' + (" *" if term.is_prefix else "")


def _postgres_term(term: Term) -> str:
    words = [f"'{word}'" for word in _WORD.findall(_folded(" ".join(term.words)))]
    if term.is_prefix:
        words[-1] += ":*"
    return f"({' <-> '.join(words)})"


def _folded(words: str) -> str:
    """Drop accents as SQLite's tokenizer does by itself."""
    apart = unicodedata.normalize("NFKD", words)
    kept = "".join(sign for sign in apart if not unicodedata.combining(sign))
    return " ".join(word[:200] for word in _WORD.findall(kept.lower()))


def _texts_of(record: Record) -> list[str]:
    """Return the words of each of the own fields, and then of all the others together."""
    own = [_words_of(value) for value in _own_values(record)]
    more = [value for value in _more_values(record) if value]
    if record.raw:
        seen = {*own, *map(_words_of, more)}
        raw = [v for v in record.raw.values() if isinstance(v, (str, list, tuple, dict))]
        more += [value for value in map(_strings_in, raw) if value not in seen]
    return [*own, _joined([record.image_id, *more])]


def _words_of(value: str | tuple[str, ...] | None) -> str:
    """Return one field as it is indexed; most are plain, and there are many."""
    if not value:
        return ""
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value[:_MAX_WORDS_CHARS]
    return _joined([value])


def _all_words(record: Record) -> str:
    return " ".join(_texts_of(record))[:_MAX_WORDS_CHARS]


def _joined(values: Iterable[Any]) -> str:
    parts: list[str] = []
    for value in values:
        parts += [value] if isinstance(value, str) else [str(item) for item in value or ()]
    joined = " · ".join(filter(None, parts))[:_MAX_WORDS_CHARS]
    if joined.isascii() and "\0" not in joined:
        return joined
    return joined.replace("\0", " ").encode("utf-8", "replace").decode()


def _strings_in(value: Any, depth: int = 8) -> str:
    """Return every string inside a nested original value, joined."""
    if isinstance(value, str):
        return value
    if depth and isinstance(value, dict):
        return _joined(_strings_in(inner, depth - 1) for inner in value.values())
    if depth and isinstance(value, (list, tuple)):
        return _joined(_strings_in(inner, depth - 1) for inner in value)
    return ""
