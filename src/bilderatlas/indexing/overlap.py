"""Two stages of a pipeline at once, with a bounded number of items between them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

_TICK_S = 0.1


class _End:
    """The producer's last word: no more items, or what stopped it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Producer(Generic[T]):
    """Runs an iterable in a thread of its own until it ends, fails, or is stopped."""

    def __init__(self, items: Iterable[T], n_ahead: int) -> None:
        self.queue: Queue[T | _End] = Queue(n_ahead)
        self._items = items
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:  # carried over and raised where the items are awaited
            end = _End(error)
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
        self._put(end)

    def _put(self, item: T | _End) -> bool:
        while not self._stopped.is_set():
            try:
                self.queue.put(item, timeout=_TICK_S)
            except Full:
                continue
            return True
        return False

    def get(self) -> T | _End:
        while True:
            try:
                return self.queue.get(timeout=_TICK_S)
            except Empty:
                if not self._thread.is_alive() and self.queue.empty():
                    return _End()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()


def overlapped(items: Iterable[T], n_ahead: int = 1) -> Generator[T, None, None]:
    """Yield `items` in order while a thread of its own works out the next `n_ahead`.

    Errors of the producer are raised here, after the items before them. Closing the generator
    stops the producer after the item in hand, and closes `items` in the producer's thread.

    >>> list(overlapped(range(3)))
    [0, 1, 2]
    """
    producer = _Producer(items, n_ahead)
    try:
        while True:
            item = producer.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        producer.stop()
