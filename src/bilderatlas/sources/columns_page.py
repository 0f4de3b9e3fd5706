"""Print the page `docs/reference/tables.md`: `python -m bilderatlas.sources.columns_page`."""

from __future__ import annotations

import sys

from bilderatlas.sources.columns import RULES, Reading

_HEAD = """# Columns of a table

Written by `python -m bilderatlas.sources.columns_page`; change `sources/columns.py`, not this page.

A column is recognised by its name, without regard to case, spaces, underscores and other signs:
`Object Date`, `object_date` and `ObjectDate` are one, and `[1]` at the end is ignored. Where a
table has several columns for a field, the first in the list that is filled wins, row by row. A
name with a point reaches into JSON: `dateRange.startYear`. Name a column yourself with
`--columns FIELD=NAME`, or by its number, `--columns FIELD=3`; `--columns FIELD=-` leaves it out.
Columns that are not recognised are kept with the record and can be filtered under their own names.

Four fields decide several others: `id` the identifier; `image` the path, the URL or the IIIF
service; `address` the page, or the picture if it ends like one; `date` the date as written and
the years in it, unless `year_begin` and `year_end` have columns of their own.
"""


def columns_page() -> str:
    """Return the page as Markdown."""
    lines = [_HEAD, "| field | read as | columns, the most telling first |", "|---|---|---|"]
    for rule in RULES:
        names = ", ".join(f"`{name}`" for name in rule.names)
        lines.append(f"| `{rule.field}` | {_escaped(rule.reading)} | {names} |")
    return "\n".join(lines) + "\n"


def _escaped(reading: Reading) -> str:
    return str(reading).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(columns_page())
