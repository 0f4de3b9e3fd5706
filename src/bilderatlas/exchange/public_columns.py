"""Which columns of a collection strangers may ask for: those that name no file of this machine."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from bilderatlas.exchange.public_record import names_file
from bilderatlas.records import FieldKind
from bilderatlas.search.column_values import values_of
from bilderatlas.store.columns import ColumnInfo, Columns

PICTURE_PATH = "image_path"
LINKS = ("page_url", "image_url", "iiif_service")

_KEPT: WeakKeyDictionary[Columns, frozenset[str]] = WeakKeyDictionary()


def private_columns(columns: Columns) -> frozenset[str]:
    """Return the columns of which `public_record` leaves out a value; looked for once.

    A column that names one file is private as a whole: to count its values, to group by them and to
    filter by them would tell them one by one.
    """
    found = _KEPT.get(columns)
    if found is None:
        paths = _values(columns, PICTURE_PATH) if PICTURE_PATH in columns else ()
        own = frozenset(text.strip() for text in paths)
        found = _KEPT[columns] = frozenset(
            info.name for info in columns.info() if _is_private(columns, info, own)
        )
    return found


def _is_private(columns: Columns, info: ColumnInfo, own: frozenset[str]) -> bool:
    if info.name == PICTURE_PATH:
        return True
    if not info.raw and info.name not in LINKS:
        return False
    if info.kind in (FieldKind.YEAR, "number"):
        return False
    return any(names_file(text) or text.strip() in own for text in _values(columns, info.name))


def _values(columns: Columns, name: str) -> list[str]:
    return list(values_of(columns, name).values)
