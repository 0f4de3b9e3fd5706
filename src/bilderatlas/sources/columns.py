"""Which column of a table is which field: one list, by the names that museums and tools use.

Names are compared without regard to case, spaces, underscores and other signs, so `Object Date`,
`object_date` and `ObjectDate` are one; `[1]` at the end, as the Rijksmuseum writes, is ignored.
Where several columns of a table answer to one field, the first in the list that is filled wins,
row by row. A name with points reaches into JSON: `dateRange.startYear`.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple


class Reading(StrEnum):
    """How the cells of a column are read."""

    ID = "identifier"
    IMAGE = "path, URL or IIIF service of the picture"
    ADDRESS = "web page, or the picture if it ends like one"
    TEXT = "text"
    NAMES = "names, separated by | or ;"
    TAGS = "words, separated by |, ; or ,"
    NOTATIONS = "Iconclass notations, separated by |, ; or ,"
    DATE = "date as written"
    YEAR = "year"


class Rule(NamedTuple):
    """The columns that one field is read from.

    Attributes:
        field: A field of `records.Record`, or `id`, `image`, `date`, `address`, which decide
            several fields at once.
        reading: How cells are read.
        names: Column names, the most telling first.
    """

    field: str
    reading: Reading
    names: tuple[str, ...]


def _rule(field: str, reading: Reading, names: str) -> Rule:
    return Rule(field, reading, tuple(name.strip() for name in names.split(",")))


RULES: tuple[Rule, ...] = (
    _rule(
        "id",
        Reading.ID,
        "id, image id, object id, record id, uid, uuid, identifier, item id, artwork id, work id,"
        "objectInventoryNumber, lido rec id, dc identifier, key, ID_Objekt, Objekt-ID",
    ),
    _rule(
        "image",
        Reading.IMAGE,
        "image path, image, image file, file, file name, path, file path, image filename,"
        "image url, iiif service, iiif url, iiif, iiif image, info json, images, img,"
        "img url, img path, picture, photo, image src, objectImage, primary image url,"
        "primary image, image print, image web, image full, original image url, media url,"
        "download url, thumbnail url, thumbnail, primary image small,"
        "iiifthumburl, image link, Bild, Bilddatei, Dateiname, Datei, Bildpfad, fichier,"
        "afbeelding, bestandsnaam, bestand",
    ),
    _rule("address", Reading.ADDRESS, "url, link, href, permalink, uri"),
    _rule(
        "title",
        Reading.TEXT,
        "title, object title, work title, artwork title, name of work, caption, label,"
        "dc title, titel, Werktitel, Objekttitel, titre, Bezeichnung, foreign title, object name,"
        "name",
    ),
    _rule(
        "creators",
        Reading.NAMES,
        "creators, creator, artist display name, artist, artists, artist name, contributors,"
        "all artists, attribution, author, painter, object creator, artist title, maker, people,"
        "artist display, dc creator, Künstler, Künstlerin, Urheber, Maler, artiste, auteur,"
        "kunstenaar, maker naam, vervaardiger",
    ),
    _rule(
        "date",
        Reading.DATE,
        "date display, display date, date, object date, dates, dated, date text, creation date,"
        "object creation date, date created, production date, date of creation, dc date, Datierung,"
        "Datum, Entstehungszeit, Entstehungsjahr, datation, date de création, datering, year,"
        "Jahr, année, jaar, century, timeframe, period",
    ),
    _rule(
        "year_begin",
        Reading.YEAR,
        "year begin, begin year, date begin, object begin date, dateRange.startYear, start year,"
        "year start, date start, creation date earliest, earliest date, earliest year,"
        "year from, date earliest, year min, Jahr von, année début, jaar van",
    ),
    _rule(
        "year_end",
        Reading.YEAR,
        "year end, end year, date end, object end date, dateRange.endYear, creation date latest,"
        "latest date, latest year, year to, date latest, year max, Jahr bis, année fin, jaar tot",
    ),
    _rule(
        "place",
        Reading.TEXT,
        "place, place of origin, place made, production place, creation place, origin, city,"
        "geo location, country, Entstehungsort, Ort, lieu, lieu de création, plaats",
    ),
    _rule(
        "culture",
        Reading.TEXT,
        "culture, nationality, artist nationality, creator.nationality, Kultur",
    ),
    _rule("school", Reading.TEXT, "school, Schule, école"),
    _rule("style", Reading.TEXT, "style, movement, movements, style title, Stil, Epoche, stijl"),
    _rule("genre", Reading.TEXT, "genre, type, category, Gattung"),
    _rule(
        "object_type",
        Reading.TEXT,
        "object type, classification, classification title, object name, artwork type title,"
        "work type, form, type, Objekttyp, Objektart, type d'objet",
    ),
    _rule(
        "medium",
        Reading.TEXT,
        "medium, medium display, technique, materials, material, media, support materials,"
        "Technik, Material/Technik, matériaux, techniek, materiaal",
    ),
    _rule(
        "dimensions",
        Reading.TEXT,
        "dimensions, dimension, measurements, dims, size, Maße, Abmessungen, afmetingen",
    ),
    _rule(
        "description",
        Reading.TEXT,
        "description, dc description, tombstone, short description, assistive text, abstract,"
        "caption en, Beschreibung, beschrijving",
    ),
    _rule(
        "institution",
        Reading.TEXT,
        "institution, museum, repository, data provider, holder, owner, location,"
        "legal body name, Sammlung, Standort, musée",
    ),
    _rule(
        "accession",
        Reading.TEXT,
        "accession, accession number, accession no, object number, acno, accessionnum,"
        "inventory number, inventory no, inv no, inv, main reference number,"
        "objectInventoryNumber, work id, Inventarnummer, Inventar-Nr, Inv-Nr,"
        "numéro d'inventaire, inventarisnummer",
    ),
    _rule("credit", Reading.TEXT, "credit, credit line, Kreditzeile"),
    _rule(
        "rights",
        Reading.TEXT,
        "rights, license, licence, copyright, rights statement, share license status,"
        "license url, copyright notice, rights and reproduction, thumbnail copyright,"
        "dc rights, usage rights, Rechte, Lizenz, droits, rechten",
    ),
    _rule(
        "page_url",
        Reading.TEXT,
        "page url, web url, link resource, object url, permalink, objectPersistentIdentifier,"
        "landing page, source url, custom print url, museum url, object page, object link",
    ),
    _rule(
        "iconclass",
        Reading.NOTATIONS,
        "iconclass, iconclass notation, iconclass notations, iconclass code, iconclass codes,"
        "notation, notations, ic",
    ),
    _rule(
        "tags",
        Reading.TAGS,
        "tags, keywords, subjects, subject, terms, subject titles, term titles, labels,"
        "dc subject, Schlagworte, Schlagwörter, mots-clés, trefwoorden",
    ),
)
"""Every field that a table can fill, in the order in which the reference page prints them."""

READINGS: dict[str, Reading] = {rule.field: rule.reading for rule in RULES}
_NUMBERED = re.compile(r"\[1\]\s*$")


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """Return what is compared of a column name.

    >>> normalise("objectTitle[1]"), normalise("Object Begin-Date")
    ('objecttitle', 'objectbegindate')
    """
    decomposed = unicodedata.normalize("NFKD", _NUMBERED.sub("", name)).casefold()
    return "".join(c for c in decomposed if c.isalnum() or c in "[]")


class Place(NamedTuple):
    """Where a value stands: a column, and the way into its JSON."""

    column: str
    steps: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The column as the user would name it."""
        return ".".join((self.column, *self.steps))


def recognise(columns: tuple[str, ...]) -> dict[str, tuple[Place, ...]]:
    """Return, for each field that some column answers to, its columns, the best first.

    >>> recognise(("Title", "Object Date"))["date"]
    (Place(column='Object Date', steps=()),)
    """
    by_name = {normalise(column): column for column in reversed(columns)}
    found: dict[str, tuple[Place, ...]] = {}
    for rule in RULES:
        places = []
        for name in rule.names:
            first, *steps = name.split(".")
            if normalise(first) in by_name:
                places.append(Place(by_name[normalise(first)], tuple(steps)))
        if places:
            found[rule.field] = tuple(dict.fromkeys(places))
    if found.get("genre", (None,))[0] == found.get("object_type", (None,))[0]:
        found.pop("genre", None)  # `type` is the genre only where another column says the form
    return found
