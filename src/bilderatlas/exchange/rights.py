"""Whether a picture may be handed on, by what its record says of its rights.

One rule for every export. It hands a picture on only where the record says that this is allowed,
by a public-domain mark or dedication, or by a licence that lets copies be shared. Silence, words
that it does not know, and words that contradict each other are no permission. It reads what the
record says and decides nothing about the law: who publishes answers for that.

The statements are those of Creative Commons (https://creativecommons.org) and of RightsStatements
(https://rightsstatements.org), as addresses or in words, and the common words for the public domain
and for copyright in English, German, French, Dutch, Italian and Spanish.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bilderatlas.words import said


class RightsKind(StrEnum):
    """What a statement of rights amounts to."""

    PUBLIC_DOMAIN = "public domain"
    LICENSED = "licensed"
    IN_COPYRIGHT = "in copyright"
    RESTRICTED = "restricted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SharingRight:
    """Whether a picture may be handed on, and why.

    Attributes:
        allowed: Whether a copy may be given to others.
        kind: What the statement amounts to.
        reason: One sentence for the reader of an export.
        name: The licence in short, `CC BY-SA 4.0`; empty where there is none.
        conditions: What whoever hands it on must do or not do, each as a sentence.
    """

    allowed: bool
    kind: RightsKind
    reason: str
    name: str = ""
    conditions: tuple[str, ...] = ()


def may_share(rights: str | None) -> SharingRight:
    """Return whether a record that says `rights` lets its picture be handed on.

    >>> may_share("http://creativecommons.org/publicdomain/zero/1.0/").allowed
    True
    >>> may_share("CC BY-NC-ND 4.0").conditions[1:]
    ('No commercial use.', 'Hand it on unchanged.')
    >>> may_share("Public domain; photograph © the museum").reason
    'The record claims copyright.'
    >>> may_share(None).reason
    'The record says nothing about rights.'
    """
    text = " ".join((rights or "").split())[:_MAX_CHARS].casefold()
    if not text:
        return _refused(RightsKind.UNKNOWN, said("The record says nothing about rights."))
    for pattern, kind, reason in _NEVER:
        if pattern.search(text):
            return _refused(kind, reason)
    licences = {match[1] for match in _LICENCE.finditer(text)}
    rest = _LICENCE.sub(" ", text)
    if licences:
        rest = _NOTICE.sub(" ", rest)  # "© the museum, CC BY 4.0": the owner's name, who licenses
    if _COPYRIGHT.search(rest):
        return _refused(RightsKind.IN_COPYRIGHT, said("The record claims copyright."))
    if licences:
        return _licensed(text, licences)
    if _FREE.search(text):
        return SharingRight(
            True,
            RightsKind.PUBLIC_DOMAIN,
            said("The record says that the picture is in the public domain."),
        )
    return _refused(
        RightsKind.UNKNOWN, said("The record's words about rights are none that allow sharing.")
    )


def _refused(kind: RightsKind, reason: str) -> SharingRight:
    return SharingRight(False, kind, reason)


def _licensed(text: str, licences: set[str]) -> SharingRight:
    """Return what the licences together allow: the conditions of all of them."""
    terms = [term for term in ("by", "nc", "nd", "sa") if any(_has(one, term) for one in licences)]
    if not terms:
        return SharingRight(
            True, RightsKind.PUBLIC_DOMAIN, said("The record dedicates it to the public."), "CC0"
        )
    version = _VERSION.search(text)
    name = f"CC {'-'.join(terms).upper()}{f' {version[1]}' if version else ''}"
    return SharingRight(
        True,
        RightsKind.LICENSED,
        said("The record licenses it under %(licence)s.", licence=name),
        name,
        tuple(_CONDITIONS[term] for term in terms),
    )


def _has(licence: str, term: str) -> bool:
    spelled = _IN_WORDS.get(term, term)
    return bool(re.search(rf"(?<![a-z]){term}(?![a-z])|{spelled}", licence))


_MAX_CHARS = 5_000
_IN_WORDS = {
    "by": "attribution",
    "nc": "non-?commercial",
    "nd": "no-?deriv",
    "sa": "share-?alike",
}
_CONDITIONS = {
    "by": said("Name the author and the licence."),
    "nc": said("No commercial use."),
    "nd": said("Hand it on unchanged."),
    "sa": said("Share what you make of it under the same licence."),
}
_TERMS = r"(?:by|nc|nd|sa|attribution|non-?commercial|no-?deriv(?:ative)?s?|share-?alike)"
_LICENCE = re.compile(
    r"\b(?:https?://)?(?:www\.)?"
    r"(creativecommons\.org/publicdomain/zero"
    rf"|creativecommons\.org/licen[cs]es/{_TERMS}(?:-{_TERMS})*"
    r"|cc[ -]?0|cc[ -]zero"
    rf"|cc[ -]{_TERMS}(?:[ -]{_TERMS})*"
    rf"|creative commons[ :,-]+{_TERMS}(?:[ -]+{_TERMS})*)(?![a-z])"
)
_VERSION = re.compile(r"(?<![\d.])([1-4]\.\d)(?![\d.])")
_NOTICE = re.compile(r"(?:©|\(c\)|copyright)[^,;.|]*")
_COPYRIGHT = re.compile(
    r"©|\(c\) |℗|copyright|all rights reserved|alle rechte|urheberrecht|tous droits|"
    r"droits? d.auteur|droits réservés|auteursrecht|tutti i diritti|diritti riservati|"
    r"derechos reservados|derechos de autor|\b(?:vg bild-?kunst|adagp|prolitteris|pictoright)\b"
)
_FREE = re.compile(
    r"creativecommons\.org/publicdomain/mark|\bpublic[ -]?domain\b|\bpublicdomain\b|"
    r"\bgemeinfrei\b|\bdomaine public\b|\bpubliek domein\b|\brechtenvrij\b|"
    r"\bpubblico dominio\b|\bdominio pubblico\b|\bdominio público\b|\bno copyright\b"
)
_NEVER = (
    (
        re.compile(r"rightsstatements\.org/(?:vocab|page)/inc|\bin copyright\b"),
        RightsKind.IN_COPYRIGHT,
        said("The record says that the work is in copyright."),
    ),
    (
        re.compile(
            r"rightsstatements\.org/(?:vocab|page)/noc|no copyright ?[-–—] |"
            r"public[ -]?domain in (?:the )?(?:u\.?s|united states)"
        ),
        RightsKind.RESTRICTED,
        said("The record says: no copyright, but other limits to sharing it."),
    ),
    (
        re.compile(
            r"rightsstatements\.org/(?:vocab|page)/(?:und|cne|nkc)|no known|"
            r"not evaluated|undetermined|unknown|unbekannt|inconnu|onbekend"
        ),
        RightsKind.UNKNOWN,
        said("The record says that the rights are not known for certain."),
    ),
    (
        re.compile(
            r"\b(?:not?|nicht|kein|pas|niet|non|outside)\b(?:\W+\w+){0,3}?\W+"
            r"(?:public[ -]?domain|gemeinfrei|domaine public|publiek domein|dominio|cc[ -]|"
            r"creative commons|licen[cs]ed|be shared|reproduc)"
        ),
        RightsKind.RESTRICTED,
        said("The record says that it may not be shared."),
    ),
    (
        re.compile(r"permission|genehmigung|autorisation|toestemming|restricted|embargo"),
        RightsKind.RESTRICTED,
        said("The record says that somebody's leave is needed."),
    ),
)
