"""Pyramids of tiles, for looking at large pictures from near.

Level 0 fits into one tile; each further level has twice the sides, the last one all the pixels that
are shown. A tile takes one pixel of its neighbours along, so that no seam shows between them
(the Deep Zoom layout). What a pyramid consists of follows from the size of the picture alone.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from bilderatlas.arrays import scale_to_side
from bilderatlas.images.refusals import refusal

TILE_SIDE_PX = 512
OVERLAP_PX = 1
MAX_TILED_PIXELS = 100_000_000  # larger pictures are tiled at half their sides
MAX_PYRAMID_BYTES = 200_000_000  # five times what paintings of that size take
LAYOUT = 1  # part of every address of a tile: another way to cut gets another number
QUALITY = 85


@dataclass(frozen=True, slots=True)
class Pyramid:
    """How a picture of one size is cut.

    Attributes:
        width: Of the largest level, in pixels.
        height: Of the largest level, in pixels.
    """

    width: int
    height: int

    @classmethod
    def of(cls, original_wh: tuple[int, int]) -> Pyramid:
        """Return the pyramid of a picture whose oriented original has this size.

        >>> Pyramid.of((3000, 2000)), Pyramid.of((16_001, 12_000))
        (Pyramid(width=3000, height=2000), Pyramid(width=8000, height=6000))
        """
        return cls(*scale_to_side(original_wh, side_of(original_wh)))

    @property
    def n_levels(self) -> int:
        """The number of levels.

        >>> [Pyramid(side, 10).n_levels for side in (512, 513, 1024, 1025)]
        [1, 2, 2, 3]
        """
        return max(0, math.ceil(math.log2(max(self.width, self.height) / TILE_SIDE_PX))) + 1

    @property
    def n_tiles(self) -> int:
        """The number of tiles of all levels."""
        return sum(columns * rows for columns, rows in map(self.grid, range(self.n_levels)))

    def size_wh(self, level: int) -> tuple[int, int]:
        """Return the size of a level in pixels."""
        shrunk = 1 << (self.n_levels - 1 - level)
        return -(-self.width // shrunk), -(-self.height // shrunk)

    def grid(self, level: int) -> tuple[int, int]:
        """Return how many columns and rows of tiles a level has."""
        width, height = self.size_wh(level)
        return -(-width // TILE_SIDE_PX), -(-height // TILE_SIDE_PX)

    def number_of(self, level: int, column: int, row: int) -> int | None:
        """Return the place of a tile in the order of `iter_tiles`; None where there is no such."""
        if not 0 <= level < self.n_levels:
            return None
        columns, rows = self.grid(level)
        if not (0 <= column < columns and 0 <= row < rows):
            return None
        before = range(level + 1, self.n_levels)
        return sum(math.prod(self.grid(one)) for one in before) + row * columns + column

    def box(self, level: int, column: int, row: int) -> tuple[int, int, int, int]:
        """Return what a tile shows of its level: left, top, right, bottom."""
        width, height = self.size_wh(level)
        left, top = column * TILE_SIDE_PX, row * TILE_SIDE_PX
        return (
            max(left - OVERLAP_PX, 0),
            max(top - OVERLAP_PX, 0),
            min(left + TILE_SIDE_PX + OVERLAP_PX, width),
            min(top + TILE_SIDE_PX + OVERLAP_PX, height),
        )


def side_of(original_wh: tuple[int, int]) -> int:
    """Return the longest side at which a picture is tiled: its own, unless it is very large."""
    side_px = max(original_wh)
    n_pixels = math.prod(original_wh)
    while n_pixels > MAX_TILED_PIXELS:
        side_px, n_pixels = side_px // 2, n_pixels // 4
    return side_px


def iter_tiles(picture: Image.Image) -> Iterator[bytes]:
    """Cut a picture into the tiles of its pyramid, the largest level first, row by row.

    Runs in the child only.

    Args:
        picture: RGB in sRGB, upright.
    """
    pyramid = Pyramid(*picture.size)
    for level in reversed(range(pyramid.n_levels)):
        columns, rows = pyramid.grid(level)
        for row in range(rows):
            for column in range(columns):
                yield _encode(picture.crop(pyramid.box(level, column, row)))
        if level:
            picture = picture.reduce(2)


def make_tiles(picture: Image.Image) -> list[bytes]:
    """Return all tiles of a picture.

    Raises:
        ImageError: when they take more space than any picture of that size should.
    """
    tiles, n_bytes = [], 0
    for tile in iter_tiles(picture):
        n_bytes += len(tile)
        if n_bytes > MAX_PYRAMID_BYTES:
            raise refusal("too-much-memory", limit=MAX_PYRAMID_BYTES)
        tiles.append(tile)
    return tiles


def _encode(tile: Image.Image) -> bytes:
    """Encode as JPEG with colours at full resolution, and nothing but pixels."""
    out = io.BytesIO()
    plain = Image.new("RGB", tile.size)  # takes no `info` of the original along
    plain.paste(tile)
    plain.save(out, "JPEG", quality=QUALITY, subsampling=0)
    return out.getvalue()
