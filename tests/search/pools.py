"""Pools of a few works written as dictionaries, in real columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bilderatlas.search.hits import Pool
from bilderatlas.store.columns import Columns, packed_columns
from bilderatlas.store.columns_build import build_table


def columns_of(works: Sequence[dict[str, Any]]) -> Columns:
    """Return the columns of works; each may name any field of a record, and `raw`."""
    rows = [
        (key, f"w{key}", "indexed", 30, 20, json.dumps({"image_id": f"w{key}", **fields}))
        for key, fields in enumerate(works)
    ]
    return Columns(np.frombuffer(packed_columns(build_table(rows), 1), np.uint8))


def pool_of(
    works: Sequence[dict[str, Any]],
    scores: Sequence[float] | None = None,
    better: Sequence[bool] | None = None,
) -> Pool:
    """Return a pool of works; where nothing is said, scores fall and there is no stop line."""
    n = len(works)
    found = np.asarray(scores if scores is not None else range(n, 0, -1), np.float32)
    mask = found > -np.inf
    above = mask if better is None else np.asarray(better, np.bool_)
    return Pool(columns_of(works), found, mask, mask, above)
