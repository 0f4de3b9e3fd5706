"""The files of one model: which there are, what was recorded of them, and that they are unchanged.

A model's folder holds its files by name, the networks exported from them (`image.onnx`,
`text.onnx`) and `record.json`, which says of each where it came from and what its sha256 is.
A checksum is never invented: it is pinned in the program, or looked up and recorded when the file
first comes, and enforced from then on.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from bilderatlas.checksums import file_sha256
from bilderatlas.errors import WeightsError
from bilderatlas.extractors.runtimes.record import FileFacts, ModelRecord, read_record, write_record
from bilderatlas.settings import read_settings

Role = Literal["safetensors", "pickle", "onnx", "tokenizer"]

WEIGHTS_FILE = "weights.safetensors"
_verified: dict[tuple[str, int, int], str] = {}
_verifying = threading.Lock()


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file that a model needs, and where it comes from.

    Attributes:
        role: `safetensors`; `pickle` (converted once to safetensors); `onnx`; `tokenizer`.
        name: Its name in the model's folder; weights are called `weights.safetensors`, networks
            `image.onnx` and `text.onnx`.
        url: A fixed address; or else
        repo: a repository of the hub, and
        path: the file's path in it, at
        revision: a commit; None: the newest one, looked up and recorded at the first fetch.
        sha256: The checksum, where it is known; None: recorded at the first fetch.
        sha256_prefix: The first hex digits of it, where a published file name carries them.
        size_bytes: About how large it is.
    """

    role: Role
    name: str
    url: str | None = None
    repo: str = ""
    path: str = ""
    revision: str | None = None
    sha256: str | None = None
    sha256_prefix: str = ""
    size_bytes: int | None = None

    @property
    def kept_as(self) -> str:
        """The name of what is kept: a pickle's conversion, else the file itself."""
        return WEIGHTS_FILE if self.role == "pickle" else self.name

    def source(self, revision: str | None = None) -> str:
        """Return the address that it is fetched from."""
        if self.url is not None:
            return self.url
        hub = read_settings().hub.rstrip("/")
        return f"{hub}/{self.repo}/resolve/{revision or self.revision or 'main'}/{self.path}"

    @property
    def is_pinned(self) -> bool:
        """Whether the program names the bytes: by checksum, or by the start of one."""
        return bool(self.expected)

    @property
    def expected(self) -> str:
        """The checksum that the program pins, or its beginning and `…`; empty where it pins none.

        Of a pickle it is that of the pickle, not of what is kept.
        """
        return self.sha256 or (f"{self.sha256_prefix}…" if self.sha256_prefix else "")

    def is_pinned_to(self, sha256: str) -> bool:
        """Tell whether these are the bytes that the program pins."""
        return self.is_pinned and sha256.startswith(self.expected.removesuffix("…"))


@dataclass
class ModelFiles:
    """The folder of one model, and what the program knows of its files."""

    model_id: str
    folder: Path
    files: tuple[WeightsFile, ...] = ()
    towers: tuple[str, ...] = ("image",)
    _unrecordable: dict[str, FileFacts] = field(default_factory=dict, repr=False)

    @property
    def record(self) -> ModelRecord:
        """What `record.json` says; empty where there is none.

        Raises:
            WeightsError: when it cannot be read.
        """
        return read_record(self.folder)

    def find(self, name: str) -> Path | None:
        """Return the path of a file that is here."""
        path = self.folder / name
        return path if path.is_file() else None

    @property
    def canonical_name(self) -> str:
        """The file whose sha256 names the weights: safetensors, or where there is none the ONNX."""
        known = {one.kept_as for one in self.files} | set(self.record.files)
        if WEIGHTS_FILE in known and (self.find(WEIGHTS_FILE) or not self._has_given_onnx()):
            return WEIGHTS_FILE
        return f"{self.towers[0]}.onnx"

    def _has_given_onnx(self) -> bool:
        return f"{self.towers[0]}.onnx" in self.record.files

    def weights_sha256(self) -> str | None:
        """Return the identity of the weights, whichever runtime runs them; None if not known."""
        record = self.settled()
        for export in record.exports.values():
            if self.find(export.name) and not self.find(WEIGHTS_FILE) and export.weights_sha256:
                return export.weights_sha256  # exported elsewhere, carried here
        name = self.canonical_name
        if name in record.files:
            return record.files[name].sha256
        return next((one.sha256 for one in self.files if one.kept_as == name == one.name), None)

    def weights_facts(self) -> tuple[dict[str, Any], ...]:
        """Return what a card says of each file: name, source, revision, sha256, origin."""
        record = self.settled()
        facts = []
        for one in self.files:
            if one.kept_as in record.files:
                continue
            origin = "pinned" if one.is_pinned else "not fetched"
            facts.append(
                {
                    "name": one.kept_as,
                    "source": one.source(),
                    "revision": one.revision,
                    "sha256": one.sha256 if one.kept_as == one.name else None,
                    "origin": origin,
                }
            )
        return (*(one.card_facts() for one in record.files.values()), *facts)

    def missing(self) -> list[WeightsFile]:
        """List the files that would have to be fetched to run the model by any runtime."""
        return [one for one in self.files if not self.find(one.kept_as)]

    def tokenizers_are_here(self) -> bool:
        """Tell whether everything but weights is here."""
        return all(self.find(one.name) for one in self.files if one.role == "tokenizer")

    def onnx_is_here(self) -> bool:
        """Tell whether every tower has an ONNX file that was recorded."""
        known = {*self.record.exports, *self.record.files}
        names = [f"{tower}.onnx" for tower in self.towers]
        return all(name in known and self.find(name) for name in names)

    def settled(self) -> ModelRecord:
        """Return the record; a file that was put here by hand is entered as given.

        What is kept of a pickle is made of it, and has no checksum that could be pinned.

        Raises:
            WeightsError: when one that was put here has another sha256 than the program pins for
                a file of its name, or the record cannot be read.
        """
        record = self.record
        for one in self.files:
            path = self.find(one.kept_as)
            if path is None or one.kept_as in record.files or one.role == "onnx":
                continue
            if one.kept_as not in self._unrecordable:
                self._unrecordable[one.kept_as] = self._given(one, path)
            record = record.with_file(self._unrecordable[one.kept_as])
            try:
                write_record(self.folder, record)
            except OSError:
                continue  # a folder that may only be read: remembered by this process alone
        return record

    def _given(self, one: WeightsFile, path: Path) -> FileFacts:
        sha256 = sha256_of(path)
        is_itself = one.kept_as == one.name
        if is_itself and one.is_pinned and not one.is_pinned_to(sha256):
            raise WeightsError(
                "wrong-sha256",
                f"Cannot use '{shown_file(path)}': its sha256 is {sha256}, expected "
                f"{one.expected}. Remove it and run: bilderatlas extractors fetch "
                f"{self.model_id} — or, if you mean to use this variant, move it "
                "elsewhere and give it with --weights FILE.",
            )
        return FileFacts(
            name=one.kept_as,
            role="safetensors" if one.role == "pickle" else one.role,
            source="put here by hand",
            revision=None,
            sha256=sha256,
            origin="pinned" if is_itself and one.is_pinned else "given",
            fetched_at=now(),
            size_bytes=path.stat().st_size,
        )

    def departure_of(self, facts: FileFacts) -> str:
        """Say how a given file departs from what the program expects; empty where it does not."""
        wanted = next((one for one in self.files if one.kept_as == facts.name), None)
        if facts.origin != "given" or wanted is None or not wanted.is_pinned:
            return ""
        if wanted.role == "pickle" and facts.made_from is None:
            return (
                f"whether it was made of the file that the program expects (sha256 "
                f"{wanted.expected}) cannot be told"
            )
        return f"not the bytes that the program expects (sha256 {wanted.expected})"

    def verified(self, name: str) -> Path:
        """Return the path of a file of this model after checking its sha256 (once a process).

        Raises:
            WeightsError: when it is not the file that was recorded, or not there.
        """
        record = self.settled()
        path = self.folder / name
        if name in record.exports:
            expected, advice = record.exports[name].sha256, f"extractors export {self.model_id}"
        elif name in record.files:
            given = " --weights FILE" if record.files[name].origin == "given" else ""
            expected = record.files[name].sha256
            advice = f"extractors fetch {self.model_id}{given}"
        else:
            expected, advice = "", f"extractors fetch {self.model_id}"
        if not path.is_file() or not expected:
            raise WeightsError(
                "missing",
                f"Cannot use '{self.model_id}': its {name} is not there, or nothing was recorded "
                f"of it. Run: bilderatlas {advice}",
            )
        verify_file(path, expected, advice)
        return path


def verify_file(path: Path, expected: str, advice: str) -> None:
    """Make sure that a file has the `expected` sha256; the same file is read once a process.

    Raises:
        WeightsError: naming the file, what was expected, what was found, and the `advice`.
    """
    found = sha256_of(path)
    if found != expected:
        raise WeightsError(
            "wrong-sha256",
            f"Cannot use '{shown_file(path)}': its sha256 is {found}, expected {expected}. It was "
            f"changed or damaged. Remove it and run: bilderatlas {advice}",
        )


def shown_file(path: Path) -> str:
    """Return how a sentence for anybody names a file of a model: `clip_vit_b32.openai/image.onnx`.

    Where the folder of models is concerns this machine alone: `extractors show` tells it there.
    """
    return f"{path.parent.name}/{path.name}"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hex, remembered for as long as the file looks the same."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    with _verifying:
        if key not in _verified:
            _verified[key] = file_sha256(path)
        return _verified[key]


def is_sha256(text: str | None) -> bool:
    """Tell whether `text` is 64 hex digits."""
    return text is not None and re.fullmatch(r"[0-9a-f]{64}", text) is not None


def now() -> str:
    """Return the time in UTC, to the second, as ISO 8601 writes it."""
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def shown_size(n_bytes: int | None) -> str:
    """Return a size as people say it: `605 MB`; nothing where it is not known."""
    if n_bytes is None:
        return ""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            amount = n_bytes / factor
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:.0f} {unit}"
    return f"{n_bytes} bytes"
