"""A collection: search it, look at a work and its neighbours, mend it, remove from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Ids
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bilderatlas.api.asking import PANEL_PREFIX, read_criteria, read_facets
from bilderatlas.api.facets import GroupOfHits, count_answer, group_answer
from bilderatlas.api.panel_queries import resolve_panels
from bilderatlas.api.pictures import Pictures, embeddings_of
from bilderatlas.errors import BilderatlasError, Failure, NotFoundError
from bilderatlas.extractors import ImageRows
from bilderatlas.extractors.base import rows_are
from bilderatlas.extractors.palette import Palette, palette_of
from bilderatlas.extractors.resolve import get_extractor
from bilderatlas.search.details import MAX_PICTURES
from bilderatlas.search.facets import Facet
from bilderatlas.search.hits import Hits
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.search.query import Part, PartKind, Query, parse_metric, parse_part
from bilderatlas.search.run import choose_space
from bilderatlas.search.run import search as run_search
from bilderatlas.store.check import Finding
from bilderatlas.store.collection import CollectionInfo, CollectionStore
from bilderatlas.store.columns import ColumnInfo
from bilderatlas.store.images import StoredImage
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.source_failures import read_source_failures

PICTURE_SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp"])


@dataclass(frozen=True, slots=True)
class SpaceInfo:
    """One criterion of a collection: its card as stored, and how many works it covers."""

    card: dict[str, Any]
    n_images: int
    n_rows: int

    @property
    def model_id(self) -> str:
        """The extractor's id."""
        return str(self.card["model_id"])


class Collection:
    """Images of one origin, with their metadata and their spaces."""

    def __init__(self, store: LibraryStore, collection: CollectionStore, pictures: Pictures):
        """Wrap one stored collection; `Library.__getitem__` does this."""
        self._library = store
        self.store = collection
        self._pictures = pictures
        self._spaces: tuple[int, list[SpaceInfo]] | None = None

    @property
    def name(self) -> str:
        """The name in URLs and on the command line."""
        return self.store.name

    @property
    def info(self) -> CollectionInfo:
        """Size, source, version and last change."""
        return self.store.info()

    def __len__(self) -> int:
        """Return the number of images."""
        return self.store.n_images

    def spaces(self) -> list[SpaceInfo]:
        """List the criteria by which the collection can be searched, the first one first."""
        version = self.store.version
        if self._spaces is None or self._spaces[0] != version:
            spaces = [self.store.space(model_id) for model_id in self.store.model_ids()]
            found = [SpaceInfo(space.card_json, space.n_images, space.n_rows) for space in spaces]
            self._spaces = (version, found)
        return self._spaces[1]

    def search(
        self,
        text: str | Sequence[str] = (),
        *,
        like: str | Sequence[str] = (),
        unlike: str | Sequence[str] = (),
        not_text: str | Sequence[str] = (),
        extractor: str | Sequence[str] = "",
        metric: str | None = None,
        rule: str = "difference",
        lambda_: float = 0.5,
        k: int = 30,
        offset: int = 0,
        where: str = "",
        match: str = "",
        facets: Mapping[str, str | Sequence[str]] | None = None,
        years: tuple[int, int] | None = None,
        sort: str = "",
        within: Ids[str] | str | None = None,
        without: Ids[str] = (),
        hide: Sequence[str] = (),
        include_query: bool = False,
        exact: bool = False,
        mirrored: bool = False,
        seed: int = 0,
    ) -> Hits:
        """Search by words, examples and counter-examples; with none of them, hang at random.

        `like` and `unlike` name images by id, picture files, or `upload:…`; each may carry a region
        and a weight: `SK-C-5@0.1,0.2,0.3,0.3^2`. `extractor` is the criterion (empty: the
        collection's first); several, each perhaps with a weight (`ID^2`), are mixed. `facets` are
        columns with the values that works must have. `within` and `without` are ids, `within` also
        a panel, `panel:ID`; the rest is as in `Query`.

        Raises:
            UsageError: when the parts, the rule, the filter or a name do not fit.
        """
        model_id, blend = read_criteria(extractor)
        panel, ids = (within, None) if isinstance(within, str) else ("", within)
        return self.run(Query(
            self.parts(text, like=like, unlike=unlike, not_text=not_text),
            model_id=model_id, blend=blend, metric=parse_metric(metric), rule=rule,
            lambda_=lambda_, k=k, offset=offset, where=where, match=match,
            facets=read_facets(facets or {}), years=years, sort=sort,
            within_panel=panel.removeprefix(PANEL_PREFIX), hide=tuple(hide),
            within=frozenset(ids) if ids is not None else None, without=frozenset(without),
            include_query=include_query, exact=exact, mirrored=mirrored, seed=seed,
        ))  # fmt: skip

    def parts(
        self,
        text: str | Sequence[str] = (),
        *,
        like: str | Sequence[str] = (),
        unlike: str | Sequence[str] = (),
        not_text: str | Sequence[str] = (),
    ) -> tuple[Part, ...]:
        """Read the parts of a query as `search` does; picture files become uploads.

        Raises:
            UsageError: for a part that cannot be read.
            NotFoundError: for a file that is not there.
        """
        pictures = [self._picture(value, 1) for value in _several(like)]
        pictures += [self._picture(value, -1) for value in _several(unlike)]
        words = [Part(PartKind.TEXT, value) for value in _several(text) if value.strip()]
        words += [Part(PartKind.TEXT, value, -1) for value in _several(not_text) if value.strip()]
        return (*pictures, *words)

    def run(self, query: Query) -> Hits:
        """Answer a query.

        Raises:
            UsageError: when the parts, the rule, the filter or a name do not fit.
        """
        if query.model_id and query.model_id not in self.store.model_ids():
            get_extractor(query.model_id)  # an unknown one is told from one that is not indexed
        space = choose_space(self.store, query)
        if space is not None:
            query = replace(query, model_id=space.model_id)
        details = space is not None and rows_are(space.card_json) == "detail"
        max_works = MAX_PICTURES if details else MAX_PARTS
        resolved = resolve_panels(self._library, self.name, query, max_works=max_works)
        query = resolved.query

        def rows_in(model_id: str) -> Callable[[Part], ImageRows]:
            return lambda part: self._pictures.rows_of(self.store, model_id, part)

        rows_of = rows_in(query.model_id)
        hits = run_search(
            self.store, query, lambda part: embeddings_of(rows_of(part)), rows_of, rows_in
        )
        return resolved.told(replace(hits, thumbnail_of=self._thumbnail_bytes))

    def record(self, image_id: str) -> StoredImage:
        """Return what is stored about one image.

        Raises:
            NotFoundError: listing near ids.
        """
        return self.store.get_record(image_id)

    def records(self, image_ids: Sequence[str]) -> list[StoredImage]:
        """Return what is stored about several images, in that order.

        Raises:
            NotFoundError: listing ids near the first that is not there.
        """
        return self.store.get_records(image_ids)

    def columns(self) -> list[ColumnInfo]:
        """List the columns that a filter can ask for."""
        return self.store.columns.info()

    def neighbours(self, image_id: str, k: int = 8) -> dict[str, Hits]:
        """Return the nearest works under each space that the image is in."""
        part = Part(PartKind.IMAGE, self.record(image_id).record.image_id)
        found: dict[str, Hits] = {}
        for model_id in self.store.model_ids():
            try:
                found[model_id] = self.run(Query(parts=(part,), model_id=model_id, k=k))
            except BilderatlasError:
                continue  # the image is not in this space: a row less, not an error page
        return found

    def facets(self, hits: Hits, n_values: int = 8) -> list[Facet]:
        """Count what can be chosen within an answer of this collection, by column and by year."""
        return count_answer(self.store, hits, n_values)

    def grouped(self, hits: Hits, column: str, per_group: int = 6) -> list[GroupOfHits]:
        """Put the works of an answer together by what they have in a column, or by `century`.

        Raises:
            UnknownNameError: when there is no such column, listing near ones.
            QueryError: when it holds numbers.
        """
        return group_answer(self.store, hits, column, per_group)

    def sample(self, k: int = 30, seed: int = 0) -> Hits:
        """Return a random hang: the same seed gives the same works."""
        return self.run(Query(k=k, seed=seed))

    def thumbnail(self, image_id: str, side_px: int = 256) -> Path | None:
        """Return the path of a WebP thumbnail of 64, 256 or 512 px; None where there is none."""
        sha256 = self.record(image_id).content_sha256
        return self._library.thumbnails.path(sha256, side_px) if sha256 else None

    def _thumbnail_bytes(self, image_id: str) -> bytes | None:
        path = self.thumbnail(image_id)
        return path.read_bytes() if path is not None else None

    def original(self, image_id: str) -> bytes:
        """Return the encoded picture as its source has it now.

        Raises:
            ImageError: when the source cannot give it.
        """
        return self._pictures.original(self.store, image_id)

    def palette(
        self, image_id: str, *, ignore_frame: bool = False, ignore_background: bool = False
    ) -> Palette:
        """Return the dominant colours of a work with their shares, the largest first.

        `ignore_frame` leaves out a margin that runs around the picture, `ignore_background` the
        even ground on which an object was photographed.

        Raises:
            NotFoundError: when there is no picture to look at.
        """
        path = self.thumbnail(image_id, 256)
        if path is None:
            raise NotFoundError(
                f"Cannot show the palette of '{image_id}': it has no picture here. Index its "
                "source again."
            )
        pixels = self._pictures.decode(path.read_bytes(), side_px=256).pixels
        return palette_of(pixels, ignore_frame=ignore_frame, ignore_background=ignore_background)

    def failures(self) -> list[Failure]:
        """List what could not be used, each with its reason: images, then rows of the source."""
        return [*self.store.failures(), *read_source_failures(self.store.folder)]

    def check(self, *, repair: bool = False) -> list[Finding]:
        """Prove that records, rows, files and checksums agree; mend what is derived."""
        return self.store.check(repair=repair)

    def remove(self, image_ids: Sequence[str], *, purge: bool = False) -> int:
        """Remove images: record, rows, thumbnails; `purge` also compacts the files now.

        Raises:
            NotFoundError: when one of them is not there; then nothing is removed.
        """
        missing = [one for one in image_ids if self.store.find_record(one) is None]
        if missing:
            raise NotFoundError(
                f"Cannot remove '{missing[0]}': collection '{self.name}' has no such image. "
                "Nothing was removed."
            )
        with self.store.writer() as writer:
            writer.retire(image_ids)
            if purge:
                writer.purge()
        return len(image_ids)

    def _picture(self, value: str, sign: int) -> Part:
        """Read a picture part: an id here or in another collection, else a file, an upload."""
        part = parse_part(value, sign=sign)
        if part.kind is not PartKind.IMAGE or self._names_image(part.value):
            return part
        path = Path(part.value).expanduser()
        if not path.is_file():
            if path.suffix.lower() in PICTURE_SUFFIXES or value.startswith(("http:", "https:")):
                raise NotFoundError(
                    f"Cannot search like '{part.value}': '{self.name}' has no image of that id, "
                    f"and there is no such file in '{Path.cwd()}'. This version reads files and "
                    "ids, no addresses on the web."
                )
            return part
        from bilderatlas.api.uploads import add_upload

        upload = add_upload(self._library, self._pictures, path.read_bytes())
        return replace(part, kind=PartKind.UPLOAD, value=upload.sha256)

    def _names_image(self, value: str) -> bool:
        if self.store.find_record(value) is not None:
            return True
        name, _, image_id = value.partition("/")
        if image_id and name in {info.name for info in self._library.list_collections()}:
            return self._library.get_collection(name).find_record(image_id) is not None
        return False

    def __repr__(self) -> str:
        """Name the collection, its size and its criteria."""
        return f"<Collection {self.name}: {len(self)} works, {', '.join(self.store.model_ids())}>"


def _several(values: str | Sequence[str]) -> Sequence[str]:
    return [values] if isinstance(values, str) else values
