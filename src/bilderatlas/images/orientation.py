"""Turn a picture upright, as its EXIF orientation says."""

from __future__ import annotations

from PIL import Image

ORIENTATION_TAG = 0x0112
_TURNS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def turn_upright(picture: Image.Image, orientation: int) -> Image.Image:
    """Apply EXIF `orientation`, 1 to 8 (CIPA DC-008); any other value leaves it as it is."""
    turn = _TURNS.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def upright_size(size_wh: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the size after `turn_upright`: 5 to 8 swap the sides.

    >>> upright_size((30, 20), 6)
    (20, 30)
    """
    return (size_wh[1], size_wh[0]) if orientation in {5, 6, 7, 8} else size_wh
