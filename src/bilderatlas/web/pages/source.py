"""Where a collection comes from: index it again, by further criteria; its failures; remove it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.extractors import list_extractors
from bilderatlas.api.index import Retry, find_index_job, submit_again
from bilderatlas.errors import BilderatlasError, ConflictError, Failure, UsageError
from bilderatlas.web import urls
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.i18n import ngettext, thousands
from bilderatlas.web.pages.add import Criterion
from bilderatlas.web.pages.jobs import JobRow
from bilderatlas.web.pages.mapping import field_title
from bilderatlas.web.pages.paging import Paging
from bilderatlas.web.pages.search import find_collection
from bilderatlas.web.rendering import ago, collection_title

if TYPE_CHECKING:
    from bilderatlas.api import Collection, Library, SpaceInfo
    from bilderatlas.jobs import Job
    from bilderatlas.store.library import CollectionInfo

RETRIED_STAGES = frozenset({"fetch", "decode", "extract"})  # others lie in the source's own rows
MAX_RETRIED = 10_000


@dataclass(frozen=True, slots=True)
class SourcePage:
    """The data of the page of a collection's source."""

    template: ClassVar[str] = "source.html"
    info: CollectionInfo
    options: dict[str, Any]
    spaces: Sequence[SpaceInfo]
    further: Sequence[Criterion]
    job: JobRow | None
    n_failures: int
    status: int = 200
    fault: str = ""

    @property
    def title(self) -> str:
        """The collection's title."""
        return collection_title(self.info)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """What the user said about columns: the field's word and the column."""
        chosen = dict(self.options.get("columns") or {})
        left_out = _("left out")
        return [
            (field_title(field), left_out if column == "-" else str(column))
            for field, column in chosen.items()
        ]

    @property
    def changed(self) -> str:
        """When it was changed last."""
        return ago(self.info.updated_at)

    def to_json(self) -> dict[str, Any]:
        """Return the source as JSON-ready values."""
        return {
            "name": self.info.name,
            "source_kind": self.info.source_kind,
            "source_address": self.info.source_address,
            "source_options": self.options,
            "n_images": self.info.n_images,
            "n_failures": self.n_failures,
            "model_ids": [space.model_id for space in self.spaces],
            "job": self.job.to_json() if self.job else None,
        }


def source_page(library: Library, name: str) -> SourcePage:
    """Gather what is known of a collection's source.

    Raises:
        NotFoundError: when there is no such collection.
    """
    collection = find_collection(library, name)
    spaces = collection.spaces()
    there = {space.model_id for space in spaces}
    infos = (info for info in list_extractors() if info.card.model_id not in there)
    further = sorted((Criterion(info, False) for info in infos), key=lambda one: not one.ready)
    job = find_index_job(library, name)
    return SourcePage(
        info=collection.info,
        options=dict(collection.store.source_options),
        spaces=spaces,
        further=further,
        job=JobRow(job) if job else None,
        n_failures=len(collection.failures()),
    )


def index_again(library: Library, name: str, model_ids: Sequence[str]) -> Job | SourcePage:
    """Queue that a collection is brought up to date, or that further criteria judge it.

    What stands against it becomes part of the page.

    Raises:
        NotFoundError: when there is no such collection.
    """
    page = source_page(library, name)
    try:
        return submit_again(library, name, extractors=tuple(model_ids))
    except BilderatlasError as error:
        return replace(page, fault=str(error), status=error.http_status)


@dataclass(frozen=True, slots=True)
class FailuresPage:
    """The data of the list of what a collection could not use."""

    template: ClassVar[str] = "failures.html"
    info: CollectionInfo
    failures: Sequence[Failure]
    codes: Sequence[tuple[str, int]]
    code: str
    paging: Paging
    job: JobRow | None
    status: int = 200

    @property
    def title(self) -> str:
        """The collection's title."""
        return collection_title(self.info)

    @property
    def headline(self) -> str:
        """How many there are."""
        n = sum(count for _code, count in self.codes)
        return ngettext("%(num)s could not be used", "%(num)s could not be used", n)

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        """The kinds of failures: words with their number, address, and whether it is shown."""
        n = sum(count for _code, count in self.codes)
        everything = (
            _("all (%(n)s)", n=thousands(n)),
            urls.failures(self.info.name),
            not self.code,
        )
        return [
            everything,
            *(
                (
                    f"{code} ({thousands(count)})",
                    urls.failures(self.info.name, [("code", code)]),
                    code == self.code,
                )
                for code, count in self.codes
            ),
        ]

    def can_retry(self, failure: Failure) -> bool:
        """Tell whether one failure alone can be tried again."""
        return failure.stage in RETRIED_STAGES

    def to_json(self) -> dict[str, Any]:
        """Return the failures of this page, and how many there are of each code."""
        return {
            "codes": dict(self.codes),
            "failures": [
                {"subject": f.subject, "stage": f.stage, "code": f.code, "reason": f.reason}
                for f in self.failures
            ],
            "page": self.paging.number,
            "n_pages": self.paging.n_pages,
        }


def failures_page(
    library: Library, name: str, params: Iterable[tuple[str, str]] = ()
) -> FailuresPage:
    """List what collection `name` could not use, a hundred a page.

    Raises:
        NotFoundError: when there is no such collection.
    """
    pairs = list(params)
    collection = find_collection(library, name)
    found = collection.failures()
    counts = Counter(failure.code for failure in found)
    code = next((value for key, value in pairs if key == "code" and value in counts), "")
    shown = [failure for failure in found if not code or failure.code == code]
    kept = [pair for pair in pairs if pair[0] == "page" or pair == ("code", code)]
    paging = Paging.read(kept, len(shown), urls.failures(name))
    job = find_index_job(library, name)
    return FailuresPage(
        info=collection.info,
        failures=shown[paging.slice],
        codes=counts.most_common(),
        code=code,
        paging=paging,
        job=JobRow(job) if job else None,
    )


def retry_failures(library: Library, name: str, params: Iterable[tuple[str, str]]) -> Job:
    """Queue that pictures are tried again: `all=1`, all of one `code`, or those of `image_id`.

    Raises:
        NotFoundError: when there is no such collection.
        UsageError: when nothing is named, or too much.
        ConflictError: when a job is at it already.
    """
    pairs = list(params)
    collection = find_collection(library, name)
    if ("all", "1") in pairs:
        return submit_again(library, name, retry=Retry(everything=True))
    codes = {value for key, value in pairs if key == "code" and value}
    image_ids = [value for key, value in pairs if key == "image_id" and value]
    image_ids += _of_codes(collection, codes)
    if not image_ids:
        raise UsageError("Cannot try again: no picture is named. Choose one, or all.")
    if len(image_ids) > MAX_RETRIED:
        raise UsageError(
            f"Cannot try {len(image_ids)} pictures again one by one: at most {MAX_RETRIED}. "
            "Try all of them again instead."
        )
    return submit_again(library, name, retry=Retry(image_ids=tuple(dict.fromkeys(image_ids))))


def _of_codes(collection: Collection, codes: set[str]) -> list[str]:
    if not codes:
        return []
    failures = (one for one in collection.failures() if one.code in codes)
    return [one.subject for one in failures if one.stage in RETRIED_STAGES]


@dataclass(frozen=True, slots=True)
class RemovePage:
    """The data of the page that says what is lost before a collection is removed."""

    template: ClassVar[str] = "remove.html"
    info: CollectionInfo
    spaces: Sequence[SpaceInfo]
    job: JobRow | None
    fault: str = ""
    status: int = 200

    @property
    def title(self) -> str:
        """The collection's title."""
        return collection_title(self.info)

    @property
    def lost(self) -> list[str]:
        """What goes, one sentence each."""
        n = self.info.n_images
        told = [
            ngettext(
                "The record of %(num)s work, and its small picture.",
                "The records of %(num)s works, and their small pictures.",
                n,
            )
        ]
        told += [
            _(
                "What %(criterion)s (%(model_id)s) saw in %(n)s works; it can be computed again.",
                criterion=_(str(space.card["judges_by"])),
                model_id=space.model_id,
                n=thousands(space.n_images),
            )
            for space in self.spaces
        ]
        told.append(
            _("Every address of a search in it, also those in citations: they lead nowhere then.")
        )
        return told

    @property
    def kept(self) -> list[str]:
        """What stays, one sentence each."""
        return [
            _("The pictures and tables themselves: %(source)s", source=self.info.source_address),
            _("Panels keep their place and label for its works, and say that they are gone."),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what would go."""
        return {
            "name": self.info.name,
            "n_images": self.info.n_images,
            "model_ids": [space.model_id for space in self.spaces],
            "source_address": self.info.source_address,
        }


def remove_page(library: Library, name: str) -> RemovePage:
    """Say what is lost when collection `name` is removed.

    Raises:
        NotFoundError: when there is no such collection.
    """
    collection = find_collection(library, name)
    job = find_index_job(library, name)
    return RemovePage(collection.info, collection.spaces(), JobRow(job) if job else None)


def remove_collection(library: Library, name: str, confirmed: str) -> RemovePage | None:
    """Remove a collection; what stands against it becomes part of the page.

    Args:
        library: Where it is.
        name: Of the collection.
        confirmed: The same name, as the form of the page that tells what is lost sends it.

    Raises:
        NotFoundError: when there is no such collection.
        UsageError: when it was not confirmed.
    """
    page = remove_page(library, name)
    if confirmed != name:
        raise UsageError(
            f"Cannot remove '{name}': it was not confirmed. Use the button on its page."
        )
    if page.job is not None:
        return replace(page, fault=_("It is being indexed: cancel that first."), status=409)
    try:
        library.remove(name)
    except ConflictError as error:
        return replace(page, fault=str(error), status=error.http_status)
    return None
