"""Pictures that a viewer brings along: taken in, then part of the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.datastructures import FormData, UploadFile

from bilderatlas.errors import UsageError
from bilderatlas.web import urls
from bilderatlas.web.state import SearchState

if TYPE_CHECKING:
    from bilderatlas.api import Library, Upload

MAX_BYTES = 100_000_000
FILE_FIELD = "picture"


@dataclass(frozen=True, slots=True)
class Taken:
    """An upload and the question that it became part of."""

    upload: Upload
    state: SearchState

    def to_json(self) -> dict[str, Any]:
        """Return the upload and where to go."""
        return {
            "sha256": self.upload.sha256,
            "part": f"upload:{self.upload.sha256}",
            "size_wh": list(self.upload.size_wh),
            "thumbnail": urls.upload_thumbnail(self.upload.sha256),
            "url": self.state.url(),
        }


def take_upload(library: Library, form: FormData, data: bytes) -> Taken:
    """Take the picture in and add it to the question that the form carries.

    Raises:
        ImageError: when it is no picture that we read.
        UsageError: when the form names no collection.
    """
    state = question_of(library, form)
    if state is None:
        raise UsageError(
            "Cannot search with this picture: the form names no collection. "
            "Send it from a search page."
        )
    upload = library.add_upload(data)
    sign = -1 if form.get("sign") == "unlike" else 1
    return Taken(upload, state.with_part(f"upload:{upload.sha256}", sign))


def question_of(library: Library, form: FormData) -> SearchState | None:
    """Return the question that the form carries; None where it names no collection of ours."""
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    collection = next((value for name, value in fields if name == "collection"), "")
    return SearchState.from_params(collection, fields) if collection in library else None


async def read_file(form: FormData) -> bytes:
    """Return the bytes of the form's picture.

    Raises:
        UsageError: when there is none.
    """
    file = form.get(FILE_FIELD)
    data = await file.read() if isinstance(file, UploadFile) else b""
    if not data:
        raise UsageError("Cannot search with this picture: no file was chosen. Choose one first.")
    return data
