"""Where published features come from: an importer knows an address, opens it, and reads batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints, Mask
from bilderatlas.errors import Failure, UsageError
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.records import Record
from bilderatlas.registry import Registry


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a user may say about features besides their address.

    Attributes:
        extractor: The `model_id` that made the vectors, where the address does not tell.
        table: A table of ids and metadata, one line a row, for a bare array of vectors.
        id_column: Its column of ids, where that is not plain.
        metric: How rows are meant to be compared, where the address does not tell.
        normalised: `l2` or `none`, where the address does not tell; empty: measured.
        allow: Hosts and networks that the operator named, beyond public ones.
        token: Opens a served library that is not public.
    """

    extractor: str = ""
    table: Path | None = None
    id_column: str = ""
    metric: str = ""
    normalised: str = ""
    allow: frozenset[str] = frozenset()
    token: str = ""


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Some items in the order of their source, and their rows one after another.

    Attributes:
        records: `n` records; an id occurs once in a whole import.
        content_sha256: `n`; of the encoded picture that was embedded, None where nobody knows.
        sizes_wh: `n`; width and height of the oriented picture, None where nobody knows.
        vectors: `(m, d)` in the dtype of the card: never converted on the way.
        n_rows: `(n,)` int64, rows of each item; they add up to `m`.
        covered: `(n,)` bool: whether the extractor looked at the item. An item that was looked at
            and has no row is *not in the space*.
        geometry: `(m, 4)` float32 as in `ImageRows`, or None.
        failures: `n`; why an item has no usable picture, else None.
    """

    records: Sequence[Record]
    content_sha256: Sequence[str | None]
    sizes_wh: Sequence[tuple[int, int] | None]
    vectors: npt.NDArray[Any]
    n_rows: Ints
    covered: Mask
    geometry: npt.NDArray[np.float32] | None = None
    failures: Sequence[Failure | None] = field(default_factory=list)

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.records)

    def rows(self) -> Iterator[tuple[int, ImageRows]]:
        """Yield `(place, rows)` of each item that was looked at; vectors are views."""
        ends = np.cumsum(self.n_rows).tolist()
        start = 0
        for place, (end, is_covered) in enumerate(zip(ends, self.covered.tolist(), strict=True)):
            if is_covered:
                geometry = None if self.geometry is None else self.geometry[start:end]
                yield place, ImageRows(self.vectors[start:end], geometry)
            start = end


class Features(ABC):
    """Opened features: the facts, and the items in batches; a context manager.

    Attributes:
        address: Canonical spelling: an absolute path or a URL.
        title: What their publisher calls them, or empty; never the bare name of a file.
        card: The facts of the extractor, as far as the publisher gave them.
        n_items: How many items there are, or None if that is not known beforehand.
        notes: What the reader of the import should know: guesses, missing facts.
        projection: The file of the projection that the card names, where there is one.
        hands_out_projection: Whether the file of a reduced space has to come with it.
    """

    address: str
    title: str = ""
    card: Card
    n_items: int | None = None
    notes: tuple[str, ...] = ()
    projection: bytes | None = None
    hands_out_projection: bool = True

    def check(self) -> bool:
        """Prove what can be proved before reading rows: checksums, missing parts, the schema.

        Returns:
            Whether all batches were proved, too. Otherwise the import reads them once before it
            commits anything, and checks ids, dimensions, dtypes and that all numbers are finite;
            so `batches` must be repeatable.

        Raises:
            PackageError: saying what is wrong.
        """
        return False

    @abstractmethod
    def batches(self) -> Iterator[FeatureBatch]:
        """Yield all items, a bounded number at a time; may be called again.

        Raises:
            PackageError: when a part cannot be read.
        """

    def close(self) -> None:  # noqa: B027  most hold nothing open
        """Release files, children and temporary folders."""

    def __enter__(self) -> Features:
        """Use the features in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close on leaving the block."""
        self.close()


class Importer(ABC):
    """One registered format: recognises an address and opens it."""

    name: ClassVar[str]
    example: ClassVar[str]

    @abstractmethod
    def recognises(self, address: str) -> bool:
        """Tell by a quick look whether this format lies at `address`; must not raise."""

    @abstractmethod
    def open(self, address: str, options: ImportOptions) -> Features:
        """Open the features.

        Raises:
            PackageError: when what lies there cannot be used.
            UsageError: when something must be said that the options do not say.
        """


IMPORTERS: Registry[Importer] = Registry(
    "importer of features",
    builtin=(
        "bilderatlas.exchange.import_package",
        "bilderatlas.exchange.clip_retrieval",
        "bilderatlas.exchange.imgs_ai",
        "bilderatlas.exchange.npy",
        "bilderatlas.exchange.served",
    ),
    group="bilderatlas.importers",
)


def open_features(address: str, options: ImportOptions | None = None) -> Features:
    """Open `address` with the first importer that recognises it.

    Raises:
        UsageError: when none does; the message lists an example of each.
        PackageError: when what lies there cannot be used.
    """
    for importer in IMPORTERS:
        if importer.recognises(address):
            return importer.open(address, options or ImportOptions())
    examples = ", ".join(f"{importer.name} ({importer.example})" for importer in IMPORTERS)
    raise UsageError(
        f"Cannot import '{address[:300]}': nothing there that we know as features. Expected one "
        f"of: {examples}."
    )
