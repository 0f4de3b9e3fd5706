"""Read what a file says about its picture: XMP first, then IPTC, EXIF and PNG texts.

The date in EXIF is that of the photograph, not of the work, and where a camera stood is nobody's
business: neither is read.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, IptcImagePlugin

from bilderatlas.images.texts import Found, clean_field, decode_text
from bilderatlas.images.xmp import read_xmp

_IPTC_FIELDS: dict[str, tuple[tuple[int, int], ...]] = {
    "title": ((2, 5), (2, 105)),
    "creators": ((2, 80),),
    "description": ((2, 120),),
    "credit": ((2, 110),),
    "rights": ((2, 116),),
    "tags": ((2, 25),),
}
_IPTC_PLACE = ((2, 90), (2, 95), (2, 101))  # city, province, country
_EXIF_FIELDS: dict[str, tuple[int, ...]] = {
    "title": (0x9C9B,),  # XPTitle
    "creators": (0x013B, 0x9C9D),  # Artist, XPAuthor
    "description": (0x010E,),  # ImageDescription
    "rights": (0x8298,),  # Copyright
    "tags": (0x9C9E,),  # XPKeywords
}
_PNG_FIELDS = {
    "title": "Title",
    "creators": "Author",
    "description": "Description",
    "rights": "Copyright",
}


def read_found(picture: Image.Image) -> Found:
    """Return the record fields that the opened `picture` carries; empty ones are left out.

    Every reader is on its own: metadata that cannot be read never costs the picture.
    """
    readers: tuple[Callable[[Image.Image], dict[str, list[str]]], ...] = (
        _from_xmp,
        _from_iptc,
        _from_exif,
        _from_png,
    )
    found: Found = {}
    for read in readers:
        try:
            values = read(picture)
        except MemoryError:
            raise
        except Exception:  # hostile bytes raise anything; the picture itself may be fine
            continue
        for name, texts in values.items():
            value = clean_field(name, texts)
            if value and name not in found:
                found[name] = value
    return found


def _from_xmp(picture: Image.Image) -> dict[str, list[str]]:
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    return read_xmp(packet.encode("utf-8") if isinstance(packet, str) else bytes(packet))


def _from_iptc(picture: Image.Image) -> dict[str, list[str]]:
    datasets = IptcImagePlugin.getiptcinfo(picture)  # type: ignore[arg-type]  # any other: None
    if not datasets:
        return {}
    is_utf8 = datasets.get((1, 90)) == b"\x1b%G"

    def texts(key: tuple[int, int]) -> list[str]:
        value = datasets.get(key, [])
        values = value if isinstance(value, list) else [value]
        return [decode_text(item, is_utf8) for item in values if isinstance(item, bytes)]

    fields = {name: [t for key in keys for t in texts(key)] for name, keys in _IPTC_FIELDS.items()}
    fields["place"] = [", ".join(t for key in _IPTC_PLACE for t in texts(key)[:1] if t)]
    return fields


def _from_exif(picture: Image.Image) -> dict[str, list[str]]:
    exif = picture.getexif()
    fields: dict[str, list[str]] = {}
    for name, tags in _EXIF_FIELDS.items():
        texts = [_exif_text(exif.get(tag), is_utf16=tag >= 0x9C9B) for tag in tags]
        if name in {"creators", "tags"}:
            texts = [part for text in texts for part in text.split(";")]
        fields[name] = texts
    return fields


def _exif_text(value: object, *, is_utf16: bool) -> str:
    if isinstance(value, tuple) and all(isinstance(byte, int) for byte in value):
        value = bytes(value)
    if isinstance(value, bytes):
        text = value.decode("utf-16-le", "replace") if is_utf16 else decode_text(value)
    elif isinstance(value, str):
        # Pillow reads EXIF as Latin-1; most writers mean UTF-8
        text = decode_text(value.encode("latin-1", "replace"))
    else:
        return ""
    return text.rstrip("\x00")


def _from_png(picture: Image.Image) -> dict[str, list[str]]:
    if picture.format != "PNG":
        return {}
    return {name: [picture.info.get(key, "")] for name, key in _PNG_FIELDS.items()}
