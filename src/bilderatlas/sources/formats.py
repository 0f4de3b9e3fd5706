"""Which format a file of rows has, by its name, and how it is opened."""

from __future__ import annotations

from pathlib import Path

from bilderatlas.errors import SourceError
from bilderatlas.sources.delimited import DelimitedTable
from bilderatlas.sources.json_lines import JsonLinesTable
from bilderatlas.sources.parquet import ParquetTable
from bilderatlas.sources.rows import Table

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
JSON_SUFFIXES = frozenset({".jsonl", ".ndjson"})
PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
TABLE_SUFFIXES = TEXT_SUFFIXES | JSON_SUFFIXES | PARQUET_SUFFIXES


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
