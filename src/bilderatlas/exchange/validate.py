"""Prove a package to the byte: structure, checksums, finite numbers, norms, counts, ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bilderatlas.checksums import file_sha256
from bilderatlas.errors import PackageError, UsageError
from bilderatlas.exchange.format import PART_NAME, AttachmentFacts, Manifest, PartFacts, Vectors
from bilderatlas.exchange.manifest import card_of, read_manifest
from bilderatlas.exchange.parts import ITEM_FIELDS, stated_description, vector_fields
from bilderatlas.exchange.projection import check_projection
from bilderatlas.exchange.read import (
    check_items,
    iter_tables,
    open_part,
    read_attachment,
    vectors_in,
)
from bilderatlas.store.images import check_image_id
from bilderatlas.store.projections import projection_file

NORM_TOLERANCE = {"f32": 1e-3, "f16": 5e-3, "u8": 1e-3}
F16_LARGEST = 65504.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a package.

    Attributes:
        code: One word for tables: `not-finite`, `missing-part` …
        sentence: What is wrong, where, and what it probably comes from.
        part: The file, where it is one.
    """

    code: str
    sentence: str
    part: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fault as `features validate --json` prints it."""
        return asdict(self)


def validate(folder: Path) -> list[Fault]:
    """Return everything that is wrong with the package in `folder`; nothing if it is sound."""
    try:
        manifest = read_manifest(folder)
    except PackageError as error:
        return [Fault(error.reason_code, str(error))]
    return list(faults_of(folder, manifest))


def faults_of(folder: Path, manifest: Manifest) -> Iterator[Fault]:
    """Yield the faults of the parts, cheap ones first: a part with a wrong hash is not parsed."""
    sound: list[PartFacts] = []
    for attached in manifest.integrity.attachments:
        if fault := _file_fault(folder, attached):
            yield fault
    for part in manifest.integrity.parts:
        fault = _file_fault(folder, part)
        if fault is None:
            sound.append(part)
        else:
            yield fault
    yield from _projection_fault(folder, manifest)
    yield from _unlisted(folder, manifest)
    yield from _count_faults(manifest)
    tally = _Tally(manifest)
    for part in sound:
        try:
            yield from _part_faults(folder, part, manifest, tally)
        except PackageError as error:
            yield Fault(error.reason_code, str(error), part.name)
    yield from tally.faults(is_whole=len(sound) == len(manifest.integrity.parts))


def _file_fault(folder: Path, part: PartFacts | AttachmentFacts) -> Fault | None:
    path = folder / part.name
    try:
        n_bytes = path.stat().st_size
        if n_bytes != part.n_bytes:
            how = "truncated" if n_bytes < part.n_bytes else "too long"
            return Fault(
                f"{how.replace(' ', '-')}-part",
                f"{part.name} is {how}: it has {n_bytes:,} bytes, the manifest says "
                f"{part.n_bytes:,}. Get this part again.",
                part.name,
            )
        if file_sha256(path) != part.sha256:
            return Fault(
                "changed-part",
                f"{part.name} was changed or damaged: its SHA-256 is not the one in the manifest. "
                "Get this part again.",
                part.name,
            )
    except FileNotFoundError:
        return Fault(
            "missing-part",
            f"{part.name} is missing, the manifest lists it. Get this part again.",
            part.name,
        )
    except OSError as error:
        return Fault("unreadable-part", f"{part.name} cannot be read: {error}.", part.name)
    return None


def _projection_fault(folder: Path, manifest: Manifest) -> Iterator[Fault]:
    """Prove the file of a projection, unless it is not the one that the manifest lists."""
    card = card_of(manifest)
    name = projection_file(card.to_json())
    listed = next((one for one in manifest.integrity.attachments if one.name == name), None)
    if listed is not None and _file_fault(folder, listed) is not None:
        return  # told already
    content = None if listed is None else read_attachment(folder, listed.name)
    try:
        check_projection(card, content)
    except PackageError as error:
        yield Fault(error.reason_code, str(error), name or "")


def _unlisted(folder: Path, manifest: Manifest) -> Iterator[Fault]:
    listed = {part.name for part in manifest.integrity.parts}
    if len(listed) < len(manifest.integrity.parts):
        yield Fault("duplicate-part", "The manifest lists a part twice.")
    for path in sorted(folder.glob("part-*.parquet")):
        if PART_NAME.match(path.name) and path.name not in listed:
            yield Fault(
                "unlisted-part",
                f"{path.name} lies in the folder and the manifest does not list it: parts of two "
                "packages were mixed, or the manifest is an older one.",
                path.name,
            )


def _count_faults(manifest: Manifest) -> Iterator[Fault]:
    parts, integrity = manifest.integrity.parts, manifest.integrity
    n_items = sum(part.n_items for part in parts)
    n_vectors = sum(part.n_vectors for part in parts)
    if n_vectors != manifest.vectors.count:
        yield Fault(
            "count",
            f"vectors.count is {manifest.vectors.count:,} and the parts add up to {n_vectors:,}.",
        )
    if n_items != integrity.n_ok + integrity.n_failed:
        yield Fault(
            "count",
            f"n_ok and n_failed add up to {integrity.n_ok + integrity.n_failed:,} items and the "
            f"parts to {n_items:,}.",
        )
    if integrity.canary is not None:
        for picture in integrity.canary.pictures:
            if any(len(row) != manifest.vectors.dim for row in picture.vectors):
                yield Fault(
                    "canary-dim",
                    f"The canary has vectors of dimension {len(picture.vectors[0])}, the package "
                    f"says {manifest.vectors.dim}: they come from another layer or model.",
                )
                break


@dataclass(slots=True)
class _Tally:
    """What can only be told when all parts were read."""

    manifest: Manifest
    ids: list[pa.Array] = field(default_factory=list)
    n_ok: int = 0
    n_failed: int = 0

    def faults(self, *, is_whole: bool) -> Iterator[Fault]:
        """Yield duplicate ids, and counts that do not agree where every part could be read."""
        if self.ids:
            counted = pa.chunked_array(self.ids)
            if pc.count_distinct(counted).as_py() != len(counted):
                twice = [one["values"] for one in pc.value_counts(counted).to_pylist()
                         if one["counts"] > 1]  # fmt: skip
                shown = ", ".join(f"'{image_id}'" for image_id in twice[:3])
                yield Fault(
                    "duplicate-id",
                    f"{len(twice):,} item_ids occur more than once: {shown}"
                    f"{' …' if len(twice) > 3 else ''}. An id names one item.",
                )
        integrity = self.manifest.integrity
        if is_whole and (self.n_ok, self.n_failed) != (integrity.n_ok, integrity.n_failed):
            yield Fault(
                "count",
                f"The parts hold {self.n_ok:,} items that are ok and {self.n_failed:,} that "
                f"failed; the manifest says {integrity.n_ok:,} and {integrity.n_failed:,}.",
            )


def _part_faults(
    folder: Path, part: PartFacts, manifest: Manifest, tally: _Tally
) -> Iterator[Fault]:
    spec = manifest.vectors
    checks = _VectorChecks(spec, part.name)
    n_items = n_vectors = 0
    names = [one.name for one in (*ITEM_FIELDS, *vector_fields(spec))]
    with open_part(folder, part, spec) as file:
        yield from _description_fault(file, part, manifest)
        for table in iter_tables(file, spec, names):
            items = check_items(table)
            vectors, n_rows, _ = vectors_in(table, spec)
            covered = items.covered()
            n_items += len(covered)
            n_vectors += len(vectors)
            tally.n_ok += int(covered.sum())
            tally.n_failed += int((~covered).sum())
            tally.ids.append(table.column("item_id").cast(pa.string()))
            yield from _id_faults(items.ids, part)
            if bool((n_rows[~covered] > 0).any()):
                yield Fault(
                    "failed-with-vector", f"{part.name}: a failed item has a vector.", part.name
                )
            checks.look_at(vectors, n_rows, items.ids)
    yield from checks.faults()
    if (n_items, n_vectors) != (part.n_items, part.n_vectors):
        yield Fault(
            "count",
            f"{part.name} holds {n_items:,} items and {n_vectors:,} vectors; the manifest says "
            f"{part.n_items:,} and {part.n_vectors:,}.",
            part.name,
        )


def _id_faults(ids: list[str], part: PartFacts) -> Iterator[Fault]:
    for image_id in ids:
        try:
            check_image_id(image_id)
        except UsageError as error:
            yield Fault("item-id", f"{part.name}: {error}", part.name)


def _description_fault(
    file: pq.ParquetFile, part: PartFacts, manifest: Manifest
) -> Iterator[Fault]:
    """Compare what the part says of itself with the manifest."""
    stated = stated_description(file.schema_arrow)
    if stated is None:
        return
    vectors = manifest.vectors.model_dump(mode="json", exclude={"count"})
    expected = {
        "model": manifest.model.model_dump(mode="json"),
        "preprocessing": manifest.preprocessing.model_dump(mode="json"),
        "vectors": vectors,
    }
    differing = [name for name, value in expected.items() if stated.get(name, value) != value]
    if differing:
        yield Fault(
            "other-description",
            f"{part.name} describes another {' and other '.join(differing)} than the manifest: "
            "it belongs to another package, or the manifest was written for another model.",
            part.name,
        )


@dataclass(slots=True)
class _VectorChecks:
    """Counts what is wrong with vectors, and remembers the first item of each kind."""

    spec: Vectors
    part: str
    found: dict[str, tuple[int, str]] = field(default_factory=dict)
    worst_norm: float = 1.0

    def look_at(
        self, vectors: npt.NDArray[Any], n_rows: npt.NDArray[np.int64], ids: list[str]
    ) -> None:
        """Look at `(m, d)` vectors of items `ids`, `n_rows` `(n,)` each."""
        if not len(vectors) or self.spec.dtype == "u8":
            return
        with np.errstate(over="ignore", invalid="ignore"):
            exact = vectors.astype(np.float32, copy=False)
            squares = np.einsum("ij,ij->i", exact, exact)
        owners = np.repeat(np.arange(len(ids)), n_rows)
        odd = np.flatnonzero(~np.isfinite(squares))
        unfit = odd[~np.isfinite(exact[odd]).all(axis=1)]
        overflown = unfit[np.isinf(exact[unfit]).any(axis=1)]
        self._note("overflow", overflown, owners, ids)
        self._note("not-finite", np.setdiff1d(unfit, overflown), owners, ids)
        if self.spec.dtype == "f16" and len(large := np.flatnonzero(squares >= F16_LARGEST**2)):
            clipped = large[(np.abs(exact[large]) == F16_LARGEST).any(axis=1)]
            self._note("clipped", clipped, owners, ids)
        if self.spec.normalised == "l2":
            norms = np.sqrt(squares)
            off = np.abs(norms - 1) > NORM_TOLERANCE[self.spec.dtype]
            off[unfit] = False
            wrong = np.flatnonzero(off)
            if len(wrong):
                far = float(norms[wrong][np.argmax(np.abs(norms[wrong] - 1))])
                self.worst_norm = max(self.worst_norm, far, key=lambda norm: abs(norm - 1))
            self._note("not-normalised", wrong, owners, ids)

    def _note(
        self, code: str, places: npt.NDArray[Any], owners: npt.NDArray[Any], ids: list[str]
    ) -> None:
        if len(places):
            count, first = self.found.get(code, (0, ids[owners[places[0]]]))
            self.found[code] = (count + len(places), first)

    def faults(self) -> Iterator[Fault]:
        """Yield one fault for each kind."""
        told = {
            "not-finite": "are not numbers (NaN): a division by zero or an empty picture",
            "overflow": f"are infinite: values left the range of {self.spec.dtype}; extract in "
            "float32 or bfloat16, or scale before storing",
            "clipped": "stand at ±65504, the largest float16: values were clipped",
            "not-normalised": f"are not of length 1 (one has {self.worst_norm:.4g}), although the "
            "manifest says normalised 'l2'",
        }
        for code, (count, first) in self.found.items():
            yield Fault(
                code,
                f"{self.part}: {count:,} vectors {told[code]}. The first is of '{first}'.",
                self.part,
            )
