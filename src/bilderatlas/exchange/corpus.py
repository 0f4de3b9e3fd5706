"""A corpus on its way out: chosen works as a table, each with what may be done with its picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bilderatlas.exchange.public_record import public_record
from bilderatlas.exchange.rights import SharingRight, may_share
from bilderatlas.records import FIELD_KINDS, Record
from bilderatlas.search.hits_table import spreadsheet_cell

# What names a file of this machine is of no use to others.
_RECORD_COLUMNS = tuple(name for name in FIELD_KINDS if name != "image_path")
COLUMNS = (
    *("number", "collection", "image_id", "region", "note", "score", "percentile"),
    *_RECORD_COLUMNS,
    *("page", "may_be_shared", "sharing", "gone"),
)


@dataclass(frozen=True)
class CorpusWork:
    """One work of a corpus.

    Attributes:
        number: Its place, from 1.
        collection: Name of its collection.
        image_id: Its id there.
        record: What is known of it; an empty one where the work is gone.
        label: One line that names it.
        region: The detail that is meant, `x,y,w,h` in shares; empty: the whole.
        note: What was written beside it.
        page: Address of its page here.
        sha256: Hash of its picture; None where there is none.
        gone: Why it is gone; empty where it is there.
        found: How it was found: `score`, `percentile`.
    """

    number: int
    collection: str
    image_id: str
    record: Record
    label: str = ""
    region: str = ""
    note: str = ""
    page: str = ""
    sha256: str | None = None
    gone: str = ""
    found: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def right(self) -> SharingRight:
        """Whether its picture may be handed on."""
        return may_share(self.record.rights)

    @property
    def caption(self) -> str:
        """Who made it, what it is, when, where it is, and by what right it is shown."""
        record = self.record
        parts = [
            self.label or record.label,
            record.medium,
            record.dimensions,
            record.institution,
            record.accession,
            record.credit,
            record.rights,
            self.source,
        ]
        return ". ".join(" ".join(part.split()).rstrip(".") for part in parts if part) + "."

    @property
    def source(self) -> str:
        """Its page at its institution; empty where the record names none on the web."""
        page = (self.record.page_url or "").strip()
        return page if page.lower().startswith(("http://", "https://")) else ""

    def to_json(self) -> dict[str, Any]:
        """Return the work as others may have it, as JSON-ready values."""
        values: dict[str, Any] = {
            "number": self.number,
            "collection": self.collection,
            "image_id": self.image_id,
            "region": self.region or None,
            "note": self.note,
            "label": self.label or self.record.label,
            "page": self.page,
            "may_be_shared": self.right.allowed,
            "sharing": self.right.reason,
            "gone": self.gone or None,
            "record": public_record(self.record.to_json()),
        }
        return values | dict(self.found)


def iter_csv(works: Iterable[CorpusWork]) -> Iterator[str]:
    """Yield a table line by line (RFC 4180), its heading first, safe to open in a spreadsheet."""
    yield csv_line(COLUMNS)
    for work in works:
        yield csv_line([_row(work).get(name) for name in COLUMNS])


def csv_line(values: Iterable[Any]) -> str:
    """Return one line of a table, safe to open in a spreadsheet."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(map(spreadsheet_cell, values))
    return file.getvalue()


def _row(work: CorpusWork) -> dict[str, Any]:
    values = work.to_json()
    row: dict[str, Any] = values.pop("record") | values
    return row | {"may_be_shared": "yes" if work.right.allowed else "no", "region": work.region}
