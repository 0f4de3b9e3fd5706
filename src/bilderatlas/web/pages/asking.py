"""A search, from the parameters of its address to the data of its page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bilderatlas.errors import (
    BilderatlasError,
    FilterError,
    ImageError,
    NotFoundError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from bilderatlas.exchange.citation import cite_search
from bilderatlas.search.parts import MAX_PARTS
from bilderatlas.search.query import PartKind
from bilderatlas.web.answers import Answers
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.facets import distinct_facets
from bilderatlas.web.pages.menus import panel_choices
from bilderatlas.web.pages.results import Marks, groups_of, marks_of, results_of
from bilderatlas.web.pages.search import Fault, SearchPage
from bilderatlas.web.pages.tiles import (
    find_collection,
    panel_name,
    tiles_of,
    with_reasons,
    words_of,
)
from bilderatlas.web.rendering import collection_title
from bilderatlas.web.state import PANEL_PREFIX, SearchState

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library, SpaceInfo
    from bilderatlas.search.hits import Hits


def search_page(
    library: Library,
    answers: Answers,
    name: str,
    params: Iterable[tuple[str, str]],
    *,
    max_decoded: int = MAX_PARTS,
    marked: bool = False,
    origin: str = "",
) -> SearchPage:
    """Ask collection `name` what `params` say.

    A mistake in the question is part of the page; it is told beside the control it concerns.

    Args:
        library: Where the collection is.
        answers: Remembers the answer for the pages of the works.
        name: Of the collection.
        params: Of the address.
        max_decoded: How many parts may be details or uploads.
        marked: Whether works that are on a panel, or were looked at, are marked, and panels are
            told by name.
        origin: Scheme, host and port of this site, for addresses that are cited.

    Raises:
        NotFoundError: when there is no such collection.
    """
    infos = library.collections()
    collection = find_collection(library, name)
    state = SearchState.from_params(name, params)
    spaces = collection.spaces()
    hidden = answers.hidden_columns(collection, state.also)
    page = SearchPage(
        state=state,
        info=next(info for info in infos if info.name == name),
        infos=infos,
        spaces=spaces,
        space=_chosen(spaces, state.model_id),
        tiles=tiles_of(library, collection, state, with_panels=marked),
        words=(),
        columns=[column.name for column in collection.columns() if column.name not in hidden],
        panel_title=panel_name(library, state.within) if marked else state.within,
        panels=panel_choices(state, library.panels.list_panels()) if marked else (),
        marked=marked,
    )
    try:
        query = state.to_query(max_decoded=max_decoded)
        answers.check_column(collection, state.group, state.also)
        hits = answers.ask(collection, query, state.also)
        return _answered(page, library, collection, hits, origin, hidden)
    except (UsageError, NotFoundError, ImageError, UnavailableError) as error:
        words = words_of(state, _wordless(page))
        return replace(page, fault=Fault(_place(error), error), words=words)


def _answered(
    page: SearchPage,
    library: Library,
    collection: Collection,
    hits: Hits,
    origin: str,
    hidden: frozenset[str],
) -> SearchPage:
    state = page.state
    reasons = {
        (one.part, one.sign): _(one.reason) for one in hits.inactive if one.kind == PartKind.TEXT
    } | _wordless(page)
    marks = marks_of(library, (state.collection, *state.also)) if page.marked else Marks()
    grouped = library.grouped(hits, state.group) if state.group else ()
    return replace(
        page,
        hits=hits,
        tiles=with_reasons(page.tiles, hits.inactive),
        words=words_of(state, reasons),
        results=results_of(library, collection, state, hits, marks),
        groups=[] if not grouped else groups_of(library, collection, state, grouped, marks),
        found_facets=distinct_facets(
            one for one in library.facets(hits) if one.column not in hidden
        ),
        citation=cite_search(
            hits,
            f"{origin}{state.permanent_url(hits.version)}",
            datetime.now(UTC).date(),
            title=collection_title(page.info, page.infos),
            names=_panel_names(page),
        ),
    )


def _panel_names(page: SearchPage) -> dict[str, str]:
    """Return the names of the panels in the question by their ids."""
    parts = (
        (tile.part.value, tile.label)
        for tile in page.tiles
        if tile.part is not None and tile.part.kind is PartKind.PANEL
    )
    return {page.state.within.removeprefix(PANEL_PREFIX): page.panel_title, **dict(parts)}


def _wordless(page: SearchPage) -> dict[tuple[str, int], str]:
    """Return why the words of a question cannot be compared with pictures; empty where they can."""
    if page.space is None or page.embeds_text:
        return {}
    reason = _("‘%(criterion)s’ compares pictures only.", criterion=page.judged_by)
    signed = [(text, 1) for text in page.state.text] + [(text, -1) for text in page.state.not_text]
    return dict.fromkeys(signed, reason)


def _chosen(spaces: Sequence[SpaceInfo], model_id: str) -> SpaceInfo | None:
    if not model_id:
        return spaces[0] if spaces else None
    return next((space for space in spaces if space.model_id == model_id), None)


_PLACES = {"column": "where", "combination rule": "rule", "metric": "rule"}


def _place(error: BilderatlasError) -> str:
    if isinstance(error, FilterError):
        return "where"
    if isinstance(error, UnknownNameError):
        return _PLACES.get(error.kind, "sentence")
    return "sentence"
