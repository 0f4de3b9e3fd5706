"""Write a feature package: streamed into a folder of its own that gets its name when all is there.

Nobody ever sees half a package: parts and manifest are written beside the destination, synced, and
appear under the final name by one rename.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from bilderatlas.errors import ConflictError
from bilderatlas.exchange.format import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST_NAME,
    AttachmentFacts,
    Canary,
    Creator,
    Environment,
    Integrity,
    Manifest,
    Model,
    Origin,
    PartFacts,
    Preprocessing,
    Vectors,
)
from bilderatlas.exchange.manifest import id_of
from bilderatlas.exchange.parts import part_schema
from bilderatlas.store.database import utc_now
from bilderatlas.store.disk import explained_disk_errors, sync_folder

PART_BYTES = 256 << 20
"""A part is closed when it is larger than this: large enough to stream, small enough to resend."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who publishes what.

    Attributes:
        title: What a reader calls the package.
        creator: Who made the vectors.
        licence: SPDX identifier for the vectors.
        citation: How to cite them.
        derived_from: Where the pictures come from.
    """

    title: str
    creator: Creator | None = None
    licence: str = ""
    citation: str = ""
    derived_from: tuple[Origin, ...] = ()


class _HashedFile:
    """A file that hashes what is written to it; what pyarrow needs of a file, and no more."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.n_bytes = 0

    def write(self, chunk: Any) -> int:
        self.sha256.update(chunk)
        self._file.write(chunk)
        self.n_bytes += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self.n_bytes

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True


class _Part:
    """One Parquet file that is being written."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.n_items = self.n_vectors = 0
        self._file = path.open("xb")
        self.hashed = _HashedFile(self._file)
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        self._writer = pq.ParquetWriter(
            self.hashed,
            schema,
            compression={name: "zstd" if name in texts else "none" for name in _leaves(schema)},
            use_dictionary=["status", "code", "stage", "rights_uri"],
            write_statistics=["item_id"],
            store_schema=True,
        )

    def write(self, batch: pa.RecordBatch, n_vectors: int) -> None:
        """Write one row group."""
        self._writer.write_batch(batch, row_group_size=max(1, batch.num_rows))
        self.n_items += batch.num_rows
        self.n_vectors += n_vectors

    def finish(self) -> PartFacts:
        """Close and sync the file."""
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return PartFacts(
            name=self.path.name,
            sha256=self.hashed.sha256.hexdigest(),
            n_bytes=self.hashed.n_bytes,
            n_items=self.n_items,
            n_vectors=self.n_vectors,
        )

    def abandon(self) -> None:
        """Close the file without ending it."""
        self._file.close()


def _leaves(schema: pa.Schema) -> Iterable[str]:
    """Return the columns as Parquet names them: the numbers of a list have a path of their own."""
    ends = {"vector": "vector.list.element", "vectors": "vectors.list.element.list.element"}
    ends["geometry"] = "geometry.list.element.list.element"
    return [ends.get(field.name, field.name) for field in schema]


class PackageWriter:
    """Takes record batches one by one; a context manager that leaves nothing behind on failure."""

    def __init__(
        self,
        destination: Path,
        model: Model,
        preprocessing: Preprocessing,
        vectors: Vectors,
        *,
        replace: bool = False,
    ) -> None:
        """Begin a package that will be the folder `destination`.

        Raises:
            ConflictError: when something is there and `replace` was not asked for, or when what
                is there is no package, whatever was asked.
        """
        self.destination = destination.expanduser().absolute()
        self.schema = part_schema(model, preprocessing, vectors)
        self.vectors = vectors
        self._model = model
        self._preprocessing = preprocessing
        self._replace = replace
        self._refuse_if_taken()
        self.destination.parent.mkdir(parents=True, exist_ok=True)
        self._folder = self.destination.with_name(
            f".{self.destination.name}-{uuid.uuid4().hex[:8]}.partial"
        )
        self._folder.mkdir()
        self._parts: list[PartFacts] = []
        self._part: _Part | None = None
        self._attachments: list[AttachmentFacts] = []
        self._n_ok = self._n_failed = 0

    def _refuse_if_taken(self) -> None:
        if not self.destination.exists():
            return
        if not self._replace:
            raise ConflictError(
                f"Cannot write '{self.destination}': there is something already. Choose another "
                "name, or replace it with --replace."
            )
        if not (self.destination / MANIFEST_NAME).is_file():
            raise ConflictError(
                f"Cannot replace '{self.destination}': it is no feature package. Choose another "
                "name, or remove it yourself."
            )

    def add(self, batch: pa.RecordBatch, *, n_vectors: int, n_failed: int) -> None:
        """Write the items of `batch`, which has the columns of `schema`, as one row group.

        Raises:
            DiskFullError: nothing is left at the destination.
        """
        if not batch.num_rows:
            return
        with explained_disk_errors(self._folder):
            if self._part is None:
                name = f"part-{len(self._parts) + 1:06d}.parquet"
                self._part = _Part(self._folder / name, self.schema)
            self._part.write(batch, n_vectors)
            self._n_ok += batch.num_rows - n_failed
            self._n_failed += n_failed
            if self._part.hashed.n_bytes >= PART_BYTES:
                self._end_part()

    def _end_part(self) -> None:
        if self._part is not None:
            self._parts.append(self._part.finish())
            self._part = None

    def attach(self, name: str, content: bytes) -> None:
        """Put a small file beside the parts.

        Raises:
            DiskFullError: nothing is left at the destination.
        """
        with explained_disk_errors(self._folder):
            self._write_file(name, content)
        sha256 = hashlib.sha256(content).hexdigest()
        self._attachments.append(AttachmentFacts(name=name, sha256=sha256, n_bytes=len(content)))

    def _write_file(self, name: str, content: bytes) -> None:
        with (self._folder / name).open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def finish(
        self,
        identity: Identity,
        environment: Environment,
        canary: Canary | None,
        *,
        no_canary_because: str = "",
    ) -> Manifest:
        """Write the manifest, and give the folder its name.

        Raises:
            ConflictError: when somebody else took the name meanwhile.
            DiskFullError: nothing is left at the destination.
        """
        with explained_disk_errors(self._folder):
            self._end_part()
            manifest = self._manifest(identity, environment, canary, no_canary_because)
            content = json.dumps(manifest.model_dump(mode="json"), ensure_ascii=False, indent=1)
            self._write_file(MANIFEST_NAME, content.encode("utf-8"))
            sync_folder(self._folder)
            self._refuse_if_taken()
            self._take_name()
        return manifest

    def _manifest(
        self, identity: Identity, environment: Environment, canary: Canary | None, why_none: str
    ) -> Manifest:
        count = sum(part.n_vectors for part in self._parts)
        values = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "id": "0" * 64,
            "title": identity.title,
            "created": utc_now(),
            "creator": identity.creator,
            "licence": identity.licence,
            "citation": identity.citation,
            "derived_from": identity.derived_from,
            "model": self._model,
            "preprocessing": self._preprocessing,
            "vectors": self.vectors.model_copy(update={"count": count}),
            "environment": environment,
            "integrity": Integrity(
                parts=tuple(self._parts),
                attachments=tuple(self._attachments),
                n_ok=self._n_ok,
                n_failed=self._n_failed,
                canary=canary,
                no_canary_because=why_none,
            ),
        }
        draft = Manifest.model_validate(values)
        return draft.model_copy(update={"id": id_of(draft.model_dump(mode="json"))})

    def _take_name(self) -> None:
        aside = None
        if self.destination.exists():
            aside = self._folder.with_suffix(".replaced")
            self.destination.rename(aside)
        try:
            self._folder.rename(self.destination)
        except OSError:
            if aside is not None:
                aside.rename(self.destination)
            raise
        sync_folder(self.destination.parent)
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)

    def __enter__(self) -> PackageWriter:
        """Write inside a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove whatever did not get its name."""
        if self._part is not None:
            self._part.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)
