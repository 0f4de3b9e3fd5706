"""Open pictures in disposable children: the one door to pixels for all other rooms."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from bilderatlas.errors import Failure, ImageError, UnavailableError
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.process import ChildEndedError, ChildProcess
from bilderatlas.images.refusals import refusal
from bilderatlas.images.replies import (
    MAX_UPLOAD_BYTES,
    DecodedImage,
    checked_image,
    checked_tiles,
    checked_upload,
    max_body_bytes,
)
from bilderatlas.images.sniff import sniff_format
from bilderatlas.images.tiles import MAX_PYRAMID_BYTES, Pyramid, side_of

__all__ = ["DecodedImage", "Decoder"]

T = TypeVar("T")

_CLOCK_S = 0.05
_MAX_CHILDREN = 16
_WAITING_PER_CHILD = 2  # pictures that wait, or are done and not yet taken, for each child


class Decoder:
    """A few children that open pictures; safe to use from several threads.

    Children start when they are first needed and are replaced after
    `limits.images_per_child` pictures, or when a picture kills one.

    >>> with Decoder(n_children=1) as decoder:  # doctest: +SKIP
    ...     decoder.decode(path.read_bytes(), side_px=640).pixels.shape
    """

    def __init__(self, limits: DecodeLimits | None = None, n_children: int | None = None) -> None:
        """Prepare `n_children` places (by default one for each processor, at most 16)."""
        self.limits = limits or DecodeLimits()
        self.n_children = n_children or min(_count_processors(), _MAX_CHILDREN)
        self.peak_child_bytes = 0
        self._places: queue.LifoQueue[ChildProcess | None] = queue.LifoQueue()
        for _ in range(self.n_children):
            self._places.put(None)
        self._alive: set[ChildProcess] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._clock: threading.Thread | None = None

    def __enter__(self) -> Decoder:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def decode(self, data: bytes, *, side_px: int, thumbnails: bool = False) -> DecodedImage:
        """Open one picture.

        Args:
            data: The file, in JPEG, PNG, TIFF, WebP, GIF or BMP, whatever its name.
            side_px: Longest side of the pixels; never enlarged.
            thumbnails: Whether to make them as well.

        Raises:
            ImageError: with a reason code from `refusals`.
            UnavailableError: when no child can be started, or the decoder was closed.
        """
        if not 1 <= side_px <= self.limits.max_side_px:
            raise ValueError(f"side_px is {side_px}; expected 1 to {self.limits.max_side_px}.")
        request = {"verb": "decode", "side_px": side_px, "thumbnails": thumbnails}
        header, body = self._ask(request, data, max_body_bytes(side_px, self.limits))
        return checked_image(header, body, side_px, self.limits)

    def encode_upload(self, data: bytes) -> bytes:
        """Return the picture as a JPEG of at most 2048 px that carries nothing but pixels.

        Raises:
            ImageError: as `decode` does.
        """
        header, body = self._ask({"verb": "upload"}, data, MAX_UPLOAD_BYTES)
        return checked_upload(header, body)

    def make_tiles(self, data: bytes, original_wh: tuple[int, int]) -> list[memoryview]:
        """Return the tiles of a picture whose upright original has this size, in JPEG.

        They stand in the order of `tiles.iter_tiles`.

        Raises:
            ImageError: as `decode` does; also when the picture has another size.
        """
        request = {"verb": "tiles", "side_px": side_of(original_wh)}
        header, body = self._ask(request, data, MAX_PYRAMID_BYTES)
        return checked_tiles(header, body, Pyramid.of(original_wh))

    def iter_decoded(
        self,
        items: Iterable[tuple[T, bytes | Failure]],
        *,
        side_px: int,
        thumbnails: bool = False,
        subject: Callable[[T], str] = str,
    ) -> Iterator[tuple[T, DecodedImage | Failure]]:
        """Open many pictures with all children; yield in the order of `items`.

        At most a few pictures per child are in memory at once, so `items` may be endless.

        Args:
            items: A key and the file, or the reason why there is none (passed on as it is).
            side_px: As in `decode`.
            thumbnails: As in `decode`.
            subject: How a `Failure` names the key.
        """

        def open_one(key: T, data: bytes) -> DecodedImage | Failure:
            try:
                return self.decode(data, side_px=side_px, thumbnails=thumbnails)
            except ImageError as error:
                return Failure(subject(key), "decode", error.reason_code, str(error))

        waiting: deque[tuple[T, Failure | Future[DecodedImage | Failure]]] = deque()
        with ThreadPoolExecutor(self.n_children, thread_name_prefix="decoder") as pool:
            try:
                for key, data in items:
                    if isinstance(data, Failure):
                        waiting.append((key, data))
                    else:
                        waiting.append((key, pool.submit(open_one, key, data)))
                    if len(waiting) >= self.n_children * (1 + _WAITING_PER_CHILD):
                        yield _taken(*waiting.popleft())
                while waiting:
                    yield _taken(*waiting.popleft())
            finally:
                for _, result in waiting:  # nobody takes them any more
                    if isinstance(result, Future):
                        result.cancel()

    def close(self) -> None:
        """End all children; pictures in flight are given up. May be called twice."""
        self._closed.set()
        with self._lock:
            children, self._alive = self._alive, set()
        for child in children:
            child.kill()
        if self._clock is not None:
            self._clock.join()

    def _ask(
        self, request: Mapping[str, Any], data: bytes, limit: int
    ) -> tuple[dict[str, Any], bytearray]:
        """Have one of the children answer; refuse by size and first bytes before that."""
        if len(data) > self.limits.max_file_bytes:
            raise refusal("file-too-large", n_bytes=len(data), limit=self.limits.max_file_bytes)
        request = {**request, "format": sniff_format(data)}
        with self._place() as place:
            return place.ask(request, data, limit)

    @contextlib.contextmanager
    def _place(self) -> Iterator[_Place]:
        """Wait for a free place; put its child back, or the lack of one."""
        place = _Place(self, self._places.get())
        try:
            yield place
        finally:
            self._places.put(place.child)

    def start_child(self) -> ChildProcess:
        """Start a child and have the clock watch it."""
        with self._lock:
            if self._closed.is_set():
                raise UnavailableError("Cannot open the picture: its decoder was closed.")
            child = ChildProcess(self.limits)
            self._alive.add(child)
            if self._clock is None:
                self._clock = threading.Thread(
                    target=self._watch, name="decoder clock", daemon=True
                )
                self._clock.start()
        return child

    def forget(self, child: ChildProcess, *, kill: bool) -> None:
        """Take a child out of service."""
        with self._lock:
            was_ours = child in self._alive
            self._alive.discard(child)
        self.note_peak(child)
        if was_ours:
            child.kill() if kill else child.close()

    def note_peak(self, child: ChildProcess) -> None:
        """Remember the most memory that any child has used."""
        self.peak_child_bytes = max(self.peak_child_bytes, child.peak_bytes)

    def _watch(self) -> None:
        while not self._closed.wait(_CLOCK_S):
            with self._lock:
                children = list(self._alive)
            for child in children:
                child.stop_if_late(time.monotonic())


class _Place:
    """One of the decoder's places, held by one thread: a child, or none yet."""

    def __init__(self, decoder: Decoder, child: ChildProcess | None) -> None:
        self.decoder = decoder
        self.child = child

    def ask(
        self, request: Mapping[str, Any], data: bytes, limit: int
    ) -> tuple[dict[str, Any], bytearray]:
        """Ask the child here; if a used one fails, ask a fresh one, whose word is final.

        A verdict must depend on the picture alone, not on those that the child saw before.
        """
        is_fresh = self.child is None
        try:
            header, body = self._ask_once(request, data, limit)
            if is_fresh or header.get("code") != "too-much-memory":
                return header, body
        except ChildEndedError as ended:
            if ended.code == "too-slow" or (is_fresh and ended.code != "decoder-died"):
                raise self._refusal(ended) from ended
        self._leave(kill=True)
        try:
            return self._ask_once(request, data, limit)
        except ChildEndedError as ended:
            raise self._refusal(ended) from ended

    def _ask_once(
        self, request: Mapping[str, Any], data: bytes, limit: int
    ) -> tuple[dict[str, Any], bytearray]:
        if self.child is None:
            self.child = self.decoder.start_child()
        try:
            header, body = self.child.ask(request, data, limit)
        except ChildEndedError:
            self._leave(kill=True)
            raise
        self.decoder.note_peak(self.child)
        if self.child.n_asked >= self.decoder.limits.images_per_child:
            self._leave(kill=False)
        return header, body

    def _leave(self, *, kill: bool) -> None:
        if self.child is not None:
            self.decoder.forget(self.child, kill=kill)
            self.child = None

    def _refusal(self, ended: ChildEndedError) -> ImageError:
        limits = self.decoder.limits
        facts: dict[str, dict[str, float]] = {
            "too-slow": {"limit": limits.timeout_s},
            "too-much-memory": {"limit": limits.memory_bytes},
        }
        return refusal(ended.code, **facts.get(ended.code, {}))


def _taken(
    key: T, result: Failure | Future[DecodedImage | Failure]
) -> tuple[T, DecodedImage | Failure]:
    return key, result if isinstance(result, Failure) else result.result()


def _count_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
