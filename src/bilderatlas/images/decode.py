"""Open one picture: upright, in sRGB, at most so large. Runs in the child only."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL import ImageFile as PillowFile

from bilderatlas.arrays import scale_to_side
from bilderatlas.errors import ImageError
from bilderatlas.images import colours, frames
from bilderatlas.images.integrity import check_png, ends_early, webp_pixels
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.metadata import read_found
from bilderatlas.images.orientation import ORIENTATION_TAG, turn_upright, upright_size
from bilderatlas.images.refusals import refusal
from bilderatlas.images.texts import Found
from bilderatlas.images.thumbnails import THUMBNAIL_SIDES_PX, resized

PLUGINS = (  # imported before the process is locked; Pillow's other sixty stay unloaded
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
DRAFT_GAP = 1.5  # JPEG: decoded at so many times the wanted size (52 dB to the long way), or more
REDUCING_GAP = 2.0  # anything else is averaged down to twice the wanted size, from there by Lanczos
_WEBP_BYTES_PER_PIXEL = 9  # two canvases, and what the decoder itself needs
_TRUNCATED = re.compile(r"truncat|unexpected end|not enough|ran out|missing end|incomplete", re.I)
_TOO_MUCH_TEXT = re.compile(r"Decompressed data too large|Too much memory used in text")
_UNSUPPORTED = re.compile(r"unknown|unsupported|not supported|cannot handle", re.I)


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture as the child hands it on.

    Attributes:
        picture: RGB in sRGB, upright; its long side at most what was asked for.
        base: The same, at least as large as the largest thumbnail where the original is.
        original_size_wh: Upright, before scaling.
        n_frames: Frames or pages, counted up to the limit.
        found: Record fields found inside the file.
    """

    picture: Image.Image
    base: Image.Image
    original_size_wh: tuple[int, int]
    n_frames: int
    found: Found


def prepare(limits: DecodeLimits) -> None:
    """Set Pillow's own safety nets for this process."""
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    PillowFile.LOAD_TRUNCATED_IMAGES = False
    PngImagePlugin.MAX_TEXT_CHUNK = colours.MAX_PROFILE_BYTES
    PngImagePlugin.MAX_TEXT_MEMORY = 4 * colours.MAX_PROFILE_BYTES
    warnings.simplefilter("ignore")  # a child has no reader for them
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def open_picture(
    content: bytes,
    format_: str,
    side_px: int,
    limits: DecodeLimits,
    *,
    draft_gap: float = DRAFT_GAP,
    reducing_gap: float = REDUCING_GAP,
) -> Opened:
    """Decode the first picture in `content`.

    Args:
        content: The file.
        format_: What its first bytes say it is, one of `sniff.FORMATS`.
        side_px: Longest side of the result; never enlarged.
        limits: What the picture may cost.
        draft_gap: How many times the wanted size a JPEG is decoded at, at least.
        reducing_gap: To how many times the wanted size anything else is averaged down.

    Raises:
        ImageError: with a code from `refusals` for whatever is wrong with the file.
    """
    with _named_failures(content, format_, limits):
        file = _open_header(content, format_, limits)
        if format_ == "PNG":
            check_png(content)
        size_wh = file.size
        # always the same, whether or not thumbnails are wanted: the pixels must not depend on it
        base_px = max(side_px, *THUMBNAIL_SIDES_PX)
        if format_ == "JPEG":
            file.draft(None, scale_to_side(size_wh, round(base_px * draft_gap)))
        file.load()
        if format_ != "JPEG":
            size_wh = file.size  # Pillow turns a TIFF upright while it loads it
        orientation = _read_orientation(file)
        original_wh = upright_size(size_wh, orientation)
        found = read_found(file)
        n_frames = _count_frames(file, content, format_, limits.max_frames)
        profile = file.info.get("icc_profile")
        picture = _shrink(file, scale_to_side(size_wh, base_px), reducing_gap)
        del file  # a large scan and two copies of it do not fit into memory
        picture = turn_upright(picture, orientation)
        base = colours.to_srgb(picture, profile)
        return Opened(
            # from the original size: rounding twice could differ from rounding once
            picture=resized(base, scale_to_side(original_wh, side_px)),
            base=base,
            original_size_wh=original_wh,
            n_frames=n_frames,
            found=found,
        )


def _open_header(content: bytes, format_: str, limits: DecodeLimits) -> PillowFile.ImageFile:
    """Read the header alone, and refuse what would be too large."""
    file = Image.open(io.BytesIO(content), formats=[format_])
    width, height = file.size
    if width < 1 or height < 1:
        raise refusal("no-pixels", width=width, height=height)
    if max(width, height) > limits.max_side_px:
        raise refusal("side-too-long", side=max(width, height), limit=limits.max_side_px)
    if width * height > limits.max_pixels:
        raise refusal("too-many-pixels", n_pixels=width * height, limit=limits.max_pixels)
    return file


def _read_orientation(file: PillowFile.ImageFile) -> int:
    try:
        value = file.getexif().get(ORIENTATION_TAG, 1)
    except MemoryError:
        raise
    except Exception:  # a broken EXIF block raises anything, and the picture may be fine
        return 1
    return value if isinstance(value, int) else 1


def _shrink(file: Image.Image, size_wh: tuple[int, int], gap: float) -> Image.Image:
    """Return the picture in 8 bits at `size_wh`, converting strip by strip."""
    to_eight_bits = colours.eight_bits_of(file)
    width, height = file.size
    factor = max(1, int(max(width, height) / (max(size_wh) * gap)))
    n_rows = max(1, colours.STRIP_PIXELS // (width * factor)) * factor
    if factor == 1 and (n_rows >= height or colours.is_eight_bits(file)):
        reduced = to_eight_bits(file)
    else:
        reduced = _reduce(file, to_eight_bits, factor, n_rows)
    if reduced.size == size_wh:
        return reduced
    box = (0, 0, width / factor, height / factor)
    return reduced.resize(size_wh, Image.Resampling.LANCZOS, box=box)


def _reduce(
    file: Image.Image, to_eight_bits: colours.EightBits, factor: int, n_rows: int
) -> Image.Image:
    """Average squares of `factor` pixels; `n_rows` is a multiple of it."""
    whole: Image.Image | None = None
    for top, strip in colours.iter_strips(file, n_rows):
        small = to_eight_bits(strip)
        small = small.reduce(factor) if factor > 1 else small
        if whole is None:
            size_wh = (small.width, -(-file.height // factor))
            whole = Image.new(small.mode, size_wh)
        whole.paste(small, (0, top // factor))
    assert whole is not None  # a picture has at least one strip
    return whole


def _count_frames(file: Image.Image, content: bytes, format_: str, limit: int) -> int:
    if format_ == "GIF":
        return frames.count_gif_frames(content, limit)
    if format_ == "TIFF":
        return frames.count_tiff_pages(content, limit)
    return min(int(getattr(file, "n_frames", 1)), limit)


@contextlib.contextmanager
def _named_failures(content: bytes, format_: str, limits: DecodeLimits) -> Iterator[None]:
    """Turn whatever a decoder raises into an `ImageError` with a code."""
    try:
        yield
    except (ImageError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        digits = re.search(r"\((\d+) pixels", str(error))
        n_pixels = int(digits.group(1)) if digits else limits.max_pixels + 1
        raise refusal("too-many-pixels", n_pixels=n_pixels, limit=limits.max_pixels) from error
    except UnidentifiedImageError as error:
        raise _why_unidentified(content, format_) from error
    except Exception as error:
        n_pixels = webp_pixels(content) if format_ == "WEBP" else 0
        if n_pixels * _WEBP_BYTES_PER_PIXEL > limits.memory_bytes:
            raise refusal("too-much-memory", limit=limits.memory_bytes) from error
        raise _why(error, content, format_) from error


def _why_unidentified(content: bytes, format_: str) -> ImageError:
    """Ask the plug-in itself, since Pillow swallows what it said."""
    try:
        Image.OPEN[format_][0](io.BytesIO(content), "")
    except MemoryError:
        raise
    except Exception as error:
        return _why(error, content, format_)
    return _why(UnidentifiedImageError(), content, format_)


def _why(error: Exception, content: bytes, format_: str) -> ImageError:
    text = str(error)
    if format_ == "PNG" and _TOO_MUCH_TEXT.search(text):
        return refusal("metadata-too-large")
    is_short = isinstance(error, EOFError | struct.error) or _TRUNCATED.search(text)
    if is_short or ends_early(content, format_):
        return refusal("truncated")
    if _UNSUPPORTED.search(text):
        return refusal("unsupported-variant", what=format_)
    return refusal("damaged", what=format_)
