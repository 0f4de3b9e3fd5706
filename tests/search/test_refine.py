"""What is shown was scored with the whole query, however deep it lies in the whole ranking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric, unit_rows
from bilderatlas.search.candidates import refine_best, score_works
from bilderatlas.search.combine import RULES, Examples


@dataclass
class MemoryView:
    """A space in memory: one row a work."""

    vectors: npt.NDArray[np.float16]
    model_id: str = "angles.fake"
    dtype: str = "f16"

    def __post_init__(self) -> None:
        self.n_rows, self.dim = self.vectors.shape
        self.ordinals = np.arange(self.n_rows, dtype=np.int32)
        self.columns = SimpleNamespace(n=self.n_rows)

    def blocks(self) -> Iterator[tuple[int, npt.NDArray[np.float16]]]:
        yield 0, self.vectors


def test_hits_under_a_narrow_filter_are_scored_with_the_whole_query() -> None:
    rng = np.random.default_rng(5)
    view: Any = MemoryView(rng.normal(size=(20_000, 8)).astype(np.float16))
    query = rng.normal(size=(1, 8)).astype(np.float32)
    rule = RULES.get("difference")
    scorer = rule.build(Examples.of(query), Examples.join([], 8), Metric.ANGULAR, 0.5)
    truth = unit_rows(view.vectors.astype(np.float32)) @ unit_rows(query)[0]
    allowed = np.zeros(view.n_rows, np.bool_)
    allowed[np.argsort(truth)[:40]] = True  # as far as can be from the best thousand
    rough = score_works(view, scorer)
    exact = refine_best(view, scorer, rough, allowed, depth=30)
    assert np.allclose(exact[allowed], truth[allowed], atol=2e-6)
    assert np.array_equal(exact[~allowed], rough[~allowed])
