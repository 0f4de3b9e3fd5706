"""A seeded stream of damaged and hostile files: known attacks first, then endless mutations.

python -m tests.images.hostile DIR 1000      writes them down, to look at them
"""

from __future__ import annotations

import itertools
import random
import struct
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.images.pictures import (
    FORMATS,
    animated,
    encoded,
    odd_but_valid,
    plain_png,
    png_chunk,
    quarters,
    textured,
    with_png_chunk,
)

OPENS = "opens"  # what a specimen may do instead of being refused


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file; `expected` are the codes that may answer it, or nothing where any may."""

    name: str
    content: bytes
    expected: tuple[str, ...] = ()


def iter_hostile(n_files: int, seed: int = 7) -> Iterator[Hostile]:
    """Yield `n_files`: every known attack (about 80), then mutations of sound files."""
    yield from itertools.islice(itertools.chain(iter_attacks(), iter_mutations(seed)), n_files)


def iter_attacks() -> Iterator[Hostile]:
    """Yield what somebody has once thought of."""
    yield from _disguises()
    yield from _polyglots()
    yield from _wrong_sizes()
    yield from _bombs()
    yield from _tiff_attacks()
    yield from _metadata_attacks()
    yield from _headers_alone()


def iter_mutations(seed: int) -> Iterator[Hostile]:
    """Yield damaged copies of sound files without end."""
    rng = random.Random(seed)
    seeds = [(f"seed.{name.lower()}", encoded(textured(3), name)) for name in FORMATS]
    seeds += sorted((name, sound) for name, sound in odd_but_valid().items() if len(sound) < 99_999)
    ways = (_flip_bits, _run_of_ff, _truncate, _splice, _zero_tail, _repeat, _wild_number)
    for number in itertools.count():
        name, sound = rng.choice(seeds[: len(FORMATS)] if number % 2 else seeds)
        _, other = rng.choice(seeds)
        way = rng.choice(ways)
        yield Hostile(f"{number:05d}-{way.__name__[1:]}-{name}", way(rng, sound, other))


def _flip_bits(rng: random.Random, sound: bytes, _other: bytes) -> bytes:
    damaged = bytearray(sound)
    for _ in range(rng.choice((1, 3, 20, 200))):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def _run_of_ff(rng: random.Random, sound: bytes, _other: bytes) -> bytes:
    at, n_bytes = rng.randrange(len(sound)), rng.choice((4, 32, 500))
    return sound[:at] + b"\xff" * n_bytes + sound[at + n_bytes :]


def _truncate(rng: random.Random, sound: bytes, _other: bytes) -> bytes:
    return sound[: rng.randrange(len(sound))]


def _zero_tail(rng: random.Random, sound: bytes, _other: bytes) -> bytes:
    at = rng.randrange(len(sound))
    return sound[:at] + bytes(len(sound) - at)


def _splice(rng: random.Random, sound: bytes, other: bytes) -> bytes:
    return sound[: rng.randrange(len(sound))] + other[rng.randrange(len(other)) :]


def _repeat(rng: random.Random, sound: bytes, _other: bytes) -> bytes:
    first, last = sorted(rng.randrange(len(sound)) for _ in range(2))
    return sound[:last] + sound[first:last] * rng.choice((1, 2, 30)) + sound[last:]


def _wild_number(rng: random.Random, sound: bytes, _other: bytes) -> bytes:
    """Overwrite two or four bytes near the start, where sizes and counts stand."""
    damaged = bytearray(sound)
    number = rng.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000))
    packed = struct.pack(rng.choice("<>") + "I", number)[-rng.choice((2, 4)) :]
    at = rng.randrange(min(400, len(damaged)))
    damaged[at : at + len(packed)] = packed
    return bytes(damaged)


def _disguises() -> Iterator[Hostile]:
    not_a_picture, unsupported = ("not-a-picture",), ("unsupported-format",)
    yield Hostile("empty.jpg", b"", ("empty",))
    yield Hostile("one-byte.png", b"\x89", not_a_picture)
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    yield Hostile("drawing.jpg", svg, unsupported)
    yield Hostile("drawing-xml.png", b'<?xml version="1.0"?>\n<!-- x -->\n' + svg, unsupported)
    yield Hostile("drawing-utf16.tif", svg.decode().encode("utf-16"), unsupported)
    yield Hostile("prefixed.gif", b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>', unsupported)
    yield Hostile("page.jpg", b"<!DOCTYPE html><html><body>404</body></html>", not_a_picture)
    yield Hostile("page.gif", b"  \n<html><title>Sign in</title></html>", not_a_picture)
    yield Hostile("document.jpg", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", unsupported)
    yield Hostile("late-document.jpg", b"\n\n\n%PDF-1.4\n", unsupported)
    yield Hostile("script.png", b"#!/bin/sh\nrm -rf /\n", not_a_picture)
    yield Hostile("table.tif", b"id,title\n1,Milkmaid\n", not_a_picture)
    yield Hostile("matrix.jpg", b"2 2\n1 0\n0 1\n", not_a_picture)
    yield Hostile("error.webp", b'{"error": "rate limited"}', not_a_picture)
    yield Hostile("archive.jpg", b"PK\x03\x04" + bytes(60), not_a_picture)
    yield Hostile("drawing.svgz", b"\x1f\x8b" + zlib.compress(svg), not_a_picture)
    yield Hostile("program.bmp", b"MZ" + bytes(100), not_a_picture)
    yield Hostile("layers.jpg", b"8BPS\x00\x01" + bytes(30), unsupported)
    yield Hostile("print.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n", unsupported)
    yield Hostile("phone.jpg", b"\x00\x00\x00\x18ftypheic" + bytes(40), unsupported)
    yield Hostile("film.jpg", b"\x00\x00\x00\x18ftypisom" + bytes(40), not_a_picture)
    yield Hostile("push.jpg", b"\x80\x04\x95cos\nsystem\n(S'id'\ntR.", not_a_picture)
    yield Hostile("noise.jpg", bytes(range(128, 256)) * 9, not_a_picture)
    yield Hostile("zeros.png", bytes(10_000), not_a_picture)


def _polyglots() -> Iterator[Hostile]:
    jpeg, png = encoded(quarters(), "JPEG"), encoded(quarters(), "PNG")
    gif = encoded(quarters(), "GIF")
    opens = (OPENS,)
    yield Hostile("jpeg-zip.jpg", jpeg + b"PK\x03\x04" + bytes(200), opens)
    comment = b"\xff\xfe" + struct.pack(">H", 12) + b"%PDF-1.7\n\n"
    yield Hostile("jpeg-pdf.jpg", jpeg[:2] + comment + jpeg[2:], opens)
    yield Hostile("gif-script.gif", gif + b"/*GIF89a*/=1;alert(1)", opens)
    html = b"Comment\x00<script>alert(1)</script>"
    yield Hostile("png-html.png", with_png_chunk(png, b"tEXt", html), opens)
    yield Hostile("png-as-jpeg.jpg", png, opens)
    yield Hostile("tiff-as-gif.gif", encoded(quarters(), "TIFF"), opens)
    yield Hostile("gif-header-jpeg.gif", b"GIF89a" + jpeg)


def _wrong_sizes() -> Iterator[Hostile]:
    yield Hostile("1x65535.png", plain_png(1, 65_535, 8, 2), ("side-too-long",))
    yield Hostile("65535x1.png", plain_png(65_535, 1, 8, 0), ("side-too-long",))
    png = bytearray(encoded(quarters(), "PNG"))
    png[16:24] = bytes(8)
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    yield Hostile("0x0.png", bytes(png))
    for format_, at, n_bytes in (("GIF", 6, 4), ("BMP", 18, 8)):
        content = bytearray(encoded(quarters(), format_))
        content[at : at + n_bytes] = bytes(n_bytes)
        yield Hostile(f"0x0.{format_.lower()}", bytes(content))
    jpeg = bytearray(encoded(quarters(), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = bytes(4)
    yield Hostile("0x0.jpg", bytes(jpeg))
    jpeg[frame + 5 : frame + 9] = b"\xff\xdc\xff\xdc"
    yield Hostile("65500x65500.jpg", bytes(jpeg), ("side-too-long", "too-many-pixels"))
    bmp = bytearray(encoded(quarters(), "BMP"))
    for name, size in (("huge", (2**31 - 1, 2**31 - 1)), ("upside", (40_000, -2_000_000))):
        bmp[18:26] = struct.pack("<ii", *size)
        yield Hostile(f"{name}.bmp", bytes(bmp))


def _bombs() -> Iterator[Hostile]:
    yield Hostile("900-megapixels.png", plain_png(30_000, 30_000, 1, 0), ("too-many-pixels",))
    yield Hostile("144-megapixels.png", plain_png(12_000, 12_000, 1, 3), (OPENS,))
    yield Hostile("10000-frames.gif", _many_frames(10_000), (OPENS,))
    png = encoded(quarters(), "PNG")
    packed = zlib.compress(bytes(60_000_000), 9)
    unreasonable = ("metadata-too-large",)
    yield Hostile("text.png", with_png_chunk(png, b"zTXt", b"A\x00\x00" + packed), unreasonable)
    yield Hostile("profile.png", with_png_chunk(png, b"iCCP", b"A\x00\x00" + packed), unreasonable)
    text = b"A\x00\x01\x00\x00\x00" + packed
    yield Hostile("itext.png", with_png_chunk(png, b"iTXt", text), unreasonable)
    many = b"".join(
        png_chunk(b"zTXt", b"A%d\x00\x00" % i + zlib.compress(bytes(7_000_000))) for i in range(9)
    )
    yield Hostile("texts.png", png[:33] + many + png[33:], unreasonable)
    yield Hostile("scans.jpg", _many_scans(4_000))
    webp = bytearray(encoded(quarters(), "WEBP", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00"))
    canvas = webp.find(b"VP8X") + 12
    webp[canvas : canvas + 6] = b"\xff\xff\xff\xff\xff\x00"
    yield Hostile("canvas.webp", bytes(webp))


def _many_frames(n_frames: int) -> bytes:
    gif = animated("GIF", 2)
    start = gif.rindex(b"\x21\xf9\x04")
    return gif[:-1] + gif[start:-1] * n_frames + b";"


def _many_scans(n_scans: int) -> bytes:
    """A progressive JPEG that refines one band again and again over a large area."""
    jpeg = encoded(textured(5, 64, 48), "JPEG", progressive=True)
    content = bytearray(jpeg[:-2])
    frame = content.index(b"\xff\xc2")
    content[frame + 5 : frame + 9] = struct.pack(">HH", 8_000, 8_000)
    last_scan = content.rindex(b"\xff\xda")
    return bytes(content) + bytes(content[last_scan : last_scan + 12]) * n_scans + b"\xff\xd9"


def _tiff_attacks() -> Iterator[Hostile]:
    plain = {256: 64, 257: 48, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 48, 279: 64 * 48}
    yield Hostile("sound.tif", tiff_of(plain), (OPENS,))
    yield Hostile("ifd-loop.tif", tiff_of(plain, next_is_first=True), (OPENS,))
    yield Hostile("strips.tif", tiff_of({**plain, 278: 2**32 - 1, 279: 2**32 - 1}))
    yield Hostile("far-strip.tif", tiff_of({**plain, 273: 2**31}), ("truncated",))
    yield Hostile("wide.tif", tiff_of({**plain, 256: 2**31, 257: 2**31}))
    yield Hostile("zero.tif", tiff_of({**plain, 256: 0, 257: 0}))
    yield Hostile("samples.tif", tiff_of({**plain, 277: 65_535}))
    yield Hostile("bits.tif", tiff_of({**plain, 258: 64}))
    yield Hostile("tile.tif", tiff_of({**plain, 322: 2**20, 323: 2**20, 324: 8, 325: 2**30}))
    for compression in (2, 3, 4, 5, 6, 7, 8, 32773, 34661, 34676, 34712, 34925, 50000, 50001):
        content = tiff_of({**plain, 259: compression, 257: 12_000, 256: 12_000, 278: 12_000})
        yield Hostile(f"compression-{compression}.tif", content)
    yield Hostile("far-directory.tif", b"II*\x00" + struct.pack("<I", 2**31), ("truncated",))
    yield Hostile("sub-loop.tif", tiff_of({**plain, 330: 8, 34665: 8, 34853: 8}))


def tiff_of(tags: dict[int, int], *, next_is_first: bool = False) -> bytes:
    """Write a little-endian TIFF whose tags are what is said, and its pixels before them."""
    pixels = bytes(i % 256 for i in range(64 * 48))
    directory = 8 + len(pixels)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    following = struct.pack("<I", directory if next_is_first else 0)
    head = b"II*\x00" + struct.pack("<I", directory)
    return head + pixels + struct.pack("<H", len(tags)) + entries + following


def _metadata_attacks() -> Iterator[Hostile]:
    opens = (OPENS,)
    for orientation in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 65_535):
        block = b"Exif\x00\x00" + exif_block(0x0112, 3, 1, struct.pack("<HH", orientation, 0))
        yield Hostile(f"turn-{orientation}.jpg", encoded(quarters(), "JPEG", exif=block), opens)
    for name, block in (
        ("text-turn", exif_block(0x0112, 2, 4, b"six\x00")),
        ("count", exif_block(0x010E, 2, 2**32 - 1, b"\x08\x00\x00\x00")),
        ("self", exif_block(0x8769, 4, 1, b"\x08\x00\x00\x00")),
    ):
        content = encoded(quarters(), "JPEG", exif=b"Exif\x00\x00" + block)
        yield Hostile(f"exif-{name}.jpg", content, opens)
    laughs = b'<!DOCTYPE x [<!ENTITY a "haha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (i, b"&a;" if not i else b"&a%d;" % (i - 1) * 10) for i in range(20)
    )
    for name, packet in (
        ("laughs", laughs + b"]><x>&a19;</x>"),
        ("outside", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
        ("deep", b"<a>" * 15_000),
        ("nested", b"<a>" * 7_000 + b"</a>" * 7_000),
        ("text", b"\xff\xfe\x00\xd8" * 50),
    ):
        yield Hostile(f"xmp-{name}.jpg", encoded(quarters(), "JPEG", xmp=packet), opens)
    yield Hostile("icc.jpg", encoded(quarters(), "JPEG", icc_profile=b"\xff" * 70_000), opens)


def exif_block(tag: int, kind: int, count: int, value: bytes) -> bytes:
    """Write a TIFF block with a single tag."""
    entry = struct.pack("<HHI", tag, kind, count) + value
    return b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", 1) + entry + bytes(4)


def _headers_alone() -> Iterator[Hostile]:
    for format_ in FORMATS:
        sound = encoded(quarters(), format_)
        for n_bytes in (4, 12, 30):
            yield Hostile(f"{n_bytes}-bytes.{format_.lower()}", sound[:n_bytes])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for file in iter_hostile(int(sys.argv[2])):
        (folder / file.name).write_bytes(file.content)
