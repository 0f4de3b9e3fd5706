"""A library: open it, look at its collections, bring pictures along, see its jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from bilderatlas.api import uploads
from bilderatlas.api.collection import Collection
from bilderatlas.api.facets import GroupOfHits
from bilderatlas.api.panels import Panels
from bilderatlas.api.pictures import Pictures
from bilderatlas.errors import StoreError
from bilderatlas.jobs import JobQueue
from bilderatlas.jobs.worker import Worker
from bilderatlas.search.facets import Facet
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Query
from bilderatlas.settings import LIBRARY_FILE, find_library
from bilderatlas.store.collection import CollectionInfo
from bilderatlas.store.library import LibraryStore


def open(path: Path | str | None = None) -> Library:
    """Open a library: the named one, or the one that `BILDERATLAS_LIBRARY` or the folder tells.

    Raises:
        NotFoundError: when there is none.
        LibraryVersionError: when a newer version wrote it.
    """
    root = find_library(path)
    readable_only = root.is_dir() and not os.access(root, os.W_OK)
    return Library(LibraryStore.open(root, read_only=readable_only))


def create(path: Path | str | None = None) -> Library:
    """Open a library, creating it first where there is none.

    Raises:
        StoreError: when the folder cannot be written.
    """
    root = find_library(path)
    if (root / LIBRARY_FILE).exists():
        return open(root)
    try:
        return Library(LibraryStore.create(root))
    except OSError as error:
        raise StoreError(
            f"Cannot make a library in '{root}': {error.strerror or error}. Name another folder "
            "with --library."
        ) from error


def restore(backup: Path, destination: Path) -> None:
    """Make a library in the new or empty folder `destination` from what `backup` wrote.

    Raises:
        ConflictError: when there is something in it already.
        StoreError: when the backup cannot be read.
    """
    LibraryStore.restore(backup, destination).close()


class Library:
    """Collections by name; a context manager that closes what it opened."""

    def __init__(self, store: LibraryStore) -> None:
        """Wrap an open store."""
        self.store = store
        self._collections: dict[tuple[str, str], Collection] = {}
        self.pictures = Pictures(store)
        self.jobs = JobQueue(store)
        self.panels = Panels(store)

    @property
    def root(self) -> Path:
        """The folder of the library."""
        return self.store.root

    def collections(self) -> list[CollectionInfo]:
        """List the collections with their sizes, criteria and last change."""
        return self.store.list_collections()

    def __getitem__(self, name: str) -> Collection:
        """Return one collection.

        Raises:
            UnknownNameError: listing near names.
        """
        found = self.store.get_collection(name)
        key = (name, found.created_at)  # a collection made anew under an old name is another one
        if key not in self._collections:
            self._collections[key] = Collection(self.store, found, self.pictures)
        return self._collections[key]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a collection of that name."""
        return any(info.name == name for info in self.collections())

    def __iter__(self) -> Iterator[Collection]:
        """Iterate over the collections."""
        return (self[info.name] for info in self.collections())

    def search_several(self, names: Sequence[str], query: Query) -> Hits:
        """Ask several collections at once; each hit names its collection.

        Raises:
            UnknownNameError: when there is no such collection.
            UsageError: when the question fits none of them.
        """
        from bilderatlas.api.several import search_several

        return search_several(self, names, query)

    def facets(self, hits: Hits, n_values: int = 8) -> list[Facet]:
        """Count what can be chosen within an answer, over all collections that gave it."""
        from bilderatlas.api.together import count_together

        return count_together(self, hits, n_values)

    def grouped(self, hits: Hits, column: str, per_group: int = 6) -> list[GroupOfHits]:
        """Put the works of an answer together, over all collections that gave it.

        Raises:
            UnknownNameError: when there is no such column, listing near ones.
            QueryError: when it holds numbers.
        """
        from bilderatlas.api.together import group_together

        return group_together(self, hits, column, per_group)

    def remove(self, name: str) -> None:
        """Remove a collection with everything derived from it; originals stay where they are.

        Raises:
            UnknownNameError: listing near names.
            ConflictError: when somebody is writing to it.
        """
        self.store.remove_collection(name)

    def backup(self, destination: Path) -> None:
        """Write a consistent copy of the whole library, also while others use it.

        Raises:
            ConflictError: when there is something at `destination` already.
            DiskFullError: when there was no space.
        """
        self.store.backup(destination)

    def run_jobs(self) -> int:
        """Run the queued jobs here and now; return how many there were."""
        worker = Worker(self.store)
        n = 0
        while worker.run_next():
            n += 1
        return n

    def add_upload(self, data: bytes, *, name: str = "", owner: str = "") -> uploads.Upload:
        """Take in a picture to search with; its metadata (GPS too) is dropped.

        `name` is what its file is called, `owner` the browser that alone may use it from now on.

        Raises:
            ImageError: when it is no picture that we read.
        """
        return uploads.add_upload(self.store, self.pictures, data, name=name, owner=owner)

    def upload_thumbnail(self, sha256: str, side_px: int = 256) -> bytes:
        """Return a WebP thumbnail of an uploaded picture.

        Raises:
            NotFoundError: when it has expired.
        """
        return uploads.upload_thumbnail(self.store, self.pictures, sha256, side_px)

    def close(self) -> None:
        """Close the store, the decoding children and the sources."""
        self.pictures.close()
        self.store.close()

    def __enter__(self) -> Library:
        """Use the library in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close on leaving the block."""
        self.close()

    def __repr__(self) -> str:
        """Name the folder and the collections."""
        names = ", ".join(info.name for info in self.collections())
        return f"<Library {self.root} ({names or 'empty'})>"
