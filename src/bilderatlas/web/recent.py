"""What was used last, up to a number: for any number of threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The `max_items` values that were used last, by key; for any number of threads."""

    def __init__(self, max_items: int) -> None:
        """Start empty."""
        self._max_items = max_items
        self._items: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: K) -> V | None:
        """Return the value of `key`, which becomes the one used last."""
        with self._lock:
            if key not in self._items:
                return None
            self._items.move_to_end(key)
            return self._items[key]

    def keep(self, key: K, value: V) -> None:
        """Keep a value; the one that was not used for longest gives way."""
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            if len(self._items) > self._max_items:
                self._items.popitem(last=False)

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._items)
