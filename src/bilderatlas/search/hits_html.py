"""The hits as a notebook shows them: thumbnails with labels, escaped, without any address."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bilderatlas.search.hits import Hit

MAX_SHOWN = 60

_ROW = "display:flex;flex-wrap:wrap;gap:14px;align-items:flex-end"
_FIGURE = "margin:0;max-width:180px;font-size:12px"


def to_html(
    hits: Iterable[Hit], heading: str, thumbnail_of: Callable[[str], bytes | None] | None
) -> str:
    """Return HTML for a notebook cell: a heading, then a figure a hit, at most 60."""
    figures = [_figure(hit, thumbnail_of) for hit, _ in zip(hits, range(MAX_SHOWN), strict=False)]
    return f'<p>{escape(heading)}</p><div style="{_ROW}">{"".join(figures)}</div>'


def _figure(hit: Hit, thumbnail_of: Callable[[str], bytes | None] | None) -> str:
    label = escape(hit.record.label, quote=True)
    picture = thumbnail_of(hit.image_id) if thumbnail_of else None
    shown = ""
    if picture is not None:
        data = base64.b64encode(picture).decode("ascii")
        shown = f'<img height="140" alt="{label}" src="data:image/webp;base64,{data}">'
    caption = f"{hit.rank}. {label}"
    return f'<figure style="{_FIGURE}">{shown}<figcaption>{caption}</figcaption></figure>'
