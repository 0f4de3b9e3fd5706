"""The synthetic museum as a source: `museum://?works=600&seed=7`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

from bilderatlas.errors import Failure, ImageError, SourceError
from bilderatlas.museum.labels import record_of
from bilderatlas.museum.paint import PAINTER_VERSION, paint_work
from bilderatlas.museum.plan import image_id_of, plan_work
from bilderatlas.museum.pool import paint_ahead
from bilderatlas.records import Record
from bilderatlas.sources.base import SOURCES, Source, SourceKind, SourceOptions

SCHEME = "museum"
DEFAULT_WORKS = 600
DEFAULT_SEED = 7
MAX_WORKS = 1_000_000
EXAMPLE = f"museum://?works={DEFAULT_WORKS}&seed={DEFAULT_SEED}"


def format_address(works: int, seed: int) -> str:
    """Return the canonical address of a museum.

    >>> format_address(600, 7)
    'museum://?works=600&seed=7'
    """
    return f"{SCHEME}://?works={works}&seed={seed}"


def parse_address(address: str) -> tuple[int, int]:
    """Return works and seed of an address; what is not said has its default.

    Raises:
        SourceError: when a parameter is unknown, said twice, no number or out of range.
    """
    parts = urlsplit(address)
    if parts.netloc or parts.path.strip("/") or parts.fragment:
        raise SourceError(
            f"Cannot open '{address}': a museum's address holds parameters only, as in {EXAMPLE}."
        )
    found: dict[str, int] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in ("works", "seed"):
            raise SourceError(
                f"Cannot open '{address}': a museum has no parameter '{name}'; it takes works and "
                f"seed, as in {EXAMPLE}."
            )
        if name in found:
            raise SourceError(f"Cannot open '{address}': '{name}' is said twice; say it once.")
        low, high = (1, MAX_WORKS) if name == "works" else (0, 2**31 - 1)
        digits = value.isascii() and value.isdigit() and len(value) <= 10
        if not (digits and low <= int(value) <= high):
            raise SourceError(
                f"Cannot open '{address}': {name} is '{value}' but must be a whole number from "
                f"{low} to {high}."
            )
        found[name] = int(value)
    return found.get("works", DEFAULT_WORKS), found.get("seed", DEFAULT_SEED)


class MuseumSource(Source):
    """The works of one synthetic museum, painted when their pictures are asked for."""

    kind = "museum"

    def __init__(self, works: int, seed: int, processes: int = 0) -> None:
        """Open the museum `seed` with `works` works.

        Args:
            works: How many works.
            seed: Which museum.
            processes: How many processes paint ahead; 0 is one a processor.
        """
        self.works = works
        self.seed = seed
        self.processes = processes
        self.address = format_address(works, seed)

    def iter_records(self) -> Iterator[Record | Failure]:
        """Yield the record of each work, in order; nothing is painted."""
        for index in range(self.works):
            yield record_of(plan_work(self.seed, index))

    def fingerprint(self, record: Record) -> str | None:
        """Return painter version, seed and index: the picture is a function of them."""
        return f"painter-{PAINTER_VERSION}:{self.seed}:{self._index(record)}"

    def read_image(self, record: Record) -> bytes:
        """Paint the picture.

        Raises:
            ImageError: `missing` when the record is not of this museum.
        """
        return paint_work(self.seed, self._index(record))

    def iter_images(self, records: Iterable[Record]) -> Iterator[tuple[Record, bytes | Failure]]:
        """Yield `(record, picture)` in order, painted ahead in spawned processes."""
        waiting: deque[tuple[Record, Failure | None]] = deque()

        def jobs() -> Iterator[tuple[int, int]]:
            for record in records:
                try:
                    index = self._index(record)
                except ImageError as error:
                    failure = Failure(record.image_id, "fetch", error.reason_code, str(error))
                    waiting.append((record, failure))
                    continue
                waiting.append((record, None))
                yield self.seed, index

        with closing(paint_ahead(paint_work, jobs(), self.processes)) as painted:
            for picture in painted:
                yield from _failed(waiting)
                record, _ = waiting.popleft()
                yield record, picture
        yield from _failed(waiting)

    def count(self) -> int | None:
        """Return the number of works."""
        return self.works

    def _index(self, record: Record) -> int:
        """Return the number of a record's work.

        Raises:
            ImageError: `missing` when this museum has no such work.
        """
        _, _, digits = record.image_id.rpartition("-")
        if digits.isascii() and digits.isdigit():
            index = int(digits)
            if index < self.works and record.image_id == image_id_of(self.seed, index):
                return index
        raise ImageError(
            "missing",
            f"Cannot paint '{record.image_id}': {self.address} has no such work; its ids run from "
            f"{image_id_of(self.seed, 0)} to {image_id_of(self.seed, self.works - 1)}.",
        )


def _failed(waiting: deque[tuple[Record, Failure | None]]) -> Iterator[tuple[Record, Failure]]:
    """Take the failures that stand first in line."""
    while waiting and waiting[0][1] is not None:
        record, failure = waiting.popleft()
        if failure is not None:
            yield record, failure


class MuseumKind(SourceKind):
    """Recognises `museum://…`."""

    name: ClassVar[str] = "museum"
    example: ClassVar[str] = EXAMPLE

    def accepts(self, address: str) -> bool:
        """Tell whether the address is a museum's."""
        return address.startswith(f"{SCHEME}:")

    def open(self, address: str, options: SourceOptions) -> Source:
        """Open the museum at `address`.

        Raises:
            SourceError: when the address cannot be read.
        """
        works, seed = parse_address(address)
        return MuseumSource(works, seed)


SOURCES.register(MuseumKind.name, MuseumKind())
