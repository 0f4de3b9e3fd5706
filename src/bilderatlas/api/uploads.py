"""Pictures that a user brings along: re-encoded without their metadata, kept for a while."""

from __future__ import annotations

from dataclasses import dataclass

from bilderatlas.api.pictures import Pictures
from bilderatlas.api.visitor import EXPIRY_S, check_upload
from bilderatlas.errors import NotFoundError
from bilderatlas.store.library import LibraryStore

UPLOAD_SIDE_PX = 2048


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded picture: the hash that names it in a query, its size, what its file is called."""

    sha256: str
    size_wh: tuple[int, int]
    name: str = ""

    @property
    def value(self) -> str:
        """Spell the upload as a part of a query: `upload:3f…`."""
        return f"upload:{self.sha256}"


def add_upload(
    store: LibraryStore, pictures: Pictures, data: bytes, *, name: str = "", owner: str = ""
) -> Upload:
    """Take in a picture: decoded in a child, re-encoded without metadata, older ones swept.

    Args:
        store: The library.
        pictures: Decodes.
        data: The encoded picture.
        name: What its file is called; shown only.
        owner: The browser that brings it, as `visitor.asking` names it; none for the library's
            own user.

    Raises:
        ImageError: when it is no picture that we read.
    """
    store.uploads.sweep(EXPIRY_S)
    clean = pictures.decoder.encode_upload(data)
    decoded = pictures.decode(clean, side_px=UPLOAD_SIDE_PX)
    upload = Upload(store.uploads.put(clean), decoded.original_size_wh, name)
    if owner:
        store.uploads.claim(owner, upload.sha256, name=name, size_wh=upload.size_wh)
    return upload


def upload_thumbnail(
    store: LibraryStore, pictures: Pictures, sha256: str, side_px: int = 256
) -> bytes:
    """Return a WebP thumbnail of an uploaded picture.

    Raises:
        NotFoundError: when it has expired, never was, or belongs to another browser.
    """
    check_upload(store, sha256)
    try:
        data = store.uploads.get(sha256)
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFoundError(
            "The uploaded picture is gone: uploads are kept for seven days. Upload it again."
        ) from error
    return pictures.decode(data, side_px=side_px, thumbnails=True).thumbnails[side_px]
