"""How the tables of a library came to be: numbered steps that are never edited.

To change a table: add `m00N_….py` with `NUMBER`, `TITLE` and `upgrade(connection)`, name it in
`MIGRATIONS`, change `store/schema.py` to what it leaves behind, and add a fixture library of the
release before. A migration describes its tables itself and never imports `schema.py`, which moves
on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from bilderatlas.store.migrations import (
    m001_first,
    m002_source_options,
    m003_panels,
    m004_panel_contents,
)


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: from version `number - 1` of the library's format to `number`."""

    number: int
    title: str
    upgrade: Callable[[Connection], None]


MIGRATIONS: tuple[Migration, ...] = (
    Migration(m001_first.NUMBER, m001_first.TITLE, m001_first.upgrade),
    Migration(m002_source_options.NUMBER, m002_source_options.TITLE, m002_source_options.upgrade),
    Migration(m003_panels.NUMBER, m003_panels.TITLE, m003_panels.upgrade),
    Migration(m004_panel_contents.NUMBER, m004_panel_contents.TITLE, m004_panel_contents.upgrade),
)

FORMAT_VERSION = MIGRATIONS[-1].number
