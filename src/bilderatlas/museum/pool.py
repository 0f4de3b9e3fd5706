"""Painting ahead in spawned processes: order kept, look-ahead bounded, closed cleanly."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def paint_ahead(
    function: Callable[[int, int], T], jobs: Iterable[tuple[int, int]], processes: int = 0
) -> Generator[T, None, None]:
    """Yield `function(seed, index)` for each job, in order, worked ahead by `processes`.

    Args:
        function: A function of this package's modules, which children can import.
        jobs: Pairs of seed and index.
        processes: How many; 0 takes one a processor, 1 paints here.
    """
    count = processes or os.cpu_count() or 1
    if count == 1:
        for seed, index in jobs:
            yield function(seed, index)
        return
    todo = iter(jobs)
    first = list(itertools.islice(todo, 2 * count))
    if len(first) < 2 * count:  # starting processes would take longer than painting
        for seed, index in first:
            yield function(seed, index)
        return
    context = multiprocessing.get_context("spawn")
    with _no_main_module():
        pool = ProcessPoolExecutor(count, mp_context=context, initializer=_one_thread)
        waiting: deque[Future[T]] = deque()
        todo = itertools.chain(first, todo)
        _refill(pool, function, todo, waiting, 4 * count)
    try:
        while waiting:
            result = waiting.popleft().result()
            with _no_main_module():
                _refill(pool, function, todo, waiting, 4 * count)
            yield result
    finally:
        for future in waiting:
            future.cancel()
        pool.shutdown(wait=True, cancel_futures=True)


def _refill(
    pool: ProcessPoolExecutor,
    function: Callable[[int, int], T],
    todo: Iterator[tuple[int, int]],
    waiting: deque[Future[T]],
    limit: int,
) -> None:
    while len(waiting) < limit:
        job = next(todo, None)
        if job is None:
            return
        waiting.append(pool.submit(function, *job))


def _one_thread() -> None:
    """Keep each child on one thread: the processes already fill the machine."""
    import cv2

    cv2.setNumThreads(1)


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Hide how the main module was started while children are spawned.

    A child would otherwise run the main script again, which fails for scripts without a
    `__name__` guard, for notebooks and for `python -`. Painting needs only this package.
    """
    main: Any = sys.modules.get("__main__")
    kept = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    try:
        if "__file__" in kept:
            del main.__file__
        if main is not None:
            main.__spec__ = None
        yield
    finally:
        for name, value in kept.items():
            setattr(main, name, value)
