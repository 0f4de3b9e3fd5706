"""What a file says about its picture becomes fields of its record; where it was taken does not."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from bilderatlas.images.decoder import Decoder
from bilderatlas.images.texts import MAX_ITEMS, MAX_TEXT_CHARS, clean_field, clean_text
from bilderatlas.images.xmp import read_xmp
from bilderatlas.records import Record
from tests.images.pictures import encoded, quarters

XMP = b"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/">
<rdf:Description photoshop:Credit="Rijksmuseum" photoshop:City="Delft">
<dc:title><rdf:Alt><rdf:li xml:lang="nl">Het melkmeisje</rdf:li>
<rdf:li xml:lang="x-default">The Milkmaid</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Johannes Vermeer</rdf:li></rdf:Seq></dc:creator>
<dc:subject><rdf:Bag><rdf:li>milk</rdf:li><rdf:li>bread</rdf:li><rdf:li>milk</rdf:li></rdf:Bag>
</dc:subject>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">CC0</rdf:li></rdf:Alt></dc:rights>
<photoshop:Country>Netherlands</photoshop:Country>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""

EXPECTED = {
    "title": "The Milkmaid",
    "creators": ("Johannes Vermeer",),
    "credit": "Rijksmuseum",
    "rights": "CC0",
    "tags": ("milk", "bread"),
    "place": "Delft, Netherlands",
}


def iptc(*datasets: tuple[int, bytes]) -> bytes:
    """Write an APP13 block with IPTC datasets of record 2."""
    body = b"".join(
        b"\x1c\x02" + struct.pack(">BH", n, len(value)) + value for n, value in datasets
    )
    resource = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(body)) + body + bytes(len(body) % 2)
    payload = b"Photoshop 3.0\x00" + resource
    return b"\xff\xed" + struct.pack(">H", len(payload) + 2) + payload


@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "TIFF", "PNG"])
def test_xmp(decoder: Decoder, format_: str) -> None:
    if format_ == "TIFF":
        content = encoded(quarters(), format_, tiffinfo={700: XMP})
    elif format_ == "PNG":
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", XMP.decode())
        content = encoded(quarters(), format_, pnginfo=chunks)
    else:
        content = encoded(quarters(), format_, xmp=XMP)
    assert decoder.decode(content, side_px=64).found == EXPECTED


def test_iptc(decoder: Decoder) -> None:
    jpeg = encoded(quarters(), "JPEG")
    block = iptc(
        (5, "Mädchen mit Perle".encode("cp1252")),
        (80, b"Vermeer"),
        (25, b"pearl"),
        (25, b"turban"),
        (90, b"Den Haag"),
        (110, b"Mauritshuis"),
        (116, b"Public domain"),
        (120, "Ölgemälde".encode()),
    )
    assert decoder.decode(jpeg[:2] + block + jpeg[2:], side_px=64).found == {
        "title": "Mädchen mit Perle",
        "creators": ("Vermeer",),
        "tags": ("pearl", "turban"),
        "place": "Den Haag",
        "credit": "Mauritshuis",
        "rights": "Public domain",
        "description": "Ölgemälde",
    }


def test_exif_without_the_date_and_the_place_of_the_photograph(decoder: Decoder) -> None:
    exif = Image.Exif()
    exif[0x010E] = "View of Delft"
    exif[0x013B] = "Vermeer; workshop"
    exif[0x8298] = "CC BY 4.0"
    exif[0x9003] = exif[0x0132] = "2019:05:04 10:11:12"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 0.0, 36.0)})
    content = encoded(quarters(), "JPEG", exif=exif)
    assert b"2019:05:04" in content
    assert decoder.decode(content, side_px=64).found == {
        "description": "View of Delft",
        "creators": ("Vermeer", "workshop"),
        "rights": "CC BY 4.0",
    }


def test_xmp_wins_over_exif_and_cameras_are_not_heard(decoder: Decoder) -> None:
    exif = Image.Exif()
    exif[0x010E] = "OLYMPUS DIGITAL CAMERA         "
    exif[0x013B] = "A. Photographer"
    content = encoded(quarters(), "JPEG", exif=exif, xmp=XMP)
    assert decoder.decode(content, side_px=64).found == EXPECTED


def test_png_texts(decoder: Decoder) -> None:
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("Title", "Melencolia I")
    chunks.add_text("Author", "Albrecht Dürer", zip=True)
    found = decoder.decode(encoded(quarters(), "PNG", pnginfo=chunks), side_px=64).found
    assert found == {"title": "Melencolia I", "creators": ("Albrecht Dürer",)}


def test_found_fills_a_record(decoder: Decoder) -> None:
    found = decoder.decode(encoded(quarters(), "JPEG", xmp=XMP), side_px=64).found
    record = Record("a", title="Mine").filled_from(found)
    assert (record.title, record.creators) == ("Mine", ("Johannes Vermeer",))
    assert Record.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><x/>',
        b"<unclosed>",
    ],
)
def test_hostile_xmp_raises(packet: bytes) -> None:
    with pytest.raises((ValueError, SyntaxError)):
        read_xmp(packet)


def test_oversized_xmp_is_left_alone() -> None:
    assert read_xmp(b"<x>" + b" " * 1_000_001 + b"</x>") == {}


@given(st.text(max_size=300), st.integers(1, 50))
def test_cleaned_texts_are_short_and_can_be_shown(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert all(char.isprintable() or char in "\n\t" for char in cleaned)
    assert cleaned == cleaned.strip()
    cleaned.encode("utf-8")


def test_fields_are_bounded() -> None:
    title, tags = clean_field("title", ["a" * 99_999]), clean_field("tags", map(str, range(999)))
    assert title is not None
    assert tags is not None
    assert len(title) == MAX_TEXT_CHARS
    assert len(tags) == MAX_ITEMS
    assert clean_field("title", ["\x00", " ", 5, None]) is None
