"""CSV and its relatives: commas, semicolons, tabs or bars between the cells."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from bilderatlas.errors import Failure, SourceError
from bilderatlas.sources.files import has_image_suffix
from bilderatlas.sources.rows import Row, Table, row_failure
from bilderatlas.sources.text_files import detect_encoding, is_text, open_text

DELIMITERS = (",", ";", "\t", "|")
MAX_CELL_CHARS = 1_000_000
MAX_ROW_LINES = 1000
MAX_OPEN_QUOTES = 100
_SNIFF_LINES = 200
_URL = re.compile(r"(?:https?:)?//\S+$", re.IGNORECASE)
_PIXPLOT = ("filename", "tags", "description", "permalink")


class DelimitedTable(Table):
    """A text file with a row a line; cells in quotes may hold line breaks."""

    def __init__(self, path: Path) -> None:
        """Recognise encoding, delimiter and header.

        Raises:
            SourceError: when the file is empty or is no text.
        """
        self.path = path
        self._encoding = detect_encoding(path)
        with open_text(path, self._encoding) as handle:
            sample = list(itertools.islice(_lines(handle), _SNIFF_LINES))
        self._n_skipped = int(bool(sample) and sample[0].strip().lower().startswith("sep="))
        self._delimiter = _sniff(sample[self._n_skipped :])
        cells = self._parse(iter(sample[self._n_skipped :]))
        first = next((row for row in cells if isinstance(row, list) and any(row)), None)
        if first is None:
            raise SourceError(
                f"Cannot index '{path.name}': it holds no row. A table needs one row a picture."
            )
        first = [cell.encode("utf-8", "replace").decode("utf-8") for cell in first]
        self._has_header = not (has_image_suffix(first[0]) or _URL.match(first[0].strip()))
        self.columns = _names(first) if self._has_header else _invented(first)
        self.facts = {
            "format": "delimited text",
            "encoding": self._encoding,
            "delimiter": self._delimiter,
            "header": self._has_header,
        }

    def iter_rows(self) -> Iterator[Row | Failure]:
        """Yield the rows; ragged ones and those whose quotes never close are failures."""
        number = -1 if self._has_header else 0
        with open_text(self.path, self._encoding) as handle:
            lines = itertools.islice(_lines(handle), self._n_skipped, None)
            for cells in self._parse(lines):
                if isinstance(cells, list) and not any(cells):
                    continue  # a blank line
                number += 1
                if number > 0:
                    yield self._row(number, cells)

    def _row(self, number: int, cells: list[str] | str) -> Row | Failure:
        if isinstance(cells, str):
            return row_failure(number, "bad-row", f"Row {number}: {cells}")
        if not all(map(is_text, cells)):
            why = f"Row {number} holds bytes that are no {self._encoding}. Correct the line."
            return row_failure(number, "bad-row", why)
        expected = len(self.columns)
        if len(cells) > expected and not any(cells[expected:]):
            cells = cells[:expected]  # spreadsheets leave empty cells behind
        if len(cells) != expected:
            return row_failure(
                number,
                "ragged-row",
                f"Row {number} has {len(cells)} cells, but there are {expected} columns. Put cells "
                "that hold the delimiter or a line break in quotes.",
            )
        return Row(number, dict(zip(self.columns, cells, strict=True)))

    def _parse(self, lines: Iterable[str]) -> Iterator[list[str] | str]:
        """Yield the cells of each row, or a sentence about what stands in its place.

        A quotation mark that is never closed would swallow the rest of the file: then its first
        line alone is given up and reading goes on with the next.
        """
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARS))
        feed = _Feed(lines)
        reader = csv.reader(feed, delimiter=self._delimiter)
        n_open = 0
        while True:
            feed.start_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (_UnclosedError, csv.Error):
                cells = None
            # The limit of the csv module is the whole process's, and others may have raised it.
            if cells is not None and max(map(len, cells), default=0) > MAX_CELL_CHARS:
                cells = None
            if cells is not None and not feed.ran_out_inside:
                yield cells
                continue
            n_open += 1
            if n_open > MAX_OPEN_QUOTES:
                raise SourceError(
                    f"Cannot read '{self.path.name}' as a table: in more than {MAX_OPEN_QUOTES} "
                    "rows a quotation mark is opened and never closed. Double the quotation marks "
                    "inside cells, and run again."
                )
            feed.give_back()
            yield (
                "it opens a quotation mark that is never closed, or holds a cell of more than "
                f"{MAX_CELL_CHARS:,} characters. Correct the line."
            )
            reader = csv.reader(feed, delimiter=self._delimiter)


class _UnclosedError(Exception):
    """A row goes on for more lines than any row does."""


class _Feed:
    """Hands lines to a CSV reader and can take back all but the first of a row's lines."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._returned: list[str] = []  # last line first
        self._taken: list[str] = []
        self.ran_out_inside = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._taken) >= MAX_ROW_LINES:
            raise _UnclosedError
        if self._returned:
            line = self._returned.pop()
        else:
            try:
                line = next(self._lines)
            except StopIteration:
                self.ran_out_inside = bool(self._taken)
                raise
        self._taken.append(line)
        return line

    def start_row(self) -> None:
        self._taken = []
        self.ran_out_inside = False

    def give_back(self) -> None:
        self._returned.extend(reversed(self._taken[1:]))


def _lines(handle: TextIO) -> Iterator[str]:
    """Yield lines without NUL, which no database stores as text."""
    for line in handle:
        yield line.replace("\0", "") if "\0" in line else line


def _sniff(sample: list[str]) -> str:
    """Return the delimiter that cuts most sampled rows into the same number of cells."""
    best, best_share = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(sample, delimiter=delimiter) if row]
        except csv.Error:
            continue
        widths = Counter(len(row) for row in rows[:-1] or rows)
        if not widths:
            continue
        width, n_rows = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        share = (round(n_rows / sum(widths.values()), 1), width)
        if width > 1 and share > best_share:
            best, best_share = delimiter, share
    return best


def _names(header: list[str]) -> tuple[str, ...]:
    """Return a name for every column: empty ones are numbered, repeated ones too."""
    names: list[str] = []
    taken: set[str] = set()
    while len(header) > 1 and not header[-1].strip():
        header = header[:-1]
    for number, cell in enumerate(header, start=1):
        name = base = cell.strip() or f"column_{number}"
        again = 2
        while name in taken:
            name, again = f"{base}_{again}", again + 1
        taken.add(name)
        names.append(name)
    return tuple(names)


def _invented(first: list[str]) -> tuple[str, ...]:
    """Name the columns of a table without a header, whose first column is the picture."""
    if len(first) == len(_PIXPLOT) and (not first[3].strip() or _URL.match(first[3].strip())):
        return _PIXPLOT  # what PixPlot 1 called its metadata file
    return ("image", *(f"column_{number}" for number in range(2, len(first) + 1)))
