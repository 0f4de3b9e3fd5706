"""`record.json`: what is known of the files in a model's folder."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bilderatlas.arrays import Embeddings
from bilderatlas.errors import WeightsError

RECORD_FILE = "record.json"
RECORD_VERSION = 1
Origin = Literal["pinned", "recorded", "given"]

_read: dict[Path, tuple[tuple[int, int], ModelRecord]] = {}
_reading = threading.Lock()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of one file that was fetched or given.

    Attributes:
        name: Its name in the folder.
        role: `safetensors`, `onnx` or `tokenizer`.
        source: The address, or the path, that it came from.
        revision: The commit of the hub's repository.
        sha256: Of the file that is kept.
        origin: `pinned` in the program, `recorded` at the first fetch, or `given` by the user.
        fetched_at: When, in UTC.
        size_bytes: Of the file that is kept.
        made_from: Of a conversion: name and sha256 of the original.
    """

    name: str
    role: str
    source: str
    revision: str | None
    sha256: str
    origin: Origin
    fetched_at: str
    size_bytes: int
    made_from: dict[str, str] | None = None

    def card_facts(self) -> dict[str, Any]:
        """Return what a card says of the file."""
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "sha256": self.sha256,
            "origin": self.origin,
        }


@dataclass(frozen=True, slots=True)
class ExportFacts:
    """What is known of one exported network.

    Attributes:
        name: `image.onnx`.
        tower: `image`.
        sha256: Of the ONNX file.
        weights_sha256: Of the weights that it was exported from.
        made_at: When, in UTC.
        made_with: Versions of the packages that made it.
        cosines: Cosine of the two runtimes' embeddings, one a canary.
    """

    name: str
    tower: str
    sha256: str
    weights_sha256: str
    made_at: str
    made_with: dict[str, str] = field(default_factory=dict)
    cosines: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CanaryFacts:
    """The embeddings of the canaries, to compare later runs with.

    Attributes:
        weights_sha256: Of the weights that made them.
        canaries_sha256: Of the canaries themselves.
        runtime: What made them: `torch fp32`.
        shape: Shape of the embeddings.
        base64: They themselves: little-endian float32, in rows.
    """

    weights_sha256: str
    canaries_sha256: str
    runtime: str
    shape: tuple[int, int]
    base64: str

    def embeddings(self) -> Embeddings:
        """Return the embeddings, `(n, d)` float32."""
        values = np.frombuffer(base64.b64decode(self.base64), dtype="<f4")
        return values.reshape(self.shape).astype(np.float32)

    @classmethod
    def of(
        cls, embeddings: Embeddings, weights_sha256: str, canaries_sha256: str, runtime: str
    ) -> CanaryFacts:
        """Put `embeddings` `(n, d)` into a form that JSON can hold."""
        n, d = embeddings.shape
        text = base64.b64encode(np.ascontiguousarray(embeddings, "<f4").tobytes()).decode()
        return cls(weights_sha256, canaries_sha256, runtime, (n, d), text)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """All that is recorded of a model: files and exports by name, canaries by tower."""

    files: Mapping[str, FileFacts] = field(default_factory=dict)
    exports: Mapping[str, ExportFacts] = field(default_factory=dict)
    canaries: Mapping[str, CanaryFacts] = field(default_factory=dict)

    def with_file(self, facts: FileFacts) -> ModelRecord:
        """Return the record with one file entered, in place of an export of that name."""
        exports = {name: one for name, one in self.exports.items() if name != facts.name}
        return replace(self, files={**self.files, facts.name: facts}, exports=exports)

    def with_export(self, facts: ExportFacts) -> ModelRecord:
        """Return the record with one export entered, in place of a file of that name."""
        files = {name: one for name, one in self.files.items() if name != facts.name}
        return replace(self, files=files, exports={**self.exports, facts.name: facts})

    def with_canaries(self, tower: str, facts: CanaryFacts) -> ModelRecord:
        """Return the record with the embeddings of one tower's canaries entered."""
        return replace(self, canaries={**self.canaries, tower: facts})

    def to_json(self) -> dict[str, Any]:
        """Return what is written."""
        return {
            "version": RECORD_VERSION,
            "files": {name: asdict(one) for name, one in self.files.items()},
            "exports": {name: asdict(one) for name, one in self.exports.items()},
            "canaries": {name: asdict(one) for name, one in self.canaries.items()},
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ModelRecord:
        """Read what was written; raises KeyError, TypeError or ValueError where it is not that."""
        if value["version"] > RECORD_VERSION:
            raise ValueError(f"it has version {value['version']}, this program reads 1")
        exports = {
            name: ExportFacts(**{**one, "cosines": tuple(one["cosines"])})
            for name, one in value["exports"].items()
        }
        canaries = {
            name: CanaryFacts(**{**one, "shape": tuple(one["shape"])})
            for name, one in value["canaries"].items()
        }
        files = {name: FileFacts(**one) for name, one in value["files"].items()}
        return cls(files, exports, canaries)


def record_stamp(folder: Path) -> tuple[int, int] | None:
    """Return what changes whenever the record does; None where there is none."""
    try:
        stat = (folder / RECORD_FILE).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def read_record(folder: Path) -> ModelRecord:
    """Return the record of a model's folder; empty where there is none.

    Raises:
        WeightsError: when it cannot be read.
    """
    stamp = record_stamp(folder)
    if stamp is None:
        return ModelRecord()
    path = folder / RECORD_FILE
    with _reading:
        known = _read.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        try:
            record = ModelRecord.from_json(json.loads(path.read_text("utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(
                "record",
                f"Cannot read '{folder.name}/{RECORD_FILE}': {error}. Remove it and fetch "
                "the weights again.",
            ) from error
        _read[path] = (stamp, record)
        return record


def write_record(folder: Path, record: ModelRecord) -> None:
    """Write the record so that a reader sees the old one or the new one, never half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{RECORD_FILE}.{os.getpid()}.{threading.get_ident()}"
    text = json.dumps(record.to_json(), ensure_ascii=False, indent=1)
    try:
        with partial.open("w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        partial.replace(folder / RECORD_FILE)
    finally:
        partial.unlink(missing_ok=True)
