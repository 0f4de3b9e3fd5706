"""The table of metadata that lies in a folder of pictures, and which row is which picture's."""

from __future__ import annotations

import itertools
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from bilderatlas.errors import Failure, SourceError
from bilderatlas.records import Record
from bilderatlas.sources.base import SourceOptions
from bilderatlas.sources.files import has_image_suffix, printable
from bilderatlas.sources.formats import TABLE_SUFFIXES, open_table, table_suffix
from bilderatlas.sources.mapping import ColumnMapping, RecordReader
from bilderatlas.sources.places import Placement, is_url, url_tail
from bilderatlas.sources.rows import SAMPLE_ROWS, Row, Table, row_failure, unread_table
from bilderatlas.sources.walk import is_junk


def find_table_beside(root: Path) -> tuple[Path, bool] | None:
    """Return the table in `root` itself, and whether its name says that it is for the pictures.

    `metadata.csv` (or `.tsv`, `.jsonl`, `.parquet` …) is; else the only table there may be.
    """
    tables = sorted(
        path
        for path in root.iterdir()
        if not is_junk(path.name)
        and table_suffix(path) in TABLE_SUFFIXES
        and path.is_file()
        and path.resolve().is_relative_to(root)
    )
    named = [path for path in tables if path.name.lower().split(".")[0] == "metadata"]
    if named:
        return named[0], True
    return (tables[0], False) if len(tables) == 1 else None


class TableBeside:
    """The rows of a table, matched with the pictures of the folder that it lies in."""

    def __init__(self, path: Path, named: bool, root: Path, options: SourceOptions) -> None:
        """Open the table and recognise its columns.

        Args:
            path: The table.
            named: Whether it is called `metadata`, so that not using it would be a surprise.
            root: The folder, resolved.
            options: May name columns.

        Raises:
            SourceError: when a table that should be used cannot be.
        """
        self.path = path
        self.wanted = named or bool(options.columns)
        self.records: dict[str, Record] = {}
        self.failures: list[Failure] = []
        self.unused_because = ""
        try:
            self.table: Table = open_table(path)
            sample = itertools.islice(self.table.iter_rows(), SAMPLE_ROWS)
            first_rows = [row for row in sample if isinstance(row, Row)]
            self.mapping = ColumnMapping(self.table.columns, options.columns, first_rows)
        except (OSError, EOFError, zlib.error) as error:
            if self.wanted:
                raise SourceError(f"Cannot read '{path.name}': {error}.") from error
            self._give_up(error, error)
            return
        except SourceError as error:
            if self.wanted:
                raise
            self._give_up(error, error.__cause__)
            return
        self._reader = RecordReader(self.mapping, Placement(root, absolute=True))
        if not {"image", "id", "accession"} & self.mapping.places.keys():
            listed = ", ".join(printable(column) for column in self.table.columns[:40])
            self.unused_because = (
                f"none of the columns of '{path.name}' names the file of a picture. It has: "
                f"{listed}. Name one with --columns image=NAME, or move the table elsewhere"
            )
            if self.wanted:
                raise SourceError(f"Cannot index '{root}': {self.unused_because}.")

    def match(self, pictures: Iterable[str]) -> None:
        """Give each row to its picture: by path first, by name alone where that is unambiguous."""
        if self.unused_because:
            return
        names = _Names(pictures)
        left: list[tuple[Row, Record, list[str]]] = []
        for row in self.table.read_rows():
            if isinstance(row, Failure):
                self.failures.append(row)
                continue
            record = self._reader.read(row)
            if isinstance(record, Failure):
                self.failures.append(record)
                continue
            keys = list(self._keys(row, record))
            exact = next((path for key in keys if (path := names.find_exact(key))), None)
            if exact is None:
                left.append((row, record, keys))
            else:
                self._give(row, record, exact)
        for row, record, keys in left:
            found = (path for key in keys for path in names.find_loosely(key))
            path = next((path for path in found if path not in self.records), None)
            if path is not None:
                self._give(row, record, path)
            else:
                self.failures.append(_unmatched(row, keys))
        if not self.wanted and not self.records:
            self.failures = [row for row in self.failures if row.code == "unreadable"]
            self.unused_because = f"no row of '{self.path.name}' names a picture in the folder"

    def _give_up(self, error: Exception, cause: BaseException | None) -> None:
        """Go on without the table; that it could not be read is a failure, another kind is not."""
        self.unused_because = str(error)
        if isinstance(cause, OSError) and cause.errno is not None:
            self.failures.append(unread_table(self.path, cause))

    def _give(self, row: Row, record: Record, path: str) -> None:
        if path in self.records:
            shown = printable(path)
            why = f"Row {row.number} is for '{shown}', which another row describes; that one stands"
            self.failures.append(row_failure(row.number, "duplicate-id", f"{why}. Remove one."))
        else:
            self.records[path] = record

    def _keys(self, row: Row, record: Record) -> Iterator[str]:
        """Yield what a row may call its file, the most telling first."""
        if record.image_path:
            yield record.image_path
        for link in self.mapping.links(row, "image"):
            yield url_tail(link).split("?")[0] if is_url(link) else link.replace("\\", "/")
        yield record.image_id
        if record.accession:
            yield record.accession


class _Names:
    """Finds pictures by path, by file name, and by file name without extension."""

    def __init__(self, pictures: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        self._loose: dict[str, list[str]] = {}
        for path in pictures:
            pure = PurePosixPath(_folded(path))
            self._exact[unicodedata.normalize("NFC", path)] = path
            for key in {str(pure), str(pure.with_suffix("")), pure.name, pure.stem}:
                self._loose.setdefault(key, []).append(path)

    def find_exact(self, key: str) -> str | None:
        return self._exact.get(unicodedata.normalize("NFC", key))

    def find_loosely(self, key: str) -> Iterator[str]:
        pure = PurePosixPath(_folded(key))
        stem = pure.stem if has_image_suffix(key) else pure.name
        for name in dict.fromkeys((str(pure), pure.name, stem)):
            paths = self._loose.get(name, [])
            if len(paths) == 1:
                yield paths[0]


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _unmatched(row: Row, keys: list[str]) -> Failure:
    shown = printable(keys[0])
    return row_failure(
        row.number,
        "no-file",
        f"Row {row.number} of the table describes '{shown}', and there is no such picture in the "
        "folder, or several of that name. Write its path below the folder.",
    )


def with_place(record: Record, image_id: str, path: str) -> Record:
    """Return a row's record as that of the picture at `path`."""
    return replace(record, image_id=image_id, image_path=path)
