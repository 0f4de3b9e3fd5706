"""Say why two packages are not the same space, or that they are and how their vectors differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bilderatlas.exchange.canonical import canonical_json
from bilderatlas.exchange.deviation import (
    PASS_EXACT,
    PASS_ROUGH,
    Deviation,
    deviation_of,
    structure_correlation,
)
from bilderatlas.exchange.format import Manifest
from bilderatlas.exchange.manifest import read_manifest
from bilderatlas.exchange.sampling import tables, vectors_at

MAX_COMPARED = 1000

MEANINGS: dict[str, str] = {
    "model.name": "another extractor: vectors must not be compared",
    "model.version": "another version of the method: the same picture has another vector",
    "model.weights_sha256": "other weights: the same picture has another vector",
    "model.tap": "read from another layer: the numbers mean something else",
    "model.pooling": "a map of features became one vector in another way",
    "model.projection": "projected otherwise: the numbers mean something else",
    "model.onnx_sha256": "another file for the runtime, perhaps of the same weights",
    "model.architecture_config_sha256": "another architecture",
    "preprocessing.steps": "pictures were prepared otherwise: the same picture has another vector",
    "preprocessing.side_px": "pictures were scaled to another size first",
    "vectors.dim": "vectors of another length: they cannot be compared at all",
    "vectors.dtype": "numbers of another precision: the same space, rounded otherwise",
    "vectors.normalised": "one has vectors of length 1, the other has not: angles agree, "
    "distances and scalar products do not",
    "vectors.metrics": "meant to be compared by another metric",
    "vectors.many_rows": "one vector a picture against many",
    "vectors.rows_are": "a vector stands for something else",
    "vectors.geometry": "places of details are given in one only",
}
"""What a difference in a field means; a field that is not here says nothing about the space."""

ROUNDING = frozenset(["vectors.dtype", "vectors.metrics", "vectors.geometry", "model.onnx_sha256"])
"""Differences that leave it the same space."""

_ALSO_SHOWN = (
    "environment.device",
    "environment.precision",
    "environment.software",
    "model.licence",
    "licence",
    "derived_from",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two packages differ.

    Attributes:
        field: Its path in the manifest: `model.weights_sha256`.
        first: Its value in the first package.
        second: Its value in the second.
        meaning: What that means for a reader.
        of_space: Whether it makes them two spaces.
    """

    field: str
    first: Any
    second: Any
    meaning: str
    of_space: bool


@dataclass(slots=True)
class DiffReport:
    """What `features diff` tells.

    Attributes:
        same_space: Whether vectors of the two may be compared.
        sentence: The verdict in words.
        differences: Fields that differ.
        n_common: Items of both that show the same picture, by sha256 (else by id).
        n_first: Items of the first package only.
        n_second: Items of the second only.
        common: How far the vectors of common items are apart; at most a thousand are compared.
        kinship: Where dimensions differ: how far the two agree on which pictures are alike.
    """

    same_space: bool
    sentence: str
    differences: list[Difference] = field(default_factory=list)
    n_common: int = 0
    n_first: int = 0
    n_second: int = 0
    common: Deviation | None = None
    kinship: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `features diff --json` prints."""
        values = asdict(self)
        values["common"] = self.common.to_json() if self.common else None
        return values


def diff(first: Path, second: Path) -> DiffReport:
    """Compare two packages field by field, and the vectors of their common pictures.

    Raises:
        PackageError: when one of them cannot be read.
    """
    manifests = read_manifest(first), read_manifest(second)
    differences = list(differences_of(*manifests))
    report = DiffReport(not any(one.of_space for one in differences), "", differences)
    places = _common_places((first, second), manifests, report)
    if places:
        _compare(report, (first, second), manifests, places)
    report.sentence = _verdict(report, manifests)
    return report


def differences_of(first: Manifest, second: Manifest) -> Iterator[Difference]:
    """Yield the fields in which two manifests differ, those of the space first."""
    flat = [_flat(one.model_dump(mode="json")) for one in (first, second)]
    for name, meaning in MEANINGS.items():
        one, other = (values.get(name) for values in flat)
        if canonical_json(one) != canonical_json(other):
            if name == "preprocessing.steps":
                one, other = _differing_steps(one, other)
            yield Difference(name, one, other, meaning, name not in ROUNDING)
    for name in _ALSO_SHOWN:
        one, other = (values.get(name) for values in flat)
        if canonical_json(one) != canonical_json(other):
            yield Difference(name, one, other, "says nothing about the space", of_space=False)


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Return `{"model.name": …}`: one level of nesting opened."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat[name] = value
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": one for inner, one in value.items()}
    return flat


def _differing_steps(first: Any, second: Any) -> tuple[Any, Any]:
    """Return the steps that only one of the two has."""
    known = [{canonical_json(step) for step in steps} for steps in (first, second)]
    return (
        [step for step in first if canonical_json(step) not in known[1]],
        [step for step in second if canonical_json(step) not in known[0]],
    )


def _common_places(
    folders: tuple[Path, Path], manifests: tuple[Manifest, Manifest], report: DiffReport
) -> list[tuple[int, int, str]]:
    """Return places of common items in both packages, and their ids."""
    by_hash = [_places(folder, one) for folder, one in zip(folders, manifests, strict=True)]
    common = [name for name in by_hash[0] if name in by_hash[1]]
    report.n_common = len(common)
    report.n_first = len(by_hash[0]) - len(common)
    report.n_second = len(by_hash[1]) - len(common)
    order = np.random.default_rng(0).permutation(len(common))[:MAX_COMPARED].tolist()
    return [
        (
            by_hash[0][common[number]][0],
            by_hash[1][common[number]][0],
            by_hash[0][common[number]][1],
        )
        for number in order
    ]


def _places(folder: Path, manifest: Manifest) -> dict[str, tuple[int, str]]:
    """Return `{sha256, or the id where there is none: (place, id)}` of items with vectors."""
    found: dict[str, tuple[int, str]] = {}
    at = 0
    for table in tables(folder, manifest, ["item_id", "status", "image_sha256"]):
        ids = table.column("item_id").to_pylist()
        statuses = table.column("status").to_pylist()
        hashes = [None] * len(ids)
        if "image_sha256" in table.schema.names:
            hashes = table.column("image_sha256").to_pylist()
        for offset, (item_id, status, sha256) in enumerate(zip(ids, statuses, hashes, strict=True)):
            if status == "ok":
                found.setdefault(sha256 or f"id:{item_id}", (at + offset, item_id))
        at += len(ids)
    return found


def _compare(
    report: DiffReport,
    folders: tuple[Path, Path],
    manifests: tuple[Manifest, Manifest],
    places: list[tuple[int, int, str]],
) -> None:
    sides = []
    for folder, manifest, wanted in zip(
        folders, manifests, ([one[0] for one in places], [one[1] for one in places]), strict=True
    ):
        found = vectors_at(folder, manifest, sorted(wanted))
        sides.append([found[place] for place in wanted])
    if manifests[0].vectors.dim == manifests[1].vectors.dim:
        rough = any(one.vectors.dtype == "f16" for one in manifests)
        threshold = PASS_ROUGH if rough else PASS_EXACT
        names = [name for _, _, name in places]
        report.common = deviation_of(sides[0], sides[1], threshold, names)
    if report.common is None or not report.common.is_same_direction:
        report.kinship = structure_correlation(sides[0][:200], sides[1][:200])


def _verdict(report: DiffReport, manifests: tuple[Manifest, Manifest]) -> str:
    reasons = [one.field for one in report.differences if one.of_space]
    compared = "" if report.common is None else f" (worst cosine {report.common.min_cosine:.6f})"
    agree = report.common is not None and report.common.passed
    if reasons and agree:
        return (
            f"They state two spaces ({', '.join(reasons)} differ), yet the vectors of their common "
            f"pictures agree{compared}: one of the manifests may be wrong."
        )
    if reasons:
        return f"They are two spaces: {', '.join(reasons)} differ. Their vectors must not be mixed."
    if report.common is None:
        return "They state the same space; they have no picture in common to prove it by."
    if agree:
        return f"They are the same space: the vectors of common pictures agree{compared}."
    return (
        f"They state the same space, but the vectors of their common pictures differ{compared}: "
        "one was not made as it says. Run `bilderatlas features verify` on both."
    )
