"""Small pictures whose every pixel is known, and genuine files of odd but valid kinds."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageCms

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 40), (30, 40, 200), (230, 220, 40)


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Four colours: red, green above; blue, yellow below. No symmetry maps it to itself."""
    pixels = np.empty((height, width, 3), np.uint8)
    half_w, half_h = width // 2, height // 2
    pixels[:half_h, :half_w] = RED
    pixels[:half_h, half_w:] = GREEN
    pixels[half_h:, :half_w] = BLUE
    pixels[half_h:, half_w:] = YELLOW
    return Image.fromarray(pixels)


def textured(seed: int, width: int = 160, height: int = 120) -> Image.Image:
    """A smooth field with grain: something that a codec has to work on."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    field = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), np.int16)
    grain = rng.integers(-12, 13, (height, width, 3), np.int16)
    return Image.fromarray(np.clip(field + grain, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, format_: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format_, **options)
    return out.getvalue()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_png_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    """Put a chunk behind the header of a PNG."""
    return png[:33] + png_chunk(kind, body) + png[33:]


def plain_png(width: int, height: int, bit_depth: int, colour_type: int, level: int = 9) -> bytes:
    """Write a PNG of zeros of any size, line by line, so that bombs cost little to make."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour_type]
    line = bytes(1 + -(-width * channels * bit_depth // 8))
    packer = zlib.compressobj(level)
    packed = bytearray()
    block = line * max(1, min(height, 4_000_000 // len(line)))
    n_left = height * len(line)
    while n_left > 0:
        packed += packer.compress(block[:n_left])
        n_left -= len(block)
    packed += packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0)
    palette = png_chunk(b"PLTE", bytes((200, 10, 10, 10, 10, 200))) if colour_type == 3 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + palette
        + png_chunk(b"IDAT", bytes(packed))
        + png_chunk(b"IEND", b"")
    )


def animated(format_: str, n_frames: int, **options: Any) -> bytes:
    frames = [Image.new("RGB", (24, 16), (7 * i % 256, 40, 90)) for i in range(n_frames)]
    return encoded(frames[0], format_, save_all=True, append_images=frames[1:], **options)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """Return an RGB profile in which red and green have changed places."""
    profile = bytearray(srgb_profile())
    n_tags = struct.unpack(">I", profile[128:132])[0]
    at = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(n_tags)}
    red, green = at[b"rXYZ"], at[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    # the name says sRGB, which would be taken at its word
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@functools.cache
def odd_but_valid() -> dict[str, bytes]:
    """Return files that look strange and are sound: none of them may be refused."""
    base, makers = textured(11), _odd_makers()
    return {name: make(base) for name, make in makers.items()}


def _odd_makers() -> dict[str, Callable[[Image.Image], bytes]]:
    grey16 = Image.fromarray(np.linspace(0, 65535, 48 * 32).reshape(32, 48).astype(np.uint16))
    floats = Image.fromarray(np.linspace(0, 1, 48 * 32).reshape(32, 48).astype(np.float32))
    whole = Image.fromarray(np.arange(48 * 32).reshape(32, 48).astype(np.int32) * 900)

    def as_(mode: str, format_: str, **options: Any) -> Callable[[Image.Image], bytes]:
        return lambda base: encoded(base.convert(mode), format_, **options)

    makers: dict[str, Callable[[Image.Image], bytes]] = {
        "progressive.jpg": as_("RGB", "JPEG", progressive=True),
        "grey.jpg": as_("L", "JPEG"),
        "cmyk.jpg": as_("CMYK", "JPEG"),
        "444.jpg": as_("RGB", "JPEG", subsampling=0),
        "restarts.jpg": as_("RGB", "JPEG", restart_marker_rows=1),
        "broken-icc.jpg": as_("RGB", "JPEG", icc_profile=b"not a profile" * 20),
        "wrong-icc.jpg": as_("L", "JPEG", icc_profile=srgb_profile()),
        "trailing-bytes.jpg": lambda base: encoded(base, "JPEG") + b"\x00" * 5000,
        "trailing-text.jpg": lambda base: encoded(base, "JPEG") + b"<!-- cached -->",
        "mpo.jpg": lambda base: encoded(
            base, "MPO", save_all=True, append_images=[base.rotate(90)]
        ),
        "broken-exif.jpg": as_("RGB", "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff"),
        "interlaced.png": lambda base: _interlaced_png(),
        "one-bit.png": as_("1", "PNG"),
        "palette.png": as_("P", "PNG"),
        "palette-alpha.png": as_("P", "PNG", transparency=3),
        "rgb-key.png": as_("RGB", "PNG", transparency=(1, 2, 3)),
        "grey-alpha.png": as_("LA", "PNG"),
        "rgba.png": as_("RGBA", "PNG"),
        "sixteen.png": lambda base: encoded(grey16, "PNG"),
        "animated.png": lambda base: animated("PNG", 5),
        "big-text.png": lambda base: with_png_chunk(
            encoded(base, "PNG"), b"zTXt", b"Note\x00\x00" + zlib.compress(b"a" * 3_000_000)
        ),
        "unknown-chunk.png": lambda base: with_png_chunk(encoded(base, "PNG"), b"xyZz", b"private"),
        "lossless.webp": as_("RGB", "WEBP", lossless=True),
        "alpha.webp": as_("RGBA", "WEBP"),
        "animated.webp": lambda base: animated("WEBP", 4),
        "animated.gif": lambda base: animated("GIF", 6),
        "grey.gif": as_("L", "GIF"),
        "long.gif": lambda base: animated("GIF", 120),
        "transparent.gif": as_("P", "GIF", transparency=0),
        "palette.bmp": as_("P", "BMP"),
        "one-bit.bmp": as_("1", "BMP"),
        "grey.bmp": as_("L", "BMP"),
        "float.tif": lambda base: encoded(floats, "TIFF"),
        "int.tif": lambda base: encoded(whole, "TIFF"),
        "sixteen.tif": lambda base: encoded(grey16, "TIFF"),
        "lab.tif": as_("LAB", "TIFF"),
        "cmyk.tif": as_("CMYK", "TIFF"),
        "rgba.tif": as_("RGBA", "TIFF"),
        "one-bit.tif": as_("1", "TIFF", compression="group4"),
        "palette.tif": as_("P", "TIFF"),
        "ycbcr.tif": as_("YCbCr", "TIFF"),
        "pages.tif": lambda base: animated("TIFF", 7),
        "big.tif": as_("RGB", "TIFF", big_tiff=True),
        "thin.png": lambda base: encoded(base.resize((1, 900)), "PNG"),
        "one-pixel.gif": lambda base: encoded(base.resize((1, 1)), "GIF"),
        "line-65000.png": lambda base: plain_png(1, 65_000, 8, 2),
    }
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"):
        makers[f"{compression}.tif"] = as_("RGB", "TIFF", compression=compression)
    return makers


def _interlaced_png() -> bytes:
    """Write an 8 × 8 grey Adam7 PNG by hand, since Pillow writes none."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4))
    passes += ((1, 0, 2, 2), (0, 1, 1, 2))
    lines = b"".join(
        b"\x00" + bytes(30 * y + x for x in range(x0, 8, dx))
        for x0, y0, dx, dy in passes
        for y in range(y0, 8, dy)
    )
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(lines))
        + png_chunk(b"IEND", b"")
    )
