"""Extractors: which there are, whether they are ready, and how their weights come here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bilderatlas.errors import UsageError, WeightsError
from bilderatlas.extractors import Card, Extractor, Readiness
from bilderatlas.extractors.brought import BroughtModel
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.resolve import all_extractors, get_extractor
from bilderatlas.extractors.runtimes import export as exporting
from bilderatlas.extractors.runtimes import fetch as fetching
from bilderatlas.extractors.runtimes import verify as verifying
from bilderatlas.extractors.runtimes.fetch import FetchReport, FileProgress
from bilderatlas.extractors.runtimes.given import take_given
from bilderatlas.extractors.runtimes.record import ExportFacts, FileFacts
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE


@dataclass(frozen=True, slots=True)
class FileState:
    """One file of an extractor: where it comes from, and how its checksum came to be known.

    Attributes:
        name: Its name in the folder.
        state: `here` or `to fetch`.
        source: The address, or the file, that it came from or will come from.
        size_bytes: Its size, or about how large it will be.
        sha256: Its checksum, where that is known.
        known: Who says so, in words: `pinned in the program`, `recorded at the first fetch on …`.
    """

    name: str
    state: str
    source: str
    size_bytes: int | None
    sha256: str | None
    known: str

    def to_json(self) -> dict[str, Any]:
        """Return what is printed."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class ExtractorInfo:
    """One extractor: its card, whether it can run here, and its files."""

    card: Card
    readiness: Readiness
    files: tuple[FileState, ...] = ()
    runtimes: tuple[str, ...] = ()
    folder: Path | None = None

    @property
    def to_fetch_bytes(self) -> int:
        """About how much is to be fetched before it can run."""
        if self.readiness.state != "to fetch":
            return 0
        return sum(one.size_bytes or 0 for one in self.files if one.state == "to fetch")

    def to_json(self) -> dict[str, Any]:
        """Return the card, with what holds on this machine only."""
        return {
            **self.card.to_json(),
            "state": self.readiness.state,
            "sentence": self.readiness.sentence,
            "here": self.readiness.here,
            "to_fetch_bytes": self.to_fetch_bytes,
            "runtimes": list(self.runtimes),
            "folder": str(self.folder) if self.folder else None,
            "files": [one.to_json() for one in self.files],
        }


def list_extractors() -> list[ExtractorInfo]:
    """List all extractors, built in first, then what was brought along."""
    return [_info(extractor) for extractor in all_extractors()]


def show_extractor(name: str) -> ExtractorInfo:
    """Describe one extractor.

    Raises:
        UnknownNameError: listing near names.
    """
    return _info(get_extractor(name, may_bring=True))


def fetch_weights(
    name: str, given: Sequence[Path] = (), *, on_progress: FileProgress | None = None
) -> FetchReport:
    """Fetch what an extractor needs, or take in the files that are `given` instead.

    Raises:
        UnknownNameError: listing near names.
        NetworkError: a server cannot be reached, with what to do without one.
        WeightsError: a file is not what it should be; what was here before stands.
    """
    extractor = _with_weights(name, "fetched")
    if not given:
        return fetching.fetch(extractor, on_progress)
    report = FetchReport(extractor.base_card.model_id)
    before = _weights_sha256(extractor)
    for path in given:
        for facts in take_given(extractor, path.expanduser()):
            file = _as_file(facts, path, extractor.folder)
            report.fetched.append(file)
            if departure := extractor.model_files.departure_of(file):
                report.notes.append(f"'{file.name}' is given by you: {departure}.")
    after = _weights_sha256(extractor)
    if before is not None and after != before:
        report.notes.append(
            f"They take the place of other weights (sha256 {before}), which are gone, and so is "
            "what was exported from them. Collections that were indexed with those must be indexed "
            "again before they can be searched by new pictures or by words."
        )
    return report


def _weights_sha256(extractor: NeuralExtractor) -> str | None:
    files = extractor.model_files
    if not any(files.find(name) for name in (WEIGHTS_FILE, f"{files.towers[0]}.onnx")):
        return None  # what the program expects is no weights that were here
    return extractor.card.weights_sha256


def export(name: str) -> exporting.ExportReport:
    """Export an extractor's networks to ONNX; only what is proven to be the same space is kept.

    Raises:
        UnknownNameError: listing near names.
        UsageError: when there is nothing to export.
        UnavailableError: the weights, or the laboratory, are not here.
        WeightsError: ONNX Runtime gives another space.
    """
    extractor = _with_weights(name, "exported")
    if isinstance(extractor, BroughtModel):
        raise UsageError(
            f"'{name}' is an ONNX model already, as it was brought: there is nothing to export. "
            "On another machine, bring it again with onnx:FILE."
        )
    return exporting.export(extractor)


def verify(name: str) -> verifying.VerifyReport:
    """Check the files of an extractor and run the canaries in every runtime that is here.

    Raises:
        UnknownNameError: listing near names.
    """
    return verifying.verify(_with_weights(name, "verified"))


def _with_weights(name: str, verb: str) -> NeuralExtractor:
    extractor = get_extractor(name, may_bring=True)
    if not isinstance(extractor, NeuralExtractor):
        raise UsageError(
            f"'{name}' has no weights that could be {verb}: it is ready as it is, "
            "computed from the picture alone."
        )
    return extractor


def _info(extractor: Extractor) -> ExtractorInfo:
    if not isinstance(extractor, NeuralExtractor):
        return ExtractorInfo(extractor.card, extractor.readiness())
    readiness = extractor.readiness()
    runtimes = extractor.possible_runtimes() if readiness.state == "ready" else []
    return ExtractorInfo(
        extractor.card, readiness, _file_states(extractor), tuple(runtimes), extractor.folder
    )


def _file_states(extractor: NeuralExtractor) -> tuple[FileState, ...]:
    files = extractor.model_files
    try:
        record = files.settled()
    except WeightsError:
        return ()  # a record that cannot be read: the readiness says so
    states = [
        FileState(
            name,
            "here" if files.find(name) else "to fetch",
            one.source,
            one.size_bytes,
            one.sha256,
            _said(one, files.departure_of(one)),
        )
        for name, one in record.files.items()
    ]
    states += [
        FileState(
            wanted.kept_as,
            "to fetch",
            wanted.source(),
            wanted.size_bytes,
            wanted.sha256,
            "pinned in the program, not fetched yet" if wanted.is_pinned else "not fetched yet",
        )
        for wanted in extractor.files
        if wanted.kept_as not in record.files
    ]
    states += [
        FileState(
            name,
            "here" if files.find(name) else "gone",
            f"exported from weights {one.weights_sha256[:12]}…",
            path.stat().st_size if (path := files.find(name)) else None,
            one.sha256,
            f"recorded when it was exported on {one.made_at[:10]}"
            + (f"; canaries: cosine ≥ {min(one.cosines):.6f}" if one.cosines else ""),
        )
        for name, one in record.exports.items()
    ]
    return tuple(states)


def _said(one: FileFacts, departure: str) -> str:
    said = {
        "pinned": "pinned in the program",
        "recorded": f"recorded at the first fetch on {one.fetched_at[:10]}",
        "given": f"given by you on {one.fetched_at[:10]}",
    }[one.origin]
    return f"{said}: {departure}" if departure else said


def _as_file(facts: FileFacts | ExportFacts, path: Path, folder: Path) -> FileFacts:
    """Return what was taken in as one kind of thing: an export that was carried is a file, too."""
    if isinstance(facts, FileFacts):
        return facts
    return FileFacts(
        name=facts.name,
        role="onnx",
        source=path.name,
        revision=None,
        sha256=facts.sha256,
        origin="given",
        fetched_at=facts.made_at,
        size_bytes=(folder / facts.name).stat().st_size,
    )
