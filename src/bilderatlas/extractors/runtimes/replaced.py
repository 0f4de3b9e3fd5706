"""Put a new file into a model's folder, and let go of what was made from the old one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bilderatlas.extractors.runtimes.record import FileFacts, ModelRecord, write_record
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, ModelFiles


def take_over(files: ModelFiles, facts: FileFacts, incoming: Path) -> None:
    """Move `incoming` (in the same file system) to its name and record it.

    Networks that were exported from other weights are removed with their entries.
    """
    record = files.record
    if facts.name == WEIGHTS_FILE:
        record = without_stale_exports(files.folder, record, facts.sha256)
    incoming.replace(files.folder / facts.name)
    write_record(files.folder, record.with_file(facts))


def without_stale_exports(folder: Path, record: ModelRecord, weights_sha256: str) -> ModelRecord:
    """Remove networks and canaries that were made, or may have been made, from other weights."""
    exports = {
        name: one for name, one in record.exports.items() if one.weights_sha256 == weights_sha256
    }
    files = {
        name: one
        for name, one in record.files.items()
        if not (one.role == "onnx" and one.origin == "given")
    }
    stale = {*record.exports, *record.files} - {*exports, *files}
    for name in stale:
        (folder / name).unlink(missing_ok=True)
    if stale:
        remove_quantised(folder)
    canaries = {
        tower: one for tower, one in record.canaries.items() if one.weights_sha256 == weights_sha256
    }
    return replace(record, files=files, exports=exports, canaries=canaries)


def remove_quantised(folder: Path) -> None:
    """Remove the int8 forms of networks that are no longer here."""
    for path in folder.glob("*.int8-*.onnx"):
        path.unlink(missing_ok=True)
