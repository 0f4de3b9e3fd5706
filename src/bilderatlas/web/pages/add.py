"""Add a collection: a source, how it is read, its name, its criteria; then it is indexed."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bilderatlas.api.extractors import ExtractorInfo, list_extractors
from bilderatlas.api.folders import Folder, look_into
from bilderatlas.api.index import preview_source, submit_index
from bilderatlas.errors import (
    BilderatlasError,
    ConflictError,
    SourceError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from bilderatlas.extractors import default_extractors
from bilderatlas.sources.base import SourceOptions
from bilderatlas.sources.museum import EXAMPLE as MUSEUM_EXAMPLE
from bilderatlas.store.library import check_collection_name
from bilderatlas.web import urls
from bilderatlas.web.i18n import English, thousands
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.pages.mapping import LEAVE_OUT, Preview
from bilderatlas.web.recent import Recent

if TYPE_CHECKING:
    from bilderatlas.api import Library
    from bilderatlas.jobs import Job
    from bilderatlas.store.library import CollectionInfo

COLUMN_PREFIX = "column:"
MAX_PREVIEWS = 8
MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class AddState:
    """What the address, or the form, says.

    Attributes:
        source: A folder, a table, or `museum://…`, as typed.
        images: The folder that the paths in a table start from; empty: its own.
        columns: Field → column, where the user chose one; `-` leaves the field out.
        name: Of the collection; empty: one is proposed.
        by: Criteria that are ticked; None where nobody has ticked yet.
        keep_first: Of rows that share an identifier take the first.
        at: The folder that is looked through.
    """

    source: str = ""
    images: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    by: tuple[str, ...] | None = None
    keep_first: bool = False
    at: str = ""

    @classmethod
    def from_params(cls, params: Iterable[tuple[str, str]]) -> Self:
        """Read the parameters of an address or a form; unknown ones are ignored."""
        pairs = [(name, value.replace("\x00", "").strip()) for name, value in params]
        one = {name: value for name, value in pairs if value}
        columns = {
            name.removeprefix(COLUMN_PREFIX): value
            for name, value in pairs
            if name.startswith(COLUMN_PREFIX) and value
        }
        ticked = tuple(dict.fromkeys(value for name, value in pairs if name == "by" and value))
        return cls(
            one.get("source", ""),
            one.get("images", ""),
            columns,
            one.get("name", ""),
            ticked if ticked or "ticked" in one else None,
            one.get("keep_first") == "1",
            one.get("at", ""),
        )

    @property
    def options(self) -> SourceOptions:
        """What is said about the source."""
        images = str(Path(self.images).expanduser().absolute()) if self.images else ""
        return SourceOptions(columns=dict(self.columns), image_folder=images)


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion to choose, and what it needs."""

    info: ExtractorInfo
    ticked: bool

    @property
    def model_id(self) -> str:
        """Its id."""
        return self.info.card.model_id

    @property
    def ready(self) -> bool:
        """Tell whether it can run here now."""
        return self.info.readiness.state == "ready"

    @property
    def needs(self) -> str:
        """What it needs before it can run; empty when it is ready."""
        state = self.info.readiness.state
        if state == "to fetch":
            megabytes = thousands(max(self.info.to_fetch_bytes / 1e6, 1))
            return _("Its weights are to be fetched first, about %(n)s MB:", n=megabytes)
        if state == "to export":
            return _("Its weights are here; they are to be made ready for this machine first:")
        return ""

    @property
    def command(self) -> str:
        """The command that brings here what it needs; empty when it is ready."""
        verb = {"to fetch": "fetch", "to export": "export"}.get(self.info.readiness.state, "")
        return f"bilderatlas extractors {verb} {self.model_id}" if verb else ""


@dataclass(frozen=True, slots=True)
class AddPage:
    """The data of the page."""

    template: ClassVar[str] = "add.html"
    state: AddState
    preview: Preview | None = None
    criteria: Sequence[Criterion] = ()
    name: str = ""
    known: CollectionInfo | None = None  # the collection that this source is already
    folder: Folder | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    @property
    def museum_url(self) -> str:
        """The synthetic museum as a source."""
        return urls.add([("source", MUSEUM_EXAMPLE)])

    def folder_url(self, name: str = "") -> str:
        """Look into a folder below, or the one above."""
        if self.folder is None:
            return urls.add([("at", "")])
        path = self.folder.path / name if name else self.folder.parent
        return urls.add([("at", str(path))])

    def source_url(self, name: str = "") -> str:
        """Take the folder that is shown, or a table in it, as the source."""
        assert self.folder is not None  # templates ask only where one is shown
        return urls.add([("source", str(self.folder.path / name))])

    def to_json(self) -> dict[str, Any]:
        """Return what was found."""
        return {
            "source": self.state.source,
            "preview": dict(self.preview.found) if self.preview else None,
            "name": self.name,
            "criteria": [
                {"model_id": one.model_id, "ready": one.ready, "ticked": one.ticked}
                for one in self.criteria
            ],
            "faults": dict(self.faults),
        }


class Previews:
    """The previews of tables that were looked at lately: a large one is not read at every look."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._found: Recent[Hashable, dict[str, Any]] = Recent(MAX_PREVIEWS)

    def look(self, source: str, options: SourceOptions) -> dict[str, Any]:
        """Return what `source` would give, as it is now.

        Raises:
            SourceError: the source cannot be read.
            UnknownNameError: the options name a field or column that there is not.
        """
        path = Path(source).expanduser()
        facts = path.stat() if path.is_file() else None
        if facts is None:
            return preview_source(source, options)
        columns = tuple(sorted(options.columns.items()))
        key = (path, facts.st_mtime_ns, facts.st_size, columns, options.image_folder)
        found = self._found.find(key)
        if found is None:
            found = preview_source(source, options)
            self._found.keep(key, found)
        return found


def add_page(
    library: Library, params: Iterable[tuple[str, str]], previews: Previews | None = None
) -> AddPage:
    """Show what the source of the address would give, or where to find one."""
    state = AddState.from_params(params)
    page = AddPage(state)
    faults: dict[str, str] = {}
    folder: Folder | None = None
    try:
        folder = look_into(_folder_of(state))
    except SourceError as error:
        faults |= {"folder": English(error)} if state.at else {}
        if os.access(Path.home(), os.R_OK):
            folder = look_into()
    page = replace(page, folder=folder)
    if not state.source:
        return replace(page, faults=faults)
    preview, told = _look(state, previews or Previews())
    faults |= told
    if preview is None:
        return replace(page, faults=faults, status=422)
    known = _known(library, str(preview.found.get("address", "")))
    name = state.name or (known.name if known else propose_name(library, state.source))
    page = replace(page, preview=preview, name=name, known=known, faults=faults)
    return replace(page, criteria=_criteria(state, preview.kind, known))


def start_adding(
    library: Library, params: Iterable[tuple[str, str]], previews: Previews | None = None
) -> Job | AddPage:
    """Queue the job that the form asks for; what stands against it becomes part of the page."""
    pairs = list(params)
    state = AddState.from_params(pairs)
    page = add_page(library, pairs, previews)
    faults = {**page.faults, **_lacking(page)}
    if faults:
        return replace(page, faults=faults, status=400)
    try:
        return submit_index(
            library,
            state.source,
            state.name,
            extractors=state.by or (),
            source_options=state.options,
            keep_first=state.keep_first,
        )
    except (UsageError, ConflictError, SourceError, UnavailableError) as error:
        return replace(page, faults={_place(error): English(error)}, status=error.http_status)


def _lacking(page: AddPage) -> dict[str, str]:
    """Return what the form does not say yet, by field, all at once."""
    state, faults = page.state, {}
    if not state.source:
        faults["source"] = _("Say first which folder or table it is.")
    if page.preview is None:
        return faults
    try:
        check_collection_name(state.name)
    except UsageError as error:
        faults["name"] = English(error)
    if not state.by:
        faults["criteria"] = _("Choose at least one criterion.")
    if page.preview.n_doubles and not state.keep_first:
        faults["doubles"] = _("Say what is to become of the rows that share an identifier.")
    return faults


def _place(error: BilderatlasError) -> str:
    """Name the field that an error concerns."""
    if isinstance(error, UnknownNameError):
        return "mapping" if error.kind in ("field", "column") else "criteria"
    if isinstance(error, UnavailableError):
        return "criteria"
    return "source" if isinstance(error, SourceError) else "name"


def _look(state: AddState, previews: Previews) -> tuple[Preview | None, dict[str, str]]:
    """Preview the source; a mapping that does not do is told beside the mapping that would."""
    try:
        _check_regular(state.source)
    except SourceError as error:
        return None, {"source": English(error)}
    try:
        return Preview(previews.look(state.source, state.options), state.columns), {}
    except (SourceError, UnknownNameError) as error:
        first = error
    faults: dict[str, str] = {"mapping": English(first)}
    columns = {}
    if isinstance(first, SourceError):
        columns = dict(state.columns) | {"image": LEAVE_OUT}
        faults = {
            "mapping": _(
                "None of its columns names a picture by path or address. Choose one below, or "
                "leave the picture out to keep the records alone."
            )
        }
    try:
        options = replace(state.options, columns=columns)
        found = previews.look(state.source, options)
    except (SourceError, UnknownNameError):
        return None, {"source": English(first)}
    return Preview(found, {}), faults


def _check_regular(address: str) -> None:
    """Refuse pipes and devices, which could be read without end.

    Raises:
        SourceError: when `address` is one.
    """
    try:
        path = Path(address).expanduser()
        odd = path.exists() and not path.is_dir() and not path.is_file()
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"Cannot index '{address[:200]}': {error}.") from error
    if odd:
        raise SourceError(
            f"Cannot index '{address[:200]}': it is neither a folder nor an ordinary file."
        )


def _folder_of(state: AddState) -> str:
    """Return the folder to look through: the one that is asked for, else that of the source."""
    if state.at or not state.source or "://" in state.source:
        return state.at
    try:
        path = Path(state.source).expanduser()
        return str(path if path.is_dir() else path.parent)
    except (OSError, ValueError, RuntimeError):
        return ""


def _known(library: Library, address: str) -> CollectionInfo | None:
    infos = library.collections()
    return next((info for info in infos if info.source_address == address), None)


def propose_name(library: Library, source: str) -> str:
    """Propose a name for the collection of a source: that of its folder or file.

    >>> slug("Old Masters (Städel).csv")
    'old_masters_stadel'
    """
    taken = {info.name for info in library.collections()}
    stem = "museum" if "://" in source else slug(Path(source).name)
    found, n = stem, 2
    while found in taken:
        found, n = f"{stem}-{n}", n + 1
    return found


def slug(file_name: str) -> str:
    """Return a name that a collection can have."""
    stem = file_name.partition(".")[0] or file_name
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9-]+", "_", plain).strip("_-")[:MAX_NAME_CHARS] or "collection"


def _criteria(state: AddState, kind: str, known: CollectionInfo | None) -> list[Criterion]:
    """Return all criteria, those that can run here first."""
    ticked = state.by
    if ticked is None:
        usual = [one.card.model_id for one in default_extractors(kind)]
        ticked = tuple(known.model_ids) if known and known.model_ids else tuple(usual)
    found = [Criterion(info, info.card.model_id in ticked) for info in list_extractors()]
    return sorted(found, key=lambda one: not one.ready)
