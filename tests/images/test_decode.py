"""Pictures of every kind come out upright, in sRGB, in the right size."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from bilderatlas.arrays import Pixels, scale_to_side
from bilderatlas.images.decode import open_picture
from bilderatlas.images.decoder import Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.orientation import turn_upright, upright_size
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX, make_thumbnails
from tests.images.pictures import (
    BLUE,
    FORMATS,
    GREEN,
    RED,
    YELLOW,
    encoded,
    odd_but_valid,
    plain_png,
    quarters,
    swapped_profile,
    textured,
)

Colour = tuple[int, int, int]
# the corner that each orientation has to bring back to the upper left, by hand from CIPA DC-008
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def corners(pixels: Pixels) -> list[npt.NDArray[np.int64]]:
    """Return the colour in the middle of each quarter: upper left, upper right, lower left …"""
    height, width = pixels.shape[:2]
    middles = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [pixels[y, x].astype(np.int64) for y, x in middles]


def assert_quarters(pixels: Pixels, tolerance: int = 12) -> None:
    for seen, meant in zip(corners(pixels), (RED, GREEN, BLUE, YELLOW), strict=True):
        assert np.abs(seen - meant).max() <= tolerance, (seen, meant)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_opens(decoder: Decoder, format_: str) -> None:
    decoded = decoder.decode(encoded(quarters(), format_), side_px=640)
    assert decoded.format == format_
    assert decoded.original_size_wh == (96, 64)
    assert decoded.pixels.shape == (64, 96, 3)  # not enlarged
    assert decoded.n_frames == 1
    assert decoded.thumbnails == {}
    tolerance = 45 if format_ in {"GIF", "WEBP"} else 12
    assert_quarters(decoded.pixels, tolerance)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_first(decoder: Decoder, format_: str, orientation: int) -> None:
    turn = STORED_AS[orientation]
    stored = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decoder.decode(encoded(stored, format_, exif=exif), side_px=640)
    assert decoded.original_size_wh == (96, 64)
    assert_quarters(decoded.pixels, 45)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 8))
def test_turning_upright_keeps_every_pixel(width: int, height: int, orientation: int) -> None:
    pixels = np.arange(width * height, dtype=np.uint8).reshape(height, width)
    upright = turn_upright(Image.fromarray(pixels), orientation)
    assert upright.size == upright_size((width, height), orientation)
    assert sorted(np.asarray(upright).ravel()) == sorted(pixels.ravel())


@given(st.integers(1, 70_000), st.integers(1, 70_000), st.integers(1, 4_000))
def test_scaling_fits_keeps_the_shape_and_never_enlarges(
    width: int, height: int, side_px: int
) -> None:
    new_width, new_height = scale_to_side((width, height), side_px)
    assert 1 <= new_width <= width
    assert 1 <= new_height <= height
    assert max(new_width, new_height) == min(side_px, max(width, height))
    scale = min(1.0, side_px / max(width, height))
    assert abs(new_width - width * scale) <= 1
    assert abs(new_height - height * scale) <= 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("name", odd_but_valid())
def test_good_files_are_never_refused(
    decoder: Decoder, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 8_000_000)
    content = odd_but_valid()[name]
    decoded = decoder.decode(content, side_px=100, thumbnails=True)
    with Image.open(io.BytesIO(content)) as file:
        expected = file.size
    assert decoded.original_size_wh == expected
    assert decoded.pixels.shape[:2] == scale_to_side(expected, 100)[::-1]


def test_odd_kinds_look_like_the_plain_one(decoder: Decoder) -> None:
    """All that were made of one picture have its mean colour, or its mean grey."""
    plain = np.asarray(textured(11)).reshape(-1, 3).mean(0)
    grey = np.asarray(textured(11).convert("L")).mean()
    n_compared = 0
    for name, content in odd_but_valid().items():
        decoded = decoder.decode(content, side_px=160)
        if decoded.original_size_wh == (160, 120):
            seen = decoded.pixels.reshape(-1, 3).mean(0)
            is_grey = np.ptp(seen) < 0.5
            assert np.abs(seen - (grey if is_grey else plain)).max() < 4, name
            n_compared += 1
    assert n_compared >= 35


def test_pixels_do_not_depend_on_thumbnails(decoder: Decoder) -> None:
    content = encoded(textured(4, 1500, 1100), "JPEG")
    alone = decoder.decode(content, side_px=224)
    both = decoder.decode(content, side_px=224, thumbnails=True)
    assert np.array_equal(alone.pixels, both.pixels)


def test_thumbnails_have_their_sides_and_are_not_enlarged(decoder: Decoder) -> None:
    large = decoder.decode(encoded(textured(4, 900, 600), "JPEG"), side_px=100, thumbnails=True)
    small = decoder.decode(encoded(textured(4, 90, 60), "JPEG"), side_px=100, thumbnails=True)
    assert set(large.thumbnails) == set(small.thumbnails) == set(THUMBNAIL_SIDES_PX)
    for side_px, webp in large.thumbnails.items():
        thumbnail = Image.open(io.BytesIO(webp))
        assert (thumbnail.format, thumbnail.size) == ("WEBP", scale_to_side((900, 600), side_px))
    assert Image.open(io.BytesIO(small.thumbnails[512])).size == (90, 60)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 1500), st.integers(1, 1500), st.integers(1, 700), st.integers(1, 8))
def test_sizes_are_rounded_once(width: int, height: int, side_px: int, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.new("L", (width, height)), "JPEG", exif=exif)
    opened = open_picture(content, "JPEG", side_px, DecodeLimits())
    assert opened.original_size_wh == upright_size((width, height), orientation)
    assert opened.picture.size == scale_to_side(opened.original_size_wh, side_px)
    for side, webp in make_thumbnails(opened.base, opened.original_size_wh).items():
        assert Image.open(io.BytesIO(webp)).size == scale_to_side(opened.original_size_wh, side)


def test_transparency_is_laid_on_white(decoder: Decoder) -> None:
    clear = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    half = Image.new("LA", (8, 8), (0, 128))
    keyed = encoded(Image.new("RGB", (8, 8), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert (decoder.decode(encoded(clear, "PNG"), side_px=8).pixels == 255).all()
    assert (decoder.decode(encoded(clear, "TIFF"), side_px=8).pixels == 255).all()
    assert (decoder.decode(keyed, side_px=8).pixels == 255).all()
    halfway = decoder.decode(encoded(half, "PNG"), side_px=8).pixels
    assert np.abs(halfway.astype(int) - 127).max() <= 1


def test_sixteen_bits_keep_their_range(decoder: Decoder) -> None:
    ramp = np.array([[0, 257 * 64, 257 * 128, 65535]], np.uint16)
    for format_ in ("PNG", "TIFF"):
        decoded = decoder.decode(encoded(Image.fromarray(ramp), format_), side_px=4)
        assert decoded.pixels[0, :, 0].tolist() == [0, 64, 128, 255]


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ([0.0, 0.5, 1.0, np.nan], [0, 128, 255, 0]),  # a share of white
        ([0.0, 51.0, 102.0, 255.0], [0, 51, 102, 255]),  # bytes
        ([-10.0, 0.0, 10.0, np.inf], [0, 128, 255, 255]),  # neither: its own range
    ],
)
def test_floats_take_a_usual_range(decoder: Decoder, values: list[float], seen: list[int]) -> None:
    content = encoded(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert decoder.decode(content, side_px=4).pixels[0, :, 0].tolist() == seen


def test_profiles_are_applied(decoder: Decoder) -> None:
    """With red and green swapped in the profile, a red picture is shown green."""
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    for format_ in ("JPEG", "PNG", "TIFF", "WEBP"):
        content = encoded(red, format_, icc_profile=swapped_profile())
        r, g, b = decoder.decode(content, side_px=16).pixels[8, 8]
        assert g > 240 > 40 > max(r, b)


def test_inverted_cmyk_comes_out_right(decoder: Decoder) -> None:
    """Pillow writes CMYK JPEGs as Adobe does: inverted, with a marker."""
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow make red
    for format_ in ("JPEG", "TIFF"):
        r, g, b = decoder.decode(encoded(ink, format_), side_px=16).pixels[8, 8]
        assert r > 240 > 15 > max(g, b)


def test_lab_is_converted(decoder: Decoder) -> None:
    red_lab = Image.new("LAB", (8, 8), (136, 80 + 128, 67 + 128))  # L 53, a 80, b 67: sRGB red
    r, g, b = decoder.decode(encoded(red_lab, "TIFF"), side_px=8).pixels[4, 4]
    assert r > 240 > 25 > max(g, b)


@pytest.mark.parametrize(
    ("name", "n_frames"),
    [
        ("animated.gif", 6),
        ("long.gif", 50),
        ("animated.png", 5),
        ("animated.webp", 4),
        ("pages.tif", 7),
        ("mpo.jpg", 2),
        ("palette.tif", 1),
    ],
)
def test_frames_are_counted_up_to_the_limit(decoder: Decoder, name: str, n_frames: int) -> None:
    decoded = decoder.decode(odd_but_valid()[name], side_px=32)
    assert decoded.n_frames == n_frames
    if name.startswith(("animated", "long", "pages")):  # the first frame, not another
        assert np.abs(decoded.pixels[4, 4].astype(int) - (0, 40, 90)).max() <= 6


def test_large_pictures_are_reduced_in_strips(decoder: Decoder) -> None:
    """Ten megapixels of palette, grey with alpha and RGB: more than one strip each."""
    large = quarters(4000, 2500)
    for picture in (large, large.convert("P"), large.convert("RGBA")):
        decoded = decoder.decode(encoded(picture, "PNG", compress_level=1), side_px=64)
        assert decoded.original_size_wh == (4000, 2500)
        assert_quarters(decoded.pixels, 3)


def test_extreme_shapes(decoder: Decoder) -> None:
    tall = decoder.decode(plain_png(1, 60_000, 8, 2), side_px=64, thumbnails=True)
    wide = decoder.decode(plain_png(60_000, 2, 8, 0), side_px=64)
    assert tall.pixels.shape == (64, 1, 3)
    assert wide.pixels.shape == (1, 64, 3)


def test_uploads_keep_nothing_but_pixels(decoder: Decoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x013B] = "A. Visitor"
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    stored = quarters().transpose(Image.Transpose.ROTATE_90)
    content = encoded(stored, "JPEG", exif=exif, comment=b"secret", icc_profile=swapped_profile())
    upload = decoder.encode_upload(content)
    assert b"Exif" not in upload
    assert b"secret" not in upload
    assert b"ICC_PROFILE" not in upload
    with Image.open(io.BytesIO(upload)) as file:
        assert file.format == "JPEG"
        assert file.size == (96, 64)
        assert not file.getexif()


def test_uploads_are_scaled_to_2048(decoder: Decoder) -> None:
    upload = decoder.encode_upload(encoded(quarters(3000, 1500), "PNG", compress_level=1))
    assert Image.open(io.BytesIO(upload)).size == (2048, 1024)


def test_real_paintings_open(decoder: Decoder, paintings: Path) -> None:
    """Refuse none of a real collection."""
    paths = sorted((paintings / "images").rglob("*.jpg"))
    items = ((path, path.read_bytes()) for path in paths)
    n_opened = 0
    for path, decoded in decoder.iter_decoded(items, side_px=256):
        assert not hasattr(decoded, "code"), (path, decoded)
        n_opened += 1
    assert n_opened == len(paths) > 600
