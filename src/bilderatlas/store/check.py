"""Proving that a collection on disk is what its commits say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import Connection, select

from bilderatlas.arrays import Ints
from bilderatlas.errors import StoreError
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.store.columns import Columns
from bilderatlas.store.columns_build import ColumnData, ColumnTable
from bilderatlas.store.columns_files import read_table
from bilderatlas.store.fulltext import count_texts
from bilderatlas.store.images import ImageState, count_images, first_key, last_key
from bilderatlas.store.projections import damage_of_projection
from bilderatlas.store.schema import images
from bilderatlas.store.segments import Segment, SegmentEntry, broken_files
from bilderatlas.store.space_writer import manifest_bytes
from bilderatlas.store.spaces import SpaceEntry, select_spaces
from bilderatlas.store.sweep import files_lock, iter_left_over

if TYPE_CHECKING:
    from bilderatlas.store.collection import CollectionStore

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        severity: `error` (an answer may be wrong or missing), `warning` (derived or left over).
        what: One sentence for the user.
        where: The file or table, below the library's folder.
        repairable: Whether `check(repair=True)` mends it; some mending makes images missing from
            a space, and the next indexing computes them again.
        kind: One word for tables and for the repair.
        subject: What the repair needs to know: a `model_id`, a segment's number, a sha256.
    """

    severity: str
    what: str
    where: str
    repairable: bool
    kind: str = ""
    subject: str = ""


def check_collection(collection: CollectionStore) -> list[Finding]:
    """Read everything of a collection once, and return what does not agree, worst first.

    It sees one version; others may write meanwhile, and their sweeps wait. What a running writer
    leaves on its way (temporary files, a manifest that it writes at its end) is not judged.
    """
    sweeps = files_lock(collection.root)
    if not collection.read_only:
        sweeps.try_acquire()
    try:
        with collection.reading() as connection:
            findings = [
                *_check_leavings(collection, connection),
                *_findings(collection, connection),
            ]
    finally:
        sweeps.release()
    return sorted(findings, key=lambda finding: finding.severity)


def _check_leavings(collection: CollectionStore, connection: Connection) -> list[Finding]:
    """Judge what the last writer left, unless one is at work; holds its lock for this moment."""
    lock = collection.writer_lock()
    if not collection.read_only and not lock.try_acquire():
        return []
    try:
        entries = select_spaces(connection, collection.id)
        findings = [
            finding for entry in entries.values() for finding in _check_manifest(collection, entry)
        ]
        findings += [
            Finding("warning", "No commit names it.", _below(collection, path), True, "orphan")
            for path in iter_left_over(collection.folder / "features", entries)
        ]
    finally:
        lock.release()
    return findings


def _findings(collection: CollectionStore, connection: Connection) -> Iterator[Finding]:
    state = collection.state(connection)
    table = read_table(connection, collection.id)
    yield from _check_counts(collection, connection)
    yield from _check_columns(collection, connection, table, state.records_version)
    indexed = _indexed_keys(connection, collection.id)
    for entry in select_spaces(connection, collection.id).values():
        yield from _check_space(collection, entry, table.keys, indexed, state.next_key)
    yield from _check_thumbnails(collection, connection)


def _below(collection: CollectionStore, path: Path) -> str:
    return path.relative_to(collection.root).as_posix()


def _check_counts(collection: CollectionStore, connection: Connection) -> Iterator[Finding]:
    state = collection.state(connection)
    counted = count_images(connection, collection.id)
    if counted != (state.n_images, state.n_failed):
        yield Finding(
            "error",
            f"The collection says {state.n_images} images, {state.n_failed} of them failed; its "
            f"table has {counted[0]} and {counted[1]}.",
            "collections",
            True,
            "counts",
        )
    n_texts = count_texts(connection, first_key(collection.id), last_key(collection.id))
    if n_texts != counted[0]:
        yield Finding(
            "error",
            f"The full-text index knows {n_texts} images of {counted[0]}.",
            "image_texts",
            True,
            "texts",
        )


def _indexed_keys(connection: Connection, collection_id: int) -> Ints:
    chosen = (
        select(images.c.key)
        .where(images.c.collection_id == collection_id, images.c.state == ImageState.INDEXED.value)
        .order_by(images.c.key)
    )
    return np.array(connection.execute(chosen).scalars().all(), np.int64)


def _check_columns(
    collection: CollectionStore, connection: Connection, table: ColumnTable, version: int
) -> Iterator[Finding]:
    """Columns on disk for this version must answer as the records do; none is fine too."""
    for path in sorted((collection.folder / "columns").glob(f"columns-{version:09d}-*.bin")):
        try:
            differing = differing_columns(Columns.open(path).to_table(), table)
        except (StoreError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            differing = [f"the file itself ({error})"]
        if differing:
            yield Finding(
                "error",
                f"Columns differ from the records: {', '.join(differing[:_SHOWN])}.",
                _below(collection, path),
                True,
                "columns",
            )


def differing_columns(found: ColumnTable, expected: ColumnTable) -> list[str]:
    """Return the names of the columns that would answer differently."""
    if not np.array_equal(found.keys, expected.keys):
        return ["keys"]
    if list(found.image_ids) != list(expected.image_ids):
        return ["image_id"]
    names = [*dict.fromkeys([*found.columns, *expected.columns])]
    return [
        name
        for name in names
        if name not in found.columns
        or name not in expected.columns
        or not _answers_alike(found.columns[name], expected.columns[name])
    ]


def _answers_alike(one: ColumnData, other: ColumnData) -> bool:
    if str(one.kind) != str(other.kind):
        return False
    if one.numbers is not None and other.numbers is not None:
        assert one.missing is not None and other.missing is not None
        alike = np.array_equal(one.missing, other.missing) and np.array_equal(
            one.numbers[~one.missing], other.numbers[~other.missing]
        )
        if not alike:
            return False
    if one.offsets is not None or other.offsets is not None:
        if one.offsets is None or other.offsets is None:
            return False
        if not np.array_equal(one.offsets, other.offsets):
            return False
    if one.codes is None or other.codes is None:
        return one.codes is None and other.codes is None
    return _spelled(one) == _spelled(other)


def _spelled(column: ColumnData) -> list[str | None]:
    values: list[str | None] = [*column.values, None]
    assert column.codes is not None
    return [values[code] for code in column.codes.tolist()]


def _check_space(
    collection: CollectionStore,
    entry: SpaceEntry,
    live_keys: Ints,
    indexed: Ints,
    next_key: int,
) -> Iterator[Finding]:
    folder = collection.space_folder(entry.model_id)
    numbers = [part.number for part in entry.segments]
    if numbers and max(numbers) >= entry.next_segment:
        yield Finding(
            "error",
            f"Space '{entry.model_id}' would use number {entry.next_segment} a second time.",
            "spaces",
            False,
            "next-segment",
            entry.model_id,
        )
    if damage := damage_of_projection(folder, entry.card_json):
        advice = "Run `bilderatlas features reduce` with --refit."
        where = _below(collection, folder)
        yield Finding("error", f"{damage} {advice}", where, False, "projection", entry.model_id)
    sound = []
    for part in entry.segments:
        damage = _damage_of(folder, entry, part, first_key(collection.id) + next_key)
        if damage:
            yield Finding(
                "error",
                f"Segment {part.number} of '{entry.model_id}' is damaged: {damage}. A repair "
                "leaves it out, and the next indexing computes its images again.",
                f"{_below(collection, folder)}/",
                True,
                "segment",
                f"{entry.model_id}/{part.number}",
            )
        else:
            sound.append(Segment(folder, part, entry.dim, entry.dtype))
    yield from _check_rows(collection, entry, sound, live_keys, indexed)


def _damage_of(folder: Path, entry: SpaceEntry, part: SegmentEntry, end_key: int) -> str:
    """Return what is wrong with the files of a segment; empty if nothing is."""
    if broken := broken_files(folder, part):
        return f"{', '.join(broken)}: gone, or other bytes than were committed"
    try:
        segment = Segment(folder, part, entry.dim, entry.dtype)
        covered = segment.covered_keys
    except (StoreError, OSError) as error:
        return str(error)
    agrees = (
        len(segment.image_keys) == part.n_rows
        and len(covered) == part.n_images
        and (not len(covered) or int(covered.max()) < end_key)
        and bool(np.isin(segment.image_keys, covered).all())
    )
    return "" if agrees else "its rows are not those of images that it looked at"


def _check_rows(
    collection: CollectionStore,
    entry: SpaceEntry,
    sound: list[Segment],
    live_keys: Ints,
    indexed: Ints,
) -> Iterator[Finding]:
    nothing = np.empty(0, np.int64)
    covered = np.concatenate([nothing, *(part.covered_keys for part in sound)])
    keys = np.concatenate([nothing, *(part.image_keys for part in sound)])
    live_covered = covered[np.isin(covered, live_keys)]
    where = _below(collection, collection.space_folder(entry.model_id))
    n_twice = len(live_covered) - len(np.unique(live_covered))
    if not entry.card_json.get("many_rows"):
        live = keys[np.isin(keys, live_keys)]
        n_twice = max(n_twice, len(live) - len(np.unique(live)))
    if n_twice:
        yield Finding(
            "error",
            f"{n_twice} images stand in space '{entry.model_id}' twice. A repair empties the "
            "space, and the next indexing computes it again.",
            where,
            True,
            "twice",
            entry.model_id,
        )
    n_unread = int((~np.isin(live_covered, indexed)).sum())
    if n_unread:
        yield Finding(
            "error",
            f"Space '{entry.model_id}' has rows of {n_unread} images whose picture was not read.",
            where,
            False,
            "unread",
            entry.model_id,
        )


def _check_manifest(collection: CollectionStore, entry: SpaceEntry) -> Iterator[Finding]:
    path = collection.space_folder(entry.model_id) / "features.json"
    try:
        agrees = json.loads(path.read_bytes()) == json.loads(manifest_bytes(entry, collection.name))
    except (OSError, ValueError):
        agrees = False
    if not agrees:
        yield Finding(
            "warning",
            f"The manifest of space '{entry.model_id}' is missing or does not say what SQL says.",
            _below(collection, path),
            True,
            "manifest",
            entry.model_id,
        )


def _check_thumbnails(collection: CollectionStore, connection: Connection) -> Iterator[Finding]:
    if collection.source_kind == "features":
        return  # published features come without pictures
    chosen = select(images.c.image_id, images.c.content_sha256).where(
        images.c.collection_id == collection.id, images.c.state == ImageState.INDEXED.value
    )
    lacking: list[str] = []
    for image_id, sha256 in connection.execute(chosen):
        sizes = [collection.thumbnails.path(sha256, side) for side in THUMBNAIL_SIDES_PX]
        if not all(path is not None and path.stat().st_size for path in sizes):
            lacking.append(image_id)
    if lacking:
        yield Finding(
            "warning",
            f"{len(lacking)} images have no thumbnails, '{lacking[0]}' among them. A repair marks "
            "them, and the next indexing makes them again.",
            "thumbnails/",
            True,
            "thumbnails",
            "\n".join(lacking),
        )
