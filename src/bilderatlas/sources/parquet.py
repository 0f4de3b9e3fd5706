"""Parquet files, as data sets and clip-retrieval write them."""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bilderatlas.errors import Failure, SourceError
from bilderatlas.sources.json_lines import without_unstorable
from bilderatlas.sources.rows import Row, Table

_BATCH_ROWS = 1000


class ParquetTable(Table):
    """A columnar file, read a batch at a time."""

    def __init__(self, path: Path) -> None:
        """Read the footer.

        Raises:
            SourceError: when the file is damaged or has no column.
        """
        import pyarrow.parquet as pq
        from pyarrow import ArrowException

        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                self.columns = tuple(str(name) for name in file.schema_arrow.names)
                self._n_rows = int(file.metadata.num_rows)
        except (ArrowException, OSError) as error:
            raise SourceError(
                f"Cannot read '{path.name}' as Parquet: {str(error).splitlines()[0]}. "
                "Write the file again."
            ) from error
        if not self.columns or not self._n_rows:
            raise SourceError(
                f"Cannot index '{path.name}': it holds no row. A table needs one row a picture."
            )
        self.facts = {"format": "Parquet"}

    def iter_rows(self) -> Iterator[Row | Failure]:
        """Yield the rows, with values as JSON knows them.

        Raises:
            OSError: when the file is damaged.
        """
        import pyarrow.parquet as pq
        from pyarrow import ArrowException

        number = 0
        try:
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(number, without_unstorable(_as_json(values)))
        except (ArrowException, OSError) as error:
            raise OSError(f"beyond row {number} {str(error).splitlines()[0]}") from error

    def count(self) -> int:
        """Return the number of rows that the footer states."""
        return self._n_rows


def _as_json(value: Any) -> Any:
    """Return a Parquet value as JSON can hold it; pictures inside the file become their size."""
    if isinstance(value, dict):
        return {str(name): _as_json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | decimal.Decimal):
        return str(value)
    return value
