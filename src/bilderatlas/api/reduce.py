"""Reduce a space of a collection to fewer numbers, by a projection that is kept with it."""

from __future__ import annotations

from collections.abc import Callable

from bilderatlas.api.library import Library
from bilderatlas.indexing import Progress
from bilderatlas.indexing.reduce import ReduceReport, reduce_space


def reduce(
    library: Library,
    collection: str,
    extractor: str,
    dim: int,
    *,
    whiten: bool = False,
    refit: bool = False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> ReduceReport:
    """Fit a principal component analysis on a space's rows and make a space of its projections.

    The new space is called `ID~pca512` (`ID~pca512w` if whitened) and is used like any other; no
    picture is read for it. A projection that was fitted before is kept, and only what the space
    lacks is projected, unless `refit` asks for a new one.

    Args:
        library: The library.
        collection: Name of the collection.
        extractor: The space to reduce.
        dim: Numbers to keep.
        whiten: Divide each number by its standard deviation.
        refit: Fit anew, and project everything again.
        on_progress: Called after each block of rows.

    Raises:
        UnknownNameError: when there is no such collection or space.
        UsageError: when the space cannot be reduced so far, or not at all.
        ConflictError: when somebody else is writing.
    """
    store = library[collection].store
    return reduce_space(store, extractor, dim, whiten=whiten, refit=refit, on_progress=on_progress)
