"""Pyramids: every pixel of every level is in a tile, and what a child sends is checked."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bilderatlas.errors import ImageError
from bilderatlas.images.decoder import Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.replies import checked_tiles
from bilderatlas.images.tiles import (
    MAX_TILED_PIXELS,
    OVERLAP_PX,
    TILE_SIDE_PX,
    Pyramid,
    make_tiles,
)
from tests.images.pictures import encoded, quarters, textured

SIDES = st.integers(1, 65_000)


@given(SIDES, SIDES)
def test_levels_double_from_one_tile_to_the_whole(width: int, height: int) -> None:
    pyramid = Pyramid.of((width, height))
    assert pyramid.width * pyramid.height <= MAX_TILED_PIXELS * 1.01
    assert pyramid.grid(0) == (1, 1)
    assert pyramid.size_wh(pyramid.n_levels - 1) == (pyramid.width, pyramid.height)
    for level in range(1, pyramid.n_levels):
        for large, small in zip(pyramid.size_wh(level), pyramid.size_wh(level - 1), strict=True):
            assert small == -(-large // 2)


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_tiles_are_numbered_one_by_one_and_cover_their_level(width: int, height: int) -> None:
    pyramid = Pyramid(width, height)
    numbers = []
    for level in reversed(range(pyramid.n_levels)):
        columns, rows = pyramid.grid(level)
        covered = 0
        for row, column in itertools.product(range(rows), range(columns)):
            numbers.append(pyramid.number_of(level, column, row))
            left, top, right, bottom = pyramid.box(level, column, row)
            inner_w = right - left - OVERLAP_PX * ((column > 0) + (column < columns - 1))
            inner_h = bottom - top - OVERLAP_PX * ((row > 0) + (row < rows - 1))
            assert 0 < inner_w <= TILE_SIDE_PX and 0 < inner_h <= TILE_SIDE_PX
            covered += inner_w * inner_h
        assert covered == np.prod(pyramid.size_wh(level))
        assert pyramid.number_of(level, columns, 0) is None
        assert pyramid.number_of(level, 0, -1) is None
    assert numbers == list(range(pyramid.n_tiles))
    assert pyramid.number_of(pyramid.n_levels, 0, 0) is None


def test_tiles_show_the_picture() -> None:
    picture = textured(3, 1300, 700)
    pyramid = Pyramid(*picture.size)
    tiles = make_tiles(picture)
    whole = np.zeros((700, 1300, 3), np.int16)
    for row, column in itertools.product(range(2), range(3)):
        number = pyramid.number_of(2, column, row)
        assert number is not None
        left, top, right, bottom = pyramid.box(2, column, row)
        tile = Image.open(io.BytesIO(tiles[number]))
        assert tile.size == (right - left, bottom - top) and tile.format == "JPEG"
        whole[top:bottom, left:right] = np.asarray(tile)
    assert np.abs(whole - np.asarray(picture, np.int16)).mean() < 6
    smallest = Image.open(io.BytesIO(tiles[-1]))
    assert smallest.size == (325, 175)


def test_the_child_cuts_upright_pictures_without_their_metadata() -> None:
    lying = quarters(1200, 800)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter to the right
    exif[0x010E] = "secret"
    with Decoder(n_children=1) as decoder:
        tiles = decoder.make_tiles(encoded(lying, "JPEG", exif=exif), (800, 1200))
    assert len(tiles) == Pyramid(800, 1200).n_tiles
    smallest = Image.open(io.BytesIO(tiles[-1]))
    assert smallest.size == (200, 300)
    assert b"secret" not in b"".join(tiles)
    red, green, _ = smallest.getpixel((195, 5))  # type: ignore[misc]
    assert red > 180 and green < 80  # the upper left corner is the upper right one now


def test_very_large_pictures_are_cut_at_half_their_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Pyramid.of((16_001, 12_401)) == Pyramid(8000, 6200)
    monkeypatch.setattr("bilderatlas.images.tiles.MAX_TILED_PIXELS", 500_000)
    for format_ in ("JPEG", "PNG"):
        content = encoded(textured(1, 1201, 803), format_)
        with Decoder(n_children=1) as decoder:
            tiles = decoder.make_tiles(content, (1201, 803))
        assert len(tiles) == Pyramid(600, 401).n_tiles


def test_a_picture_of_another_size_is_refused() -> None:
    with Decoder(n_children=1) as decoder, pytest.raises(ImageError, match="does not fit"):
        decoder.make_tiles(encoded(quarters(), "PNG"), (640, 480))


def test_too_many_pixels_are_refused() -> None:
    content = encoded(quarters(300, 300), "PNG")
    with (
        Decoder(DecodeLimits(max_pixels=50_000), 1) as decoder,
        pytest.raises(ImageError) as caught,
    ):
        decoder.make_tiles(content, (300, 300))
    assert caught.value.reason_code == "too-many-pixels"


JPEG = b"\xff\xd8\xff..\xff\xd9"


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"size_wh": [10, 10], "tiles": [len(JPEG)]}, b"<script>alert(1)</script>"[: len(JPEG)]),
        ({"size_wh": [10, 11], "tiles": [len(JPEG)]}, JPEG),
        ({"size_wh": [10, 10], "tiles": [len(JPEG), 1]}, JPEG),
        ({"size_wh": [10, 10], "tiles": [len(JPEG) + 1]}, JPEG),
        ({"size_wh": [10, 10], "tiles": [-1]}, JPEG),
        ({"size_wh": [10, 10], "tiles": ["7"]}, JPEG),
        ({"size_wh": [10, 10], "tiles": [len(JPEG)]}, JPEG + b"."),
        ({"size_wh": [10, 10]}, JPEG),
        ({}, JPEG),
    ],
)
def test_a_lying_child_is_not_believed(header: dict[str, Any], body: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        checked_tiles(header, bytearray(body), Pyramid(10, 10))
    assert caught.value.reason_code == "bad-answer"


def test_an_honest_child_is() -> None:
    header = {"size_wh": [10, 10], "tiles": [len(JPEG)]}
    assert checked_tiles(header, bytearray(JPEG), Pyramid(10, 10)) == [JPEG]
