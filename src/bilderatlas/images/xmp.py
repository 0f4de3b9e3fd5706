"""Read the Dublin Core and Photoshop fields of an XMP packet (ISO 16684-1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_PACKET_BYTES = 1_000_000
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_RIGHTS = "{http://ns.adobe.com/xap/1.0/rights/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_FIELDS: dict[str, tuple[str, ...]] = {
    "title": (_DC + "title", _PHOTOSHOP + "Headline"),
    "creators": (_DC + "creator",),
    "description": (_DC + "description",),
    "rights": (_DC + "rights", _RIGHTS + "UsageTerms", _RIGHTS + "WebStatement"),
    "credit": (_PHOTOSHOP + "Credit",),
    "tags": (_DC + "subject",),
}
_PLACE = (_PHOTOSHOP + "City", _PHOTOSHOP + "State", _PHOTOSHOP + "Country")


def read_xmp(packet: bytes) -> dict[str, list[str]]:
    """Return texts by record field; nothing where there is no packet or an unreasonable one.

    Raises:
        ValueError: when the packet declares a document type or entities.
        xml.etree.ElementTree.ParseError: when it is not XML.
    """
    packet = packet.strip(b"\x00 \r\n\t")
    if not packet or len(packet) > MAX_PACKET_BYTES:
        return {}
    from defusedxml.ElementTree import fromstring  # here: most pictures carry none

    root = fromstring(packet, forbid_dtd=True)
    descriptions = list(root.iter(_RDF + "Description"))
    fields = {
        name: [text for key in keys for text in _texts(descriptions, key)]
        for name, keys in _FIELDS.items()
    }
    fields["place"] = [", ".join(text for key in _PLACE for text in _texts(descriptions, key)[:1])]
    return fields


def _texts(descriptions: list[Element], key: str) -> list[str]:
    return [text.strip() for text in _iter_texts(descriptions, key) if text and text.strip()]


def _iter_texts(descriptions: list[Element], key: str) -> Iterator[str | None]:
    for description in descriptions:
        yield description.get(key)  # the short form: an attribute
        for element in description.findall(key):
            items = list(element.iter(_RDF + "li"))
            # of several languages the one marked as default comes first
            items.sort(key=lambda item: item.get(_LANG, "x-default") != "x-default")
            yield from (item.text for item in items) if items else (element.text,)
