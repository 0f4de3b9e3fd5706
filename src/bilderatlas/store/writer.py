"""The one writer of a collection: segments first, then one commit that names them.

The order is the whole trick. Files get their final names, synced, before SQL knows them; the SQL
commit is the moment at which a batch exists; a process that dies before leaves files that nobody
names, and the next writer sweeps them away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bilderatlas.arrays import Ints
from bilderatlas.errors import (
    BilderatlasError,
    ConflictError,
    DiskFullError,
    NotFoundError,
    StoreError,
    UnknownNameError,
    UsageError,
)
from bilderatlas.extractors.base import Card, ImageRows, differing_facts
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.database import in_chunks, utc_now, write_transaction
from bilderatlas.store.disk import explained_disk_errors
from bilderatlas.store.fulltext import index_texts, remove_texts
from bilderatlas.store.image_changes import ImageChanges, plan_changes
from bilderatlas.store.images import ImageState, NewImage, select_images, shown_contents
from bilderatlas.store.purge import merged_change, purged_change
from bilderatlas.store.schema import collections, images, segments, spaces
from bilderatlas.store.segments import DTYPES
from bilderatlas.store.space_writer import SegmentChange, SpaceWriter
from bilderatlas.store.spaces import select_spaces
from bilderatlas.store.sweep import sweep_collection

__all__ = ["CollectionWriter", "NewImage"]

_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9_.~-]{0,120}\Z")  # it names a folder
_NO_PICTURES: Mapping[str, Mapping[int, bytes]] = {}


class CollectionWriter:
    """Commits images and rows; holds the collection's lock until it is closed."""

    def __init__(self, collection: CollectionStore) -> None:
        """Take the lock, sweep away what a killed writer left, and read where things stand.

        Raises:
            ConflictError: when another process writes, naming it.
        """
        self.collection = collection
        self._lock = collection.writer_lock()
        with explained_disk_errors(collection.root):
            self._lock.acquire()
        try:
            with explained_disk_errors(collection.root):
                self._open()
        except FileNotFoundError as error:
            self._lock.release()
            raise StoreError(
                f"Cannot write to collection '{collection.name}': the file '{error.filename}' is "
                "gone. Run `bilderatlas collections check --repair`, then index again."
            ) from error
        except BaseException:
            self._lock.release()
            raise

    def _open(self) -> None:
        collection = self.collection
        with collection.reading() as connection:
            state = collection.state(connection)
            entries = select_spaces(connection, collection.id)
        self._version: int = state.version
        self._next_key: int = state.next_key
        sweep_collection(collection, entries, state.records_version)
        self._spaces: dict[str, SpaceWriter] = {}
        for model_id, entry in entries.items():
            self._spaces[model_id] = SpaceWriter(entry, collection.space_folder(model_id))
            self._spaces[model_id].write_manifest(collection.name)

    @property
    def version(self) -> int:
        """Return the version that the last commit made."""
        return self._version

    # Planning --------------------------------------------------------------------------------

    def state_of(self) -> dict[str, tuple[str | None, str | None, ImageState]]:
        """Return `{image_id: (fingerprint, content_sha256, state)}` of every image."""
        chosen = select(
            images.c.image_id, images.c.fingerprint, images.c.content_sha256, images.c.state
        ).where(images.c.collection_id == self.collection.id)
        with self.collection.reading() as connection:
            return {
                image_id: (fingerprint, sha256, ImageState(state))
                for image_id, fingerprint, sha256, state in connection.execute(chosen)
            }

    def missing(self, model_id: str) -> list[str]:
        """Return the indexed images that a space has not looked at, in order of insertion.

        Raises:
            UnknownNameError: when there is no such space; `ensure_space` makes it.
        """
        space = self._space(model_id)
        chosen = (
            select(images.c.key, images.c.image_id)
            .where(
                images.c.collection_id == self.collection.id,
                images.c.state == ImageState.INDEXED.value,
            )
            .order_by(images.c.key)
        )
        with self.collection.reading() as connection:
            rows = connection.execute(chosen).all()
        keys = np.array([row.key for row in rows], np.int64)
        places = np.flatnonzero(space.covered.not_among(keys))
        return [rows[place].image_id for place in places.tolist()]

    def _space(self, model_id: str) -> SpaceWriter:
        if model_id not in self._spaces:
            raise UnknownNameError("space", model_id, self._spaces)
        return self._spaces[model_id]

    # Spaces ----------------------------------------------------------------------------------

    def ensure_space(self, card: Card) -> None:
        """Make the space of a card, or bring its card up to date.

        A card under which the same picture gets another embedding (another `version`, weights,
        preprocessing, dimension or dtype) empties the space: old and new rows must never be
        compared, and every image is missing from then on.

        Raises:
            DiskFullError: when there is no space on the disk.
        """
        facts = json.loads(json.dumps(card.to_json()))
        known = self._spaces.get(card.model_id)
        is_other = known is not None and bool(differing_facts(known.card_json, facts))
        if known is not None and not is_other:  # where rows came from is never forgotten
            facts["taken_from"] = facts["taken_from"] or known.card_json.get("taken_from", "")
            facts["computed"] = sorted({*known.card_json.get("computed", ()), *facts["computed"]})
        if known is not None and known.card_json == facts:
            return
        if not _MODEL_ID.match(card.model_id):
            raise UsageError(
                f"Cannot make space '{card.model_id}': expected an id like `raw_32.pixels`, "
                "lower-case letters, digits, '_', '-' and dots, beginning with a letter or digit."
            )
        if card.dtype not in DTYPES:
            raise UsageError(
                f"Cannot make space '{card.model_id}': its card says dtype '{card.dtype}', "
                f"expected one of {', '.join(DTYPES)}."
            )
        values = {"card_json": json.dumps(facts), "dim": card.dim, "dtype": card.dtype}
        with write_transaction(self.collection.database, self.collection.root) as connection:
            if known is None:
                connection.execute(
                    insert(spaces).values(
                        collection_id=self.collection.id,
                        model_id=card.model_id,
                        next_segment=1,
                        created_at=utc_now(),
                        **values,
                    )
                )
            else:
                connection.execute(update(spaces).where(spaces.c.id == known.id).values(**values))
            if is_other and known is not None:
                connection.execute(delete(segments).where(segments.c.space_id == known.id))
            self._advance(connection, {})
            entry = select_spaces(connection, self.collection.id, card.model_id)[card.model_id]
        self._version += 1
        writer = SpaceWriter(entry, self.collection.space_folder(card.model_id))
        writer.next_number = max(writer.next_number, known.next_number if known else 1)
        self._spaces[card.model_id] = writer
        with explained_disk_errors(self.collection.root):
            writer.write_manifest(self.collection.name)

    # Images ----------------------------------------------------------------------------------

    def commit_batch(
        self,
        new_images: Sequence[NewImage],
        rows: Mapping[str, Sequence[tuple[str, ImageRows]]],
        *,
        are_new: bool = False,
    ) -> int:
        """Commit images and rows as one: after this call they are there, before they are not.

        An image whose id exists is updated. If its content changed, its rows in all spaces are
        dead from this commit on. A failure without content, or with the content that we have
        rows of, says nothing new: what was indexed stays, and the failure is noted beside it.
        Rows of images that a space has looked at already are skipped.

        Args:
            new_images: Each id at most once; may be empty when only rows come.
            rows: By `model_id`, the rows of images of this batch or of earlier ones.
            are_new: The caller knows that no id of `new_images` is in the collection yet; they
                are not looked up then, and the database refuses the batch if one is.

        Returns:
            The new version of the collection.

        Raises:
            NotFoundError: for rows of an image that is not there.
            UnknownNameError: for a space that was not ensured.
            DiskFullError: nothing of the batch was stored; call again when there is space.
        """
        collection = self.collection
        ids = dict.fromkeys(new.record.image_id for new in new_images)
        asked = [image_id for found in rows.values() for image_id, _ in found]
        asked = (
            [image_id for image_id in asked if image_id not in ids] if are_new else [*ids, *asked]
        )
        with collection.reading() as connection:
            known = select_images(connection, collection.id, asked)
        changes = plan_changes(new_images, known, collection.id, self._version + 1, self._next_key)
        keys = {image_id: row.key for image_id, row in known.items()} | changes.keys
        by_space = {
            self._space(model_id): [(_key_of(image_id, keys), found) for image_id, found in part]
            for model_id, part in rows.items()
        }
        pictures = {
            new.content_sha256: new.thumbnails
            for new in new_images
            if new.content_sha256 and new.thumbnails
        }
        with explained_disk_errors(collection.root):
            for sha256, thumbnails in pictures.items():
                collection.thumbnails.put(sha256, thumbnails)
            self._commit(changes, by_space, pictures)
        self._next_key = changes.next_key
        self._forget_thumbnails(changes.unused_sha256)
        return self._version

    def _commit(
        self,
        changes: ImageChanges,
        by_space: Mapping[SpaceWriter, Sequence[tuple[int, ImageRows]]],
        pictures: Mapping[str, Mapping[int, bytes]],
    ) -> None:
        written: dict[SpaceWriter, SegmentChange] = {}
        try:
            for space, part in by_space.items():
                written[space] = space.write(part)
        except BaseException:
            self._discard(written)
            raise
        self._commit_written(changes, written, pictures)

    def _commit_written(
        self,
        changes: ImageChanges | None,
        written: Mapping[SpaceWriter, SegmentChange],
        pictures: Mapping[str, Mapping[int, bytes]] = _NO_PICTURES,
    ) -> None:
        """Commit what lies on disk; on failure remove it if it certainly was not committed."""
        collection = self.collection
        try:
            with (
                collection.thumbnails.held(pictures),
                write_transaction(collection.database, collection.root) as connection,
            ):
                if changes is not None:
                    _apply(connection, changes)
                for space, change in written.items():
                    space.commit(connection, change, self._version + 1)
                self._advance(connection, changes.counters() if changes else {})
        except BaseException:
            self._discard_unless_committed(written)
            raise
        self._version += 1
        for space, change in written.items():
            space.accept(change)

    def _advance(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Raise the version, and notice if somebody else wrote in spite of the lock."""
        raised = {"version": self._version + 1, "updated_at": utc_now()} | dict(values)
        for counter in ("n_images", "n_failed"):
            if counter in values:
                raised[counter] = collections.c[counter] + values[counter]
        if "records_version" in values:
            raised["records_version"] = self._version + 1
        statement = (
            update(collections)
            .where(collections.c.id == self.collection.id, collections.c.version == self._version)
            .values(**raised)
        )
        if connection.execute(statement).rowcount != 1:
            raise ConflictError(
                f"Cannot write to collection '{self.collection.name}': another process wrote to "
                "it or removed it meanwhile. Nothing of this batch was stored; run again."
            )

    def _discard(self, written: Mapping[SpaceWriter, SegmentChange]) -> None:
        for space, change in written.items():
            space.discard(change)

    def _discard_unless_committed(self, written: Mapping[SpaceWriter, SegmentChange]) -> None:
        # A connection that broke during COMMIT does not tell on which side of it: ask again.
        try:
            with self.collection.reading() as connection:
                is_committed = self.collection.state(connection).version != self._version
        except BilderatlasError:
            return  # unknown: the files stay, the next writer's sweep will know
        if not is_committed:
            self._discard(written)

    # Removing --------------------------------------------------------------------------------

    def retire(self, image_ids: Iterable[str]) -> int:
        """Remove images: records, words, and with them their rows in every space, in one commit.

        Returns:
            The new version of the collection.

        Raises:
            NotFoundError: for an id that is not there; nothing was removed.
        """
        collection = self.collection
        wanted = list(dict.fromkeys(image_ids))
        if not wanted:
            return self._version
        with collection.reading() as connection:
            known = select_images(
                connection,
                collection.id,
                wanted,
                [images.c.image_id, images.c.key, images.c.state, images.c.content_sha256],
            )
        if unknown := [image_id for image_id in wanted if image_id not in known]:
            raise NotFoundError(
                f"Cannot remove image '{unknown[0]}' from collection '{collection.name}': it is "
                "not there. Nothing was removed."
            )
        changes = ImageChanges(next_key=self._next_key)
        for row in known.values():
            changes.removed_keys.append(row.key)
            changes.n_images -= 1
            changes.n_failed -= row.state == ImageState.FAILED.value
            if row.content_sha256:
                changes.unused_sha256.append(row.content_sha256)
        with explained_disk_errors(collection.root):
            self._commit_written(changes, {})
        self._forget_thumbnails(changes.unused_sha256)
        return self._version

    def _forget_thumbnails(self, candidates: Sequence[str]) -> None:
        """Remove the thumbnails of pictures that no image of the library shows any longer."""

        def shown(contents: list[str]) -> set[str]:
            with self.collection.reading() as connection:
                return shown_contents(connection, contents)

        self.collection.thumbnails.remove_unused(candidates, shown)

    def purge(self) -> int:
        """Write a new generation of every space without its dead rows.

        The old files are no longer named; they go at the next sweep, since a reader may have them
        mapped.

        Returns:
            The number of rows that were left out.

        Raises:
            DiskFullError: the spaces that were done before stay done.
        """
        live = self._live_keys()
        n_dropped = 0
        with explained_disk_errors(self.collection.root):
            for space in list(self._spaces.values()):
                change, n_dead = purged_change(space, live)
                if change.replaced:
                    self._commit_written(None, {space: change})
                    n_dropped += n_dead
        return n_dropped

    def _live_keys(self) -> Ints:
        chosen = (
            select(images.c.key)
            .where(images.c.collection_id == self.collection.id)
            .order_by(images.c.key)
        )
        with self.collection.reading() as connection:
            return np.array(connection.execute(chosen).scalars().all(), np.int64)

    # The end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Merge small segments, write manifests and columns, and free the lock."""
        if not self._lock.held:
            return
        try:
            with explained_disk_errors(self.collection.root):
                for space in self._spaces.values():
                    tail = space.small_tail()
                    if tail and space.are_sound(tail):
                        self._commit_written(None, {space: merged_change(space, tail)})
                    space.write_manifest(self.collection.name)
                self.collection.columns  # noqa: B018  so that the first search need not wait
        except DiskFullError:
            pass  # everything is committed; tidying up can wait for the next writer
        finally:
            self._lock.release()

    def abandon(self) -> None:
        """Free the lock and leave the rest to the next writer; what was committed stands."""
        self._lock.release()

    def __enter__(self) -> CollectionWriter:
        """Return the writer, whose lock is taken already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; after an error only free the lock, so that the error is what the user reads."""
        if kind is None:
            self.close()
        else:
            self.abandon()


def _key_of(image_id: str, keys: Mapping[str, int]) -> int:
    if image_id not in keys:
        raise NotFoundError(
            f"Cannot store rows of image '{image_id}': the collection has no such image."
        )
    return keys[image_id]


def _insert_images(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(insert(images), list(rows))
        return
    names = images.c.keys()  # given to the driver as they are: they are many
    connection.exec_driver_sql(
        f"INSERT INTO images ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",  # noqa: S608  our own words
        list(map(itemgetter(*names), rows)),
    )


def _apply(connection: Connection, changes: ImageChanges) -> None:
    """Bring the tables `images` and the words up to date."""
    for part in in_chunks(changes.removed_keys):
        connection.execute(delete(images).where(images.c.key.in_(part)))
    remove_texts(connection, [*changes.removed_keys, *changes.reworded_keys])
    if changes.added:
        _insert_images(connection, changes.added)
    if changes.updated:
        by_key = update(images).where(images.c.key == bindparam("of_key"))
        values = [
            {name: value for name, value in row.items() if name != "key"} | {"of_key": row["key"]}
            for row in changes.updated
        ]
        connection.execute(by_key, values)
    index_texts(connection, changes.texts)
