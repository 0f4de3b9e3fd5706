"""What a measurement of invariances says, in sentences for a reader who knows pictures.

How strongly a change is noticed follows from the share of neighbours that stay, corrected for
chance: (overlap − chance) / (1 − chance). The bounds stand in `BOUNDS` and in the documentation.
Where the changed picture mostly fails to find its own work first, the change is clearly noticed at
least, whatever stays of the neighbourhood.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from bilderatlas.evaluation.invariance import Effect, Invariances
from bilderatlas.evaluation.transformations import get_transformation
from bilderatlas.words import mark, said

BOUNDS = (0.8, 0.6, 0.3)  # of the corrected overlap: hardly, a little, clearly, strongly
FOUND_BOUNDS = (0.95, 0.7, 0.3)  # of the share of works found, where only that is asked


class Notice(IntEnum):
    """How strongly a change is noticed."""

    HARDLY = 0
    A_LITTLE = 1
    CLEARLY = 2
    STRONGLY = 3


_NOTICED = (
    mark("%(lead)s, a work keeps %(kept)s: %(noun)s is hardly noticed."),
    mark("%(lead)s, a work keeps %(kept)s: %(noun)s is noticed a little."),
    mark("%(lead)s, a work keeps %(kept)s: %(noun)s is clearly noticed."),
    mark("%(lead)s, a work keeps %(kept)s: %(noun)s is strongly noticed."),
)
_HIDDEN = (
    mark("%(lead)s, a work %(found)s: %(noun)s does not hide it."),
    mark("%(lead)s, a work %(found)s: %(noun)s rarely hides it."),
    mark("%(lead)s, a work %(found)s: %(noun)s often hides it."),
    mark("%(lead)s, a work %(found)s: %(noun)s hides it."),
)


def notice_of(effect: Effect, measured: Invariances) -> Notice | None:
    """Return how strongly a change is noticed; None where it was tried on no work."""
    if not effect.n_works:
        return None
    if effect.overlap is None:
        return _level(effect.first, FOUND_BOUNDS)
    corrected = (effect.overlap - measured.chance) / max(1 - measured.chance, 1e-9)
    by_itself = Notice.CLEARLY if effect.first < 0.5 else Notice.HARDLY
    return max(_level(corrected, BOUNDS), by_itself)


def sentence_of(effect: Effect, measured: Invariances) -> str:
    """Say what a change does: `Mirrored, a work keeps 9 of its 10 nearest neighbours: …`."""
    change = get_transformation(effect.transformation)
    notice = notice_of(effect, measured)
    if notice is None:
        lacking = said(change.lacking) if change.lacking else said("anything to change")
        return said(
            "None of the %(n)s works has %(lacking)s, so there was nothing to try.",
            n=measured.n_works,
            lacking=lacking,
        )
    lead = said(change.done)
    if effect.n_unchanged:
        lead = said(
            "%(done)s (which %(n)s of %(all)s works have)",
            done=lead,
            n=effect.n_works,
            all=measured.n_works,
        )
    noun = said(change.noun)
    if effect.overlap is None:
        return said(_HIDDEN[notice], lead=lead, found=_is_found(effect), noun=noun)
    return said(_NOTICED[notice], lead=lead, kept=_kept(effect.overlap, measured.k), noun=noun)


def aside_of(effect: Effect) -> str:
    """Say whether the work itself is still found, where the sentence tells of its neighbours."""
    if effect.overlap is None or not effect.n_works:
        return ""
    if effect.n_first == effect.n_works:
        return said("The changed picture always finds the work itself first.")
    if effect.n_first == 0:
        return said("The changed picture never finds the work itself first.")
    return said(
        "The changed picture finds the work itself first in %(n)s of %(all)s cases.",
        n=effect.n_first,
        all=effect.n_works,
    )


def summary_of(measured: Invariances) -> str:
    """Sum up in two sentences what is hardly noticed, and what is noticed most."""
    noticed = [(notice_of(effect, measured), effect) for effect in measured.effects]
    blind = _nouns(effect for notice, effect in noticed if notice == Notice.HARDLY)
    keen = [effect for notice, effect in noticed if notice is not None and notice >= Notice.CLEARLY]
    keen.sort(key=_what_stays)
    parts: list[str] = []
    if blind and measured.k:
        parts.append(said("On these works it hardly notices %(changes)s.", changes=blind))
    elif blind:
        parts.append(
            said("On these works it finds a work again in spite of %(changes)s.", changes=blind)
        )
    if keen:
        parts.append(_strongest(_nouns(keen), whole=bool(measured.k)))
    elif blind:
        parts.append(said("Nothing that was tried moves a work far."))
    return _one_after_another(parts)


def _strongest(nouns: list[str], *, whole: bool) -> str:
    most, *others = nouns
    if whole and others:
        return said("It notices %(most)s most, then %(others)s.", most=most, others=others)
    if whole:
        return said("It notices %(most)s most.", most=most)
    if others:
        return said(
            "What hides a work most is %(most)s, then %(others)s.", most=most, others=others
        )
    return said("What hides a work most is %(most)s.", most=most)


def caution_of(measured: Invariances) -> str:
    """Say what lessens the worth of a measurement; empty where nothing does."""
    cautions: list[str] = []
    if measured.n_from_thumbnails == measured.n_works and measured.n_works:
        cautions.append(
            said("All pictures were read from thumbnails of 512 px: their source is out of reach.")
        )
    elif measured.n_from_thumbnails:
        cautions.append(
            said(
                "%(n)s of the pictures were read from thumbnails of 512 px: their source is out "
                "of reach.",
                n=measured.n_from_thumbnails,
            )
        )
    if measured.n_works < 20:
        cautions.append(
            said("%(n)s works are few: take the numbers as a hint.", n=measured.n_works)
        )
    if measured.again.overlap is not None and measured.again.overlap < 0.95:
        cautions.append(
            said(
                "Read again without any change, a work keeps %(kept)s: compare the numbers with "
                "that.",
                kept=_kept(measured.again.overlap, measured.k),
            )
        )
    return _one_after_another(cautions)


def _one_after_another(sentences: list[str]) -> str:
    """Join whole sentences into a paragraph."""
    if len(sentences) < 2:
        return sentences[0] if sentences else ""
    first, *rest = sentences
    return said("%(first)s %(then)s", first=first, then=_one_after_another(rest))


def _what_stays(effect: Effect) -> float:
    return effect.first if effect.overlap is None else effect.overlap


def _level(value: float, bounds: tuple[float, ...]) -> Notice:
    return Notice(sum(value < bound for bound in bounds))


def _kept(share: float, k: int) -> str:
    if k == 1:
        return said("its nearest neighbour %(n)s times in 100", n=round(100 * share))
    n_kept = round(share * k)
    if n_kept == 0:
        return said("none of its %(k)s nearest neighbours", k=k)
    if n_kept == k and share > 0.995:
        return said("all of its %(k)s nearest neighbours", k=k)
    if n_kept == k:
        return said("nearly all of its %(k)s nearest neighbours", k=k)
    return said("%(n)s of its %(k)s nearest neighbours", n=n_kept, k=k)


def _is_found(effect: Effect) -> str:
    if effect.n_first == effect.n_works:
        return said("is always found first")
    if effect.n_first == 0:
        return said("is never found first")
    return said("is found first in %(n)s of %(all)s cases", n=effect.n_first, all=effect.n_works)


def _nouns(effects: Iterable[Effect]) -> list[str]:
    return [said(get_transformation(effect.transformation).noun) for effect in effects]
