"""Read dates as museums write them, in English, German, French and Dutch.

The rules, where writing leaves a choice (each is what most of the 28,000 dated records of the
Carnegie Museum of Art do; `docs/how-to/index-a-table.md` gives the agreement):

* `c.`, `um`, `vers`, `omstreeks` widen years and decades by `CIRCA_YEARS` on both sides;
  a question mark widens nothing.
* `19th century` is 1800-1899, `4th century BC` is -400 to -301; `1700s` is the whole century.
* early, mid and late are years 0-30, 35-65 and 70-99 of a century, beginning and end 0-15 and
  85-99; of a decade early and late are its halves.
* `before` and `after` reach `OPEN_YEARS` back or on, since an interval needs two ends.
* `1889, printed 1904` is 1889: what happened to a work later does not move it, unless nothing
  else is dated. `1995-6, 2007` is the whole span; `Edo period (1603-1867), 19th century` is what
  both allow. BCE years are negative and there is no year 0.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from bilderatlas.sources.date_numbers import settle_numbers
from bilderatlas.sources.date_words import (
    ORDINAL_WORDS,
    PART_WORDS,
    PHRASES,
    UNDATED,
    Sense,
)

CIRCA_YEARS = 5
OPEN_YEARS = 25
LAST_YEAR = 2100
MAX_DATE_CHARS = 500
"""Only the beginning of a longer text is read: no date is longer, and reading stays quick."""

_TOKEN = re.compile(
    r"""
    (?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9]))(?:T[0-9:.]*Z?)?
    | (?<![0-9])(?P<blank>[12][0-9](?:--|––|__|xx|uu|\?\?|\*\*|\.\.)
        | [12][0-9]{2}(?:[xu*_](?![^\W_]) | [-‐‑–—]
            (?=\??\s*(?:$|[\]),;?/]|[^\W\d_]{2,4}\s[0-9[]|[-–][0-9]{3}[-–]))))(?!\s?[0-9])
    | (?P<decade>[0-9]{2,4})\s?-?(?:['’`]?s|er|erjahre)(?![^\W_])
    | (?P<ordinal>[0-9]{1,2})(?:st|nd|rd|th|er|re|eme|ieme|e|de|ste|ten|tes|te)(?![^\W_])
    | (?P<number>[0-9]+)
    | (?P<word>[^\W\d_]+)
    | (?P<dash>[-‐‑‒–—―−])
    | (?P<sign>[/&~±])
    | (?P<break>[,;()\[\]\n|:])
    | (?P<dot>\.)
    """,
    re.VERBOSE,
)
_ROMAN = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_ORDINAL = re.compile(r"([IVX]+)(?:eme|ieme|er|e|de|ste|th)?", re.IGNORECASE)
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_JOINERS = frozenset({Sense.TO, Sense.DASH, Sense.UNTIL, Sense.EITHER})
_BEFORE_CHRIST = re.compile(r"\bj\s?\.?\s?-?\s?c\b", re.IGNORECASE)


class Token(NamedTuple):
    """One word or number of a date, with what it means."""

    sense: Sense
    value: int = 0
    share: tuple[int, int] = (0, 99)
    dotted: bool = False  # a full stop follows: `18.` is an ordinal in German
    text: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of years on its way to be combined with others.

    Attributes:
        begin: First year.
        end: Last year.
        unit: 1, 10, 100 or 1000: how precise the writing is.
        bounds: Whether it only limits what else is said (`after 1600`, `Edo period`).
        settled: Whether an era was written beside it.
    """

    begin: int
    end: int
    unit: int = 1
    bounds: bool = False
    settled: bool = False


def parse_dates(text: str) -> tuple[int, int] | None:
    """Return the first and last year that `text` allows; None when it names none.

    Args:
        text: A date as written; any text whatever.

    Returns:
        `(begin, end)`, inclusive, `begin <= end`, never 0, BCE negative.

    >>> parse_dates("c. 1860"), parse_dates("late 15th century"), parse_dates("1762–87")
    ((1855, 1865), (1470, 1499), (1762, 1787))
    >>> parse_dates("1. Hälfte 17. Jahrhundert"), parse_dates("n.d.")
    ((1600, 1649), None)
    """
    return _parse(text[:MAX_DATE_CHARS])


@lru_cache(maxsize=4096)  # the dates of a collection are often alike
def _parse(text: str) -> tuple[int, int] | None:
    clauses = _split_clauses(_settle(_tokenise(text)))
    made: list[Span] = []
    later: list[Span] = []
    in_period = False
    for clause in clauses:
        span = _read_clause(clause)
        is_period = any(token.sense is Sense.PERIOD for token in clause)
        if span is not None:
            if is_period or in_period:  # `Edo period (1603-1867)` only bounds what else is said
                span = replace(span, bounds=True)
            is_later = any(token.sense is Sense.LATER_LIFE for token in clause)
            (later if is_later else made).append(span)
        in_period = is_period and span is None
    spans = made or later[:1]
    if not spans:
        return None
    span = _combine(spans)
    begin, end = sorted((span.begin, span.end))
    return begin or (1 if end > 0 else -1), end or -1


def says_undated(text: str) -> bool:
    """Tell whether `text` is empty or says in so many words that there is no date: `n.d.`."""
    letters = "".join(c for c in _plain(text[:MAX_DATE_CHARS]).casefold() if c.isalnum())
    return letters == "" or letters in UNDATED


def _plain(text: str) -> str:
    """Return `text` without accents and with compatibility characters resolved."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _tokenise(text: str) -> list[Token]:
    """Cut a text into tokens with their first, context-free meaning."""
    plain = settle_numbers(_BEFORE_CHRIST.sub("jc", _plain(text)[: 2 * MAX_DATE_CHARS]))
    tokens: list[Token] = []
    negative = re.match(r"\s*[-−]\s?([0-9]{1,5})\b", plain)
    if negative:  # `-500` is how databases write 500 BC
        tokens += [_number(negative[1]), Token(Sense.BCE)]
        plain = plain[negative.end() :]
    end = -1
    for match in _TOKEN.finditer(plain):
        if match.lastgroup == "dot":
            if tokens:
                tokens[-1] = tokens[-1]._replace(dotted=True)
            continue
        token = _token_of(match)
        if match.start() == end and tokens:
            token = _part_of_code(tokens, token)
        tokens.append(token)
        end = match.end()
    return _match_phrases(tokens)


def _part_of_code(tokens: list[Token], token: Token) -> Token:
    """Take back a number that a strange word is written to: `v1860`, `1860v` are no years."""
    before, numbers, words = tokens[-1], (Sense.YEAR, Sense.SMALL), (Sense.OTHER, Sense.ORDINAL)
    if before.sense in numbers and token.sense in words and token.text not in ("", "c", "s", "f"):
        tokens[-1] = before._replace(sense=Sense.OTHER)
    elif token.sense in numbers and before.sense in words and before.text not in ("", "c", "b"):
        return token._replace(sense=Sense.OTHER)
    return token


def _token_of(match: re.Match[str]) -> Token:
    kind, text = str(match.lastgroup), match.group(str(match.lastgroup))
    if kind == "iso":
        return Token(Sense.YEAR, int(text[:4]))
    if kind == "blank":
        return _blank(text)
    if kind == "decade":
        return _decade(text)
    if kind == "ordinal":
        return Token(Sense.ORDINAL, int(text))
    if kind == "number":
        return _number(text)
    if kind == "dash":
        text = "-"
    return Token(Sense.BREAK) if kind == "break" else _word(text)


def _number(digits: str) -> Token:
    if len(digits) > 5:
        return Token(Sense.OTHER)
    value = int(digits)
    return Token(Sense.SMALL if len(digits) < 3 else Sense.YEAR, value, text=digits)


def _blank(text: str) -> Token:
    """Read what libraries write: `185-` is a decade, `18--` a century."""
    if text[2:3].isdecimal():
        return Token(Sense.DECADE, int(text[:3]) * 10, text="blank")
    return Token(Sense.ORDINAL, int(text[:2]) + 1, text="roman")


def _decade(digits: str) -> Token:
    value = int(digits)
    if value % 10:
        return Token(Sense.OTHER)
    return Token(Sense.SHORT_DECADE if len(digits) == 2 else Sense.DECADE, value)


def _word(text: str) -> Token:
    lowered = text.casefold()
    if lowered in PART_WORDS:
        return Token(Sense.PART, share=PART_WORDS[lowered], text=lowered)
    if lowered in ORDINAL_WORDS:
        return Token(Sense.ORDINAL, ORDINAL_WORDS[lowered], text=lowered)
    if text.isupper() and len(text) > 1 and text[0] == "M" and _ROMAN.fullmatch(text):
        return Token(Sense.YEAR, _roman_value(text), text=lowered)
    roman = _ROMAN_ORDINAL.fullmatch(text)
    if roman and _ROMAN.fullmatch(roman[1].upper()):
        # Upper-case numeral with an ending, `XVe`: a century even where the word is left out.
        sure = roman[1].isupper() and len(roman[0]) > len(roman[1]) and roman[0] != "Vide"
        number = _roman_value(roman[1].upper())
        return Token(Sense.ORDINAL, number, text="roman" if sure else lowered)
    return Token(PHRASES.get((lowered,), Sense.OTHER), text=lowered)


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-v if v < after else v for v, after in zip(values, following, strict=True))


def _match_phrases(tokens: list[Token]) -> list[Token]:
    """Join words that mean something together: `no earlier than`, `v. Chr.`"""
    joined: list[Token] = []
    at = 0
    while at < len(tokens):
        for length in (3, 2):
            words = tuple(token.text for token in tokens[at : at + length])
            if len(words) == length and words in PHRASES:
                joined.append(Token(PHRASES[words], text=" ".join(words)))
                at += length
                break
        else:
            joined.append(tokens[at])
            at += 1
    return joined


def _settle(tokens: list[Token]) -> list[Token]:
    """Give words their meaning in context: fractions, centuries, decades, `c` and `?`."""
    settled: list[Token] = []
    for read in tokens:
        token, before = read, settled[-1] if settled else Token(Sense.BREAK)
        if token.text in ("c", "s") and before.sense is Sense.ORDINAL:
            token = Token(Sense.CENTURY)  # `19th c.`, `XVIIe s.`
        elif token.text == "c":
            token = Token(Sense.CIRCA)
        elif token.text in ("third", "derde") and before.sense in (Sense.ORDINAL, Sense.LAST):
            token = Token(Sense.THIRD)
        if token.sense in (Sense.HALF, Sense.THIRD, Sense.QUARTER):
            token = _take_fraction(settled, token)
        elif token.sense in (Sense.CENTURY, Sense.MILLENNIUM):
            _take_centuries(settled, token)
            continue
        elif before.sense is Sense.YEARS_OF and token.sense is Sense.YEAR and not token.value % 10:
            token = token._replace(sense=Sense.DECADE)
        settled.append(token)
    return [
        Token(Sense.CENTURY, t.value) if t.sense is Sense.ORDINAL and t.text == "roman" else t
        for t in settled
    ]


def _take_fraction(settled: list[Token], token: Token) -> Token:
    """Turn `second quarter`, `2. Viertel`, `last third` into the share of a century."""
    n_parts = {Sense.HALF: 2, Sense.THIRD: 3, Sense.QUARTER: 4}[token.sense]
    before = settled[-1] if settled else Token(Sense.OTHER)
    if before.sense is Sense.LAST:
        number = n_parts
    elif before.sense in (Sense.ORDINAL, Sense.SMALL) and 1 <= before.value <= n_parts:
        number = before.value
    else:
        return Token(Sense.OTHER)
    settled.pop()
    shares = {
        2: ((0, 49), (50, 99)),
        3: ((0, 33), (34, 66), (67, 99)),
        4: ((0, 24), (25, 49), (50, 74), (75, 99)),
    }
    return Token(Sense.PART, share=shares[n_parts][number - 1])


def _take_centuries(settled: list[Token], word: Token) -> None:
    """Turn the ordinals before the word `century` into centuries: `17th-19th century`."""
    near = True
    for at in range(len(settled) - 1, -1, -1):
        token = settled[at]
        is_ordinal = token.sense is Sense.ORDINAL or (
            token.sense is Sense.SMALL and (token.dotted or near)
        )
        if is_ordinal and 1 <= token.value <= 30:
            settled[at] = Token(word.sense, token.value)
            near = False
        elif token.sense in (Sense.YEAR, Sense.DECADE, Sense.BREAK, word.sense, Sense.SMALL):
            return


def _split_clauses(tokens: list[Token]) -> list[list[Token]]:
    """Cut at commas and brackets, and before what tells of a work's later life."""
    clauses: list[list[Token]] = [[]]
    for token in tokens:
        if token.sense in (Sense.BREAK, Sense.LATER_LIFE):
            clauses.append([])
        if token.sense is not Sense.BREAK:
            clauses[-1].append(token)
    return [clause for clause in clauses if clause] if len(clauses) > 1 else clauses


class _Clause:
    """Reads one clause from left to right: modifiers wait for a date, joiners link dates."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.parts: list[tuple[int, int]] = []
        self.circa = self.circa_range = False
        self.limit: Sense | None = None
        self.joiner: Sense | None = None
        self.adjacent = False  # a joiner stands directly after a date: `1843-4`

    def add(self, span: Span) -> None:
        """Enter a date with all modifiers that wait for it."""
        if self.parts:
            lows, highs = zip(*self.parts, strict=True)
            span = _part_of(span, min(lows), max(highs))
        joined = self.joiner is not None and bool(self.spans)
        if self.circa and span.unit <= 10:
            begin = span.begin if joined else span.begin - CIRCA_YEARS
            span = replace(span, begin=begin, end=span.end + CIRCA_YEARS)
        elif joined and self.circa_range and span.unit <= 10:
            span = replace(span, end=span.end + CIRCA_YEARS)  # `c. 1925-1940` ends in 1945
        self.circa_range = self.circa or (joined and self.circa_range)
        if self.limit is not None:
            span = _open(span, self.limit)
        if joined and not span.bounds and not self.spans[-1].bounds:
            last = self.spans.pop()
            span = Span(min(last.begin, span.begin), max(last.end, span.end), span.unit)
        self.spans.append(span)
        self.parts, self.circa, self.limit, self.joiner = [], False, None, None


def _part_of(span: Span, low: int, high: int) -> Span:
    """Return years `low` to `high` (of 100) of a century; decades are halved."""
    if span.unit >= 100:
        step = span.unit // 100
        begin = span.begin + low * step
        end = span.begin + (high + 1) * step - 1 if high > low else begin
        return replace(span, begin=begin, end=end)
    if span.unit == 10:
        first = 0 if low <= 15 else (3 if low < 70 else 5)
        last = 4 if high <= 35 else (6 if high <= 65 else 9)
        return replace(span, begin=span.begin + first, end=span.begin + last)
    return span


def _open(span: Span, limit: Sense) -> Span:
    if limit is Sense.BEFORE:
        end = span.end if span.unit == 1 else span.begin
        return replace(span, begin=span.begin - OPEN_YEARS, end=end, bounds=True)
    begin = span.begin if span.unit == 1 else span.end
    return replace(span, begin=begin, end=span.end + OPEN_YEARS, bounds=True)


def _read_clause(tokens: list[Token]) -> Span | None:
    """Return the interval that one clause names."""
    tokens = _give_eras(tokens)
    clause = _Clause()
    for at, token in enumerate(tokens):
        after = tokens[at + 1] if at + 1 < len(tokens) else Token(Sense.BREAK)
        span = _span_of(token, clause, before=tokens[at - 1] if at else None)
        if span is not None:
            clause.add(span)
        elif token.sense in _JOINERS:
            _join(clause, token, after)
        elif token.sense is Sense.PART:
            clause.parts.append(token.share)
        elif token.sense is Sense.CIRCA:
            clause.circa = True
        elif token.sense in (Sense.BEFORE, Sense.AFTER):
            clause.limit = token.sense
        elif token.sense in (Sense.OR_LATER, Sense.OR_EARLIER) and clause.spans:
            limit = Sense.AFTER if token.sense is Sense.OR_LATER else Sense.BEFORE
            clause.spans[-1] = _open(clause.spans[-1], limit)
    if not clause.spans:
        return None
    return _combine(clause.spans)


def _join(clause: _Clause, token: Token, after: Token) -> None:
    if clause.spans and not clause.parts:
        clause.joiner = token.sense
    elif token.sense is Sense.UNTIL and after.sense in (Sense.YEAR, Sense.CIRCA, Sense.DECADE):
        clause.limit = Sense.BEFORE  # `bis 1520` with nothing before it


def _give_eras(tokens: list[Token]) -> list[Token]:
    """Make years before Christ negative, and small numbers beside an era years.

    An era written once holds for the whole range: `500-450 BC`. Dots are spent here: the flag
    marks numbers whose era is known.
    """
    given = [token._replace(dotted=False) for token in tokens]
    for at, token in enumerate(tokens):
        if token.sense not in (Sense.BCE, Sense.CE):
            continue
        follows = at + 1 < len(given) and given[at + 1].sense in (Sense.SMALL, Sense.YEAR)
        if token.sense is Sense.CE and follows:  # `AD 79`
            given[at + 1] = given[at + 1]._replace(sense=Sense.YEAR, dotted=True)
            continue
        for back in range(at - 1, -1, -1):
            number = given[back]
            if number.sense in (Sense.SMALL, Sense.YEAR) and not number.dotted:
                sign = -1 if token.sense is Sense.BCE else 1
                given[back] = number._replace(
                    sense=Sense.YEAR, value=sign * number.value, dotted=True
                )
            elif number.sense in (Sense.CENTURY, Sense.MILLENNIUM) and not number.dotted:
                sign = -1 if token.sense is Sense.BCE else 1
                given[back] = number._replace(value=sign * number.value, dotted=True)
            elif number.sense not in _JOINERS and number.sense not in (Sense.CIRCA, Sense.PART):
                break
    return given


def _span_of(token: Token, clause: _Clause, before: Token | None) -> Span | None:
    """Return the interval of a token that is a date by itself or continues one."""
    value = token.value
    if token.sense is Sense.YEAR and (token.dotted or 100 <= value <= LAST_YEAR):
        return Span(value, value, settled=token.dotted) if value else None
    if token.sense is Sense.DECADE and 100 <= value <= LAST_YEAR:
        unit = 10 if value % 100 or token.text == "blank" else 100
        return Span(value, value + unit - 1, unit)
    if token.sense is Sense.CENTURY and value:
        begin = (value - 1) * 100 if value > 0 else value * 100
        return Span(begin, begin + 99, 100)
    if token.sense is Sense.MILLENNIUM and value:
        begin = (value - 1) * 1000 if value > 0 else value * 1000
        return Span(begin, begin + 999, 1000)
    return _continued(token, clause, before)


def _continued(token: Token, clause: _Clause, before: Token | None) -> Span | None:
    """Return the end of a range that is written short: `87` of `1762-87`, `30s` of `1920s-30s`."""
    if not clause.spans or clause.joiner is None or before is None:
        return None
    last = clause.spans[-1].end - (CIRCA_YEARS if clause.circa_range else 0)
    if last < 100 or before.sense not in (*_JOINERS, Sense.CIRCA):
        return None
    if token.sense is Sense.SHORT_DECADE:
        begin = last // 100 * 100 + token.value
        return Span(begin, begin + 9, 10) if begin > last - 10 else None
    if token.sense is not Sense.SMALL:
        return None
    size = 10 ** len(token.text)
    end = last // size * size + token.value
    return Span(end, end) if end > last else None


def _combine(spans: list[Span]) -> Span:
    """Return what several statements about one work allow together."""
    total = spans[0]
    for span in spans[1:]:
        common = (max(total.begin, span.begin), min(total.end, span.end))
        nested = common in ((total.begin, total.end), (span.begin, span.end))
        if common[0] <= common[1] and (nested or total.bounds or span.bounds):
            total = Span(*common, bounds=total.bounds and span.bounds)
        elif total.bounds != span.bounds and common[0] > common[1]:
            total = span if total.bounds else total  # the two disagree: the plain date stands
        else:
            total = Span(min(total.begin, span.begin), max(total.end, span.end))
    return total
