"""The columns of real tables, by their headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.records import FIELD_KINDS
from bilderatlas.sources.columns import RULES, normalise, recognise
from bilderatlas.sources.columns_page import columns_page

# Field → column, for the headers that museums and tools write (see the importers' reference).
HEADERS = {
    "met": (
        "Object Number,Object ID,Department,Object Name,Title,Culture,Artist Display Name,"
        "Artist Nationality,Artist Begin Date,Artist End Date,Object Date,Object Begin Date,"
        "Object End Date,Medium,Dimensions,Credit Line,Classification,Rights and Reproduction,"
        "Link Resource,Repository,Tags",
        {
            "id": "Object ID",
            "title": "Title",
            "creators": "Artist Display Name",
            "date": "Object Date",
            "year_begin": "Object Begin Date",
            "year_end": "Object End Date",
            "accession": "Object Number",
            "rights": "Rights and Reproduction",
            "page_url": "Link Resource",
            "institution": "Repository",
            "tags": "Tags",
        },
    ),
    "moma": (
        "Title,Artist,ConstituentID,ArtistBio,Nationality,BeginDate,EndDate,Gender,Date,Medium,"
        "Dimensions,CreditLine,AccessionNumber,Classification,Department,ObjectID,URL,ImageURL",
        {
            "id": "ObjectID",
            "creators": "Artist",
            "date": "Date",
            "year_begin": None,  # BeginDate is the artist's birth
            "image": "ImageURL",
            "address": "URL",
            "accession": "AccessionNumber",
        },
    ),
    "nga": (
        "objectid,uuid,accessionnum,title,displaydate,beginyear,endyear,medium,dimensions,"
        "attribution,creditline,classification",
        {
            "id": "objectid",
            "date": "displaydate",
            "year_begin": "beginyear",
            "year_end": "endyear",
            "creators": "attribution",
            "accession": "accessionnum",
        },
    ),
    "rijksmuseum": (
        "objectInventoryNumber,objectPersistentIdentifier,objectTitle[1],objectType[1],"
        "objectCreator[1],objectCreationDate[1],objectImage",
        {
            "id": "objectInventoryNumber",
            "title": "objectTitle[1]",
            "object_type": "objectType[1]",
            "creators": "objectCreator[1]",
            "date": "objectCreationDate[1]",
            "image": "objectImage",
            "page_url": "objectPersistentIdentifier",
        },
    ),
    "cleveland": (
        "id,accession_number,share_license_status,title,creation_date,creation_date_earliest,"
        "creation_date_latest,creators,culture,technique,type,measurements,creditline,url,images",
        {
            "rights": "share_license_status",
            "year_begin": "creation_date_earliest",
            "medium": "technique",
            "dimensions": "measurements",
            "object_type": "type",
            "genre": None,
            "image": "images",
        },
    ),
    "wga": (
        "AUTHOR,BORN-DIED,TITLE,DATE,TECHNIQUE,LOCATION,URL,FORM,TYPE,SCHOOL,TIMEFRAME",
        {
            "creators": "AUTHOR",
            "genre": "TYPE",
            "object_type": "FORM",
            "school": "SCHOOL",
            "institution": "LOCATION",
            "date": "DATE",
        },
    ),
    "pixplot": (
        "filename,category,tags,description,permalink,year,label,lat,lng",
        {"image": "filename", "tags": "tags", "date": "year", "genre": "category"},
    ),
    "harvard": (
        "objectid,objectnumber,title,dated,datebegin,dateend,people,primaryimageurl,images",
        {
            "date": "dated",
            "year_begin": "datebegin",
            "year_end": "dateend",
            "creators": "people",
            "image": "images",
            "accession": "objectnumber",
        },
    ),
    "german": (
        "Inventarnummer;Künstler;Titel;Datierung;Technik;Maße;Bilddatei;Lizenz".replace(";", ","),
        {
            "accession": "Inventarnummer",
            "creators": "Künstler",
            "title": "Titel",
            "date": "Datierung",
            "medium": "Technik",
            "dimensions": "Maße",
            "image": "Bilddatei",
            "rights": "Lizenz",
        },
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_museums_are_recognised(name: str) -> None:
    header, expected = HEADERS[name]
    places = recognise(tuple(header.split(",")))
    found = {field: places[field][0].column if field in places else None for field in expected}
    assert found == expected


def test_every_rule_fills_a_field_of_the_record() -> None:
    known = {*FIELD_KINDS, "id", "image", "address", "date"}
    assert {rule.field for rule in RULES} <= known
    decided_together = {"date_display", "image_path", "image_url", "iiif_service"}
    assert set(FIELD_KINDS) - decided_together <= {rule.field for rule in RULES}


def test_no_rule_names_a_column_twice() -> None:
    for rule in RULES:
        names = [normalise(name.split(".")[0]) + name.partition(".")[2] for name in rule.names]
        assert len(names) == len(set(names)), rule.field


def test_the_reference_page_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "tables.md"
    assert page.read_text("utf-8") == columns_page(), (
        "stale: python -m bilderatlas.sources.columns_page > docs/reference/tables.md"
    )
