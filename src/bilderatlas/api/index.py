"""Index a source into a collection, now or as a job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from bilderatlas.api.library import Library
from bilderatlas.errors import ConflictError, UnavailableError
from bilderatlas.extractors.reduced import MARK
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.indexing import IndexOptions, IndexReport, index_source
from bilderatlas.jobs import Job
from bilderatlas.jobs.queue import JobState
from bilderatlas.sources import open_source
from bilderatlas.sources.base import SourceOptions


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


def submit_index(
    library: Library,
    address: str,
    collection: str,
    *,
    extractors: tuple[str, ...] = (),
    source_options: SourceOptions | None = None,
) -> Job:
    """Queue the same as a job and return it at once.

    Raises:
        SourceError: the source cannot be opened.
        ConflictError: a job for that collection is waiting or running.
        UnknownNameError: an extractor that there is not.
        UnavailableError: an extractor that cannot run here yet, saying what to do.
    """
    extractors = _usable(extractors)
    source_options = source_options or _remembered(library, collection)
    open_source(address, source_options).close()
    for job in library.jobs.list([JobState.QUEUED, JobState.RUNNING]):
        if job.kind == "index" and job.params.get("collection") == collection:
            raise ConflictError(
                f"Cannot queue another job for '{collection}': job '{job.id}' is {job.state}. "
                "Wait for it or cancel it."
            )
    params: dict[str, Any] = {
        "address": str(Path(address).absolute()) if Path(address).exists() else address,
        "collection": collection,
        "extractors": list(extractors),
        "source_options": source_options.to_json(),
    }
    return library.jobs.submit("index", params)


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
