"""Whether a picture may be handed on, by what its record says of its rights.

One rule for every export. It hands a picture on only where the whole of what the record says is
understood and says that this is allowed: by a public-domain mark or dedication, or by a licence
that lets copies be shared, with the name of the one who licenses and nothing else beside it.
Silence, words that it does not know, words that contradict each other, and permissions for the text
or the data are no permission for the picture. It reads what the record says and decides nothing
about the law: who publishes answers for that.

The statements are those of Creative Commons (https://creativecommons.org) and of RightsStatements
(https://rightsstatements.org), as addresses or in words, and the common words for the public domain
and for copyright in English, German, French, Dutch, Italian and Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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
    original = " ".join((rights or "").split())
    if not original:
        return _refused(RightsKind.UNKNOWN, said("The record says nothing about rights."))
    if len(original) > _MAX_CHARS:
        return _refused(RightsKind.UNKNOWN, _MORE)
    text = original.casefold()
    licences = [match[1] for match in _LICENCE.finditer(text)]
    refusal = _find_refusal(original, text)
    if refusal is not None:
        return refusal
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


def _find_refusal(original: str, text: str) -> SharingRight | None:
    """Return why nothing in a statement can allow sharing; None: what it allows is allowed."""
    for pattern, kind, reason in _NEVER:
        if pattern.search(text):
            return _refused(kind, reason)
    if _COPYRIGHT.search(_LICENCE.sub(" ", text)) and not _is_owner_who_licenses(original):
        return _refused(RightsKind.IN_COPYRIGHT, said("The record claims copyright."))
    allowing = _LICENCE.search(text) or _FREE.search(text)
    if allowing and not all(map(_is_understood, _CLAUSE_END.split(original))):
        return _refused(RightsKind.UNKNOWN, _MORE)
    return None


def _is_owner_who_licenses(text: str) -> bool:
    """Tell whether each notice of copyright stands with the licence that its owner gives."""
    clauses = _CLAUSE_END.split(text)
    claims = (clause for clause in clauses if _COPYRIGHT.search(_LICENCE.sub(" ", clause)))
    return all(_OWNER.search(clause) and _gives_licence(clause) for clause in claims)


def _gives_licence(clause: str) -> bool:
    """Tell whether a clause gives a licence that asks for a name: no one owns what is free."""
    found = list(_LICENCE.finditer(clause.casefold()))
    return bool(found) and all(_has(match[1], "by") for match in found)


def _is_understood(clause: str) -> bool:
    """Tell whether a clause says nothing but permissions, and whom to name."""
    if _gives_licence(clause):
        clause = _OWNER.sub(" ", clause)
    clause = _CREDIT.sub(" ", clause)
    rest = _FREE.sub(" ", _LICENCE.sub(" ", clause.casefold()))
    return all(word in _SAYS_NOTHING for word in _WORD.findall(rest))


def _refused(kind: RightsKind, reason: str) -> SharingRight:
    return SharingRight(False, kind, reason)


def _licensed(text: str, licences: Sequence[str]) -> SharingRight:
    """Return what the licences together allow: the conditions of all of them."""
    terms = [term for term in ("by", "nc", "nd", "sa") if any(_has(one, term) for one in licences)]
    if not terms:
        return SharingRight(
            True, RightsKind.PUBLIC_DOMAIN, said("The record dedicates it to the public."), "CC0"
        )
    versions = {match[1] for match in _VERSION.finditer(text)}
    version = f" {versions.pop()}" if len(versions) == 1 else ""
    name = f"CC {'-'.join(terms).upper()}{version}"
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
_MORE = said("The record says more about rights than can be understood here.")
_IN_WORDS = {
    "by": "attribution",
    "nc": "non[ -]?commercial",
    "nd": "no[ -]?deriv",
    "sa": "share[ -]?alike",
}
_CONDITIONS = {
    "by": said("Name the author and the licence."),
    "nc": said("No commercial use."),
    "nd": said("Hand it on unchanged."),
    "sa": said("Share what you make of it under the same licence."),
}
_TERMS = (
    r"(?:by|nc|nd|sa|attribution|non[ -]?commercial|no[ -]?deriv(?:ative)?s?(?: works)?|"
    r"share[ -]?alike)"
)
_EDITION = r"(?:[ -]v?[1-4]\.\d(?:[ -](?!nc|nd|sa|by)[a-z]{2}\b)?)?"  # 4.0, 3.0 DE
_REST_OF_ADDRESS = (
    r"(?:/[1-4]\.\d)?(?:/[a-z]{2,3}(?![a-z.]))?(?:/(?:deed|legalcode)(?:[.-][a-z-]+)?)?/?"
)
_LICENCE = re.compile(
    r"(?<![\w/.-])(?:https?://)?(?:www\.)?"
    rf"((?:creativecommons\.org/publicdomain/zero"
    rf"|creativecommons\.org/licen[cs]es/{_TERMS}(?:-{_TERMS})*){_REST_OF_ADDRESS}"
    rf"|(?:cc[ -]?0|cc[ -]zero"
    rf"|cc[ -]{_TERMS}(?:[ -]{_TERMS})*"
    rf"|creative commons[ :,-]+{_TERMS}(?:[ -]+{_TERMS})*){_EDITION})(?![\w/])",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<![\d.])([1-4]\.\d)(?![\d.])")
_COPYRIGHT = re.compile(r"©|\(c\)|℗|copyright", re.IGNORECASE)
_FREE = re.compile(
    rf"(?<![\w/.-])(?:https?://)?(?:www\.)?creativecommons\.org/publicdomain/mark{_REST_OF_ADDRESS}"
    rf"|\bpublic[ -]?domain mark{_EDITION}|\bpublic[ -]?domain\b|"
    r"\bgemeinfrei\b|\bdomaine public\b|\bpubliek domein\b|\brechtenvrij\b|"
    r"\bpubblico dominio\b|\bdominio pubblico\b|\bdominio público\b"
)
_CLAUSE_END = re.compile(r"[;|]|\.(?= |$)")
# A name: words with a capital, and the small words in between them.
_NAMED = (
    r"(?:(?-i:[^\W\d_a-zß-öø-ÿ])[\w.'’-]*|[12]\d{3}(?![\d.])|the|of|and|for|von|van|der|den|de|des|"
    r"du|di|da|la|le|und|für|et|zu|zur|museum|library|artist|author|photographer|&)"
)
_NAME = rf"{_NAMED}(?: {_NAMED}){{0,9}}?"
_OWNER = re.compile(rf"(?:©|\(c\)|\bcopyright\b)[ :]*(?:{_NAME})(?=,| \(?cc[ -]|$)", re.IGNORECASE)
_CREDIT = re.compile(
    rf"\b(?:please credit|credit(?: line)?:|courtesy of|via) {_NAME}(?=[,)]|$)", re.IGNORECASE
)
_WORD = re.compile(r"[^\s,.:()/–—\"'“”\[\]-]+")
_SAYING_NOTHING = (
    "a an the this these is are as and in of on under to made available licensed licence license "
    "licenses licences lizenz lizenziert licentie licencia licenza rights status statement usage "
    "terms image images picture pictures photo photograph scan file work artwork painting object "
    "item international universal unported generic mark dedication deed open access creative "
    "commons pd das dieses diese bild werk ist unter der die rechte cette cet l'image l image "
    "l'œuvre œuvre oeuvre est dans le la du de sous licence deze dit het afbeelding immagine opera "
    "quest questa imagen obra esta en el è nel di"
)
_SAYS_NOTHING = frozenset(_SAYING_NOTHING.split())
_NEVER = (
    (
        re.compile(
            r"rights reserved|alle rechten?\b|rechte vorbehalten|urheberrecht|tous droits|"
            r"droits? d.auteur|droits réservés|auteursrecht|tutti i diritti|diritti riservati|"
            r"derechos reservados|derechos de autor|"
            r"\b(?:vg bild-?kunst|adagp|prolitteris|pictoright)\b"
        ),
        RightsKind.IN_COPYRIGHT,
        said("The record claims copyright."),
    ),
    (
        re.compile(r"rightsstatements\.org/(?:vocab|page)/inc|\bin copyright\b"),
        RightsKind.IN_COPYRIGHT,
        said("The record says that the work is in copyright."),
    ),
    (
        re.compile(
            r"rightsstatements\.org/(?:vocab|page)/noc|no copyright ?[-–—] |"
            r"(?:public[ -]?domain|gemeinfrei|domaine public)[ (]+(?:in |nur in )?(?:the |den )?"
            r"(?:u\.?s|united states|vereinigten)"
        ),
        RightsKind.RESTRICTED,
        said("The record says: no copyright, but other limits to sharing it."),
    ),
    (
        re.compile(
            r"rightsstatements\.org/(?:vocab|page)/(?:und|cne|nkc)|no known|"
            r"not evaluated|undetermined|unknown|unbekannt|inconnu|onbekend|\?|"
            r"\b(?:possibly|probably|perhaps|maybe|likely|presumably|assumed|believed|"
            r"vermutlich|wahrscheinlich|vielleicht|möglicherweise|probablement|peut-être)\b"
        ),
        RightsKind.UNKNOWN,
        said("The record says that the rights are not known for certain."),
    ),
    (
        re.compile(
            r"\b(?:will|shall|enters?|entering|soon|until|till|expire[sd]?|from|once|when|bald|ab|"
            r"bis|wird|abgelaufen|bientôt|jusqu\W|sera|à partir)\b"
        ),
        RightsKind.RESTRICTED,
        said("The record allows sharing only at another time."),
    ),
    (
        re.compile(
            r"\b(?:meta-?data|metadat[ae]n?|métadonnées|texts?|texten?|texte[sn]?|data|dataset|daten|"
            r"données|descriptions?|beschreibung(?:en)?|catalogue|catalog|katalog|website)\b"
        ),
        RightsKind.UNKNOWN,
        said("The record speaks of rights in texts or data, not in the picture alone."),
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
        re.compile(
            r"permission|genehmigung|autorisation|toestemming|restrict|embargo|zustimmung|"
            r"interdit|prohibit|forbidden|verboten|untersagt|protected|geschützt|protégé|"
            r"contact|kontakt|\b(?:only|nur|seulement|uniquement|alleen|solo|fees?|gebühr)\b"
        ),
        RightsKind.RESTRICTED,
        said("The record says that somebody's leave is needed."),
    ),
)
