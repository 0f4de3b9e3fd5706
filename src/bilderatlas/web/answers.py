"""What was answered lately: stepping through results does not ask the whole question again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from bilderatlas.api.comparison import Comparison, compare_criteria
from bilderatlas.api.visitor import current_visitor
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.exchange.public_columns import private_columns
from bilderatlas.exchange.public_match import hidden_matches
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.filter_evaluate import spellings_of
from bilderatlas.search.filters import compile_filter
from bilderatlas.search.query import PartKind, Query
from bilderatlas.web.costly import MAX_ALSO, CostlyQuestions
from bilderatlas.web.recent import Recent

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library
    from bilderatlas.extractors.palette import Palette
    from bilderatlas.search.hits import Hits

MAX_ANSWERS = 16  # of up to 1,000 hits with their records
MAX_PALETTES = 512
MAX_COMPARISONS = 32
MAX_MATCHES = 64  # full-text searches, with the works that strangers must not find by them
MAX_NEIGHBOURHOODS = 64  # of a few hits under each criterion


class _StrangersQuery(Query):
    """A question of somebody who is not told which works it must not find."""

    def to_json(self) -> dict[str, Any]:
        """Return the question without the works that are left out of its answer."""
        return super().to_json() | {"without": []}


class Answers:
    """The answers and palettes that one site gave lately; each is for one version of its data."""

    def __init__(self, library: Library, *, with_panels: bool = True) -> None:
        """Remember nothing yet; without panels, what the owner kept and saw answers no question.

        Nor do columns then that name files of this machine.
        """
        self._library = library
        self._with_panels = with_panels
        self._costly = CostlyQuestions()
        self._answers: Recent[Hashable, Hits] = Recent(MAX_ANSWERS)
        self._palettes: Recent[str, Palette] = Recent(MAX_PALETTES)
        self._comparisons: Recent[Hashable, list[Comparison]] = Recent(MAX_COMPARISONS)
        self._hidden: Recent[Hashable, frozenset[str]] = Recent(MAX_MATCHES)
        self._neighbours: Recent[Hashable, dict[str, Hits]] = Recent(MAX_NEIGHBOURHOODS)

    def ask(self, collection: Collection, query: Query, also: Sequence[str] = ()) -> Hits:
        """Answer a query anew, and remember the answer; `also` names further collections.

        Raises:
            UsageError: when the parts, the rule, the filter or a name do not fit.
            UnavailableError: when many questions that take long are asked at once.
        """
        query = self._allowed(collection, query, also)
        key = self._key(collection, query, also)
        with self._admitted(collection, query, also):
            if also:
                hits = self._library.search_several([collection.name, *also], query)
            else:
                hits = collection.run(query)
        if self._key(collection, query, also) == key:  # no writer came between
            self._answers.keep(key, hits)
        return hits

    def recall(self, collection: Collection, query: Query, also: Sequence[str] = ()) -> Hits:
        """Return the remembered answer; the query is asked where there is none of this version.

        Raises:
            UsageError: when the parts, the rule, the filter or a name do not fit.
        """
        found = self._answers.find(
            self._key(collection, self._allowed(collection, query, also), also)
        )
        return self.ask(collection, query, also) if found is None else found

    def _admitted(
        self, collection: Collection, query: Query, also: Sequence[str]
    ) -> AbstractContextManager[None]:
        """Wait for one's turn where strangers ask; the owner need not."""
        if self._with_panels:
            return nullcontext()
        return self._costly.admitted([collection, *self._there(also)], query)

    def turn(self) -> AbstractContextManager[None]:
        """Do what takes long in this block; strangers wait for their turn; never within another.

        Raises:
            UnavailableError: when many questions that take long are asked at once.
        """
        return nullcontext() if self._with_panels else self._costly.turn()

    def _there(self, also: Sequence[str]) -> list[Collection]:
        """Return those of the collections that there are; old links name others."""
        known = {info.name for info in self._library.collections()}.intersection(also)
        return [self._library[name] for name in sorted(known)]

    def neighbours(self, collection: Collection, image_id: str, k: int) -> dict[str, Hits]:
        """Return the nearest works under each criterion; to strangers when their turn has come.

        Raises:
            UnavailableError: when many questions that take long are asked at once.
        """
        if self._with_panels or all(rows_are(one.card) == "image" for one in collection.spaces()):
            return collection.neighbours(image_id, k)
        store = collection.store
        key = (collection.name, store.created_at, store.version, image_id, k)
        found = self._neighbours.find(key)
        if found is None:
            with self.turn():
                near = collection.neighbours(image_id, k)
            found = {model_id: replace(hits, pool=None) for model_id, hits in near.items()}
            self._neighbours.keep(key, found)
        return found

    def hidden_columns(self, collection: Collection, also: Sequence[str] = ()) -> frozenset[str]:
        """Return the columns that this site tells nobody of: those that name its files."""
        if self._with_panels:
            return frozenset()
        asked = [collection, *self._there(also)]
        return frozenset(name for one in asked for name in private_columns(one.store.columns))

    def check_column(self, collection: Collection, column: str, also: Sequence[str] = ()) -> None:
        """Raise UnknownNameError for a column that this site tells nobody of."""
        hidden = self.hidden_columns(collection, also)
        if not hidden.isdisjoint(spellings_of(column)):
            raise UnknownNameError("column", column, {*collection.store.columns.names()} - hidden)

    def _allowed(self, collection: Collection, query: Query, also: Sequence[str]) -> Query:
        """Return the query as this site answers it.

        Raises:
            QueryError: when it asks with a panel where panels are their owner's alone, or too many
                collections at once.
            UnknownNameError: when it asks for a column that names files of this machine.
        """
        if self._with_panels:
            return query
        if query.within_panel or any(part.kind is PartKind.PANEL for part in query.parts):
            raise QueryError(
                "Cannot search with a panel here: on a public server, panels are their owner's "
                "alone. Leave it out."
            )
        if len(set(also)) > MAX_ALSO:
            raise QueryError(
                f"Cannot ask {len(set(also)) + 1} collections at once: this server takes at most "
                f"{MAX_ALSO + 1}. Leave some of them out."
            )
        filtered = compile_filter(query.where).columns if query.where.strip() else ()
        for column in {*filtered, *(column for column, _value in query.facets)}:
            self.check_column(collection, column, also)
        asked = {one.name: getattr(query, one.name) for one in fields(query)} | {"hide": ()}
        if query.match.strip():
            # an id that is hidden in one collection is left out of all: less is told, never more
            for one in (collection, *self._there(also)):
                asked["without"] |= self._hidden_matches(one, query.match.strip())
        return _StrangersQuery(**asked)

    def _hidden_matches(self, collection: Collection, typed: str) -> frozenset[str]:
        store = collection.store
        key = (collection.name, store.created_at, store.version, typed)
        found = self._hidden.find(key)
        if found is None:
            with self.turn():
                found = hidden_matches(store, typed)
            self._hidden.keep(key, found)
        return found

    def palette(self, collection: Collection, image_id: str, sha256: str) -> Palette:
        """Return the palette of the picture whose content has this hash.

        Raises:
            NotFoundError: when there is no picture to look at.
        """
        found = self._palettes.find(sha256)
        if found is None:
            found = collection.palette(image_id)
            self._palettes.keep(sha256, found)
        return found

    def compare(self, collection: Collection, seed: int) -> list[Comparison]:
        """Return a few works with their neighbours under every criterion of the collection.

        Raises:
            UnavailableError: when many questions that take long are asked at once.
        """
        store = collection.store
        key = (collection.name, store.created_at, store.version, seed)
        found = self._comparisons.find(key)
        if found is None:
            with self.turn():
                found = compare_criteria(collection, seed=seed)
            self._comparisons.keep(key, found)
        return found

    def _key(self, collection: Collection, query: Query, also: Sequence[str]) -> Hashable:
        """Name the question and the state of all that has a part in the answer."""
        asked = (collection.name, *also)
        owners = {*also} | {
            part.value.partition("/")[0]
            for part in query.parts
            if part.kind is PartKind.IMAGE and "/" in part.value
        }
        others = (self._version(name) for name in sorted(owners - {collection.name}))
        store = collection.store
        brought = any(part.kind is PartKind.UPLOAD for part in query.parts)
        visitor = current_visitor() if brought else None  # what one brought, no other is told of
        panels = tuple(self._library.panels.stamp(query, name) for name in asked)
        return query, visitor, panels, asked, store.created_at, store.version, *others

    def _version(self, name: str) -> tuple[str, int] | None:
        if name not in self._library:
            return None  # a folder in the id of one of our own images
        store = self._library[name].store
        return store.created_at, store.version
