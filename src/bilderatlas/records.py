"""What is known about a picture: the record, its fields, and how it becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any


class FieldKind(StrEnum):
    """What a field holds; it decides how a filter may ask for it."""

    TEXT = "text"  # one string
    TEXTS = "texts"  # several strings: a filter holds if one of them does
    YEAR = "year"  # an integer year, BCE negative
    LINK = "link"  # an address or a path


@dataclass(frozen=True, slots=True)
class Record:
    """The metadata of one image.

    Everything but `image_id` may be missing. `raw` is the untouched original row: nothing that a
    source said is lost, and its columns can be filtered under their own (lower-case) names.

    Attributes:
        image_id: Stable string from the source; survives re-import.
        title: As the source spells it.
        creators: Names in the source's order.
        date_display: The date as written: `c. 1860`.
        year_begin: First year of the interval; None if undated.
        year_end: Last year of the interval, inclusive.
        place: Where it was made.
        culture: Culture or nationality of its making.
        school: School, as catalogues use the word: `Dutch`.
        style: Style or movement: `Impressionism`.
        genre: `portrait`, `landscape` …
        object_type: `painting`, `print`, `drawing` …
        medium: Materials and technique.
        dimensions: As written.
        description: Prose about the picture.
        institution: Who holds it.
        accession: Its inventory number there.
        credit: Credit line.
        rights: Licence, URI or statement.
        page_url: Its page at its institution.
        image_url: Where the picture lies on the web.
        image_path: Where it lies below the root of its source, with forward slashes.
        iiif_service: Base URL of a IIIF image service.
        iconclass: Notations.
        tags: Free keywords.
        raw: The original row.
    """

    image_id: str
    title: str | None = None
    creators: tuple[str, ...] = ()
    date_display: str | None = None
    year_begin: int | None = None
    year_end: int | None = None
    place: str | None = None
    culture: str | None = None
    school: str | None = None
    style: str | None = None
    genre: str | None = None
    object_type: str | None = None
    medium: str | None = None
    dimensions: str | None = None
    description: str | None = None
    institution: str | None = None
    accession: str | None = None
    credit: str | None = None
    rights: str | None = None
    page_url: str | None = None
    image_url: str | None = None
    image_path: str | None = None
    iiif_service: str | None = None
    iconclass: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """One line that names the work: `Vermeer, The Milkmaid, c. 1660`."""
        parts = ["; ".join(self.creators), self.title or "", self.date_display or ""]
        return ", ".join(part for part in parts if part) or self.image_id

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready dictionary without the empty fields."""
        found: dict[str, Any] = {}
        for name, value in zip(_FIELD_NAMES, _FIELDS_OF(self), strict=True):
            if value is None or (not value and value not in ("", 0)):  # (), {}
                continue
            found[name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Record:
        """Rebuild a record from `to_json`; unknown keys are ignored."""
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if name in _FIELD_NAMES
        }
        return cls(**given)

    def filled_from(self, found: Mapping[str, Any]) -> Record:
        """Return a copy whose empty fields are taken from `found` (metadata inside the file)."""
        empty: dict[str, Any] = {
            name: value
            for name, value in found.items()
            if name in FIELD_KINDS and getattr(self, name) in (None, ()) and value
        }
        return replace(self, **empty)


_FIELD_NAMES = dict.fromkeys(field.name for field in fields(Record))  # in order, found at once
_FIELDS_OF = attrgetter(*_FIELD_NAMES)

FIELD_KINDS: dict[str, FieldKind] = {
    "title": FieldKind.TEXT,
    "creators": FieldKind.TEXTS,
    "date_display": FieldKind.TEXT,
    "year_begin": FieldKind.YEAR,
    "year_end": FieldKind.YEAR,
    "place": FieldKind.TEXT,
    "culture": FieldKind.TEXT,
    "school": FieldKind.TEXT,
    "style": FieldKind.TEXT,
    "genre": FieldKind.TEXT,
    "object_type": FieldKind.TEXT,
    "medium": FieldKind.TEXT,
    "dimensions": FieldKind.TEXT,
    "description": FieldKind.TEXT,
    "institution": FieldKind.TEXT,
    "accession": FieldKind.TEXT,
    "credit": FieldKind.TEXT,
    "rights": FieldKind.TEXT,
    "page_url": FieldKind.LINK,
    "image_url": FieldKind.LINK,
    "image_path": FieldKind.LINK,
    "iiif_service": FieldKind.LINK,
    "iconclass": FieldKind.TEXTS,
    "tags": FieldKind.TEXTS,
}
