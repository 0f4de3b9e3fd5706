"""Pictures that a viewer brings along: taken in, part of a question, listed, forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.datastructures import FormData, UploadFile

from bilderatlas.api.visitor import EXPIRY_S
from bilderatlas.errors import BilderatlasError, ImageError, NotFoundError, UsageError
from bilderatlas.sources.files import printable
from bilderatlas.web import urls
from bilderatlas.web.i18n import day
from bilderatlas.web.i18n import gettext as _
from bilderatlas.web.rendering import ago, collection_title
from bilderatlas.web.state import UPLOAD_PREFIX, SearchState

if TYPE_CHECKING:
    from bilderatlas.api import Library, Upload
    from bilderatlas.store.library import CollectionInfo
    from bilderatlas.store.uploads import Claim

MAX_BYTES = 100_000_000
MAX_FILES = 24  # in one form; together they may have as many bytes as one alone
FILE_FIELD = "picture"
KEEP_FIELD = "keep"  # of a form that only brings pictures along, with no question to put them to
EXPIRY_DAYS = EXPIRY_S // 86_400


@dataclass(frozen=True, slots=True)
class Brought:
    """One file of a form: its bytes, and what it is called; for people, never a path."""

    data: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that could not be taken in, and why."""

    name: str
    error: BilderatlasError

    @property
    def sentence(self) -> str:
        """Name and reason."""
        return f"{self.name}: {self.error}" if self.name else str(self.error)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a form's pictures, and the question that they became part of, if any."""

    uploads: Sequence[Upload]
    refused: Sequence[Refused] = ()
    state: SearchState | None = None

    @property
    def url(self) -> str:
        """Where to go: to the question, or to the list of what this browser brought."""
        return self.state.url() if self.state is not None else urls.UPLOADS

    def to_json(self) -> dict[str, Any]:
        """Return the uploads, what was refused, and where to go; the first one also by itself."""
        taken = [_upload_json(upload) for upload in self.uploads]
        refused = [{"name": one.name, "message": str(one.error)} for one in self.refused]
        return {**taken[0], "uploads": taken, "refused": refused, "url": self.url}


def _upload_json(upload: Upload) -> dict[str, Any]:
    return {
        "sha256": upload.sha256,
        "part": upload.value,
        "name": upload.name,
        "size_wh": list(upload.size_wh),
        "thumbnail": urls.upload_thumbnail(upload.sha256),
    }


def take_uploads(library: Library, form: FormData, files: Sequence[Brought], owner: str) -> Taken:
    """Take the pictures in and add them to the question that the form carries.

    Args:
        library: Keeps them.
        form: Holds the question, and by `sign` the light box that they go to.
        files: What was brought.
        owner: The browser that brings them.

    Raises:
        ImageError: when none of them is a picture that we read.
        UsageError: when the form names no collection.
    """
    state = question_of(library, form)
    if state is None and not form.get(KEEP_FIELD):
        raise UsageError(
            "Cannot search with this picture: the form names no collection. "
            "Send it from a search page."
        )
    uploads: list[Upload] = []
    refused: list[Refused] = []
    for file in files:
        try:
            uploads.append(library.add_upload(file.data, name=file.name, owner=owner))
        except BilderatlasError as error:
            refused.append(Refused(file.name if len(files) > 1 else "", error))
    if not uploads:
        raise refused[0].error if len(refused) == 1 else all_refused(refused)
    sign = -1 if form.get("sign") == "unlike" else 1
    if state is not None:
        for upload in uploads:
            state = state.with_part(upload.value, sign)
    return Taken(uploads, refused, state)


def all_refused(refused: Sequence[Refused]) -> ImageError:
    """Return one error that names each file that was refused."""
    return ImageError("refused", " ".join(one.sentence for one in refused))


def question_of(library: Library, form: FormData) -> SearchState | None:
    """Return the question that the form carries; None where it names no collection of ours."""
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    collection = next((value for name, value in fields if name == "collection"), "")
    return SearchState.from_params(collection, fields) if collection in library else None


async def read_files(form: FormData) -> list[Brought]:
    """Return the form's pictures.

    Raises:
        UsageError: when there is none.
    """
    sent = [file for file in form.getlist(FILE_FIELD) if isinstance(file, UploadFile)]
    files = [Brought(await file.read(), printable(file.filename or "")) for file in sent]
    files = [file for file in files if file.data]
    if not files:
        raise UsageError("Cannot search with this picture: no file was chosen. Choose one first.")
    return files


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A picture that this browser brought, as the list shows it."""

    claim: Claim
    collections: Sequence[CollectionInfo]

    @property
    def sha256(self) -> str:
        """Its name in addresses."""
        return self.claim.sha256

    @property
    def name(self) -> str:
        """What its file was called."""
        return self.claim.name or _("Picture without a name")

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of its thumbnail, px: the long side is 256 at most."""
        width, height = (max(side, 1) for side in self.claim.size_wh)
        scale = min(256 / max(width, height), 1.0)
        return max(round(width * scale), 1), max(round(height * scale), 1)

    @property
    def brought(self) -> str:
        """When it was brought."""
        return ago(self._moment(0))

    @property
    def kept_until(self) -> str:
        """The day on which it is forgotten by itself."""
        return day(self._moment(EXPIRY_S))

    def _moment(self, later_s: float) -> datetime:
        brought = datetime.fromtimestamp(self.claim.brought_at_s, UTC)
        return brought + timedelta(seconds=later_s)

    @property
    def searches(self) -> list[tuple[str, str]]:
        """The collections in which one may search with it: title and address."""
        part = f"{UPLOAD_PREFIX}{self.sha256}"
        return [
            (
                collection_title(info, self.collections),
                SearchState(info.name, like=(part,)).url(),
            )
            for info in self.collections
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "sha256": self.sha256,
            "part": f"{UPLOAD_PREFIX}{self.sha256}",
            "name": self.claim.name,
            "size_wh": list(self.claim.size_wh),
            "brought_at": self._moment(0).isoformat(timespec="seconds"),
            "expires_at": self._moment(EXPIRY_S).isoformat(timespec="seconds"),
            "thumbnail": urls.upload_thumbnail(self.sha256),
        }


@dataclass(frozen=True, slots=True)
class UploadsPage:
    """The data of the page of one's own pictures.

    Attributes:
        rows: What this browser brought.
        taken: What became of a form of which not all could be taken in.
        status: Of the answer.
        expiry_days: How long they are kept.
        max_files: How many may come at once.
    """

    template: ClassVar[str] = "uploads.html"
    rows: Sequence[UploadRow]
    taken: Taken | None = None
    status: int = 200
    expiry_days: int = field(default=EXPIRY_DAYS)
    max_files: int = field(default=MAX_FILES)

    def to_json(self) -> dict[str, Any]:
        """Return the list."""
        return {"uploads": [row.to_json() for row in self.rows], "expiry_days": self.expiry_days}


def uploads_page(library: Library, owner: str, taken: Taken | None = None) -> UploadsPage:
    """List what the browser `owner` brought along and is still kept; `taken` is what just came."""
    infos = library.collections()
    kept = library.store.uploads.claims(owner, younger_than_s=EXPIRY_S)
    rows = [UploadRow(claim, infos) for claim in kept]
    return UploadsPage(rows, taken, 422 if taken and taken.refused else 200)


def forget_upload(library: Library, owner: str, sha256: str) -> None:
    """Forget one picture of the browser `owner`.

    Raises:
        NotFoundError: when it has no such picture.
    """
    if not library.store.uploads.release(owner, sha256):
        raise NotFoundError("There is no such picture of yours: it was forgotten already.")


def forget_uploads(library: Library, owner: str) -> None:
    """Forget all pictures of the browser `owner`."""
    for claim in library.store.uploads.claims(owner, younger_than_s=float("inf")):
        library.store.uploads.release(owner, claim.sha256)
