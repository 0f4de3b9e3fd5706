"""Bringing a library up to date: one migration after another, after a backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, func, insert, inspect, select

from bilderatlas import __version__
from bilderatlas.errors import StoreError
from bilderatlas.store.backup import write_backup
from bilderatlas.store.database import utc_now, write_transaction
from bilderatlas.store.locks import FileLock
from bilderatlas.store.manifest import LibraryManifest, refuse_newer
from bilderatlas.store.migrations import FORMAT_VERSION, MIGRATIONS
from bilderatlas.store.schema import migrations


def applied_version(database: Engine) -> tuple[int, str]:
    """Return the number of the newest migration in the database, and which version applied it."""
    if not inspect(database).has_table(migrations.name):
        return 0, ""
    newest = select(func.max(migrations.c.number)).scalar_subquery()
    with database.connect() as connection:
        row = connection.execute(
            select(migrations.c.number, migrations.c.written_by).where(
                migrations.c.number == newest
            )
        ).first()
    return (row.number, row.written_by) if row is not None else (0, "")


def migrate(
    root: Path, manifest: LibraryManifest, database: Engine, *, read_only: bool = False
) -> None:
    """Apply the migrations that the database lacks; one that is up to date is left untouched.

    Raises:
        LibraryVersionError: when the database is newer than this program.
        ConflictError: when another process is at it.
        StoreError: when it must be changed but may not be.
    """
    number, written_by = applied_version(database)
    refuse_newer(root, number, written_by)
    if number == FORMAT_VERSION:
        return
    if read_only:
        raise StoreError(
            f"Cannot open the library in '{root}' read-only: it has format {number} and must be "
            f"brought to {FORMAT_VERSION} first. Open it once for writing."
        )
    with FileLock(root / "library.lock", f"bring the library in '{root}' up to date"):
        number, _ = applied_version(database)
        if number > 0:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            backup = root / "backups" / f"{stamp}-before-{FORMAT_VERSION:03d}"
            write_backup(root, database, backup, link_files=True)
        for step in MIGRATIONS[number:]:
            with write_transaction(database, root) as connection:
                step.upgrade(connection)
                connection.execute(
                    insert(migrations).values(
                        number=step.number,
                        title=step.title,
                        applied_at=utc_now(),
                        written_by=__version__,
                    )
                )
        if manifest.text:
            manifest.upgraded().write(root)
