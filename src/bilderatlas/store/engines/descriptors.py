"""The engine for local features: which images share descriptors with a picture.

Each descriptor of the query looks for its nearest neighbours among all descriptors of the
collection and votes for the images that they lie in. A vote weighs as much as the neighbour is
closer than the tenth nearest: what is common everywhere (a straight edge, an ornament that every
page of a book has) weighs next to nothing, what stands out weighs much (local naive Bayes nearest
neighbour, McCann and Lowe, CVPR 2012). A descriptor votes once for an image, and a row of the
collection receives one vote, so that a repeated pattern does not outvote a whole composition.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask, check_dimension
from bilderatlas.store.engines import descriptor_parts as parts_
from bilderatlas.store.engines.base import select_top
from bilderatlas.store.engines.descriptor_parts import Manifest, PartEntry, SegmentView, identity_of

N_NEIGHBOURS = 10  # the last of them is the background against which the others are weighed
SCANNED_ROWS = 20_000  # so many rows are compared one by one: an index would gain nothing
_N_PROBES = 2
_GROWTH = 0.5  # new rows as a share of the indexed ones, above which all is built again
_MAX_PARTS = 6  # beyond those that the size itself asks for
_CANDIDATES = 30  # of a picture, among which the recall is measured
_MEASURED_PICTURES = 8
_MEASURED_PAIRS = 100_000_000  # comparisons that measuring may cost, some 2 s
_MEASURED_DETAILS = 25  # of each picture
_BACKGROUND = 190.0  # least background distance: many copies of one print are no background

Floats = npt.NDArray[np.float32]


class DescriptorView(Protocol):
    """One version of a space of local features, as `store.spaces.SpaceView` gives it."""

    @property
    def model_id(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def segments(self) -> Sequence[SegmentView]: ...
    @property
    def ordinals(self) -> npt.NDArray[np.int32]: ...


@dataclass(frozen=True, slots=True)
class _Part:
    """A searchable run of rows: `start` is the row of the view at which it begins."""

    index: Any
    start: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class _Opened:
    """The parts of one state of the segments, and the rows behind them that have none yet."""

    segments: tuple[str, ...]
    coarse: Any
    parts: tuple[_Part, ...]
    tail_start: int
    recall: float | None = None


class DescriptorEngine:
    """Finds candidate images for a set of descriptors; thread-safe, one thread a query."""

    name = "descriptors"

    def __init__(self, folder: Path | None = None, *, read_only: bool = False) -> None:
        """Create an engine.

        Args:
            folder: Where derived files lie (`features/<model_id>/engine`); None: memory only.
            read_only: Use the files that are there, build anything else in memory.
        """
        self._folder = folder
        self._read_only = read_only or folder is None
        self._lock = threading.Lock()
        self._opened: _Opened | None = None
        self._swept = False

    def votes(
        self,
        view: DescriptorView,
        vectors: npt.NDArray[Any],
        *,
        n_images: int,
        allowed: Mask | None = None,
        exact: bool = False,
    ) -> npt.NDArray[np.float64]:
        """Weigh how many of the descriptors `vectors` each image shares.

        Args:
            view: The rows; dead ones are left out.
            vectors: `(m, d)` descriptors of the query, bytes or floats.
            n_images: Number of images, to which `view.ordinals` point.
            allowed: `(n_images,)` images that may be found; None: all.
            exact: Compare with every row instead of the index.

        Returns:
            `(n_images,)` weights, 0 where nothing is shared; larger is better.

        Raises:
            SpaceMismatchError: when the descriptors have another dimension.
        """
        check_dimension(vectors, view.dim, view.model_id)
        alive = _alive(view, allowed)
        n_alive = int(alive.sum())
        if n_alive == 0 or len(vectors) == 0:
            return np.zeros(n_images)
        queries = np.ascontiguousarray(vectors, np.float32)
        if exact or n_alive <= SCANNED_ROWS:
            squares, rows = _scan(view, queries, np.flatnonzero(alive))
        else:
            whole = n_alive == view.n_rows
            squares, rows = _search(self._open(view), view, queries, None if whole else alive)
        return weigh_votes(np.sqrt(squares), rows, view.ordinals, n_images)

    def build(self, view: DescriptorView) -> None:
        """Bring the derived files up to date with `view`; quick where little has changed."""
        if view.n_rows > SCANNED_ROWS:
            self._open(view)

    def compares_all(self, view: DescriptorView, allowed: Mask | None, *, exact: bool) -> bool:
        """Tell whether `votes` compares every row that it may, instead of asking an index."""
        return exact or int(_alive(view, allowed).sum()) <= SCANNED_ROWS

    @property
    def recall(self) -> float | None:
        """Return the share of the exact candidates that the index finds, as it was built.

        Candidates are the 30 images with most votes; found are those of an exact comparison that
        are among the index's own 30, for a seeded sample of pictures that are held out of the
        collection. None: there was no index, or nothing to measure it with.
        """
        return self._opened.recall if self._opened else None

    def _open(self, view: DescriptorView) -> _Opened:
        segments = tuple(identity_of(segment) for segment in view.segments)
        opened = self._opened
        if opened is not None and opened.segments == segments:
            return opened
        with self._lock:
            if self._opened is None or self._opened.segments != segments:
                self._opened = self._prepare(view, segments)
            return self._opened

    def _prepare(self, view: DescriptorView, segments: tuple[str, ...]) -> _Opened:
        """Open what is there, add what is missing, or build all of it again."""
        lengths = np.array([segment.entry.n_rows for segment in view.segments], np.int64)
        n_rows = int(lengths.sum())
        known = self._reopen(segments, lengths)
        n_new = n_rows - known.tail_start if known else n_rows
        if known and n_new <= SCANNED_ROWS:
            return known
        n_indexed = n_rows - n_new
        limit = _MAX_PARTS + n_rows // parts_.PART_ROWS
        if known and len(known.parts) <= limit and n_new <= _GROWTH * n_indexed:
            return self._extended(view, known, lengths)
        return self._built(view, segments, lengths)

    def _reopen(self, segments: tuple[str, ...], lengths: Ints) -> _Opened | None:
        """Return the parts, in memory or on disk, that stand for the first of the segments."""
        opened = self._opened
        if opened is not None and opened.segments == segments[: len(opened.segments)]:
            return replace(opened, segments=segments)
        if self._folder is None:
            return None
        manifest = parts_.read_manifest(self._folder)
        if not self._swept and not self._read_only:
            self._swept = True
            parts_.sweep(self._folder, manifest)
        named = tuple(name for part in manifest.parts for name in part.segments) if manifest else ()
        if manifest is None or not named or named != segments[: len(named)]:
            return None
        return self._read(manifest, segments)

    def _read(self, manifest: Manifest, segments: tuple[str, ...]) -> _Opened | None:
        if self._folder is None:
            return None
        try:
            coarse = parts_.read_index(self._folder / manifest.coarse)
            opened: list[_Part] = []
            start = 0
            for entry in manifest.parts:
                path = self._folder / entry.file
                index = parts_.read_index(path, n_bytes=entry.n_bytes, mapped=True)
                if index.ntotal != entry.n_rows:
                    return None
                opened.append(_Part(index, start, entry.n_rows))
                start += entry.n_rows
        except (OSError, RuntimeError):
            return None  # damaged or swept by somebody: it is derived, so it is built again
        return _Opened(segments, coarse, tuple(opened), start, manifest.recall)

    def _built(self, view: DescriptorView, segments: tuple[str, ...], lengths: Ints) -> _Opened:
        faiss.omp_set_num_threads(os.cpu_count() or 1)  # of this thread; a search sets it back
        blocks = [segment.vectors for segment in view.segments]
        n_lists = parts_.list_count(int(lengths.sum()))
        coarse = parts_.train_coarse(parts_.training_sample(blocks, n_lists), n_lists)
        nothing = _Opened(segments, coarse, (), 0)
        return self._with_parts(view, nothing, parts_.runs_of(lengths, parts_.PART_ROWS), None)

    def _extended(self, view: DescriptorView, known: _Opened, lengths: Ints) -> _Opened:
        starts = np.concatenate([[0], np.cumsum(lengths)])
        first = int(np.searchsorted(starts, known.tail_start))
        runs = [
            slice(run.start + first, run.stop + first)
            for run in parts_.runs_of(lengths[first:], parts_.PART_ROWS)
        ]
        manifest = parts_.read_manifest(self._folder) if self._folder else None
        return self._with_parts(view, known, runs, manifest)

    def _with_parts(
        self, view: DescriptorView, base: _Opened, runs: list[slice], manifest: Manifest | None
    ) -> _Opened:
        """Build one part for each run of segments behind those of `base`, and keep them on disk."""
        generation = manifest.generation if manifest else uuid.uuid4().hex[:12]
        entries = list(manifest.parts) if manifest else []
        opened = list(base.parts)
        start = base.tail_start
        for run in runs:
            members = view.segments[run]
            index = parts_.build_lists(base.coarse, (member.vectors for member in members))
            names = tuple(identity_of(member) for member in members)
            file = f"lists-{generation}-{uuid.uuid4().hex[:8]}.faiss"
            index, n_bytes = self._stored(index, file)
            entries.append(PartEntry(file, n_bytes, index.ntotal, names))
            opened.append(_Part(index, start, index.ntotal))
            start += index.ntotal
        built = _Opened(base.segments, base.coarse, tuple(opened), start)
        built = replace(built, recall=_measured_recall(built, view))
        if not self._read_only and self._folder is not None:
            coarse = manifest.coarse if manifest else f"coarse-{generation}.faiss"
            if manifest is None:
                parts_.write_index(base.coarse, self._folder, coarse)
            complete = Manifest(generation, coarse, tuple(entries), built.recall)
            parts_.write_manifest(self._folder, complete)
        return built

    def _stored(self, index: Any, name: str) -> tuple[Any, int]:
        """Put a part on disk and return it mapped; in a read-only library it stays in memory."""
        if self._read_only or self._folder is None:
            return index, 0
        n_bytes = parts_.write_index(index, self._folder, name)
        return parts_.read_index(self._folder / name, n_bytes=n_bytes, mapped=True), n_bytes


def _alive(view: DescriptorView, allowed: Mask | None) -> Mask:
    """Return the rows that may be found."""
    alive = view.ordinals >= 0
    if allowed is not None and not allowed.all():
        alive &= allowed[np.maximum(view.ordinals, 0)]
    return np.asarray(alive, np.bool_)


def _search(
    opened: _Opened, view: DescriptorView, queries: Floats, alive: Mask | None
) -> tuple[Floats, Ints]:
    """Ask the index, and compare with the rows behind it; squared distances and rows."""
    faiss.omp_set_num_threads(1)  # one thread a query, as many queries as there are cores
    found = []
    if opened.parts:
        lists = opened.coarse.search(queries, _N_PROBES)
    for part in opened.parts:
        options: dict[str, Any] = {"nprobe": _N_PROBES}
        if alive is not None:
            bits = np.packbits(alive[part.start : part.start + part.n_rows], bitorder="little")
            options["sel"] = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
        parameters = faiss.SearchParametersIVF(**options)
        squares, rows = parts_.search_lists(
            part.index, queries, lists, k=N_NEIGHBOURS, parameters=parameters
        )
        found.append((squares, np.where(rows >= 0, rows + part.start, -1)))
    tail = np.arange(opened.tail_start, view.n_rows)
    if alive is not None:
        tail = tail[alive[opened.tail_start :]]
    if len(tail):
        found.append(_scan(view, queries, tail))
    return _merge(found)


def _measured_recall(opened: _Opened, view: DescriptorView) -> float | None:
    """Compare the candidates of the index with those of a scan, as `DescriptorEngine.recall` says.

    Each picture asks with some of its details only, so that it takes seconds: with all of them
    more of the candidates are found.
    """
    random = np.random.default_rng(1)
    present = np.unique(view.ordinals[view.ordinals >= 0])
    n_pictures = min(_MEASURED_PICTURES, len(present) // 2)
    n_pictures = min(n_pictures, max(1, _MEASURED_PAIRS // (view.n_rows * _MEASURED_DETAILS)))
    pictures = random.choice(present, n_pictures, replace=False)
    n_images = int(view.ordinals.max(initial=-1)) + 1
    asked = []
    for ordinal in pictures.tolist():
        rows = random.permutation(np.flatnonzero(view.ordinals == ordinal))
        asked.append(np.sort(rows[:_MEASURED_DETAILS]))
    if not asked:
        return None
    queries = np.concatenate([_vectors_at(view, rows) for rows in asked])
    alive = _alive(view, None) & ~np.isin(view.ordinals, pictures)
    scanned = _scan(view, queries, np.flatnonzero(alive))
    indexed = _search(opened, view, queries, alive)
    n_found = n_wanted = 0
    ends = np.cumsum([len(rows) for rows in asked]).tolist()
    for rows, end in zip(asked, ends, strict=True):
        part = slice(end - len(rows), end)
        wanted, found = (
            _candidates(weigh_votes(np.sqrt(squares[part]), near[part], view.ordinals, n_images))
            for squares, near in (scanned, indexed)
        )
        n_wanted += len(wanted)
        n_found += len(wanted & found)
    return n_found / n_wanted if n_wanted else None


def _vectors_at(view: DescriptorView, rows: Ints) -> Floats:
    """Gather `rows` (ascending) from the mapped segments."""
    gathered = [np.empty((0, view.dim), np.float32)]
    start = 0
    for segment in view.segments:
        stop = start + segment.entry.n_rows
        inside = rows[(rows >= start) & (rows < stop)] - start
        gathered.append(segment.vectors[inside].astype(np.float32))
        start = stop
    return np.concatenate(gathered)


def _candidates(votes: npt.NDArray[np.float64]) -> set[int]:
    return set(select_top(np.where(votes > 0, votes, -np.inf), _CANDIDATES).tolist())


def weigh_votes(
    distances: Floats, rows: Ints, ordinals: npt.NDArray[np.int32], n_images: int
) -> npt.NDArray[np.float64]:
    """Turn the neighbours of `q` descriptors into one weight for each image.

    Args:
        distances: `(q, k)` ascending; infinite where there was no neighbour.
        rows: `(q, k)` rows of the neighbours, −1 where there was none.
        ordinals: Image of each row.
        n_images: Number of images.

    Returns:
        `(n_images,)`: for each image the sum, over the descriptors that vote for it, of how much
        nearer its best row is than the descriptor's background, as a share of that background.
    """
    background = distances[:, -1:]
    background = np.where(np.isfinite(background), background, 2 * _BACKGROUND)
    background = np.maximum(background, _BACKGROUND)
    weights = np.where(rows >= 0, 1 - distances / background, 0.0)
    asking, place = np.nonzero(weights > 0)
    row, weight = rows[asking, place], weights[asking, place].astype(np.float64)
    order = np.argsort(-weight, kind="stable")
    asking, row, weight = asking[order], row[order], weight[order]
    once = np.sort(np.unique(row, return_index=True)[1])  # a row receives one vote: the heaviest
    asking, image, weight = asking[once], ordinals[row[once]].astype(np.int64), weight[once]
    once = np.unique(asking * n_images + image, return_index=True)[1]  # a descriptor votes once
    summed = np.bincount(image[once], weights=weight[once], minlength=n_images)
    return np.asarray(summed, np.float64)


def _scan(view: DescriptorView, queries: Floats, rows: Ints) -> tuple[Floats, Ints]:
    """Compare with each of `rows` (ascending), block by block; squared distances and rows."""
    faiss.omp_set_num_threads(1)
    found = []
    start = 0
    for segment in view.segments:
        stop = start + segment.entry.n_rows
        first, last = np.searchsorted(rows, (start, stop)).tolist()
        for low in range(first, last, SCANNED_ROWS):
            chosen = rows[low : min(low + SCANNED_ROWS, last)]
            block = np.ascontiguousarray(segment.vectors[chosen - start], np.float32)
            squares, places = faiss.knn(queries, block, min(N_NEIGHBOURS, len(block)))
            found.append((squares, chosen[places]))
        start = stop
    return _merge(found)


def _merge(found: list[tuple[Floats, Ints]]) -> tuple[Floats, Ints]:
    """Join neighbours from several places to the nearest `N_NEIGHBOURS` of each descriptor."""
    squares = np.concatenate([part[0] for part in found], axis=1)
    rows = np.concatenate([part[1] for part in found], axis=1)
    squares = np.where(rows >= 0, np.maximum(squares, 0), np.inf)
    if squares.shape[1] < N_NEIGHBOURS:
        missing = ((0, 0), (0, N_NEIGHBOURS - squares.shape[1]))
        squares = np.pad(squares, missing, constant_values=np.inf)
        rows = np.pad(rows, missing, constant_values=-1)
    order = np.argsort(squares, axis=1, kind="stable")[:, :N_NEIGHBOURS]
    return (
        np.take_along_axis(squares, order, axis=1).astype(np.float32),
        np.take_along_axis(rows, order, axis=1).astype(np.int64),
    )
