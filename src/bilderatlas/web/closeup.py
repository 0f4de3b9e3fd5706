"""How a picture is looked at from near: whole where it is small, else in tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from bilderatlas.images.tiles import LAYOUT, Pyramid
from bilderatlas.web import urls
from bilderatlas.web.sniffing import SHOWN_SUFFIXES

if TYPE_CHECKING:
    from bilderatlas.web.pictures import Picture

SMALL_SIDE_PX = 2048  # up to here a browser takes the picture as it is


@dataclass(frozen=True, slots=True)
class Closeup:
    """Where the pixels of a picture are.

    Attributes:
        width: In pixels, of what is shown.
        height: In pixels, of what is shown.
        image: Address of the whole picture; empty where it comes in tiles.
        tiles: Address that makes the tiles and tells where they are; empty where it comes whole.
    """

    width: int
    height: int
    image: str
    tiles: str

    @classmethod
    def of(cls, picture: Picture) -> Self | None:
        """Return how this picture is looked at; None where there is none."""
        if picture.sha256 is None or min(picture.size_wh) < 1 or picture.size_wh == (1, 1):
            return None
        name = (picture.record.image_path or picture.record.image_url or "").lower()
        if max(picture.size_wh) <= SMALL_SIDE_PX and name.endswith(SHOWN_SUFFIXES):
            image = urls.original(picture.collection, picture.image_id)
            return cls(*picture.size_wh, image, "")
        pyramid = Pyramid.of(picture.size_wh)
        version = tiles_version(picture.sha256)
        address = urls.tiles(picture.collection, picture.image_id, version)
        return cls(pyramid.width, pyramid.height, "", address)

    def to_json(self) -> dict[str, Any]:
        """Return where the pixels are, for programs."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}


def tiles_version(sha256: str | None) -> str:
    """Return what stands for the content and the layout of tiles in their addresses."""
    return f"{(sha256 or '-')[:16]}-{LAYOUT}"
