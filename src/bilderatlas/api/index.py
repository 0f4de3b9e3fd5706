"""Index a source into a collection, now or as a job."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bilderatlas.api.library import Library
from bilderatlas.errors import ConflictError, SourceError, UnavailableError
from bilderatlas.extractors.reduced import MARK
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.indexing import IndexOptions, IndexReport, index_source
from bilderatlas.jobs import Job
from bilderatlas.jobs.queue import JobState
from bilderatlas.sources import SOURCES, open_source
from bilderatlas.sources.base import SourceOptions
from bilderatlas.store.library import check_collection_name


def index(
    library: Library,
    address: str,
    collection: str,
    *,
    source_options: SourceOptions | None = None,
    options: IndexOptions | None = None,
) -> IndexReport:
    """Bring a collection up to date with the source at `address`; create it if there is none.

    A collection remembers its `source_options`; None takes those that it was indexed with. Only
    what is new or changed is read. A run that was stopped or killed goes on where it was.

    Raises:
        SourceError: the source cannot be read.
        ConflictError: the name belongs to another source, or somebody else is writing.
        UnknownNameError: an extractor that there is not.
        UnavailableError: an extractor that cannot run here yet, saying what to do.
    """
    options = options or IndexOptions()
    options = replace(options, extractors=_usable(options.extractors))
    if Path(address).is_dir() and Path(address).resolve() == library.root.resolve():
        raise ConflictError(
            f"Cannot index '{address}': it is the folder of the library itself. Keep the library "
            "elsewhere: name another folder with --library."
        )
    source_options = source_options or _remembered(library, collection)
    source = open_source(address, source_options)
    try:
        return index_source(library.store, source, collection, options, source_options)
    finally:
        source.close()


@dataclass(frozen=True, slots=True)
class Retry:
    """Which pictures that failed before a job tries again; none unless it is said.

    Attributes:
        everything: All of them.
        image_ids: Only these.
    """

    everything: bool = False
    image_ids: tuple[str, ...] = ()


def submit_index(
    library: Library,
    address: str,
    collection: str,
    *,
    extractors: tuple[str, ...] = (),
    source_options: SourceOptions | None = None,
    keep_first: bool = False,
    retry: Retry | None = None,
) -> Job:
    """Queue the same as a job and return it at once.

    Args:
        library: Where the collection is, or will be.
        address: Of the source.
        collection: Its name.
        extractors: Model ids; none: those of the collection, or all that need no weights.
        source_options: None takes those that the collection was indexed with.
        keep_first: Of rows that share an id index the first.
        retry: Which pictures that failed before are tried again.

    Raises:
        SourceError: the source cannot be opened.
        UsageError: the collection cannot be called that.
        ConflictError: a job for that collection is waiting or running, or the name belongs to
            another source.
        UnknownNameError: an extractor that there is not.
        UnavailableError: an extractor that cannot run here yet, saying what to do.
    """
    check_collection_name(collection)
    extractors = _usable(extractors)
    source_options = source_options or _remembered(library, collection)
    source = open_source(address, source_options)
    source.close()
    _check_owner(library, collection, source.address)
    if (job := find_index_job(library, collection)) is not None:
        raise ConflictError(
            f"Cannot queue another job for '{collection}': job '{job.id}' is {job.state}. "
            "Wait for it or cancel it."
        )
    retry = retry or Retry()
    params: dict[str, Any] = {
        "address": source.address,
        "collection": collection,
        "extractors": list(extractors),
        "source_options": source_options.to_json(),
        "keep_first": keep_first,
        "retry_failed": retry.everything,
        "retry_ids": list(retry.image_ids),
    }
    return library.jobs.submit("index", params)


def submit_again(
    library: Library,
    collection: str,
    *,
    extractors: tuple[str, ...] = (),
    retry: Retry | None = None,
) -> Job:
    """Queue a collection to be indexed again from its own source, as it was indexed before.

    Raises:
        UnknownNameError: there is no such collection.
        SourceError: its source cannot be opened, or it has none: its features were imported.
        ConflictError: a job for it is waiting or running.
        UnavailableError: an extractor that cannot run here yet, saying what to do.
    """
    info = library[collection].info
    if info.source_kind not in SOURCES:
        raise SourceError(
            f"Cannot index '{collection}' again: it was not read from pictures but imported from "
            f"'{info.source_address}'. Import that again instead."
        )
    return submit_index(
        library, info.source_address, collection, extractors=extractors, retry=retry
    )


def find_index_job(library: Library, collection: str) -> Job | None:
    """Return the job that indexes a collection now, or will, or is paused; None: there is none."""
    active = library.jobs.list([JobState.QUEUED, JobState.RUNNING, JobState.PAUSED])
    named = (job for job in active if job.params.get("collection") == collection)
    return next((job for job in named if job.kind == "index"), None)


def _check_owner(library: Library, collection: str, address: str) -> None:
    """Make sure that a name is free, or belongs to the source at this (canonical) address."""
    infos = {info.name: info for info in library.collections()}
    if collection in infos and infos[collection].source_address != address:
        raise ConflictError(
            f"Cannot call it '{collection}': there is a collection of that name already, from "
            f"'{infos[collection].source_address}'. Choose another name."
        )


def check_source(address: str, source_options: SourceOptions | None = None) -> None:
    """Make sure that a source can be opened and has something to read; nothing is written.

    Raises:
        SourceError: when it cannot.
    """
    source = open_source(address, source_options)
    try:
        next(iter(source.iter_records()), None)
    finally:
        source.close()


def preview_source(address: str, source_options: SourceOptions | None = None) -> dict[str, Any]:
    """Tell what a source would give: its kind, its size, the mapping of its columns.

    Raises:
        SourceError: the source cannot be read.
    """
    source = open_source(address, source_options)
    try:
        return source.preview()
    finally:
        source.close()


def _usable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of the extractors that `names` stand for: all end here or none.

    Reduced spaces are looked up in their collection, later.
    """
    model_ids = []
    for name in names:
        if MARK in name:
            model_ids.append(name)
            continue
        extractor = get_extractor(name, may_bring=True)
        readiness = extractor.readiness()
        if readiness.state != "ready":
            raise UnavailableError(readiness.told_here)
        model_ids.append(extractor.card.model_id)
    return tuple(model_ids)


def _remembered(library: Library, collection: str) -> SourceOptions:
    if collection not in library:
        return SourceOptions()
    return SourceOptions.from_json(library[collection].store.source_options)
