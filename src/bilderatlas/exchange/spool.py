"""Where the pages of a served library are kept until all are here: one import a folder, bounded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from bilderatlas.errors import DiskFullError, PackageError
from bilderatlas.extractors.runtimes.lock import LOCK_FILE, changing
from bilderatlas.store.disk import explained_disk_errors

DISK_RESERVE_BYTES = 1 << 30
_STATE = "state.json"


class Spool:
    """A folder of numbered pages, and a note of how far they reach."""

    def __init__(self, folder: Path, address: str) -> None:
        """Keep pages of `address` in `folder`; nothing is touched before `take`."""
        self._folder = folder
        self._address = address
        self._holding: ExitStack | None = None

    def take(self) -> None:
        """Make the folder, and keep other imports out of it until `close`.

        Raises:
            ConflictError: when another import is at it.
        """
        if self._holding is None:
            with ExitStack() as holding, explained_disk_errors(self._folder.parent):
                holding.enter_context(changing(self._folder))
                self._holding = holding.pop_all()

    def note(self) -> dict[str, Any]:
        """Return how far the pages reach; empty where there are none."""
        try:
            kept = json.loads((self._folder / _STATE).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def page(self, number: int) -> Any:
        """Return a page."""
        return json.loads(self._page_path(number).read_text("utf-8"))

    def keep(
        self, number: int, page: Mapping[str, Any], note: Mapping[str, Any], *, most_bytes: int
    ) -> None:
        """Write a page, then the note of it.

        Raises:
            PackageError: when all pages together would have more than `most_bytes`.
            DiskFullError: when hardly any space would be left.
        """
        text = json.dumps(page)
        n_bytes = self.note().get("n_bytes", 0) + len(text)
        if n_bytes > most_bytes:
            raise PackageError(
                "damaged",
                f"Cannot import '{self._address[:200]}': its answers have more than "
                f"{most_bytes:,} bytes, and its items cannot have so many.",
            )
        self.need_space(len(text))
        with explained_disk_errors(self._folder):
            _write(self._page_path(number), text)
            _write(self._folder / _STATE, json.dumps({**note, "n_bytes": n_bytes}))

    def need_space(self, n_bytes: int) -> None:
        """Make sure that `n_bytes` can be written, and 1 GiB is left.

        Raises:
            DiskFullError: when they cannot.
        """
        free = shutil.disk_usage(self._folder).free
        if n_bytes > free - DISK_RESERVE_BYTES:
            raise DiskFullError(
                f"Cannot import '{self._address[:200]}': {n_bytes:,} bytes are to come, and "
                f"'{self._folder}' lies on a disk with {free:,} bytes free, of which 1 GiB is left "
                "alone. Free some space and run this again."
            )

    def clear(self) -> None:
        """Forget all pages."""
        for path in self._folder.iterdir():
            if path.name != LOCK_FILE:
                path.unlink()

    def close(self, *, is_spent: bool) -> None:
        """Let others in; forget the pages when they are not needed any more."""
        if self._holding is None:
            return
        if is_spent:
            self.clear()
        self._holding.close()
        self._holding = None
        if is_spent:
            with suppress(OSError):  # another import may have begun at this moment
                self._folder.rmdir()

    def _page_path(self, number: int) -> Path:
        return self._folder / f"page-{number:08d}.json"


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)
