"""What was found or compiled, taken along: CSV, JSON, a zip of pictures and captions, citations."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import UnknownNameError
from bilderatlas.exchange.citation import Citation, cite_panel, cite_search
from bilderatlas.exchange.corpus import CorpusWork, iter_csv
from bilderatlas.exchange.corpus_zip import iter_zip
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.records import Record
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import PartKind
from bilderatlas.search.run import MAX_K

if TYPE_CHECKING:
    from bilderatlas.api.library import Library
    from bilderatlas.store.panels import Panel

KINDS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "zip": "application/zip",
    "txt": "text/plain; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
}
MAX_WORKS = MAX_K  # of a search

PageOf = Callable[[str, str], str]  # collection, image id → address of the work's page


@dataclass(frozen=True, slots=True)
class Export:
    """Works to take along, and how to cite where they come from.

    Attributes:
        name: What the file is called, without its suffix.
        works: In order.
        citation: Of the search or the panel.
        facts: What JSON says besides: the query, the panel.
        library: Where the pictures are.
    """

    name: str
    works: Sequence[CorpusWork]
    citation: Citation
    facts: Mapping[str, Any]
    library: Library

    def chunks(self, kind: str) -> Iterator[bytes]:
        """Yield the export as one of `KINDS`, piece by piece.

        Raises:
            UnknownNameError: for another kind.
        """
        if kind not in KINDS:
            raise UnknownNameError("kind of export", kind, KINDS)
        if kind == "zip":
            return iter_zip(self.works, self._picture, self.citation)
        texts = {
            "csv": iter_csv(self.works),
            "json": self._json(),
            "txt": iter([f"{self.citation.text}\n"]),
            "bib": iter([f"{self.citation.bibtex}\n"]),
        }
        return (text.encode("utf-8", "replace") for text in texts[kind])

    def _json(self) -> Iterator[str]:
        head = {**self.facts, "citation": self.citation.to_json()}
        yield json.dumps(head, ensure_ascii=False, default=str)[:-1] + ', "works": ['
        for place, work in enumerate(self.works):
            comma = ",\n" if place else "\n"
            yield comma + json.dumps(work.to_json(), ensure_ascii=False, default=str)
        yield "\n]}\n"

    def _picture(self, work: CorpusWork) -> bytes | None:
        path = self.library.store.thumbnails.path(work.sha256, _SIDE_PX) if work.sha256 else None
        return path.read_bytes() if path is not None else None


_SIDE_PX = THUMBNAIL_SIDES_PX[-1]


def export_panel(library: Library, panel: Panel, *, url: str = "", page_of: PageOf) -> Export:
    """Return a panel to take along, with every work on it, gone or not.

    Args:
        library: Where it is.
        panel: The panel at one version.
        url: Its address.
        page_of: Returns the address of a work's page.
    """
    works = []
    for number, work in enumerate(library.panels.works(panel), 1):
        item, stored = work.item, work.stored
        works.append(
            CorpusWork(
                number,
                item.collection,
                item.image_id,
                stored.record if stored else Record(item.image_id, title=item.label or None),
                label=item.label if stored is None else stored.record.label,
                region=item.region,
                note=item.note,
                page=page_of(item.collection, item.image_id) if stored else "",
                sha256=stored.content_sha256 if stored else None,
                gone=work.gone,
            )
        )
    cited = cite_panel(panel.name, len(panel), panel.version, url, _today())
    return Export(panel.name, works, cited, {"panel": panel.info.to_json()}, library)


def export_hits(
    library: Library,
    hits: Hits,
    *,
    url: str = "",
    page_of: PageOf,
    image_ids: Iterable[str] = (),
) -> Export:
    """Return what was found to take along, up to the stop line where there is one.

    Args:
        library: Where it was found.
        hits: The answer; ask with `k=MAX_WORKS` for all that can be taken along.
        url: The permanent address of the search.
        page_of: Returns the address of a work's page.
        image_ids: Only these of the hits, as `collection/image_id`; empty: all.
    """
    chosen = frozenset(image_ids)
    n_better = len(hits)
    if hits.stop is not None and not chosen and not hits.query.sort:
        n_better = max(hits.stop.n_better - hits.query.offset, 0)
    found = [
        hit
        for hit in hits[:n_better]
        if not chosen or f"{hit.collection or hits.collection}/{hit.image_id}" in chosen
    ]
    stored = {}
    for name in {hit.collection or hits.collection for hit in found}:
        ids = [hit.image_id for hit in found if (hit.collection or hits.collection) == name]
        for image in library[name].records(ids):
            stored[name, image.image_id] = image.content_sha256
    works = []
    for number, hit in enumerate(found, 1):
        name = hit.collection or hits.collection
        numbers = {"score": hit.score, "percentile": hit.percentile} if hits.criterion else {}
        works.append(
            CorpusWork(
                number,
                name,
                hit.image_id,
                hit.record,
                page=page_of(name, hit.image_id),
                sha256=stored.get((name, hit.image_id)),
                found=numbers,
            )
        )
    facts = hits.to_json()
    facts.pop("hits")
    cited = cite_hits(library, hits, url)
    return Export(f"{hits.collection}-search", works, cited, facts, library)


def cite_hits(library: Library, hits: Hits, url: str) -> Citation:
    """Cite a search, its panels by their names.

    Args:
        library: Where it was asked.
        hits: The answer.
        url: Its permanent address.
    """
    named = {part.value for part in hits.query.parts if part.kind is PartKind.PANEL}
    named |= {hits.query.within_panel} - {""}
    names: dict[str, str] = {}
    if named:
        panels = library.panels
        listed = [*panels.list_panels(), *panels.list_panels(removed=True)]
        names = {info.id: info.name for info in listed if info.id in named}
    title = library[hits.collection].info.title
    return cite_search(hits, url, _today(), title=title, names=names)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
