"""The preview of a source in words: how its columns are understood, and what its records lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bilderatlas.sources.columns import READINGS
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import joined, ngettext, thousands

MAX_CHOICES = 200  # a table with more columns gets a field to write in, in place of a menu
MAX_LISTED = 60
LEAVE_OUT = "-"


def field_title(field: str) -> str:
    """Return the word for a field of a record."""
    words = {
        "id": _("Identifier"),
        "image": _("Picture"),
        "address": _("Web address"),
        "title": _("Title"),
        "creators": _("Maker"),
        "date": _("Date"),
        "year_begin": _("Earliest year"),
        "year_end": _("Latest year"),
        "place": _("Place"),
        "culture": _("Culture"),
        "school": _("School"),
        "style": _("Style"),
        "genre": _("Genre"),
        "object_type": _("Kind of object"),
        "medium": _("Technique and material"),
        "dimensions": _("Dimensions"),
        "description": _("Description"),
        "institution": _("Institution"),
        "accession": _("Inventory number"),
        "credit": _("Credit line"),
        "rights": _("Rights"),
        "page_url": _("Page of the work"),
        "iconclass": _("Iconclass"),
        "tags": _("Keywords"),
    }
    return words.get(field, field)


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field, and the columns that it is read from.

    Attributes:
        field: As `SourceOptions.columns` names it.
        columns: What it is read from, the best first; none where no column answers to it.
        found_by: `name`, `content` or `option`; empty where nothing was found.
        examples: What stands in them.
        chosen: What the user chose: a column, `-`, or nothing.
    """

    field: str
    columns: Sequence[str]
    found_by: str
    examples: Sequence[str]
    chosen: str

    @property
    def title(self) -> str:
        """Its word."""
        return field_title(self.field)

    @property
    def recognised(self) -> str:
        """What happens where the user chooses nothing, as the first choice of the menu."""
        if not self.columns or self.found_by == "option":
            return _("as recognised")
        return _("as recognised: %(columns)s", columns=joined(self.columns[:3]))

    @property
    def how(self) -> str:
        """How the columns came to be this field's."""
        words = {
            "name": _("by its name"),
            "content": _("by what stands in it"),
            "option": _("as you chose"),
        }
        return words.get(self.found_by, "")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a source would give.

    Attributes:
        found: As `preview_source` tells it.
        chosen: Field → column that the user chose.
    """

    found: Mapping[str, Any]
    chosen: Mapping[str, str]

    @property
    def kind(self) -> str:
        """What kind of source it is: `folder`, `table`, `museum` …"""
        return str(self.found.get("kind", ""))

    @property
    def table(self) -> Mapping[str, Any] | None:
        """The part that tells of a table: the source itself, or the table in its folder."""
        if "mapping" in self.found:
            return self.found
        beside = self.found.get("table")
        return beside if isinstance(beside, Mapping) and "mapping" in beside else None

    @property
    def columns(self) -> list[str]:
        """All columns of the table."""
        return [str(name) for name in (self.table or {}).get("columns", ())]

    @property
    def has_menus(self) -> bool:
        """Tell whether the columns are few enough for menus."""
        return len(self.columns) <= MAX_CHOICES

    @property
    def fields(self) -> list[FieldRow]:
        """Every field, mapped or not."""
        if self.table is None:
            return []
        mapped = {one["field"]: one for one in self.table["mapping"]}
        return [
            FieldRow(
                field,
                mapped.get(field, {}).get("columns", ()),
                mapped.get(field, {}).get("found_by", ""),
                mapped.get(field, {}).get("examples", ()),
                self.chosen.get(field, ""),
            )
            for field in READINGS
        ]

    @property
    def mapped(self) -> list[FieldRow]:
        """The fields that are read from some column, or that the user left out; the picture."""
        return [one for one in self.fields if one.columns or one.chosen or one.field == "image"]

    @property
    def others(self) -> list[FieldRow]:
        """The fields that no column answers to."""
        shown = self.mapped
        return [one for one in self.fields if one not in shown]

    @property
    def unmapped(self) -> str:
        """The columns that no field is read from; empty if there are none."""
        names = list((self.table or {}).get("unmapped", ()))
        more = _("and %(n)s more", n=len(names) - MAX_LISTED) if len(names) > MAX_LISTED else ""
        return ", ".join([*map(str, names[:MAX_LISTED]), *([more] if more else [])])

    @property
    def n_doubles(self) -> int:
        """How many rows repeat the identifier of another."""
        return int(self.found.get("duplicates") or 0)

    @property
    def headline(self) -> str:
        """How much it is."""
        found = self.found
        if "rows" in found:
            n_rows = ngettext("%(num)s row", "%(num)s rows", found["rows"])
            n_records = ngettext("%(num)s record", "%(num)s records", found["records"])
            return _("A table: %(rows)s, %(records)s.", rows=n_rows, records=n_records)
        n = found.get("records")
        if n is None:
            return self.kind
        if self.kind == "folder":
            return ngettext("A folder with %(num)s picture.", "A folder with %(num)s pictures.", n)
        return ngettext("%(num)s work.", "%(num)s works.", n)

    @property
    def lacks(self) -> list[str]:
        """What is missing or left out, one sentence each."""
        return [*self._of_folder(), *self._of_table()]

    def _of_folder(self) -> list[str]:
        found, told = self.found, []
        if self.kind != "folder":
            return []
        others = found.get("other_files") or {}
        if others:
            listed = ", ".join(f"{n} {suffix}" for suffix, n in list(others.items())[:8])
            told.append(_("Other files are left out: %(listed)s.", listed=listed))
        if n := found.get("links_leading_out"):
            told.append(
                ngettext(
                    "%(num)s link leads out of the folder and is not followed.",
                    "%(num)s links lead out of the folder and are not followed.",
                    n,
                )
            )
        if folders := found.get("unreadable_folders"):
            told.append(_("These folders cannot be read: %(names)s.", names=joined(folders[:8])))
        beside = found.get("table")
        if beside is None:
            told.append(
                _(
                    "No table lies beside the pictures: titles are made of the files' names, and "
                    "dates and rights are known only where a file itself says them."
                )
            )
        elif "unused" in beside:
            told.append(_("The table %(name)s is not used.", name=beside["name"]))
        return told

    def _of_table(self) -> list[str]:
        table = self.table
        if table is None:
            return []
        counts = {name: int(table.get(name) or 0) for name in _COUNTED}
        failures = self.found.get("failures") or {}
        n_bad = sum(n for code, n in failures.items() if code != "duplicate-id")
        told = [
            (n_bad, ngettext("%(num)s row is no record.", "%(num)s rows are no records.", n_bad)),
            *((counts[name], _lack(name, counts[name])) for name in _COUNTED),
        ]
        lines = [words for count, words in told if count]
        if examples := table.get("unreadable_examples"):
            lines.append(_("Dates that were not understood: %(dates)s.", dates=joined(examples)))
        return lines


_COUNTED = (
    "pictures_without_row",
    "rows_without_picture",
    "without_image",
    "remote_only",
    "without_rights",
    "without_date",
    "unreadable_dates",
)


def _lack(name: str, n: int) -> str:
    """Say what so many records lack."""
    if name == "pictures_without_row":
        return ngettext(
            "%(num)s picture has no row in the table.",
            "%(num)s pictures have no row in the table.",
            n,
        )
    if name == "rows_without_picture":
        return ngettext(
            "%(num)s row describes no picture of the folder.",
            "%(num)s rows describe no picture of the folder.",
            n,
        )
    words = {
        "without_image": _("%(n)s without a picture", n=thousands(n)),
        "remote_only": _("%(n)s whose picture lies on the web only", n=thousands(n)),
        "without_rights": _("%(n)s without a statement of rights", n=thousands(n)),
        "without_date": _("%(n)s without a date", n=thousands(n)),
        "unreadable_dates": _("%(n)s with a date that was not understood", n=thousands(n)),
    }
    return words[name]
