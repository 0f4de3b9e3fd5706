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
    two = may_share("CC BY 4.0 (text), CC BY-NC 4.0 (picture)")
    assert two.conditions == ("Name the author and the licence.", "No commercial use.")
    assert may_share("CC0").conditions == ()


@given(st.text(max_size=200))
def test_a_copyright_notice_forbids_whatever_stands_around_it(text: str) -> None:
    assert may_share("public domain").allowed
    if not may_share(text).name:
        assert not may_share(f"{text} public domain © all rights reserved").allowed


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert may_share(text).kind in set(RightsKind)
