"""A folder of pictures, with or without a table of metadata beside them.

The identifier of a picture is its path below the folder, always with its extension and with
forward slashes: `prints/plate 12.jpg`. A shorter one (without the extension) would have to be
changed on the day when `plate 12.tif` is put beside it, and identifiers must survive that.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from bilderatlas.errors import Failure, SourceError
from bilderatlas.records import Record
from bilderatlas.sources.base import SOURCES, Source, SourceKind, SourceOptions
from bilderatlas.sources.beside import TableBeside, find_table_beside, with_place
from bilderatlas.sources.files import find_name_fault, printable, read_picture, token_of
from bilderatlas.sources.previews import describe_records
from bilderatlas.sources.walk import Inventory, take_inventory


class FolderSource(Source):
    """All pictures in a folder and the folders below it."""

    kind = "folder"

    def __init__(self, root: Path, options: SourceOptions) -> None:
        """Walk through `root` once.

        Raises:
            SourceError: when there is no picture in it, or its `metadata` table cannot be used.
        """
        self.root = root.resolve()
        self.address = str(self.root)
        self._inventory = take_inventory(self.root)
        if not self._inventory.pictures:
            raise SourceError(_say_empty(self.root, self._inventory))
        self._beside = _open_beside(self.root, options)
        if self._beside is not None:
            self._beside.match(self._inventory.pictures)

    def iter_records(self) -> Iterator[Record | Failure]:
        """Yield a record a picture in natural order, then what could not be one.

        Rows of the table beside them that describe no picture come last, as failures.
        """
        rows = self._beside.records if self._beside else {}
        seen: set[str] = set()
        for path in self._inventory.pictures:
            image_id = unicodedata.normalize("NFC", path)
            fault = find_name_fault(image_id)
            if fault:
                yield _unnameable(path, fault)
            elif image_id in seen:
                yield _unnameable(path, "differs from another one only in how accents are encoded")
            else:
                seen.add(image_id)
                bare = Record(image_id, raw=_raw_of(path))
                yield with_place(rows.get(path, bare), image_id, path)
        if self._beside is not None:
            yield from self._beside.failures
        yield from _leftovers(self._inventory)

    def complete(self, record: Record, found: Mapping[str, Any]) -> Record:
        """Fill what is missing from the file's own metadata, and the title last from its name."""
        filled = record.filled_from(found)
        return filled.filled_from({"title": title_from_name(record.image_path or "")})

    def fingerprint(self, record: Record) -> str | None:
        """Return size and modification time."""
        return token_of(self.root / record.image_path) if record.image_path else None

    def read_image(self, record: Record) -> bytes:
        """Return the file's bytes."""
        path = record.image_path or record.image_id
        return read_picture(self.root / path, roots=[self.root], name=printable(path))

    def count(self) -> int:
        """Return the number of pictures."""
        return len(self._inventory.pictures)

    def preview(self) -> dict[str, Any]:
        """Return what was found, what was left out and why."""
        found = self._inventory
        return {
            **super().preview(),
            "first_pictures": [printable(path) for path in found.pictures[:3]],
            "other_files": dict(found.others.most_common()),
            "skipped_hidden": found.n_junk,
            "links_leading_out": len(found.leads_out),
            "links_within": found.n_links_within,
            "unreadable_folders": [printable(path) for path, _ in found.unreadable],
            "table": self._preview_beside(),
        }

    def _preview_beside(self) -> dict[str, Any] | None:
        beside = self._beside
        if beside is None:
            return None
        named = {"name": printable(beside.path.name)}
        if beside.unused_because:
            return {**named, "unused": beside.unused_because}
        n_pictures = len(self._inventory.pictures)
        return {
            **named,
            "pictures_with_row": len(beside.records),
            "pictures_without_row": n_pictures - len(beside.records),
            "rows_without_picture": len(beside.failures),
            **describe_records(beside.table, beside.mapping, beside.records.values()),
        }


class FolderKind(SourceKind):
    """Recognises a folder that exists."""

    name = "folder"
    example = "./paintings"

    def accepts(self, address: str) -> bool:
        """Tell whether `address` is a folder."""
        try:
            return bool(address.strip()) and Path(address).expanduser().is_dir()
        except (OSError, ValueError, RuntimeError):
            return False

    def open(self, address: str, options: SourceOptions) -> FolderSource:
        """Open the folder."""
        if not self.accepts(address):
            raise SourceError(f"Cannot index '{printable(address)}': there is no such folder.")
        return FolderSource(Path(address).expanduser(), options)


def title_from_name(path: str) -> str:
    """Make a title of a file name: `a-view_of-delft.jpg` becomes `a view of delft`."""
    stem = PurePosixPath(path).stem
    return " ".join(stem.replace("_", " ").replace("-", " ").split()) or stem


def _open_beside(root: Path, options: SourceOptions) -> TableBeside | None:
    try:
        found = find_table_beside(root)
    except OSError as error:
        raise SourceError(f"Cannot index '{root}': {error}.") from error
    if found is not None:
        return TableBeside(*found, root, options)
    if options.columns:
        raise SourceError(
            f"Cannot index '{root}' with --columns: no table lies in it, or several and none is "
            "called metadata. Put the table there as metadata.csv, or leave --columns out."
        )
    return None


def _raw_of(path: str) -> dict[str, str]:
    parent = str(PurePosixPath(path).parent)
    return {"file": path, "folder": "" if parent == "." else parent}


def _unnameable(path: str, fault: str) -> Failure:
    shown = printable(path)
    return Failure(shown, "record", "bad-name", f"The file name '{shown}' {fault}. Rename it.")


def _leftovers(found: Inventory) -> Iterator[Failure]:
    for path in found.leads_out:
        shown = printable(path)
        yield Failure(
            shown,
            "record",
            "outside",
            f"'{shown}' is a link that leads out of the folder. Copy what it points to into the "
            "folder, or index that place as a collection of its own.",
        )
    for path, why in found.unreadable:
        shown = printable(path)
        yield Failure(shown, "record", "unreadable", f"The folder '{shown}' cannot be read: {why}.")


def _say_empty(root: Path, found: Inventory) -> str:
    if found.unreadable:
        folders = ", ".join(f"'{printable(path)}' ({why})" for path, why in found.unreadable[:4])
        return (
            f"Cannot index '{root}': no picture can be seen in it, and these folders cannot be "
            f"read: {folders}. See to it that you may read them, and run again."
        )
    held = ", ".join(f"{n} {suffix}" for suffix, n in found.others.most_common(4))
    lies_there = f"it holds {held} and no picture" if held else "there is no picture in it"
    links = f" {len(found.leads_out)} links lead out of it and were not followed."
    return (
        f"Cannot index '{root}': {lies_there}, in the folders below neither. Put JPEG, PNG, TIFF, "
        f"WebP, GIF or BMP files there, or name another folder."
        + (links if found.leads_out else "")
    )


SOURCES.register("folder", FolderKind())
