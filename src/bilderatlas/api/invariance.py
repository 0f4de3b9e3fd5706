"""Test what a criterion notices: change works of a collection, search with them, see what stays.

A measurement is derived: it lies in one file beside the features of its space, is replaced in one
step, and is void as soon as the extractor is another.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np

from bilderatlas.api.changed_search import Place, Searcher, searcher_of
from bilderatlas.api.collection import Collection
from bilderatlas.api.library import Library
from bilderatlas.api.pictures import Pictures
from bilderatlas.arrays import Pixels
from bilderatlas.errors import BilderatlasError, QueryError, UnavailableError, UnknownNameError
from bilderatlas.evaluation.invariance import (
    MIN_WORKS,
    Effect,
    Invariances,
    Trial,
    cosine,
    overlap,
)
from bilderatlas.evaluation.transformations import CROP_SHARE, TRANSFORMATIONS
from bilderatlas.extractors import Extractor, ImageRows
from bilderatlas.extractors.base import Card, Readiness, rows_are
from bilderatlas.extractors.surroundings import frame_depths
from bilderatlas.images.scaling import scaled
from bilderatlas.indexing.spaces import extractor_of
from bilderatlas.jobs import Job, JobState
from bilderatlas.settings import for_anybody
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.disk import explained_disk_errors, replace_file

KIND = "invariances"
FILE_NAME = "invariances.json"
MAX_WORKS = 60
MADE_ELSEWHERE = (
    "Its vectors were made elsewhere with a model that is not here: search by its own works."
)
AGAIN = "again"  # the unchanged picture
_SILENT_AFTER = 3  # failures in a row after which a source is not asked any more
ACTIVE = (JobState.QUEUED, JobState.RUNNING, JobState.PAUSED)


@dataclass(frozen=True, slots=True)
class TestOptions:
    """How to test: on how many works, chosen by which seed, and who is told.

    Attributes:
        n_works: At most `MAX_WORKS`.
        seed: Of the choice of works.
        on_progress: Takes `(done, total)`.
        should_stop: Asked after each work.
    """

    __test__ = False  # no test of ours, whatever its name

    n_works: int = MAX_WORKS
    seed: int = 0
    on_progress: Callable[[int, int], None] = lambda done, total: None
    should_stop: Callable[[], bool] = lambda: False


def measure_invariances(
    library: Library, name: str, model_id: str, options: TestOptions | None = None
) -> Invariances:
    """Test a criterion on a collection here and now, and keep the result with the space.

    Raises:
        UnknownNameError: for a collection or space that there is not.
        UnavailableError: when the extractor cannot run here; the message says what it needs.
        QueryError: when the space has too few works to compare.
    """
    collection = library[name].store
    measured = run_test(collection, library.pictures, model_id, options or TestOptions())
    assert measured is not None  # only `should_stop` ends it early
    return measured


def submit_invariances(
    library: Library, name: str, model_id: str, *, n_works: int = MAX_WORKS, seed: int = 0
) -> Job:
    """Queue the same as a job; one that waits or runs already is returned instead.

    Raises:
        UnknownNameError: for a collection or space that there is not.
        UnavailableError: when the extractor cannot run here; the message says what it needs.
    """
    collection = library[name].store
    _ready(collection, model_id)
    found = find_test_job(library, name, model_id)
    if found is not None:
        return found
    params = {"collection": name, "model_id": model_id, "n_works": n_works, "seed": seed}
    return library.jobs.submit(KIND, params)


def find_test_job(library: Library, name: str, model_id: str) -> Job | None:
    """Return the job that waits or runs for this space, if there is one."""
    wanted = {"collection": name, "model_id": model_id}
    for job in library.jobs.list(ACTIVE):
        if job.kind == KIND and {key: job.params.get(key) for key in wanted} == wanted:
            return job
    return None


def find_invariances(collection: Collection, model_id: str) -> Invariances | None:
    """Return what was measured for a space; None if nothing was, or with another extractor."""
    return read_invariances(collection.store, model_id)


def read_invariances(collection: CollectionStore, model_id: str) -> Invariances | None:
    """Read the file of a space; one that cannot be read counts as none, it can be made anew."""
    try:
        text = (collection.space_folder(model_id) / FILE_NAME).read_text("utf-8")
        measured = Invariances.from_json(json.loads(text))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return measured if measured.is_of(collection.space(model_id).card_json) else None


def run_test(
    collection: CollectionStore, pictures: Pictures, model_id: str, options: TestOptions
) -> Invariances | None:
    """Test and keep the result; None when it was asked to stop: then nothing is kept.

    Raises:
        UnknownNameError: for a space that there is not.
        UnavailableError: when the extractor cannot run here.
        QueryError: when the space has too few works to compare.
    """
    extractor = _ready(collection, model_id)
    searcher = searcher_of(collection, model_id)
    if searcher.n_works < MIN_WORKS:
        raise QueryError(
            f"Cannot test '{model_id}' on '{collection.name}': it places {searcher.n_works} works "
            f"there, and at least {MIN_WORKS} are needed. Index more works first."
        )
    image_ids = searcher.sample(min(options.n_works, searcher.max_works), options.seed)
    run = _Run(collection, pictures, extractor, searcher, options.should_stop)
    for done, image_id in enumerate(image_ids):
        options.on_progress(done, len(image_ids))
        run.try_work(image_id)
        if options.should_stop():
            return None
    options.on_progress(len(image_ids), len(image_ids))
    measured = run.summed_up(options.seed)
    _keep(collection, measured)
    return measured


def readiness_of(collection: CollectionStore, model_id: str) -> Readiness:
    """Tell whether a space's extractor can run here, as it was when the space was made.

    A card that came from elsewhere may say anything: what cannot be understood is not ready.

    Raises:
        UnknownNameError: for a space that there is not.
    """
    card = collection.space(model_id).card_json
    try:
        extractor = extractor_of(collection, model_id)
        readiness = extractor.readiness()
        is_same = _is_same(card, extractor.card)
    except UnknownNameError:
        return Readiness("to fetch", MADE_ELSEWHERE)
    except BilderatlasError as error:
        return Readiness("to fetch", for_anybody(str(error), collection.root))
    except (TypeError, ValueError, LookupError, AttributeError):
        return Readiness(
            "to fetch",
            f"Cannot use '{model_id}' here: its card cannot be understood. Search by images of "
            "the collection itself.",
        )
    if readiness.state == "ready" and not is_same:
        return Readiness(
            "to fetch",
            "Its features were made with another version or other weights than are here. Index "
            "the collection again.",
        )
    return readiness


def _is_same(card: Mapping[str, Any], now: Card) -> bool:
    stored, here = card.get("weights_sha256"), now.weights_sha256
    same_weights = stored == here or stored is None or here is None
    return card.get("version") == now.version and same_weights


def _ready(collection: CollectionStore, model_id: str) -> Extractor:
    readiness = readiness_of(collection, model_id)
    if readiness.state != "ready":
        raise UnavailableError(
            f"Cannot test '{model_id}' on '{collection.name}' here. {readiness.sentence}"
        )
    return extractor_of(collection, model_id)


def _keep(collection: CollectionStore, measured: Invariances) -> None:
    collection.space(measured.model_id)  # removed meanwhile: no folder is made for it
    text = json.dumps(measured.to_json(), indent=1)
    with explained_disk_errors(collection.root):
        replace_file(collection.space_folder(measured.model_id) / FILE_NAME, text.encode("utf-8"))


class _Run:
    """One test under way."""

    def __init__(
        self,
        collection: CollectionStore,
        pictures: Pictures,
        extractor: Extractor,
        searcher: Searcher,
        should_stop: Callable[[], bool],
    ) -> None:
        self._collection = collection
        self._pictures = pictures
        self._extractor = extractor
        self._searcher = searcher
        self._should_stop = should_stop
        self._trials: dict[str, list[Trial]] = defaultdict(list)
        self._unchanged: dict[str, int] = defaultdict(int)
        self._frames: dict[str, tuple[float, float, float, float]] = {}
        self._vividness: dict[str, float] = {}
        self._n_thumbnails = self._n_failed = self._n_silent = 0

    def try_work(self, image_id: str) -> None:
        """Change one work in every way and search with each of its changes."""
        try:
            pixels = self._read(image_id)
            names, rows = self._embed(pixels)
            places = list(self._place_each(image_id, rows))
        except (BilderatlasError, ValueError, ArithmeticError, cv2.error):
            self._n_failed += 1  # a picture that fails is left out and counted
            return
        if len(places) < len(rows):
            return  # asked to stop
        before, *places = places
        if before.rank is None:
            self._n_failed += 1
            return
        stored = self._searcher.stored(image_id)
        self._trials[AGAIN].append(_trial(image_id, stored, before))
        for name, place in zip(names, places, strict=True):
            self._trials[name].append(_trial(image_id, before, place))
        for change in TRANSFORMATIONS:
            self._unchanged[change.name] += change.name not in names
        self._vividness[image_id] = float(np.ptp(pixels, axis=2).mean())
        if "unframed" in names:
            self._frames[image_id] = _inside(pixels)

    def _place_each(self, image_id: str, rows: Sequence[ImageRows]) -> Iterator[Place]:
        for one in rows:
            if self._should_stop():
                return
            yield self._searcher.place(image_id, one)

    def _embed(self, pixels: Pixels) -> tuple[list[str], list[ImageRows]]:
        """Return the names of the changes that apply; the rows of the picture and of those."""
        changed = [(change.name, change.change(pixels)) for change in TRANSFORMATIONS]
        applied = [(name, after) for name, after in changed if after is not None]
        side_px = self._extractor.card.side_px
        images = [scaled(one, side_px) for one in (pixels, *(after for _, after in applied))]
        return [name for name, _ in applied], self._extractor.extract_batch(images)

    def _read(self, image_id: str) -> Pixels:
        """Read somewhat larger than the extractor sees: what is cut down must not become coarse."""
        side_px = round(self._extractor.card.side_px / CROP_SHARE)
        if self._n_silent < _SILENT_AFTER:
            pixels, is_original = self._pictures.pixels(self._collection, image_id, side_px)
            self._n_silent = 0 if is_original else self._n_silent + 1
        else:
            pixels, is_original = self._pictures.thumbnail(self._collection, image_id), False
        self._n_thumbnails += not is_original
        return pixels

    def summed_up(self, seed: int) -> Invariances:
        """Sum up all trials.

        Raises:
            QueryError: when not a single work could be tried.
        """
        card = self._searcher.card
        n_works = len(self._trials[AGAIN])
        if n_works == 0:
            raise QueryError(
                f"Cannot test '{self._extractor.card.model_id}' on '{self._collection.name}': none "
                f"of {self._n_failed} pictures could be read and compared. Index its source again."
            )
        return Invariances(
            model_id=card["model_id"],
            card_version=card["version"],
            weights_sha256=card.get("weights_sha256"),
            rows_are=rows_are(card),
            collection_version=self._searcher.version,
            measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
            n_works=n_works,
            n_in_space=self._searcher.n_works,
            n_from_thumbnails=min(self._n_thumbnails, n_works),
            n_failed=self._n_failed,
            seed=seed,
            k=self._searcher.k,
            again=Effect.of(AGAIN, self._trials[AGAIN]),
            effects=tuple(self._effect(change.name) for change in TRANSFORMATIONS),
        )

    def _effect(self, name: str) -> Effect:
        trials: Sequence[Trial] = self._trials[name]
        # of a vivid picture one sees best what happened to it, its colours included
        tried = (trial.image_id for trial in trials)
        example = max(tried, key=self._vividness.__getitem__, default="")
        effect = Effect.of(name, trials, n_unchanged=self._unchanged[name], example=example)
        if name != "unframed" or not trials:
            return effect
        return replace(effect, example_xyxyn=self._frames[example])


def _trial(image_id: str, before: Place, after: Place) -> Trial:
    compared = before.neighbours is not None
    kept = None
    if before.neighbours is not None:
        kept = 0.0 if after.neighbours is None else overlap(before.neighbours, after.neighbours)
    angle = None
    if compared and before.vector is not None:
        angle = 0.0 if after.vector is None else cosine(before.vector, after.vector)
    return Trial(image_id, after.rank, kept, angle)


def _inside(pixels: Pixels) -> tuple[float, float, float, float]:
    top, bottom, left, right = frame_depths(pixels)
    height, width = pixels.shape[:2]
    return left / width, top / height, 1 - right / width, 1 - bottom / height
