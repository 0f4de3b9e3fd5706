"""A table whose rows are pictures: CSV, TSV, JSON lines or Parquet.

The identifier of a picture is what its id column says; where there is none, its inventory number,
else its path or the path of its URL, and last the number of its row. Two rows with one identifier:
the first stands, each further one is a failure that names the first; `check_ids` refuses such a
table as a whole, before anything is written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bilderatlas.errors import Failure, ImageError, SourceError
from bilderatlas.records import Record
from bilderatlas.sources.base import SOURCES, Source, SourceKind, SourceOptions
from bilderatlas.sources.files import printable, read_picture, token_of
from bilderatlas.sources.formats import TABLE_SUFFIXES, open_table, table_suffix
from bilderatlas.sources.mapping import ColumnMapping, RecordReader, check_pictures
from bilderatlas.sources.places import Placement
from bilderatlas.sources.previews import preview_rows
from bilderatlas.sources.rows import SAMPLE_ROWS, Row, row_failure


class TableSource(Source):
    """All rows of one table."""

    kind = "table"

    def __init__(self, path: Path, options: SourceOptions) -> None:
        """Open the table and recognise its columns.

        Raises:
            SourceError: when it cannot be read, holds no row, or no column names a picture.
            UnknownNameError: when the options name a field or column that there is not.
        """
        self.path = path.resolve()
        self.address = str(self.path)
        self.table = open_table(self.path)
        sample = itertools.islice(self.table.iter_rows(), SAMPLE_ROWS)
        first_rows = [row for row in sample if isinstance(row, Row)]
        if not first_rows:
            raise SourceError(
                f"Cannot index '{self.path.name}': below its header it holds no row that can be "
                "read. A table needs one row a picture."
            )
        self.mapping = ColumnMapping(self.table.columns, options.columns, first_rows)
        check_pictures(self.mapping, self.path.name)
        self._absolute = options.absolute_paths
        self._placement = Placement(_image_root(self.path, options), options.absolute_paths)

    def iter_records(self) -> Iterator[Record | Failure]:
        """Yield the rows in the file's order; rows that are no record, and duplicates, fail."""
        reader = RecordReader(self.mapping, self._placement)
        first_rows: dict[str, int] = {}
        for row in self.table.read_rows():
            record = reader.read(row) if isinstance(row, Row) else row
            if isinstance(row, Row) and isinstance(record, Record):
                first = first_rows.setdefault(record.image_id, row.number)
                if first != row.number:
                    yield _duplicate(record.image_id, row.number, first)
                    continue
            yield record

    def check_ids(self) -> None:
        """Make sure that no two rows share an identifier."""
        reader = RecordReader(self.mapping, self._placement)
        first_rows: dict[str, int] = {}
        doubles: list[str] = []
        for row in self.table.read_rows():
            image_id = reader.read_id(row) if isinstance(row, Row) else row
            if isinstance(row, Row) and isinstance(image_id, str):
                first = first_rows.setdefault(image_id, row.number)
                if first != row.number:
                    doubles.append(_duplicate(image_id, row.number, first).reason)
        if doubles:
            raise SourceError(
                f"Cannot index '{self.path.name}': {len(doubles)} of its rows repeat the "
                f"identifier of another. {doubles[0]} Or index the first of each with --keep-first."
            )

    def fingerprint(self, record: Record) -> str | None:
        """Return size and modification time of a local file.

        What is not fetched cannot change: its token says why, so that indexing again skips it.
        """
        if record.image_path is None:
            return "remote" if record.iiif_service or record.image_url else "no-image"
        return token_of(self._placement.find_file(record.image_path))

    def read_image(self, record: Record) -> bytes:
        """Return the bytes of a local file."""
        if record.image_path is not None:
            path = self._placement.find_file(record.image_path)
            elsewhere = self._absolute and Path(record.image_path).is_absolute()
            roots = None if elsewhere else [self._placement.root]
            return read_picture(path, roots=roots, name=printable(record.image_path))
        address = record.iiif_service or record.image_url
        if address is not None:
            raise ImageError(
                "remote",
                f"The picture lies on the web ({printable(address)}), and this version does not "
                "fetch from there. Put the file beside the table and name its path in it.",
            )
        raise ImageError("no-image", "The row names no picture; its record is kept without one.")

    def count(self) -> int | None:
        """Return the number of rows where the file states it."""
        return self.table.count()

    def preview(self) -> dict[str, Any]:
        """Return the mapping with examples, and counts of what is missing; reads all rows."""
        facts = {"kind": self.kind, "address": self.address, **self.table.facts}
        reader = RecordReader(self.mapping, self._placement)
        return {**facts, **preview_rows(self.table, reader)}


class TableKind(SourceKind):
    """Recognises a file by its extension."""

    name = "table"
    example = "works.csv"

    def accepts(self, address: str) -> bool:
        """Tell whether `address` is spelled like a table on this machine."""
        return "://" not in address and table_suffix(Path(address)) in TABLE_SUFFIXES

    def open(self, address: str, options: SourceOptions) -> TableSource:
        """Open the table."""
        try:
            return TableSource(Path(address).expanduser(), options)
        except (OSError, ValueError, RuntimeError) as error:
            raise SourceError(f"Cannot index '{printable(address)}': {error}.") from error


def _image_root(path: Path, options: SourceOptions) -> Path:
    if not options.image_folder:
        return path.parent
    root = Path(options.image_folder).expanduser().resolve()
    if not root.is_dir():
        raise SourceError(
            f"Cannot index '{path.name}': there is no folder '{options.image_folder}' that its "
            "pictures could lie in. Name the folder that the paths in the table start from."
        )
    return root


def _duplicate(image_id: str, number: int, first: int) -> Failure:
    return row_failure(
        number,
        "duplicate-id",
        f"Row {number} has the identifier '{printable(image_id)}' of row {first}, which stands. "
        "Give each row one of its own, or name another column with --columns id=NAME.",
    )


SOURCES.register("table", TableKind())
