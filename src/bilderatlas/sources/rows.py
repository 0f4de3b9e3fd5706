"""Rows of a table, whatever the file: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilderatlas.errors import Failure

SAMPLE_ROWS = 1000
"""So many rows are looked at to learn which columns a file without a header has."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row, untouched.

    Attributes:
        number: 1 for the first row below the header.
        values: Column name → value: text, or whatever JSON and Parquet hold.
    """

    number: int
    values: dict[str, Any]


def row_name(number: int) -> str:
    """Return how a row is called where it has no better name: `row-000017`."""
    return f"row-{number:06d}"


def row_failure(number: int, code: str, reason: str) -> Failure:
    """Return the failure that stands for a row that is no record."""
    return Failure(row_name(number), "record", code, reason)


def unread_table(path: Path, error: Exception) -> Failure:
    """Return the failure that stands for all rows of a table that could not be read."""
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return Failure(
        path.name,
        "record",
        "unreadable",
        f"The table '{path.name}', or the rest of it, cannot be read: {why}. See to it that it is "
        "whole and that you may read it, and run again.",
    )


class Table(ABC):
    """A file of rows."""

    path: Path
    columns: tuple[str, ...]
    """Names in the file's order; for JSON lines those of the first `SAMPLE_ROWS` rows."""
    facts: dict[str, Any]
    """What was recognised: format, encoding, delimiter, whether there is a header."""

    @abstractmethod
    def iter_rows(self) -> Iterator[Row | Failure]:
        """Yield every row once; what cannot be a row is a `Failure` with its number."""

    def read_rows(self) -> Iterator[Row | Failure]:
        """Yield every row; if reading breaks off, the last item is an `unreadable` failure."""
        try:
            yield from self.iter_rows()
        except (OSError, EOFError, zlib.error) as error:
            yield unread_table(self.path, error)

    def count(self) -> int | None:
        """Return the number of rows where the file says it."""
        return None
