"""Bring every kind of pixel to 8 bits on white, then to sRGB."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

EightBits = Callable[[Image.Image], Image.Image]  # to L, RGB, CMYK or LAB

STRIP_PIXELS = (
    4_000_000  # so much is converted at a time: copies of a whole scan are not affordable
)
MAX_PROFILE_BYTES = 8_000_000
_WIDE_MODES = ("I", "F")  # and all that begin with I;16
_PROFILE_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def is_eight_bits(picture: Image.Image) -> bool:
    """Tell whether a picture is in L, RGB, CMYK or LAB already, with nothing transparent."""
    return picture.mode in {"RGB", "L", "CMYK", "LAB"} and not picture.has_transparency_data


def iter_strips(picture: Image.Image, n_rows: int) -> Iterator[tuple[int, Image.Image]]:
    """Yield `(top, strip)` from top to bottom; the picture itself when one strip suffices."""
    width, height = picture.size
    if n_rows >= height:
        yield 0, picture
        return
    for top in range(0, height, n_rows):
        yield top, picture.crop((0, top, width, min(height, top + n_rows)))


def eight_bits_of(picture: Image.Image) -> EightBits:
    """Return the function that brings strips of `picture` to 8 bits in L, RGB, CMYK or LAB.

    It is chosen once for the whole picture, since the range of 32-bit pixels must be known before
    the first strip is scaled. Transparent pixels are laid on white.
    """
    mode = picture.mode
    if mode in _WIDE_MODES or mode.startswith("I;16"):
        low, high = (0.0, 65535.0) if mode.startswith("I;16") else _range_of(picture)
        return functools.partial(_scaled_to_eight_bits, low=low, high=high)
    if picture.has_transparency_data:
        return _on_white
    if is_eight_bits(picture):
        return lambda strip: strip
    target = "L" if mode == "1" else "RGB"
    return lambda strip: strip.convert(target)


def _on_white(strip: Image.Image) -> Image.Image:
    """Lay a strip with any kind of transparency on white."""
    grey = strip.mode in {"L", "LA", "La", "1"}
    straight = {"La": "LA", "RGBa": "RGBA"}.get(strip.mode, "RGBA")
    over = strip.convert(straight).convert("RGBA")
    white = Image.new("RGBA", strip.size, "white")
    white.alpha_composite(over)
    return white.convert("L" if grey else "RGB")


def _range_of(picture: Image.Image) -> tuple[float, float]:
    """Return what black and white are in a 32-bit picture: a usual range, else its own."""
    lows, highs = [], []
    for _, strip in iter_strips(picture, max(1, STRIP_PIXELS // picture.width)):
        values = np.asarray(strip)
        finite = values[np.isfinite(values)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    low, high = min(lows, default=0.0), max(highs, default=0.0)
    usual = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
    for white in usual:
        if low >= 0 and high <= white:
            return 0.0, white
    return low, high


def _scaled_to_eight_bits(strip: Image.Image, low: float, high: float) -> Image.Image:
    values = np.nan_to_num(np.asarray(strip).astype(np.float32), nan=low, posinf=high, neginf=low)
    span = high - low or 1.0
    shares: npt.NDArray[np.float32] = np.clip((values - low) / span, 0, 1)
    return Image.fromarray(np.rint(shares * 255).astype(np.uint8), "L")


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an RGB picture in sRGB.

    Args:
        picture: L, RGB, CMYK or LAB.
        profile: The embedded ICC profile; one that is broken, or made for another kind of
            pixel, is ignored, as browsers do.
    """
    if picture.mode == "LAB":
        profile = None  # the space is defined without one
    transform = _transform(profile or b"", picture.mode)
    if transform is not None:
        try:
            managed = ImageCms.applyTransform(picture, transform)
        except (ImageCms.PyCMSError, ValueError):
            managed = None
        if managed is not None:
            return managed
    return picture if picture.mode == "RGB" else picture.convert("RGB")


@functools.lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the way to sRGB, or None where there is nothing to do or nothing usable."""
    if mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif not 128 <= len(profile) <= MAX_PROFILE_BYTES:
        return None
    else:
        try:
            opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            source = opened.profile
            made_for = _PROFILE_SPACES.get(source.xcolor_space.strip())
            is_srgb = (source.profile_description or "").startswith("sRGB IEC61966-2")
        except Exception:
            return None
        if made_for != mode or is_srgb:
            return None
    try:
        return ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(source),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
