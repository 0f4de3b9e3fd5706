"""Rows of a table, whatever the file: CSV, TSV, JSON lines or Parquet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilderatlas.errors import Failure, SourceError

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
JSON_SUFFIXES = frozenset({".jsonl", ".ndjson"})
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
TABLE_SUFFIXES = TEXT_SUFFIXES | JSON_SUFFIXES | PARQUET_SUFFIXES
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

    def count(self) -> int | None:
        """Return the number of rows where the file says it."""
        return None


def table_suffix(path: Path) -> str:
    """Return the suffix that tells the format, without `.gz`: `.csv` of `works.CSV.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def open_table(path: Path) -> Table:
    """Open a file as a table, by its extension.

    Raises:
        SourceError: when it is missing, empty, damaged or of another kind.
    """
    from bilderatlas.sources.delimited import DelimitedTable
    from bilderatlas.sources.json_lines import JsonLinesTable
    from bilderatlas.sources.parquet import ParquetTable

    if not path.is_file():
        raise SourceError(f"Cannot index '{path}': there is no such file.")
    suffix = table_suffix(path)
    if suffix in TEXT_SUFFIXES:
        return DelimitedTable(path)
    if suffix in JSON_SUFFIXES:
        return JsonLinesTable(path)
    if suffix in PARQUET_SUFFIXES:
        return ParquetTable(path)
    raise SourceError(
        f"Cannot index '{path}': a table is one of {', '.join(sorted(TABLE_SUFFIXES))}, all but "
        "Parquet also with .gz. Save it as one of these."
    )
