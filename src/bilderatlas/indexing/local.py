"""The pipeline on one machine: bytes → pixels (in children) → embeddings (in threads) → commit.

While one batch is extracted and committed the next is read and decoded. Everything is bounded, and
in the source's order. Interrupted anywhere, the commits stand and the same call goes on after
them: of what an extractor did, at most one batch is done again.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from bilderatlas.errors import Failure, UnavailableError
from bilderatlas.extractors import Extractor, ImageRows, default_extractors
from bilderatlas.images.decoder import DecodedImage, Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.indexing.extract import Batch, BatchExtractor, Fetched
from bilderatlas.indexing.machine import choose_batch_images
from bilderatlas.indexing.overlap import overlapped
from bilderatlas.indexing.plan import Plan, make_plan
from bilderatlas.indexing.prepare import load_networks, prepare_extractors
from bilderatlas.indexing.reduce import complete_reduced
from bilderatlas.indexing.report import (
    NO_PICTURE_CODES,
    IndexOptions,
    IndexReport,
    Progress,
)
from bilderatlas.indexing.reuse import copy_known_rows
from bilderatlas.indexing.spaces import choose_extractors, spaces_to_complete
from bilderatlas.indexing.trial import sample_pictures
from bilderatlas.records import Record
from bilderatlas.settings import read_settings
from bilderatlas.sources import Source
from bilderatlas.sources.base import SourceOptions
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.kept import engine_of
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.reuse import KnownRows
from bilderatlas.store.source_failures import write_source_failures
from bilderatlas.store.writer import CollectionWriter, NewImage

FAILURE_WEIGHT = 1 / 32
BATCH_S = 3.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record: rows by space, a failure, or both where one space lacks it."""

    record: Record
    sha256: str | None
    decoded: DecodedImage | None
    rows: dict[str, ImageRows]
    failure: Failure | None


def index_source(
    store: LibraryStore,
    source: Source,
    name: str,
    options: IndexOptions | None = None,
    source_options: SourceOptions | None = None,
) -> IndexReport:
    """Bring collection `name` up to date with `source`; create it if there is none.

    `source_options` are those that `source` was opened with; the collection keeps them.

    Raises:
        ConflictError: the name belongs to another source, or somebody else is writing.
        SourceError: the source cannot be read, or gives two images one id.
        UnknownNameError: an extractor that there is not.
    """
    options = options or IndexOptions()
    started = time.monotonic()
    collection, asked, notes = _asked_for(store, source, name, options)
    chosen = choose_extractors(collection, asked)
    extractors, more_notes = prepare_extractors(
        chosen.extractors,
        options.device,
        options.precision,
        lambda side_px: sample_pictures(source, side_px, _limits()),
    )
    if options.keep_first:
        next(iter(source.iter_records()), None)  # an unreadable source leaves nothing behind
    else:
        source.check_ids()
    collection = store.create_collection(
        name,
        source_kind=source.kind,
        source_address=source.address,
        source_options=source_options.to_json() if source_options else None,
    )
    report = IndexReport(name, spaces=[extractor.card.model_id for extractor in extractors])
    if not set(report.spaces) <= set(collection.model_ids()):
        load_networks(extractors)  # before a new space is made that could not be filled
    with collection.writer() as writer:
        for extractor in extractors:
            writer.ensure_space(extractor.card)
        retry = options.retry_failed or options.retry_ids
        plan = make_plan(source, writer, report.spaces, retry=retry)
        write_source_failures(collection.folder, plan.failures)
        if plan.retired:
            writer.retire(plan.retired)
        _note_plan(report, plan)
        known = KnownRows(store)
        copy_known_rows(known, writer, plan, extractors, report)
        options.on_plan(replace(plan.summary(), notes=(*notes, *more_notes)))
        if plan.to_read:
            load_networks(extractors)
            _Run(known, source, writer, plan, extractors, options, report).go()
        complete_reduced(collection, writer, chosen.reduced)
    _build_engines(collection)
    report.seconds = time.monotonic() - started
    return report


def _asked_for(
    store: LibraryStore, source: Source, name: str, options: IndexOptions
) -> tuple[CollectionStore | None, list[str], list[str]]:
    """Return the collection, if there is one, the spaces to complete, and notes on the others.

    Unless some are named: those that it has, or else those that its kind of source gets.

    Raises:
        UnavailableError: when it has spaces and none can be completed here.
    """
    known = name in {info.name for info in store.list_collections()}
    collection = store.get_collection(name) if known else None
    if options.extractors:
        return collection, list(options.extractors), []
    if collection is None or not collection.model_ids():
        return collection, [one.card.model_id for one in default_extractors(source.kind)], []
    asked, notes = spaces_to_complete(collection)
    if not asked:
        raise UnavailableError(
            f"Cannot index '{name}': none of its spaces can be completed here. {' '.join(notes)} "
            "Or name another with --extractor."
        )
    return collection, asked, notes


def _limits() -> DecodeLimits:
    settings = read_settings()
    return DecodeLimits(max_file_bytes=settings.max_file_bytes, max_pixels=settings.max_pixels)


def _build_engines(collection: CollectionStore) -> None:
    """Derive now what the first search would otherwise have to wait for; quick if it is there."""
    for space in map(collection.space, collection.model_ids()):
        if space.card_json.get("many_rows") and space.card_json.get("rows_are") != "figure":
            engine_of(collection, space).build(space.snapshot())


def _note_plan(report: IndexReport, plan: Plan) -> None:
    report.unchanged = plan.n_unchanged
    report.retired = len(plan.retired)
    report.kept_back = plan.n_kept_back
    report.failures.extend(plan.failures)
    report.failed = len(plan.failures)


@dataclass(slots=True)
class _Run:
    """One pass over the pictures of a plan."""

    known: KnownRows
    source: Source
    writer: CollectionWriter
    plan: Plan
    extractors: Sequence[Extractor]
    options: IndexOptions
    report: IndexReport
    done: int = 0

    def go(self) -> None:
        """Commit batch after batch: a kill costs the batch in hand and no other."""
        workers = self.options.workers or read_settings().workers or os.cpu_count() or 1
        side_px = max(extractor.card.side_px for extractor in self.extractors)
        self._tell("")
        with Decoder(_limits(), workers) as decoder, ThreadPoolExecutor(workers) as threads:
            decoded = decoder.iter_decoded(
                self._fetch(), side_px=side_px, thumbnails=True, subject=_subject
            )
            n_images = self.options.batch_images or choose_batch_images(
                self.extractors, self.options.device
            )
            batches = _batched(decoded, n_images, self.options.should_stop)
            extractor = BatchExtractor(self.known, self.extractors, threads, workers, self._needs)
            with closing(overlapped(batches)) as ready:
                for batch in ready:
                    outcomes = self._extracted(extractor, batch)
                    self._commit(sorted(outcomes, key=self._place))
                    if self.options.should_stop():
                        self.report.stopped = True
                        break

    def _place(self, outcome: Outcome) -> int:
        return self.plan.places[outcome.record.image_id]

    def _fetch(self) -> Iterator[tuple[Fetched, bytes | Failure]]:
        for record, found in self.source.iter_images(self.plan.to_read):
            sha256 = None if isinstance(found, Failure) else hashlib.sha256(found).hexdigest()
            yield Fetched(record, sha256), found

    def _extracted(self, extractor: BatchExtractor, batch: Batch) -> list[Outcome]:
        extracted = extractor.extract(batch)
        self.report.reused += extracted.n_reused
        return [
            self._outcome(fetched, found, rows, extracted.failures.get(place))
            for place, ((fetched, found), rows) in enumerate(
                zip(batch, extracted.rows, strict=True)
            )
        ]

    def _outcome(
        self,
        fetched: Fetched,
        found: DecodedImage | Failure,
        rows: dict[str, ImageRows],
        failure: Failure | None,
    ) -> Outcome:
        if isinstance(found, Failure):
            record = self.source.complete(fetched.record, {})
            return Outcome(record, None, None, {}, found)
        record = self.source.complete(fetched.record, found.found)
        if failure is not None and not rows:
            return Outcome(record, None, None, {}, failure)
        return Outcome(record, fetched.sha256, found, rows, failure)

    def _needs(self, fetched: Fetched, extractor: Extractor) -> bool:
        image_id = fetched.record.image_id
        changed = self.plan.known_sha256.get(image_id) != fetched.sha256
        lacking = self.plan.lacking.get(image_id)
        return changed or lacking is None or extractor.card.model_id in lacking

    def _commit(self, outcomes: Sequence[Outcome]) -> None:
        images: list[NewImage] = []
        rows: dict[str, list[tuple[str, ImageRows]]] = {name: [] for name in self.report.spaces}
        for outcome in outcomes:
            images.append(self._new_image(outcome))
            for model_id, image_rows in outcome.rows.items():
                rows[model_id].append((outcome.record.image_id, image_rows))
        self.writer.commit_batch(
            images, {model_id: some for model_id, some in rows.items() if some}
        )
        for outcome in outcomes:
            self._count(outcome)
        self.done += len(outcomes)
        self._tell(outcomes[-1].record.label)

    def _new_image(self, outcome: Outcome) -> NewImage:
        token = self.plan.tokens[outcome.record.image_id]
        size_wh = outcome.decoded.original_size_wh if outcome.decoded else None
        thumbnails = outcome.decoded.thumbnails if outcome.decoded else {}
        failure = None if outcome.rows else outcome.failure  # it costs that one space only
        return NewImage(
            outcome.record, outcome.sha256, token, size_wh, failure, thumbnails=thumbnails
        )

    def _count(self, outcome: Outcome) -> None:
        image_id = outcome.record.image_id
        if outcome.failure is not None and outcome.failure.code in NO_PICTURE_CODES:
            self.report.without_picture += 1
        elif outcome.failure is not None:
            self.report.failed += 1
            self.report.failures.append(outcome.failure)
        elif image_id not in self.plan.known_sha256:
            self.report.added += 1
        elif self.plan.known_sha256[image_id] != outcome.sha256 or not outcome.rows:
            self.report.updated += 1
        else:
            self.report.completed += 1

    def _tell(self, message: str) -> None:
        total = len(self.plan.to_read)
        self.options.on_progress(Progress(self.done, total, self.report.failed, message))


def _subject(fetched: Fetched) -> str:
    return fetched.record.image_id


def _batched(
    items: Iterable[tuple[Fetched, DecodedImage | Failure]],
    n_images: int,
    should_stop: Callable[[], bool],
) -> Iterator[list[tuple[Fetched, DecodedImage | Failure]]]:
    """Group items: at most `n_images` pictures a batch; failures weigh next to nothing.

    A batch is also closed after `BATCH_S`, so that slow sources show progress, and when the run is
    asked to stop.
    """
    begun = time.monotonic()
    batch, weight = [], 0.0
    for item in items:
        batch.append(item)
        weight += FAILURE_WEIGHT if isinstance(item[1], Failure) else 1.0
        if weight >= n_images or time.monotonic() - begun > BATCH_S or should_stop():
            yield batch
            batch, weight, begun = [], 0.0, time.monotonic()
    if batch:
        yield batch
