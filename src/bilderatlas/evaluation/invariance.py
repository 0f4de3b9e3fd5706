"""How far a change of the picture moves a work among the others: the numbers.

A work is changed (mirrored, cut down …), embedded again, and searched with. Three things are asked:
how many of its nearest neighbours stay (`overlap`, as overlap@k), at which place the work itself
comes (`rank`), and how alike the two vectors are (`cosine`). Pure formulas; `api.invariance` runs
them on a collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints

FORMAT_VERSION = 1
N_NEIGHBOURS = 10
MIN_WORKS = 4  # with fewer there is no neighbourhood that could change


def neighbours_compared(n_works: int) -> int:
    """Return `k`: ten, or in a small space a third of the others, so that chance stays below it.

    >>> neighbours_compared(1000), neighbours_compared(16), neighbours_compared(4)
    (10, 5, 1)
    """
    return max(1, min(N_NEIGHBOURS, (n_works - 1) // 3))


def overlap(before: Ints, after: Ints) -> float:
    """Return the share of `before` `(k,)` that is also among `after`, wherever it stands there.

    >>> overlap(np.array([3, 1, 2]), np.array([2, 9, 3]))
    0.6666666666666666
    """
    return len(set(before.tolist()) & set(after.tolist())) / max(len(before), 1)


def cosine(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Return the cosine of the angle between two vectors `(d,)`; 0 where one of them is zero."""
    a64, b64 = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    lengths = float(np.linalg.norm(a64) * np.linalg.norm(b64))
    return float(a64 @ b64) / lengths if lengths else 0.0


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one work under one change.

    Attributes:
        image_id: The work.
        rank: Its own place when searched with the changed picture, 1 the first; None: not found.
        overlap: Share of its neighbours that stay, 0 to 1; None where they are not compared.
        cosine: Of its vector and that of the changed picture; None where it has several.
    """

    image_id: str
    rank: int | None
    overlap: float | None = None
    cosine: float | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one change did to all works that it was tried on.

    Attributes:
        transformation: Its name.
        n_works: On how many works it was tried.
        n_unchanged: How many others had nothing to change: no frame to remove.
        n_first: How many came first themselves when searched with the changed picture.
        median_rank: Of the work itself; None where most were not found at all.
        overlap: Mean share of the neighbours that stay; None where they are not compared.
        quartiles: The lower and upper quartile of that share.
        cosine: Mean cosine; None where works have several vectors.
        example: A work that it was tried on; empty where there is none.
        example_xyxyn: What was kept of the example, where a part of it was cut away.
    """

    transformation: str
    n_works: int
    n_unchanged: int = 0
    n_first: int = 0
    median_rank: float | None = None
    overlap: float | None = None
    quartiles: tuple[float, float] | None = None
    cosine: float | None = None
    example: str = ""
    example_xyxyn: tuple[float, float, float, float] | None = None

    @property
    def first(self) -> float:
        """Share of the works that come first themselves."""
        return self.n_first / self.n_works if self.n_works else 0.0

    @classmethod
    def of(cls, transformation: str, trials: Sequence[Trial], **values: Any) -> Self:
        """Sum up `trials`; `values` are the fields that they do not tell.

        >>> Effect.of("grey", [Trial("a", 1, 1.0, 0.9), Trial("b", 3, 0.5, 0.7)]).overlap
        0.75
        """
        ranks = [np.inf if trial.rank is None else trial.rank for trial in trials]
        overlaps = [trial.overlap for trial in trials if trial.overlap is not None]
        cosines = [trial.cosine for trial in trials if trial.cosine is not None]
        median = float(np.median(ranks)) if ranks else np.inf
        low, high = np.quantile(overlaps, [0.25, 0.75]).tolist() if overlaps else (0.0, 0.0)
        return cls(
            transformation=transformation,
            n_works=len(trials),
            n_first=sum(rank == 1 for rank in ranks),
            median_rank=median if np.isfinite(median) else None,
            overlap=float(np.mean(overlaps)) if overlaps else None,
            quartiles=(low, high) if overlaps else None,
            cosine=float(np.mean(cosines)) if cosines else None,
            **values,
        )


@dataclass(frozen=True, slots=True)
class Invariances:
    """What a criterion notices, measured on one collection; a derived file, kept with the space.

    Attributes:
        model_id: The criterion.
        card_version: Of its card; another version makes this measurement void.
        weights_sha256: Of its weights, likewise.
        rows_are: What a row of the space stands for: `image`, `detail` or `figure`.
        collection_version: The version of the collection that was searched.
        measured_at: ISO 8601, UTC.
        n_works: How many works were tried.
        n_in_space: How many works the space has.
        n_from_thumbnails: How many of the tried ones were read from thumbnails of 512 px, because
            their source could not give them.
        n_failed: How many others could not be read or compared at all.
        seed: Of the choice of works.
        k: How many neighbours were compared; 0 where they are not.
        again: The unchanged pictures, embedded again: what any change is to be measured against.
        effects: One for each transformation, in their order.
    """

    model_id: str
    card_version: int
    weights_sha256: str | None
    rows_are: str
    collection_version: int
    measured_at: str
    n_works: int
    n_in_space: int
    n_from_thumbnails: int
    n_failed: int
    seed: int
    k: int
    again: Effect
    effects: tuple[Effect, ...]

    @property
    def chance(self) -> float:
        """Share of the neighbours that would stay if all works were shuffled."""
        return min(1.0, self.k / max(self.n_in_space - 1, 1))

    def is_of(self, card: Mapping[str, Any]) -> bool:
        """Tell whether it was measured with the extractor that `card` describes."""
        return (self.model_id, self.card_version, self.weights_sha256) == (
            card.get("model_id"),
            card.get("version"),
            card.get("weights_sha256"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the measurement as JSON-ready values."""
        return {"format_version": FORMAT_VERSION, **asdict(self), "chance": self.chance}

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Rebuild a measurement from `to_json`.

        Raises:
            ValueError: when it is none, or of a newer version.
        """
        try:
            if values["format_version"] != FORMAT_VERSION:
                raise ValueError(f"expected format version {FORMAT_VERSION}")
            known = {name: values[name] for name in cls.__slots__ if name in values}
            effects = tuple(_effect(one) for one in known["effects"])
            return cls(**{**known, "again": _effect(known["again"]), "effects": effects})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no measurement of invariances: {error}") from error


def _effect(values: Mapping[str, Any]) -> Effect:
    pairs = {name: values[name] for name in ("quartiles", "example_xyxyn") if values.get(name)}
    return Effect(**{**values, **{name: tuple(pair) for name, pair in pairs.items()}})
