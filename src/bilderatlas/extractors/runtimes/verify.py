"""Prove that the files of a model are whole and that its runtimes give one space."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from bilderatlas.arrays import Embeddings
from bilderatlas.errors import BilderatlasError
from bilderatlas.extractors.canaries import canaries_sha256
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.likeness import MIN_COSINE, cosines_of, problem_of
from bilderatlas.extractors.runtimes.record import CanaryFacts, write_record
from bilderatlas.extractors.runtimes.weights import sha256_of

if TYPE_CHECKING:
    from bilderatlas.extractors.neural import NeuralExtractor

RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file: what was recorded of it, and what it is."""

    name: str
    expected: str
    found: str | None

    @property
    def ok(self) -> bool:
        """Whether it is here and unchanged."""
        return self.found == self.expected


@dataclass(frozen=True, slots=True)
class SpaceCheck:
    """Two runs over the canaries of a tower, compared.

    Attributes:
        tower: `image` or `text`.
        one: A runtime.
        other: Another one, or `recorded`.
        cosines: One a canary.
        problem: Why it could not be run, empty otherwise.
    """

    tower: str
    one: str
    other: str
    cosines: tuple[float, ...] = ()
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether every canary is where it should be."""
        return not self.problem and bool(self.cosines) and min(self.cosines) >= MIN_COSINE


@dataclass(slots=True)
class VerifyReport:
    """All that was looked at."""

    model_id: str
    files: list[FileCheck] = field(default_factory=list)
    spaces: list[SpaceCheck] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything that could be looked at is as it should be."""
        return all(one.ok for one in self.files) and all(one.ok for one in self.spaces)

    def to_json(self) -> dict[str, Any]:
        """Return what is printed."""
        return {
            "model_id": self.model_id,
            "ok": self.ok,
            "files": [{**asdict(one), "ok": one.ok} for one in self.files],
            "spaces": [
                {**asdict(one), "min_cosine": min(one.cosines, default=None), "ok": one.ok}
                for one in self.spaces
            ],
            "notes": self.notes,
        }


def verify(extractor: NeuralExtractor) -> VerifyReport:
    """Check every recorded file, then run the canaries in every runtime that can run here.

    The embeddings of the canaries are recorded at the first time, and compared with ever after.
    """
    report = VerifyReport(extractor.base_card.model_id)
    files = extractor.model_files
    record = files.settled()
    recorded = {name: one.sha256 for name, one in record.files.items()}
    recorded |= {name: one.sha256 for name, one in record.exports.items()}
    for name, sha256 in recorded.items():
        path = files.find(name)
        report.files.append(FileCheck(name, sha256, sha256_of(path) if path else None))
    plain = extractor.configured(
        RuntimeOptions(device="cpu", precision="fp32", n_threads=extractor.options.n_threads)
    )
    names = plain.possible_runtimes()
    if not names:
        report.notes.append(plain.readiness().sentence)
    elif all(one.ok for one in report.files):
        for tower in extractor.towers:
            report.spaces += _compare(plain, tower, names, report.notes)
    else:
        report.notes.append("The canaries were not run: a file is not what was recorded.")
    return report


def _compare(
    extractor: NeuralExtractor, tower: str, names: list[str], notes: list[str]
) -> list[SpaceCheck]:
    """Run the canaries of a tower in each runtime; compare with the record and each other."""
    runs: dict[str, Embeddings] = {}
    checks: list[SpaceCheck] = []
    known = extractor.model_files.record.canaries.get(tower)
    if known is not None and _still_holds(extractor, tower, known):
        runs[RECORDED] = known.embeddings()
    for name in names:
        try:
            outputs = extractor.canary_outputs(tower, extractor.build_runtime(name).runner(tower))
        except BilderatlasError as error:
            checks.append(SpaceCheck(tower, name, RECORDED, problem=str(error)))
            continue
        if problem := problem_of(outputs):
            problem = f"On the canaries it {problem}: the weights are broken. Get them again."
            checks.append(SpaceCheck(tower, name, RECORDED, problem=problem))
            continue
        for other, embeddings in runs.items():
            checks.append(SpaceCheck(tower, name, other, cosines_of(embeddings, outputs)))
        runs[name] = outputs
    if RECORDED not in runs and runs:
        name, outputs = next(reversed(runs.items()))  # torch's where it ran: the reference
        try:
            _record(extractor, tower, outputs, name)
        except OSError:
            notes.append(f"The canaries cannot be recorded: '{extractor.folder}' is read-only.")
            return checks
        notes.append(
            f"The canaries of the {tower} network were recorded now, as {name} gives them."
        )
    return checks


def _still_holds(extractor: NeuralExtractor, tower: str, known: CanaryFacts) -> bool:
    of_these_weights = known.weights_sha256 == extractor.model_files.weights_sha256()
    return of_these_weights and known.canaries_sha256 == canaries_sha256(tower)


def _record(extractor: NeuralExtractor, tower: str, outputs: Embeddings, name: str) -> None:
    files = extractor.model_files
    sha256 = files.weights_sha256() or ""
    facts = CanaryFacts.of(outputs, sha256, canaries_sha256(tower), f"{name} fp32")
    write_record(extractor.folder, files.record.with_canaries(tower, facts))
