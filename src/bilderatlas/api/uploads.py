"""Pictures that a user brings along: re-encoded without their metadata, kept for a while."""

from __future__ import annotations

from dataclasses import dataclass

from bilderatlas.api.pictures import Pictures
from bilderatlas.errors import NotFoundError
from bilderatlas.store.library import LibraryStore

UPLOAD_SIDE_PX = 2048
EXPIRY_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded picture: the hash that names it in a query, and its size."""

    sha256: str
    size_wh: tuple[int, int]

    @property
    def value(self) -> str:
        """Spell the upload as a part of a query: `upload:3f…`."""
        return f"upload:{self.sha256}"


def add_upload(store: LibraryStore, pictures: Pictures, data: bytes) -> Upload:
    """Take in a picture: decoded in a child, re-encoded without metadata, older ones swept.

    Raises:
        ImageError: when it is no picture that we read.
    """
    store.uploads.sweep(EXPIRY_S)
    clean = pictures.decoder.encode_upload(data)
    decoded = pictures.decode(clean, side_px=UPLOAD_SIDE_PX)
    return Upload(store.uploads.put(clean), decoded.original_size_wh)


def upload_thumbnail(
    store: LibraryStore, pictures: Pictures, sha256: str, side_px: int = 256
) -> bytes:
    """Return a WebP thumbnail of an uploaded picture.

    Raises:
        NotFoundError: when it has expired or never was.
    """
    try:
        data = store.uploads.get(sha256)
    except (NotFoundError, FileNotFoundError) as error:
        raise NotFoundError(
            "The uploaded picture is gone: uploads are kept for seven days. Upload it again."
        ) from error
    return pictures.decode(data, side_px=side_px, thumbnails=True).thumbnails[side_px]
