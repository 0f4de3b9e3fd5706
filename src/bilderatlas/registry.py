"""One kind of lookup for every kind of thing that can be added: extractors, sources, rules, jobs …

Built-ins come in through the same door as a stranger's plug-in: a module that, when imported,
calls `registry.register`. Built-in modules are named in a tuple, strangers' modules by an entry
point of their package. Nothing is imported before the first question is asked.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from bilderatlas.errors import UnavailableError, UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and the things that they stand for: built-ins in their order, then strangers."""

    def __init__(self, kind: str, *, builtin: tuple[str, ...], group: str) -> None:
        """Create a registry of `kind` (a singular noun for error messages).

        Args:
            kind: What is registered, as a user would call it: `extractor`.
            builtin: Modules of this package that register members when imported.
            group: Entry-point group in which other packages announce such modules.
        """
        self.kind = kind
        self._builtin = builtin
        self._group = group
        self._members: dict[str, T] = {}
        self._lock = threading.RLock()
        self._loaded = False

    def register(self, name: str, member: T) -> T:
        """Add `member` under `name`; a name is given once.

        Raises:
            ValueError: when the name is taken by another member.
        """
        if self._members.get(name, member) is not member:
            raise ValueError(f"Two {self.kind}s are called '{name}'; a name is given once.")
        self._members[name] = member
        return member

    def forget(self, name: str) -> None:
        """Take a member away again; a name that is not taken is no error."""
        self._members.pop(name, None)

    def get(self, name: str) -> T:
        """Return the member called `name`.

        Raises:
            UnknownNameError: listing the nearest names.
        """
        self._load()
        if name not in self._members:
            raise UnknownNameError(self.kind, name, self._members)
        return self._members[name]

    def names(self) -> list[str]:
        """Return all names, the built-ins first."""
        self._load()
        return list(self._members)

    def __iter__(self) -> Iterator[T]:
        """Iterate over the members, the built-ins first."""
        self._load()
        return iter(list(self._members.values()))

    def __contains__(self, name: object) -> bool:
        """Tell whether a member is called `name`."""
        self._load()
        return name in self._members

    def _load(self) -> None:
        with self._lock:
            if self._loaded:
                return
            self._loaded = True  # set first: a member may ask the registry while it registers
            try:
                for module in self._builtin:
                    importlib.import_module(module)
                for entry_point in entry_points(group=self._group):
                    self._load_plugin(entry_point)
            except BaseException:
                self._loaded = False  # half a registry would be worse than the same error again
                raise
            self._members = dict(sorted(self._members.items(), key=self._place))

    def _load_plugin(self, entry_point: EntryPoint) -> None:
        try:
            entry_point.load()
        except Exception as error:
            raise UnavailableError(
                f"Cannot load the {self.kind}s of the plug-in '{entry_point.value}': {error}. "
                "Update it, or uninstall it."
            ) from error

    def _place(self, item: tuple[str, T]) -> int:
        """Order members as their modules are named, whoever happened to import one earlier."""
        module = type(item[1]).__module__
        return self._builtin.index(module) if module in self._builtin else len(self._builtin)
