"""The one rule by which pictures are handed on: only what the record says may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.exchange.rights import RightsKind, may_share

CC = "https://creativecommons.org"
RS = "http://rightsstatements.org"

ALLOWED = {
    "CC0": ("public domain", "CC0"),
    "CC0 1.0 Universal": ("public domain", "CC0"),
    "CC0-1.0": ("public domain", "CC0"),
    "cc-0": ("public domain", "CC0"),
    f"{CC}/publicdomain/zero/1.0/": ("public domain", "CC0"),
    f"{CC}/publicdomain/mark/1.0/deed.de": ("public domain", ""),
    "Public Domain": ("public domain", ""),
    "Public domain mark 1.0": ("public domain", ""),
    "This image is in the public domain.": ("public domain", ""),
    "gemeinfrei": ("public domain", ""),
    "Domaine public": ("public domain", ""),
    "Publiek domein": ("public domain", ""),
    "Dominio público": ("public domain", ""),
    f"{CC}/licenses/by/4.0/": ("licensed", "CC BY 4.0"),
    f"{CC}/licenses/by-nc-nd/3.0/de/": ("licensed", "CC BY-NC-ND 3.0"),
    "CC BY-SA 4.0": ("licensed", "CC BY-SA 4.0"),
    "CC-BY-NC-SA-4.0": ("licensed", "CC BY-NC-SA 4.0"),
    "Creative Commons Attribution-ShareAlike 4.0 International": ("licensed", "CC BY-SA 4.0"),
    "Creative Commons Attribution-NonCommercial-NoDerivs 2.0": ("licensed", "CC BY-NC-ND 2.0"),
    "© Städtisches Museum, CC BY 4.0": ("licensed", "CC BY 4.0"),
    "© 2021 Museum für Kunst und Gewerbe, CC BY-SA 3.0 DE": ("licensed", "CC BY-SA 3.0"),
    "Creative Commons Attribution Non-Commercial No Derivatives 4.0": (
        "licensed",
        "CC BY-NC-ND 4.0",
    ),
    "This work is licensed under a Creative Commons Attribution 4.0 International (CC BY 4.0) "
    "License.": ("licensed", "CC BY 4.0"),
    f"{CC}/licenses/by/4.0/legalcode": ("licensed", "CC BY 4.0"),
    "Creative Commons License CC0; public domain": ("public domain", "CC0"),
    "Open Access (CC0)": ("public domain", "CC0"),
    "Public domain, please credit the museum": ("public domain", ""),
    "Public domain, via Wikimedia Commons": ("public domain", ""),
    "Dieses Werk ist gemeinfrei.": ("public domain", ""),
}
REFUSED = {
    None: "unknown",
    "": "unknown",
    "  \n ": "unknown",
    "Museum photo": "unknown",
    "yes": "unknown",
    "© 2021 The Estate of the Artist": "in copyright",
    "Copyright the artist": "in copyright",
    "In copyright": "in copyright",
    "Alle Rechte vorbehalten": "in copyright",
    "Tous droits réservés": "in copyright",
    "VG Bild-Kunst, Bonn": "in copyright",
    f"{RS}/vocab/InC/1.0/": "in copyright",
    f"{RS}/page/InC-EDU/1.0/?language=en": "in copyright",
    f"{RS}/vocab/NoC-NC/1.0/": "restricted",
    f"{RS}/vocab/NoC-US/1.0/": "restricted",
    "No Copyright - Other Known Legal Restrictions": "restricted",
    f"{RS}/vocab/CNE/1.0/": "unknown",
    f"{RS}/vocab/UND/1.0/": "unknown",
    "No known copyright restrictions": "unknown",
    "Rights unknown": "unknown",
    "Public domain; photograph © the museum": "in copyright",
    "Public domain, all rights reserved": "in copyright",
    "© the museum, all rights reserved, CC BY 4.0": "in copyright",
    "Public domain in the United States": "restricted",
    "Not in the public domain": "restricted",
    "nicht gemeinfrei": "restricted",
    "Permission of the museum required": "restricted",
    "not licensed under CC BY": "restricted",
    "May not be reproduced": "restricted",
    "CC": "unknown",
    "by the artist": "unknown",
    "public domains of knowledge": "unknown",
    "occ0": "unknown",
    # allowed for the text or the data, not for the picture
    "CC0 for the metadata only": "unknown",
    "Metadata: CC0": "unknown",
    "Metadata licensed CC0; image rights: contact the museum": "unknown",
    "© Foto: Meier; Text: CC BY 4.0": "unknown",
    "CC BY 4.0 (text only); image © Photographer": "unknown",
    # a notice that is no licensor's
    "(C)2020 RMN, Domaine public": "in copyright",
    "CC BY 4.0; image © Photographer": "in copyright",
    "© the museum, CC0": "in copyright",
    "Rechte vorbehalten, CC BY": "in copyright",
    # at another time, elsewhere, or perhaps
    "Enters the public domain on 1 January 2040": "restricted",
    "Will enter the public domain in 2040": "restricted",
    "Soon public domain": "restricted",
    "Public domain from 2040": "restricted",
    "Public domain in 2040": "unknown",
    "CC BY-ND 2.0 (expired)": "restricted",
    "possibly public domain": "unknown",
    "Public domain?": "unknown",
    "Public domain (US)": "restricted",
    "Public domain US": "restricted",
    "Gemeinfrei in den USA": "restricted",
    "Public domain in France only": "restricted",
    "Public domain in France": "unknown",
    # with limits
    "Public domain. Non-commercial use only": "restricted",
    "Public domain. Non-commercial use": "unknown",
    "CC BY/NC": "unknown",
    "CC BY 4.0 NC": "unknown",
    "Domaine public, reproduction interdite": "restricted",
    "Gemeinfrei, Nutzung nur mit Zustimmung": "restricted",
    "The work is public domain; the photograph is protected": "restricted",
    "Public domain; ask Hans Meier first": "unknown",
    "CC BY 4.0, ask us": "unknown",
    "http://creativecommons.org/publicdomain/zero/1.0/but-not-here": "unknown",
    # too long to be read to its end
    "Public domain " + "x " * 2600 + " All rights reserved": "unknown",
    "Public domain. " * 400: "unknown",
}


@pytest.mark.parametrize(("rights", "expected"), ALLOWED.items())
def test_what_may_be_handed_on(rights: str, expected: tuple[str, str]) -> None:
    found = may_share(rights)
    assert found.allowed
    assert (found.kind.value, found.name) == expected
    assert found.reason


@pytest.mark.parametrize(("rights", "kind"), REFUSED.items())
def test_what_may_not(rights: str | None, kind: str) -> None:
    found = may_share(rights)
    assert not found.allowed
    assert found.kind.value == kind
    assert found.reason and not found.conditions


def test_conditions_come_along() -> None:
    assert may_share("CC BY-NC-SA 4.0").conditions == (
        "Name the author and the licence.",
        "No commercial use.",
        "Share what you make of it under the same licence.",
    )
    two = may_share("CC BY 4.0 (painting), CC BY-NC 4.0 (picture)")
    assert two.conditions == ("Name the author and the licence.", "No commercial use.")
    assert may_share("CC0").conditions == ()


@given(st.text(max_size=200))
def test_a_copyright_notice_forbids_whatever_stands_around_it(text: str) -> None:
    assert may_share("public domain").allowed
    if not may_share(text).name:
        assert not may_share(f"{text} public domain © all rights reserved").allowed


@given(st.sampled_from(sorted(ALLOWED)), st.sampled_from(("", "; ", ". ", ", ")), st.data())
def test_one_word_that_is_not_known_is_enough_to_refuse(
    allowed: str, between: str, data: st.DataObject
) -> None:
    letters = st.text("bcdfghjklmnpqrstvwxz", min_size=4, max_size=12)
    word = data.draw(letters)
    assert may_share(allowed).allowed
    assert not may_share(f"{word} {between}{allowed}").allowed
    assert not may_share(f"{allowed} {between}{word}").allowed


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert may_share(text).kind in set(RightsKind)
