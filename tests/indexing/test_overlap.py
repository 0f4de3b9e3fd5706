"""Two stages at once: order, errors, bounds and endings."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bilderatlas.indexing.overlap import overlapped


def test_order_is_kept_and_the_end_is_found() -> None:
    assert list(overlapped(range(200), 3)) == list(range(200))
    assert list(overlapped([])) == []


def test_the_producer_works_ahead_and_no_further() -> None:
    made: list[int] = []
    beyond = threading.Event()

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            if number == 3:
                beyond.set()
            yield number

    stream = overlapped(items(), 1)
    assert next(stream) == 0
    assert not beyond.wait(0.3)  # 1 waits in the queue, 2 is in hand, 3 must not begin
    assert made[-1] <= 2
    assert next(stream) == 1
    assert beyond.wait(5)
    stream.close()


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("torn")

    stream = overlapped(items(), 4)
    assert [next(stream), next(stream)] == [1, 2]
    with pytest.raises(LookupError, match="torn"):
        next(stream)


def test_closing_early_closes_the_source_in_its_own_thread() -> None:
    closed: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield from range(1000)
        finally:
            closed.append(threading.current_thread().name)

    stream = overlapped(items(), 2)
    assert next(stream) == 0
    stream.close()
    assert len(closed) == 1 and closed[0] != threading.current_thread().name
    assert not [one for one in threading.enumerate() if one.name == closed[0]]
