"""Mending what a check found: derived things are made again, damaged rows are left out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from bilderatlas.errors import ConflictError
from bilderatlas.store.check import Finding
from bilderatlas.store.database import in_chunks, write_transaction
from bilderatlas.store.disk import explained_disk_errors
from bilderatlas.store.fulltext import index_texts, remove_texts
from bilderatlas.store.images import count_images, image_of
from bilderatlas.store.schema import collections, images, segments, spaces

if TYPE_CHECKING:
    from bilderatlas.store.collection import CollectionStore


def repair_collection(collection: CollectionStore, findings: Sequence[Finding]) -> None:
    """Mend the repairable ones of `findings`.

    Columns and engines are removed, they are derived; manifests, orphans: the next writer's
    opening, which ends this, sees to them. A damaged segment is no longer named, so that its
    images are missing from the space and the next indexing computes them. An image without
    thumbnails loses its fingerprint, so that the next indexing looks at it again.

    Raises:
        ConflictError: when another process writes.
    """
    collection.refuse_if_read_only()
    subjects: dict[str, list[str]] = {}
    for finding in findings:
        if finding.repairable:
            subjects.setdefault(finding.kind, []).append(finding.subject)
    with collection.writer_lock(), explained_disk_errors(collection.root):
        _mend_records(collection, subjects)
        if "columns" in subjects:
            collection.rebuild_columns()
        for engine in collection.folder.glob("features/*/engine"):
            shutil.rmtree(engine, ignore_errors=True)
    with collection.writer():
        pass  # sweeps, and writes the manifests


def _mend_records(collection: CollectionStore, subjects: dict[str, list[str]]) -> None:
    dropped = [subject.rpartition("/") for subject in subjects.get("segment", [])]
    emptied = subjects.get("twice", [])
    unseen = [image_id for text in subjects.get("thumbnails", []) for image_id in text.split("\n")]
    if not (dropped or emptied or unseen or {"counts", "texts"} & set(subjects)):
        return
    with write_transaction(collection.database, collection.root) as connection:
        own_spaces = select(spaces.c.id).where(spaces.c.collection_id == collection.id)
        for model_id, _, number in dropped:
            space = own_spaces.where(spaces.c.model_id == model_id).scalar_subquery()
            connection.execute(
                delete(segments).where(
                    segments.c.space_id == space, segments.c.number == int(number)
                )
            )
        for model_id in emptied:
            space = own_spaces.where(spaces.c.model_id == model_id).scalar_subquery()
            connection.execute(delete(segments).where(segments.c.space_id == space))
        for part in in_chunks(unseen):
            own = (images.c.collection_id == collection.id) & images.c.image_id.in_(part)
            connection.execute(update(images).where(own).values(fingerprint=None))
        if "texts" in subjects:
            rows = connection.execute(
                select(images).where(images.c.collection_id == collection.id)
            ).all()
            remove_texts(connection, [row.key for row in rows])
            index_texts(connection, [(row.key, image_of(row).record) for row in rows])
        n_images, n_failed = count_images(connection, collection.id)
        raised = connection.execute(
            update(collections)
            .where(collections.c.id == collection.id)
            .values(version=collections.c.version + 1, n_images=n_images, n_failed=n_failed)
        )
        if raised.rowcount != 1:
            raise ConflictError(f"The collection '{collection.name}' was removed meanwhile.")
