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

BOUNDS = (0.8, 0.6, 0.3)  # of the corrected overlap: hardly, a little, clearly, strongly
FOUND_BOUNDS = (0.95, 0.7, 0.3)  # of the share of works found, where only that is asked


class Notice(IntEnum):
    """How strongly a change is noticed."""

    HARDLY = 0
    A_LITTLE = 1
    CLEARLY = 2
    STRONGLY = 3


_NOTICED = ("is hardly noticed", "is noticed a little", "is clearly noticed", "is strongly noticed")
_HIDDEN = ("does not hide it", "rarely hides it", "often hides it", "hides it")


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
        return (
            f"None of the {measured.n_works} works has {change.lacking or 'anything to change'}, "
            "so there was nothing to try."
        )
    lead = change.done
    if effect.n_unchanged:
        lead += f" (which {effect.n_works} of {measured.n_works} works have)"
    if effect.overlap is None:
        found = _found(effect, "is", "found first")
        return f"{lead}, a work {found}: {change.noun} {_HIDDEN[notice]}."
    kept = _kept(effect.overlap, measured.k)
    return f"{lead}, a work keeps {kept}: {change.noun} {_NOTICED[notice]}."


def aside_of(effect: Effect) -> str:
    """Say whether the work itself is still found, where the sentence tells of its neighbours."""
    if effect.overlap is None or not effect.n_works:
        return ""
    return f"The changed picture {_found(effect, '', 'finds the work itself first')}."


def summary_of(measured: Invariances) -> str:
    """Sum up in two sentences what is hardly noticed, and what is noticed most."""
    noticed = [(notice_of(effect, measured), effect) for effect in measured.effects]
    blind = _nouns(effect for notice, effect in noticed if notice == Notice.HARDLY)
    keen = [effect for notice, effect in noticed if notice is not None and notice >= Notice.CLEARLY]
    keen.sort(key=_what_stays)
    most, *others = _nouns(keen) or [""]
    then = f", then {_joined(others)}" if others else ""
    seen, strongest = (
        ("hardly notices", f"It notices {most} most{then}.")
        if measured.k
        else ("finds a work again in spite of", f"What hides a work most is {most}{then}.")
    )
    parts = [f"On these works it {seen} {_joined(blind)}."] if blind else []
    if keen:
        parts.append(strongest)
    elif blind:
        parts.append("Nothing that was tried moves a work far.")
    return " ".join(parts)


def caution_of(measured: Invariances) -> str:
    """Say what lessens the worth of a measurement; empty where nothing does."""
    cautions = []
    if measured.n_from_thumbnails:
        whole = measured.n_from_thumbnails == measured.n_works
        which = "All" if whole else f"{measured.n_from_thumbnails} of the"
        cautions.append(
            f"{which} pictures were read from thumbnails of 512 px: their source is out of reach."
        )
    if measured.n_works < 20:
        cautions.append(f"{measured.n_works} works are few: take the numbers as a hint.")
    if measured.again.overlap is not None and measured.again.overlap < 0.95:
        kept = _kept(measured.again.overlap, measured.k)
        cautions.append(
            f"Read again without any change, a work keeps {kept}: compare the numbers with that."
        )
    return " ".join(cautions)


def _what_stays(effect: Effect) -> float:
    return effect.first if effect.overlap is None else effect.overlap


def _level(value: float, bounds: tuple[float, ...]) -> Notice:
    return Notice(sum(value < bound for bound in bounds))


def _kept(share: float, k: int) -> str:
    if k == 1:
        return f"its nearest neighbour {round(100 * share)} times in 100"
    n_kept = round(share * k)
    if n_kept == 0:
        return f"none of its {k} nearest neighbours"
    if n_kept == k:
        return f"{'all' if share > 0.995 else 'nearly all'} of its {k} nearest neighbours"
    return f"{n_kept} of its {k} nearest neighbours"


def _found(effect: Effect, verb: str, what: str) -> str:
    if effect.n_first == effect.n_works:
        words = (verb, "always", what)
    elif effect.n_first == 0:
        words = (verb, "never", what)
    else:
        words = (verb, what, f"in {effect.n_first} of {effect.n_works} cases")
    return " ".join(word for word in words if word)


def _nouns(effects: Iterable[Effect]) -> list[str]:
    return [get_transformation(effect.transformation).noun for effect in effects]


def _joined(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""
