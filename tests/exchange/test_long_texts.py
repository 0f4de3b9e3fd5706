"""A part may store a long text once and name it for thousands of items."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bilderatlas.exchange.format import Vectors
from bilderatlas.exchange.read import iter_tables

SPEC = Vectors(
    dim=4, dtype="f16", normalised="none", metrics=("angular",), count=0, many_rows=False
)
TEXT = "a" * (512 << 10)


def test_texts_that_are_stored_once_are_read_a_few_at_a_time(tmp_path: Path) -> None:
    table = pa.table({"record": [TEXT] * 600})
    options = {"compression": "zstd", "dictionary_pagesize_limit": 1 << 30}
    pq.write_table(table, tmp_path / "part.parquet", use_dictionary=True, **options)
    assert (tmp_path / "part.parquet").stat().st_size < 10_000
    with pq.ParquetFile(tmp_path / "part.parquet") as file:
        sizes = [batch.num_rows for batch in iter_tables(file, SPEC, ["record"])]
    assert sum(sizes) == 600 and max(sizes) * len(TEXT) <= 128 << 20
