"""From rows to records: which columns a table has for which fields, and how they are read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bilderatlas.errors import Failure, SourceError, UnknownNameError
from bilderatlas.records import Record
from bilderatlas.sources.cells import (
    dig,
    is_empty,
    read_links,
    read_names,
    read_notations,
    read_tags,
    read_text,
    read_years,
)
from bilderatlas.sources.columns import READINGS, Place, Reading, normalise, recognise
from bilderatlas.sources.dates import parse_dates
from bilderatlas.sources.files import find_name_fault, has_image_suffix, printable
from bilderatlas.sources.places import Picture, Placement, is_url, url_is_picture, url_tail
from bilderatlas.sources.rows import Row, row_failure, row_name

MAX_COLUMNS = 5000
NO_COLUMN = ("", "-")
_ALIASES = {
    "image_id": "id",
    "date_display": "date",
    "image_path": "image",
    "image_url": "image",
    "iiif_service": "image",
}
_READERS = {
    Reading.TEXT: read_text,
    Reading.NAMES: read_names,
    Reading.TAGS: read_tags,
    Reading.NOTATIONS: read_notations,
}
_PLAIN = {field: _READERS[how] for field, how in READINGS.items() if how in _READERS}


class ColumnMapping:
    """The columns of one table, by field."""

    def __init__(
        self, columns: Sequence[str], overrides: Mapping[str, str], sample: Sequence[Row] = ()
    ) -> None:
        """Recognise columns by name, then by what is in them; `overrides` win.

        Args:
            columns: The table's columns, in order.
            overrides: Field → column name or 1-based number; `-` leaves the field out.
            sample: Rows that show what is in the columns.

        Raises:
            UnknownNameError: an override names a field or a column that there is not.
        """
        self.chosen = {
            _field_of(field): _place_of(name, columns) for field, name in overrides.items()
        }
        self.columns: dict[str, None] = {}
        self.by_content: str | None = None
        self.picture_address = False
        self.learn(columns)
        if "image" not in self.chosen and not self._shows_pictures(sample):
            self.by_content = _find_picture_column(columns, sample)
            if self.by_content:
                self.chosen["image"] = (Place(self.by_content),)
                self.learn(())

    def learn(self, columns: Sequence[str] | Mapping[str, Any]) -> None:
        """Take in columns that were not known yet; JSON lines may bring new ones at any row."""
        if len(self.columns) < MAX_COLUMNS:
            self.columns.update(dict.fromkeys(columns))
        self.places = {**recognise(tuple(self.columns)), **self.chosen}
        self.places = {field: places for field, places in self.places.items() if places}
        self.plain = [(field, _PLAIN[field]) for field in self.places if field in _PLAIN]

    def has_pictures(self) -> bool:
        """Tell whether some column holds pictures."""
        return "image" in self.places or self.picture_address

    def _shows_pictures(self, sample: Sequence[Row]) -> bool:
        self.picture_address = any(
            url_is_picture(link) for row in sample for link in self.links(row, "address")
        )
        return self.has_pictures()

    def cells(self, values: Mapping[str, Any], field: str) -> Iterator[tuple[Place, Any]]:
        """Yield the filled cells of a field in a row's `values`, the best first."""
        for place in self.places.get(field, ()):
            value = values.get(place.column)
            if place.steps:
                value = dig(value, place.steps)
            if value is not None and value != "":
                yield place, value

    def links(self, row: Row, field: str) -> list[str]:
        """Return the paths and URLs of a field."""
        return [link for _, cell in self.cells(row.values, field) for link in read_links(cell)]

    def unmapped(self) -> list[str]:
        """Return the columns that no field is read from; they stay in the record's raw row."""
        used = {place.column for places in self.places.values() for place in places}
        return [column for column in self.columns if column not in used]


class RecordReader:
    """Makes a record of each row."""

    def __init__(self, mapping: ColumnMapping, placement: Placement) -> None:
        """Read rows by `mapping`, and paths in them by `placement`."""
        self.mapping = mapping
        self.placement = placement
        self._known: set[str] = set(mapping.columns)

    def read(self, row: Row) -> Record | Failure:
        """Return the record that a row describes, or why it is none."""
        self._learn(row)
        picture, page_url = self._picture(row)
        if picture.outside is not None:
            return _outside(row.number, picture.outside)
        fields = self._plain_fields(row)
        image_id = self._identify(row, fields.get("accession"), picture)
        if isinstance(image_id, Failure):
            return image_id
        fields.update(self._dates(row))
        fields.setdefault("page_url", page_url)
        return Record(
            image_id=image_id,
            image_path=picture.path,
            image_url=picture.url,
            iiif_service=picture.service,
            raw=row.values,
            **fields,
        )

    def read_id(self, row: Row) -> str | Failure:
        """Return only the identifier of what `read` returns, in a fraction of the time."""
        self._learn(row)
        picture, _ = self._picture(row)
        if picture.outside is not None:
            return _outside(row.number, picture.outside)
        accessions = (read_text(cell) for _, cell in self.mapping.cells(row.values, "accession"))
        return self._identify(row, next(filter(None, accessions), None), picture)

    def _learn(self, row: Row) -> None:
        if not self._known.issuperset(row.values):
            self.mapping.learn(row.values)
            self._known.update(row.values)

    def _plain_fields(self, row: Row) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for field, read in self.mapping.plain:
            for _, cell in self.mapping.cells(row.values, field):
                value = read(cell)
                if value:
                    fields[field] = value
                    break
        return fields

    def _dates(self, row: Row) -> dict[str, Any]:
        """Read the date as written and the years; columns of their own win over the writing."""
        texts = (read_text(cell) for _, cell in self.mapping.cells(row.values, "date"))
        written_texts = [text for text in texts if text]
        display = written_texts[0] if written_texts else None
        begins = _first_years(self.mapping, row, "year_begin")
        ends = _first_years(self.mapping, row, "year_end")
        written = None
        if begins is None or ends is None:
            read = (parse_dates(text) for text in written_texts)
            written = next((years for years in read if years), None)
        if begins is None and ends is None:
            begins = ends = written
        elif begins is None:
            begins = written if written and ends and written[0] <= ends[1] else ends
        elif ends is None:
            ends = written if written and written[1] >= begins[0] else begins
        if begins is None or ends is None:
            return {"date_display": display}
        begin, end = sorted((begins[0], ends[1]))
        return {"date_display": display, "year_begin": begin, "year_end": end}

    def _picture(self, row: Row) -> tuple[Picture, str | None]:
        """Return where the picture lies, and the page if an address column holds one."""
        page_url = None
        places = []
        for place, cell in self.mapping.cells(row.values, "image"):
            iiif = "iiif" in normalise(place.name)
            places += [self.placement.place(link, iiif=iiif) for link in read_links(cell)]
        for link in self.mapping.links(row, "address"):
            if url_is_picture(link):
                places.append(self.placement.place(link, iiif=False))
            elif page_url is None and is_url(link):
                page_url = link
        if places and places[0].outside:
            return places[0], page_url
        return Picture(
            path=next((place.path for place in places if place.path), None),
            url=next((place.url for place in places if place.url), None),
            service=next((place.service for place in places if place.service), None),
        ), page_url

    def _identify(self, row: Row, accession: str | None, picture: Picture) -> str | Failure:
        image_id = self._name(row, accession, picture)
        fault = find_name_fault(image_id)
        if not fault:
            return image_id
        why = f"Row {row.number} cannot be a record: its identifier '{printable(image_id)}'"
        return row_failure(row.number, "bad-id", f"{why} {fault}. Give it another.")

    def _name(self, row: Row, accession: str | None, picture: Picture) -> str:
        """Return the id: the id column, else accession, path, URL, and last the row's number."""
        for _, cell in self.mapping.cells(row.values, "id"):
            if not is_empty(cell):
                text = read_text(cell)
                if text:
                    return unicodedata.normalize("NFC", text)
        if accession and "id" not in self.mapping.chosen:
            return unicodedata.normalize("NFC", accession)
        remote = picture.service or picture.url
        name = picture.path or (url_tail(remote) if remote else "")
        return unicodedata.normalize("NFC", name) or row_name(row.number)


def _outside(number: int, path: str) -> Failure:
    return row_failure(
        number,
        "outside",
        f"Row {number} names the picture '{printable(path)}', which lies outside the folder of "
        "its table. Put it inside, or name its folder when you index the table.",
    )


def _first_years(mapping: ColumnMapping, row: Row, field: str) -> tuple[int, int] | None:
    for _, cell in mapping.cells(row.values, field):
        years = read_years(cell)
        if years:
            return years
    return None


def _field_of(name: str) -> str:
    field = _ALIASES.get(name, name)
    if field not in READINGS:
        raise UnknownNameError("field", name, READINGS)
    return field


def _place_of(name: str, columns: Sequence[str]) -> tuple[Place, ...]:
    """Find the column that a user names: by its exact name, its number, loosely, or into JSON."""
    if name.strip() in NO_COLUMN:
        return ()
    if name in columns:
        return (Place(name),)
    if name.isdecimal() and len(name) < 6 and 1 <= int(name) <= len(columns):
        return (Place(columns[int(name) - 1]),)
    first, *steps = name.split(".")
    for spelled, rest in ((name, ()), (first, tuple(steps))):
        for column in columns:
            if normalise(column) == normalise(spelled):
                return (Place(column, rest),)
    raise UnknownNameError("column", name, columns)


def _find_picture_column(columns: Sequence[str], sample: Sequence[Row]) -> str | None:
    """Return the first column most of whose cells look like pictures, whatever its name."""
    for column in columns:
        cells = [str(row.values.get(column) or "").strip() for row in sample]
        filled = [cell for cell in cells if cell]
        looks = sum(has_image_suffix(cell) or url_is_picture(cell) for cell in filled)
        if filled and looks >= 0.8 * len(filled):
            return column
    return None


def check_pictures(mapping: ColumnMapping, name: str) -> None:
    """Make sure that a table says where its pictures are.

    Raises:
        SourceError: listing its columns, and how to name one.
    """
    if mapping.has_pictures() or mapping.chosen.get("image") == ():
        return
    listed = ", ".join(f"{n} {printable(c)}" for n, c in enumerate(list(mapping.columns)[:40], 1))
    more = " …" if len(mapping.columns) > 40 else ""
    raise SourceError(
        f"Cannot index '{name}': none of its columns names a picture by path or URL. It has: "
        f"{listed}{more}. Name one with --columns image=NAME (or its number), or import the "
        "records without pictures with --columns image=-"
    )
