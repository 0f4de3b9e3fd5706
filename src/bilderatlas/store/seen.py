"""Which works were looked at, and when: so that later results can mark or hide them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select, update

from bilderatlas.store.database import in_chunks, utc_now, write_transaction
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.schema import seen_images


class SeenStore:
    """The works looked at in one library."""

    def __init__(self, library: LibraryStore) -> None:
        """Use the table of `library`."""
        self._library = library

    def mark(self, collection: str, image_ids: Iterable[str]) -> None:
        """Note that works were looked at now; a library opened read-only notes nothing."""
        ids = sorted(set(image_ids))
        if self._library.read_only or not ids:
            return
        now = utc_now()
        own = seen_images.c.collection == collection
        with write_transaction(self._library.database, self._library.root) as connection:
            for part in in_chunks(ids):
                listed = (own, seen_images.c.image_id.in_(part))
                known = set(connection.scalars(select(seen_images.c.image_id).where(*listed)))
                connection.execute(update(seen_images).where(*listed).values(last_at=now))
                rows = [
                    {"collection": collection, "image_id": one, "first_at": now, "last_at": now}
                    for one in part
                    if one not in known
                ]
                if rows:
                    connection.execute(insert(seen_images), rows)

    def ids(self, collection: str) -> frozenset[str]:
        """Return the ids of the works of a collection that were looked at."""
        statement = select(seen_images.c.image_id).where(seen_images.c.collection == collection)
        with self._library.database.connect() as connection:
            return frozenset(connection.execute(statement).scalars())

    def forget(self, collection: str) -> None:
        """Forget which works of a collection were looked at."""
        with write_transaction(self._library.database, self._library.root) as connection:
            connection.execute(delete(seen_images).where(seen_images.c.collection == collection))
