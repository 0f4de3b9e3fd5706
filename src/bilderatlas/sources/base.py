"""What a source is: an iterator of records, and the bytes of each record's picture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from bilderatlas.errors import Failure, SourceError
from bilderatlas.records import Record
from bilderatlas.registry import Registry


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a user may say about a source besides its address.

    Attributes:
        columns: Field name → column name or 1-based number, overriding recognition;
            `-` leaves the field out.
        image_folder: Folder that the paths in a table start from, instead of the table's own.
        absolute_paths: Whether a table may name pictures anywhere on this machine by their full
            path. A server that indexes what strangers send must say no.
    """

    columns: dict[str, str] = field(default_factory=dict)
    image_folder: str = ""
    absolute_paths: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return what a collection keeps, so that its source can be opened again as it was."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SourceOptions:
        """Rebuild options from `to_json`; what is missing takes its default."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})


class Source(ABC):
    """One place that holds pictures and what is known about them."""

    kind: ClassVar[str]
    address: str
    """Canonical spelling (absolute path or URL): equal addresses are the same source."""

    @abstractmethod
    def iter_records(self) -> Iterator[Record | Failure]:
        """Yield each record once, in a stable order; what cannot be a record is a `Failure`."""

    @abstractmethod
    def fingerprint(self, record: Record) -> str | None:
        """Return a cheap token that changes whenever the picture may have; None if unknown."""

    @abstractmethod
    def read_image(self, record: Record) -> bytes:
        """Return the encoded picture.

        Raises:
            ImageError: with a reason code: `no-image`, `missing`, `unreadable`, `too-large`.
        """

    def iter_images(self, records: Iterable[Record]) -> Iterator[tuple[Record, bytes | Failure]]:
        """Yield `(record, bytes)` in order; sources that can work ahead override this."""
        from bilderatlas.errors import ImageError

        for record in records:
            try:
                yield record, self.read_image(record)
            except ImageError as error:
                yield record, Failure(record.image_id, "fetch", error.reason_code, str(error))

    def complete(self, record: Record, found: Mapping[str, Any]) -> Record:
        """Return `record` with its empty fields filled from `found`, the metadata in its file.

        The indexer calls this once a picture is decoded; sources that have a last resort, such as
        a title made of the file name, override it.
        """
        return record.filled_from(found)

    def check_ids(self) -> None:  # noqa: B027  a folder cannot hold one path twice
        """Make sure, before anything is written, that no two images share an identifier.

        Raises:
            SourceError: naming the first ones that do, and what to do.
        """

    def count(self) -> int | None:
        """Return how many records there are, if that is known without reading them all."""
        return None

    def preview(self) -> dict[str, Any]:
        """Return what `bilderatlas sources preview` shows; tables add their mapping."""
        return {"kind": self.kind, "address": self.address, "records": self.count()}

    def close(self) -> None:  # noqa: B027  most sources hold nothing open
        """Release what the source holds open."""


class SourceKind(ABC):
    """A registered kind of source: recognises an address and opens it."""

    name: ClassVar[str]
    example: ClassVar[str]

    @abstractmethod
    def accepts(self, address: str) -> bool:
        """Tell, without opening it, whether this kind can read `address`."""

    @abstractmethod
    def open(self, address: str, options: SourceOptions) -> Source:
        """Open the source.

        Raises:
            SourceError: saying what was found, what was expected and what to do.
        """


SOURCES: Registry[SourceKind] = Registry(
    "source",
    builtin=(
        "bilderatlas.sources.museum",
        "bilderatlas.sources.table",
        "bilderatlas.sources.folder",
    ),
    group="bilderatlas.sources",
)


def open_source(address: str, options: SourceOptions | None = None) -> Source:
    """Open `address` with the first kind that accepts it.

    Raises:
        SourceError: when no kind does; the message lists an example of each.
    """
    for kind in SOURCES:
        if kind.accepts(address):
            return kind.open(address, options or SourceOptions())
    examples = ", ".join(f"{kind.name} ({kind.example})" for kind in SOURCES)
    raise SourceError(
        f"Cannot index '{address}': there is no such folder or file, and it is no address that we "
        f"know. A source is one of: {examples}."
    )
