"""Rows of a source that could not become records: kept beside the collection, run by run.

An image that fails is a row in SQL. A row that never became an image has no id to stand under; the
list of the newest run is kept as one small file, replaced as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bilderatlas.errors import Failure
from bilderatlas.store.disk import explained_disk_errors

FILE = "source-failures.json"


def write_source_failures(folder: Path, failures: Sequence[Failure]) -> None:
    """Replace the list in a collection's `folder`; an empty one removes the file.

    Raises:
        DiskFullError: when there was no space; the list before still stands.
    """
    path = folder / FILE
    if not failures:
        path.unlink(missing_ok=True)
        return
    with explained_disk_errors(folder):
        new = path.with_suffix(".tmp")
        new.write_text(json.dumps([asdict(failure) for failure in failures]), "utf-8")
        new.replace(path)


def read_source_failures(folder: Path) -> list[Failure]:
    """Return the rows that the newest run could not read; none if there is no list."""
    try:
        found = json.loads((folder / FILE).read_text("utf-8"))
        return [Failure(**values) for values in found]
    except (FileNotFoundError, ValueError, TypeError):
        return []  # derived: a damaged list is written anew by the next run
