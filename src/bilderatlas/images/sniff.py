"""Tell what a file is by its first bytes, whatever its name says."""

from __future__ import annotations

import re

from bilderatlas.images.refusals import refusal

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")  # the allow list, by Pillow's names

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),  # MPO too: its first picture is read
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
)
_OTHER_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"\x00\x00\x01\x00", "an icon (ICO)"),
    (b"AT&TFORM", "a DjVu document"),
)
_BRANDS = {b"avif": "an AVIF picture", b"avis": "an AVIF picture"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"heif", b"mif1", b"msf1"), "a HEIC picture"
)
_NOT_PICTURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\x93NUMPY", "a numpy array"),
    (b"SQLite format 3\x00", "a database"),
    (b"ID3", "an audio file"),
    (b"OggS", "an audio or video file"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_HEAD_BYTES = 4096


def sniff_format(content: bytes) -> str:
    """Return which of `FORMATS` the bytes are.

    Raises:
        ImageError: `empty`, `truncated` (less than the mark of its format), `not-a-picture` or
            `unsupported-format`, naming what it is instead.

    >>> sniff_format(b"GIF89a....")
    'GIF'
    """
    if not content:
        raise refusal("empty")
    for magic, name in _MAGIC:
        if content.startswith(magic):
            return name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    marks = (*(magic for magic, _ in _MAGIC), b"RIFF")
    if len(content) > 1 and any(mark.startswith(content) for mark in marks):
        raise refusal("truncated")
    head = bytes(content[:_HEAD_BYTES])
    if what := _other_picture(head):
        raise refusal("unsupported-format", what=what)
    raise refusal("not-a-picture", what=_not_a_picture(head))


def _other_picture(head: bytes) -> str | None:
    for magic, what in _OTHER_PICTURES:
        if head.startswith(magic):
            return what
    if head[4:8] == b"ftyp" and head[8:12] in _BRANDS:
        return _BRANDS[head[8:12]]
    if b"%PDF-" in head[:1024]:
        return "a PDF document"
    text = _as_ascii(head)
    if not _is_web_page(text) and re.search(rb"<(?:\w{1,32}:)?svg[\s/>]", text, re.IGNORECASE):
        return "an SVG drawing"
    return None


def _not_a_picture(head: bytes) -> str:
    for magic, what in _NOT_PICTURES:
        if head.startswith(magic):
            return what
    if head[4:8] == b"ftyp":
        return "a video"
    text = _as_ascii(head).lstrip().lower()
    if _is_web_page(text):
        return "a web page (HTML), perhaps a login or error page"
    if text.startswith((b"<?xml", b"<!doctype", b"<rdf")):
        return "an XML document"
    if text.startswith((b"{", b"[")):
        return "a JSON text"
    return "a text" if _is_text(head) else "of an unknown kind"


def _is_web_page(text: bytes) -> bool:
    start = text.lstrip().lower()
    return bool(
        re.match(rb"(<!--.{0,500}-->\s*)?<(!doctype html|html|head|body|script|title)\b", start)
    )


def _as_ascii(head: bytes) -> bytes:
    """Drop the zero bytes and marks of UTF-16 and UTF-8, so that tags show."""
    return head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")


def _is_text(head: bytes) -> bool:
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in _as_ascii(head))
    return controls == 0
