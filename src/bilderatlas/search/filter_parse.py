"""Reads the text of a filter, in one pass from left to right, into a tree of conditions.

    filter     = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | "(" filter ")" | condition
    condition  = column comparison value
               | column [ "not" ] ( "contains" | "starts with" | "ends with" ) text
               | column [ "not" ] "in" "(" value { "," value } ")"
               | column "is" [ "not" ] "null"
    comparison = "=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">="
    column     = word | "`" any text, ` doubled "`"
    value      = number | text
    text       = "'" any text, ' doubled "'" | '"' any text, " doubled '"'

Words of the language may be written in capitals. Text, depth and number of conditions are limited,
since a filter arrives in a URL from anybody.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from bilderatlas.errors import FilterError
from bilderatlas.search.filter_syntax import (
    KEYWORDS,
    And,
    Comparison,
    Membership,
    Missing,
    Node,
    Not,
    Operator,
    Or,
    Value,
)

MAX_FILTER_BYTES = 10_000
MAX_DEPTH = 50
MAX_CONDITIONS = 200

# Every alternative begins with another character, so that no text is looked at twice.
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<word>[^\W\d]\w*)
    |(?P<number>[-+−]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)
    |(?P<text>'(?:[^']|'')*+'|"(?:[^"]|"")*+")
    |(?P<name>`(?:[^`]|``)*+`)
    |(?P<sign><=|>=|<>|!=|==|[<>=(),])""",
    re.VERBOSE,
)
_CLOSERS = {"'": "a closing '", '"': 'a closing "', "`": "a closing `"}
_LOOKALIKES = dict.fromkeys("‘’‚“”„«»", "texts stand in straight quotes, 'so' or \"so\"") | {
    ";": "conditions are joined by `and` or `or`",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`, or `!=`",
    "~": "write `contains`",
    "%": "write `contains`",
}
_COMPARISONS = {"==": Operator.EQUAL, "<>": Operator.NOT_EQUAL} | {
    operator.value: operator for operator in Operator if not operator.value[0].isalpha()
}
_AFTER_COLUMN = "a comparison (= != < <= > >=), contains, starts with, ends with, in, or is null"


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, text or sign, and where it begins."""

    kind: str
    text: str
    position: int

    @property
    def shown(self) -> str:
        """Return how an error message names the token."""
        if self.kind == "end":
            return "the end of the filter"
        return f"'{self.text[:40]}'" if self.kind != "text" else f"the text {self.text[:40]}"


def parse_filter(text: str) -> Node:
    """Read `text` as a filter.

    >>> str(parse_filter("YEAR >= 1600 and school = \\"Dutch\\""))
    "YEAR >= 1600 and school = 'Dutch'"

    Raises:
        FilterError: saying at which character, what stands there and what was expected.
    """
    if len(text) > MAX_FILTER_BYTES or len(text.encode(errors="replace")) > MAX_FILTER_BYTES:
        raise FilterError(
            f"Cannot read the filter: it is longer than {MAX_FILTER_BYTES:,} bytes. "
            "Pass a long list of images with --within."
        )
    return _Parser(_tokenize(text)).parse()


def _tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        end, kind = match.end(), str(match.lastgroup)
        if kind == "number" and end < len(text) and (text[end].isalnum() or text[end] in "_."):
            raise _error(
                position, "a number, or a text in quotes", f"'{text[position : end + 1]}…'"
            )
        if kind != "space":
            tokens.append(Token(kind, match.group(), position))
        position = end
    return [*tokens, Token("end", "", len(text))]


def _unreadable(text: str, position: int) -> FilterError:
    character = text[position]
    if character in _CLOSERS:
        return _error(position, _CLOSERS[character], "a quotation that never ends")
    advice = _LOOKALIKES.get(character, "")
    expected = "a column, a value, `and`, `or`, `not` or a parenthesis"
    return _error(position, expected, f"'{character}'", advice)


def _error(position: int, expected: str, found: str, advice: str = "") -> FilterError:
    hint = f" {advice[0].upper()}{advice[1:]}." if advice else ""
    return FilterError(
        f"Cannot read the filter at character {position + 1}: expected {expected}, "
        f"found {found}.{hint}",
        position=position,
    )


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._n_conditions = 0

    def parse(self) -> Node:
        node = self._any()
        if self._token.kind != "end":
            raise self._expected("`and`, `or`, or the end of the filter")
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _expected(self, what: str, advice: str = "") -> FilterError:
        return _error(self._token.position, what, self._token.shown, advice)

    def _take(self) -> Token:
        token = self._token
        self._next += 1
        return token

    def _is_word(self, word: str) -> bool:
        return self._token.kind == "word" and self._token.text.lower() == word

    def _take_word(self, word: str) -> bool:
        found = self._is_word(word)
        self._next += found
        return found

    def _take_sign(self, sign: str) -> bool:
        found = self._token.kind == "sign" and self._token.text == sign
        self._next += found
        return found

    def _any(self) -> Node:
        operands = [self._all()]
        while self._take_word("or"):
            operands.append(self._all())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _all(self) -> Node:
        operands = [self._one()]
        while self._take_word("and"):
            operands.append(self._one())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _one(self) -> Node:
        start = self._token
        if self._take_word("not"):
            self._enter(start)
            node: Node = Not(self._one())
        elif self._take_sign("("):
            self._enter(start)
            node = self._any()
            if not self._take_sign(")"):
                raise self._expected("`and`, `or` or a closing parenthesis")
        else:
            return self._condition()
        self._depth -= 1
        return node

    def _enter(self, token: Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FilterError(
                f"Cannot read the filter at character {token.position + 1}: it is nested deeper "
                f"than {MAX_DEPTH} levels. Remove parentheses that change nothing.",
                position=token.position,
            )

    def _condition(self) -> Node:
        self._n_conditions += 1
        if self._n_conditions > MAX_CONDITIONS:
            raise FilterError(
                f"Cannot read the filter: it has more than {MAX_CONDITIONS} conditions. "
                "Join values of one column as `column in ('…', '…')`.",
                position=self._token.position,
            )
        column = self._column()
        if self._token.kind == "sign" and self._token.text in _COMPARISONS:
            operator = _COMPARISONS[self._take().text]
            return Comparison(column, operator, self._value())
        if self._take_word("is"):
            return self._null(column)
        negated = self._take_word("not")
        node = self._worded(column)
        return Not(node) if negated else node

    def _column(self) -> str:
        token = self._token
        if token.kind == "name" and len(token.text) > 2:
            return self._take().text[1:-1].replace("``", "`")
        if token.kind == "word" and token.text.lower() not in KEYWORDS:
            return self._take().text
        advice = "a column of that name stands in backticks" if token.kind == "word" else ""
        raise self._expected("the name of a column", advice)

    def _null(self, column: str) -> Node:
        negated = self._take_word("not")
        if not self._take_word("null"):
            raise self._expected("null" if negated else "null or not null")
        return Not(Missing(column)) if negated else Missing(column)

    def _worded(self, column: str) -> Comparison | Membership:
        if self._take_word("in"):
            return Membership(column, self._list())
        if self._take_word("contains"):
            return Comparison(column, Operator.CONTAINS, self._text())
        for word, operator in (("starts", Operator.STARTS_WITH), ("ends", Operator.ENDS_WITH)):
            if self._take_word(word):
                if not self._take_word("with"):
                    raise self._expected("with")
                return Comparison(column, operator, self._text())
        advice = "write `contains`" if self._is_word("like") else ""
        raise self._expected(_AFTER_COLUMN, advice)

    def _list(self) -> tuple[Value, ...]:
        if not self._take_sign("("):
            raise self._expected("an opening parenthesis")
        values = [self._value()]
        while self._take_sign(","):
            values.append(self._value())
        if not self._take_sign(")"):
            raise self._expected("a comma or a closing parenthesis")
        return tuple(values)

    def _text(self) -> str:
        if self._token.kind != "text":
            raise self._expected("a text in quotes")
        token = self._take().text
        return token[1:-1].replace(token[0] * 2, token[0])

    def _value(self) -> Value:
        if self._token.kind == "text":
            return self._text()
        if self._token.kind != "number":
            is_null = self._is_word("null")
            advice = "write `is null`" if is_null else "texts stand in quotes"
            raise self._expected(
                "a number or a text in quotes", advice if self._token.kind == "word" else ""
            )
        return self._number()

    def _number(self) -> int | float:
        spelled = self._token.text.replace("−", "-")
        number = float(spelled)
        if not math.isfinite(number) or len(spelled) > 40:
            raise self._expected("a number of ordinary size")
        self._next += 1
        return int(spelled) if spelled.lstrip("+-").isdigit() else number
