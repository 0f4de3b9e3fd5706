"""Verify a package by doing its work again, and where that fails find out why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bilderatlas.arrays import Pixels
from bilderatlas.errors import BilderatlasError, PackageError
from bilderatlas.exchange.canary import pixels_sha256
from bilderatlas.exchange.deviation import (
    PASS_EXACT,
    PASS_ROUGH,
    Deviation,
    Vectors,
    deviation_of,
    structure_correlation,
)
from bilderatlas.exchange.format import Manifest
from bilderatlas.exchange.hypotheses import Hypothesis, hypotheses, try_extract
from bilderatlas.exchange.manifest import card_of, read_manifest
from bilderatlas.exchange.sampling import (
    ReadPicture,
    SampledItem,
    nearest_items,
    sample_items,
)
from bilderatlas.exchange.validate import Fault, faults_of
from bilderatlas.extractors.base import Extractor
from bilderatlas.images.scaling import scaled

SAMPLE = 32
_KIN = 0.6
"""Above this correlation of similarities, two spaces look at pictures alike: one network."""
_HINT = 0.9
_SPOILT = {"overflow", "not-finite", "clipped", "changed-part", "truncated-part"}

Decode = Callable[[bytes, int], Pixels]
"""Decode an encoded picture so that its long side is at most so many pixels."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where the pictures of a sample come from: which hashes there are, and their bytes."""

    known: frozenset[str]
    read: ReadPicture
    decode: Decode


@dataclass(frozen=True, slots=True)
class Cause:
    """Why vectors differ, as far as can be told.

    Attributes:
        code: One word for tables: `bgr`, `swapped-rows`, `other-weights` …
        sentence: The same for a reader.
        cosine: How well the vectors agree when the mistake is repeated, where that was possible.
        certain: Whether the mistake, repeated, gives the package's vectors.
    """

    code: str
    sentence: str
    cosine: float | None = None
    certain: bool = True


@dataclass(slots=True)
class VerifyReport:
    """What verification found.

    Attributes:
        verdict: `same` (what could be tried agrees; from canaries alone, a note says that the
            vectors were not tried), `differs`, or `untried`.
        canary: The deviation on the eight test pictures.
        sample: The deviation on pictures of the package itself.
        causes: Why it differs, the surest first.
        faults: What `validate` found.
        notes: What could not be tried, and why.
    """

    package_id: str
    model_id: str
    verdict: Literal["same", "differs", "untried"] = "untried"
    canary: Deviation | None = None
    sample: Deviation | None = None
    causes: list[Cause] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what `features verify --json` prints."""
        return {
            "verdict": self.verdict,
            "package_id": self.package_id,
            "model_id": self.model_id,
            "canary": self.canary.to_json() if self.canary else None,
            "sample": self.sample.to_json() if self.sample else None,
            "causes": [
                {
                    "code": cause.code,
                    "sentence": cause.sentence,
                    "cosine": cause.cosine,
                    "certain": cause.certain,
                }
                for cause in self.causes
            ],
            "faults": [fault.to_json() for fault in self.faults],
            "notes": self.notes,
        }


def verify(
    folder: Path,
    extractor: Extractor | None,
    *,
    why_no_extractor: str = "",
    pictures: Pictures | None = None,
    n_sample: int = SAMPLE,
) -> VerifyReport:
    """Extract the canaries, and a sample of the pictures that can be had, again, and compare.

    Raises:
        PackageError: when the manifest cannot be read.
    """
    manifest = read_manifest(folder)
    report = VerifyReport(manifest.id, manifest.model.name)
    report.faults = list(faults_of(folder, manifest))
    if extractor is None:
        report.notes.append(why_no_extractor)
    else:
        _note_cards(manifest, extractor, report)
        readiness = extractor.readiness()
        if readiness.state != "ready":
            report.notes.append(f"Nothing could be extracted here. {readiness.sentence}")
        else:
            _Verification(folder, manifest, extractor, report).run(pictures, n_sample)
    tried = [one for one in (report.canary, report.sample) if one is not None]
    if report.faults or report.causes or any(not one.passed for one in tried):
        report.verdict = "differs"
    elif tried:
        report.verdict = "same"
        if report.sample is None:
            report.notes.append(
                "The vectors of the package themselves were not tried: the extractor is the same "
                "on the canaries, and nothing more is known."
            )
    return report


def _note_cards(manifest: Manifest, extractor: Extractor, report: VerifyReport) -> None:
    """Compare what the package states with the extractor at hand, before anything is extracted."""
    theirs, ours = card_of(manifest), extractor.card
    if theirs.weights_sha256 != ours.weights_sha256:
        report.causes.append(
            Cause(
                "other-weights",
                f"The package was made with other weights: sha256 "
                f"{_short(theirs.weights_sha256)}, here {_short(ours.weights_sha256)}.",
            )
        )
    if theirs.dim != ours.dim:
        report.causes.append(
            Cause(
                "other-layer",
                f"The package's vectors have dimension {theirs.dim}, '{ours.model_id}' gives "
                f"{ours.dim}: they were read from another layer, or projected.",
            )
        )
    if theirs.version != ours.version:
        report.causes.append(
            Cause(
                "other-version",
                f"The package was made with version {theirs.version} of the extractor, here is "
                f"version {ours.version}.",
            )
        )
    if manifest.preprocessing.steps != card_steps(ours) or theirs.side_px != ours.side_px:
        report.causes.append(
            Cause(
                "other-preprocessing",
                "The package states other preprocessing than the extractor here: "
                f"{_first_difference(manifest.preprocessing.steps, card_steps(ours))}.",
            )
        )


def card_steps(card: Any) -> tuple[dict[str, Any], ...]:
    """Return the steps of a card as JSON has them."""
    import json

    return tuple(json.loads(json.dumps(card.preprocessing)))


def _first_difference(theirs: Sequence[Any], ours: Sequence[Any]) -> str:
    for number, (one, other) in enumerate(zip(theirs, ours, strict=False), 1):
        if one != other:
            return f"step {number} is {one}, here {other}"
    if len(theirs) != len(ours):
        return f"{len(theirs)} steps, here {len(ours)}"
    return "the long side of the decoded picture"


def _short(sha256: str | None) -> str:
    return f"{sha256[:12]}…" if sha256 else "none"


@dataclass(slots=True)
class _Verification:
    """One package, one extractor, and the search for what went wrong."""

    folder: Path
    manifest: Manifest
    extractor: Extractor
    report: VerifyReport

    def run(self, pictures: Pictures | None, n_sample: int) -> None:
        """Compare canaries, then the sample; explain what fails."""
        self._canary()
        if pictures is None or not n_sample:
            self.report.notes.append("No pictures were given: only the canaries were extracted.")
            return
        try:
            self._sample(pictures, n_sample)
        except PackageError as error:
            self.report.notes.append(f"No sample was extracted. {error}")

    def _canary(self) -> None:
        from bilderatlas.extractors.canaries import canary_pictures

        canary = self.manifest.integrity.canary
        if canary is None:
            self.report.notes.append(
                f"The package has no canary. {self.manifest.integrity.no_canary_because}".strip()
            )
            return
        ours = {pixels_sha256(picture): picture for picture in canary_pictures()}
        known = [one for one in canary.pictures if one.picture_sha256 in ours]
        if not known:
            self.report.notes.append("The package's canary pictures are others than ours.")
            return
        images = [ours[one.picture_sha256] for one in known]
        theirs = [_rows(one.vectors) for one in known]
        environment = self.manifest.environment
        is_exact = environment.device == "cpu" and environment.precision == "fp32"
        threshold = PASS_EXACT if is_exact else PASS_ROUGH
        names = [f"canary {number}" for number in range(1, len(known) + 1)]
        self.report.canary, mine = self._compare(images, theirs, threshold, names)
        if not self.report.canary.passed:
            self._explain(images, theirs, mine, self.report.canary)

    def _compare(
        self,
        images: Sequence[Pixels],
        theirs: Sequence[Vectors],
        threshold: float,
        names: Sequence[str],
    ) -> tuple[Deviation, list[Vectors]]:
        side_px = self.extractor.card.side_px
        rows = self.extractor.extract_batch([scaled(image, side_px) for image in images])
        mine = [np.asarray(one.vectors, np.float32) for one in rows]
        return deviation_of(theirs, mine, threshold, names), mine

    # The sample

    def _sample(self, pictures: Pictures, n_sample: int) -> None:
        items = sample_items(
            self.folder, self.manifest, set(pictures.known), pictures.read, n=n_sample
        )
        side_px = self.extractor.card.side_px
        images: list[Pixels] = []
        kept: list[SampledItem] = []
        for item in items:
            try:
                images.append(pictures.decode(item.picture, 2 * side_px))
                kept.append(item)
            except BilderatlasError as error:
                self.report.notes.append(f"'{item.item_id}' could not be decoded: {error}")
        if not kept:
            self.report.notes.append(
                "None of the package's pictures is here, so that no sample was extracted."
            )
            return
        theirs = [item.vectors for item in kept]
        is_exact = self.manifest.vectors.dtype == "f32"
        threshold = PASS_EXACT if is_exact else PASS_ROUGH
        names = [item.item_id for item in kept]
        found, mine = self._compare(images, theirs, threshold, names)
        self.report.sample = found
        if found.passed or _SPOILT & {fault.code for fault in self.report.faults}:
            return  # numbers that are spoilt were named already
        if not self._explain_by_order(kept, mine, threshold) and not self.report.causes:
            self._explain(images, theirs, mine, found)

    def _explain_by_order(
        self, items: Sequence[SampledItem], mine: Sequence[Vectors], threshold: float
    ) -> bool:
        """Tell whether vectors stand at other items, and name some."""
        if self.manifest.vectors.many_rows:
            return False
        failing = [
            (item, ours)
            for item, ours in zip(items, mine, strict=True)
            if len(ours) and deviation_of([item.vectors], [ours], threshold).passed is False
        ]
        if not failing or failing[0][1].shape[1] != self.manifest.vectors.dim:
            return False
        wanted = np.concatenate([ours[:1] for _, ours in failing])
        found = nearest_items(self.folder, self.manifest, wanted)
        moved = [
            (item, name, place - item.place)
            for (item, _), (name, place, cosine) in zip(failing, found, strict=True)
            if cosine >= threshold and name != item.item_id
        ]
        if len(moved) < max(1, len(failing) // 2):
            return False
        shift, n_shifted = Counter(by for _, _, by in moved).most_common(1)[0]
        if n_shifted > 2 and n_shifted >= 0.8 * len(moved):
            told = f"rows are shifted by {shift:+d}, so that '{moved[0][1]}' has the vector of "
            told += f"'{moved[0][0].item_id}'"
        else:
            shown = "; ".join(
                f"the vector of '{item.item_id}' stands at '{name}'" for item, name, _ in moved[:3]
            )
            told = f"rows were swapped: {shown}{' …' if len(moved) > 3 else ''}"
        self.report.causes.append(
            Cause("swapped-rows", f"Vectors stand at the wrong items: {told}.")
        )
        return True

    # Why

    def _explain(
        self,
        images: Sequence[Pixels],
        theirs: Sequence[Vectors],
        mine: Sequence[Vectors],
        found: Deviation,
    ) -> None:
        if found.is_same_direction and found.n_other_counts:
            self.report.causes.append(_count_cause(found))
            return
        if found.is_same_direction:
            self.report.causes.append(_length_cause(found, self.manifest))
            return
        if any(cause.code in ("other-layer", "other-weights") for cause in self.report.causes):
            return  # stated in the package itself: nothing has to be guessed
        best = self._best_hypothesis(images, theirs, found)
        if best is not None and best[1].is_same_direction:
            self.report.causes.append(
                Cause(best[0].code, f"{_capital(best[0].sentence)}.", best[1].min_cosine)
            )
            return
        if found.n_other_counts:
            self.report.causes.append(_count_cause(found))
            return
        self._explain_by_structure(theirs, mine, found)
        if best is not None and best[1].median_cosine > max(_HINT, found.median_cosine):
            self.report.causes.append(
                Cause(
                    best[0].code,
                    f"Of the mistakes that were tried, this comes nearest: {best[0].sentence}.",
                    best[1].median_cosine,
                    certain=False,
                )
            )

    def _best_hypothesis(
        self, images: Sequence[Pixels], theirs: Sequence[Vectors], found: Deviation
    ) -> tuple[Hypothesis, Deviation] | None:
        best: tuple[Hypothesis, Deviation] | None = None
        for hypothesis in hypotheses(self.extractor):
            rows = try_extract(hypothesis, images)
            if rows is None:
                continue
            repeated = [np.asarray(one.vectors, np.float32) for one in rows]
            deviation = deviation_of(theirs, repeated, found.threshold)
            if best is None or deviation.min_cosine > best[1].min_cosine:
                best = (hypothesis, deviation)
            if deviation.min_cosine >= 1 - 1e-6:
                break
        return best

    def _explain_by_structure(
        self, theirs: Sequence[Vectors], mine: Sequence[Vectors], found: Deviation
    ) -> None:
        if found.median_cosine <= -found.threshold:
            self.report.causes.append(Cause("sign", "All numbers have the opposite sign."))
            return
        kinship = structure_correlation(theirs, mine)
        if kinship >= _KIN:
            self.report.causes.append(
                Cause(
                    "other-layer",
                    "No mistake with the pictures explains it. The vectors find the same pictures "
                    f"alike (correlation {kinship:.2f}) with other numbers (cosine "
                    f"{found.median_cosine:.3f}): they come from another layer or pooling of this "
                    "network, were projected, or come from its like with other weights.",
                    certain=False,
                )
            )
        else:
            self.report.causes.append(
                Cause(
                    "other-weights",
                    "No mistake with the pictures explains it, and the vectors find other "
                    f"pictures alike (correlation {kinship:.2f}): they were made with other "
                    "weights than the package states.",
                    certain=False,
                )
            )


def _count_cause(found: Deviation) -> Cause:
    return Cause(
        "other-counts",
        f"{found.n_other_counts} of {found.n} pictures have another number of rows than are found "
        "here: rows were left out or added.",
    )


def _length_cause(found: Deviation, manifest: Manifest) -> Cause:
    ratio = f"The vectors are {found.norm_ratio:.4g} times as long as they should be"
    if manifest.vectors.normalised == "l2":
        return Cause(
            "not-normalised",
            f"{ratio}, although the package says that they have length 1: they were not "
            "normalised.",
        )
    return Cause("scaled", f"{ratio}; their directions agree: they were normalised or scaled.")


def _rows(vectors: Sequence[Sequence[float]]) -> Vectors:
    if not vectors:
        return np.empty((0, 1), np.float32)
    return np.asarray(vectors, np.float32)


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
