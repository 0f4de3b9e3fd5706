"""JSON lines: one object a line."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bilderatlas.errors import Failure, SourceError
from bilderatlas.sources.rows import SAMPLE_ROWS, Row, Table, row_failure
from bilderatlas.sources.text_files import detect_encoding, is_text, open_text

MAX_DEPTH = 50
_DECODER = json.JSONDecoder(parse_constant=lambda _: None)
"""NaN and Infinity, which pandas writes, are not JSON and mean that nothing is there."""


class JsonLinesTable(Table):
    """A text file with a JSON object on every line."""

    def __init__(self, path: Path) -> None:
        """Recognise the encoding and look at the first rows.

        Raises:
            SourceError: when no line holds an object.
        """
        self.path = path
        self._encoding = detect_encoding(path)
        names: dict[str, None] = {}
        rows = list(itertools.islice(self.iter_rows(), SAMPLE_ROWS))
        for row in rows:
            if isinstance(row, Row):
                names.update(dict.fromkeys(row.values))
        if not names:
            raise SourceError(
                f"Cannot index '{path.name}': none of its first {len(rows):,} lines holds a JSON "
                'object. JSON lines look like {"image": "a.jpg", "title": "…"}, one a line.'
            )
        self.columns = tuple(names)
        self.facts = {"format": "JSON lines", "encoding": self._encoding}

    def iter_rows(self) -> Iterator[Row | Failure]:
        """Yield the rows; lines that are no JSON object are failures."""
        number = 0
        with open_text(self.path, self._encoding) as handle:
            for line in handle:
                if not line.strip():
                    continue
                number += 1
                yield _row(number, line)


def _row(number: int, line: str) -> Row | Failure:
    if not is_text(line):
        why = f"Row {number} holds bytes that are no text. Correct the line."
        return row_failure(number, "bad-row", why)
    try:
        values = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        why = f"Row {number} is not JSON ({str(error)[:100]}). Correct the line."
        return row_failure(number, "bad-row", why)
    if not isinstance(values, dict):
        what = type(values).__name__
        return row_failure(number, "bad-row", f"Row {number} is a JSON {what}, not an object.")
    if "\\u" in line:
        values = without_unstorable(values)
    return Row(number, values)


def without_unstorable(value: Any, depth: int = 0) -> Any:
    """Return a JSON value without NUL and half surrogates, which no database stores as text."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [without_unstorable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            without_unstorable(name): without_unstorable(item, depth + 1)
            for name, item in value.items()
        }
    return value
