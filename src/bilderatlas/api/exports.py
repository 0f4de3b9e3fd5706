"""What was found or compiled, taken along: CSV, JSON, a zip of pictures and captions, citations."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import UnknownNameError
from bilderatlas.exchange.citation import Citation, cite_panel, cite_search
from bilderatlas.exchange.corpus import CorpusWork, iter_csv
from bilderatlas.exchange.corpus_zip import iter_zip
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX
from bilderatlas.records import Record
from bilderatlas.search.hits import Hit, Hits
from bilderatlas.search.query import PartKind
from bilderatlas.search.run import MAX_K

if TYPE_CHECKING:
    from bilderatlas.api.library import Library
    from bilderatlas.store.images import StoredImage
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
    chosen: Sequence[str] = (),
) -> Export:
    """Return what was found to take along, up to the stop line where there is one.

    Args:
        library: Where it was found.
        hits: The answer; ask with `k=MAX_WORKS` for all that can be taken along.
        url: The permanent address of the search.
        page_of: Returns the address of a work's page.
        chosen: Just these works, `collection/image_id`, in this order, found or not; empty: all
            that were found.
    """
    found = {f"{hit.collection or hits.collection}/{hit.image_id}": hit for hit in _better(hits)}
    everything = {f"{hit.collection or hits.collection}/{hit.image_id}": hit for hit in hits}
    wanted = list(dict.fromkeys(chosen))[:MAX_WORKS] or list(found)
    stored = _stored(library, [_named(work) for work in wanted])
    works: list[CorpusWork] = []
    for name, image in stored:
        hit = everything.get(f"{name}/{image.image_id}")
        judged = hit is not None and hits.criterion is not None
        numbers = {"score": hit.score, "percentile": hit.percentile} if hit and judged else {}
        works.append(
            CorpusWork(
                len(works) + 1,
                name,
                image.image_id,
                image.record,
                page=page_of(name, image.image_id),
                sha256=image.content_sha256,
                found=numbers,
            )
        )
    facts = hits.to_json()
    facts.pop("hits")
    cited = cite_hits(library, hits, url, n_chosen=len(works) if chosen else 0)
    return Export(f"{hits.collection} search", works, cited, facts, library)


def _named(work: str) -> tuple[str, str]:
    name, _, image_id = work.partition("/")
    return name, image_id


def _better(hits: Hits) -> Sequence[Hit]:
    """Return the hits above the stop line; all where there is none, nothing above it, or an order.

    That is what facets and groups count, too.
    """
    if hits.stop is None or not hits.stop.n_better or hits.query.sort:
        return hits
    return hits[: max(hits.stop.n_better - hits.query.offset, 0)]


def _stored(library: Library, works: Sequence[tuple[str, str]]) -> list[tuple[str, StoredImage]]:
    """Return what the library has of the works, in order; what is gone meanwhile is left out."""
    found: dict[tuple[str, str], StoredImage] = {}
    for name in {name for name, _image_id in works} & {info.name for info in library.collections()}:
        wanted = [image_id for owner, image_id in works if owner == name]
        for image in library.panels.find_records(name, wanted):
            found[name, image.image_id] = image
    return [(work[0], found[work]) for work in works if work in found]


def cite_hits(library: Library, hits: Hits, url: str, *, n_chosen: int = 0) -> Citation:
    """Cite a search, its panels by their names.

    Args:
        library: Where it was asked.
        hits: The answer.
        url: Its permanent address.
        n_chosen: How many works were chosen from it by hand; 0: none were.
    """
    named = {part.value for part in hits.query.parts if part.kind is PartKind.PANEL}
    named |= {hits.query.within_panel} - {""}
    names: dict[str, str] = {}
    if named:
        panels = library.panels
        listed = [*panels.list_panels(), *panels.list_panels(removed=True)]
        names = {info.id: info.name for info in listed if info.id in named}
    title = library[hits.collection].info.title
    return cite_search(hits, url, _today(), title=title, names=names, n_chosen=n_chosen)


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
