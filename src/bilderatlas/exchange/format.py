"""The feature package, version 1: every field that `features.json` has, and what it means."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT = "bilderatlas-feature-package"
FORMAT_VERSION = 1
MANIFEST_NAME = "features.json"
DESCRIPTION_KEY = b"bilderatlas.features"
NOT_EXTRACTED = "not-extracted"
NO_PICTURE = "no-picture"
"""Codes of items that failed in no other sense than that there is no vector of them."""

PART_NAME = re.compile(r"part-\d{6}\.parquet\Z")

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.~-]{0,120}$")]
DtypeName = Literal["f16", "f32", "u8"]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Creator(_Facts):
    """Who made the vectors."""

    name: str
    orcid: str | None = Field(None, pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$")


class Origin(_Facts):
    """What the pictures are taken from."""

    title: str = ""
    address: str = Field("", description="DOI, URL, or the kind of source.")
    version: str = Field("", description="Its version or the day on which it was read.")


class WeightsFacts(_Facts):
    """One file of weights."""

    name: str
    source: str = Field("", description="URL, or repository and path on a hub.")
    revision: str | None = Field(None, description="Commit of the repository.")
    sha256: Sha256 | None = None
    origin: str = Field("", description="`pinned` in code, `recorded` at a fetch, or `given`.")
    role: str = ""
    more: dict[str, Any] = Field(default_factory=dict)


class Model(_Facts):
    """What turned pictures into vectors."""

    name: Word = Field(description="`architecture.weights`; vectors of two names never compare.")
    version: int = Field(1, ge=1, description="Rises when a picture would get another vector.")
    judges_by: str = Field("", description="Completes 'judged by …' in a scholar's words.")
    sees: str = Field("", description="One sentence: what makes two pictures alike here.")
    weights_sha256: Sha256 | None = Field(None, description="Of the canonical weights; null: none.")
    weights: tuple[WeightsFacts, ...] = ()
    licence: str = Field("", description="SPDX identifier of the weights, or of the code.")
    paper: str = ""
    training_data: str = ""
    knows_only: str = Field("", description="A limit of what the weights know, as a sentence.")
    tap: str = Field("", description="Layer or tensor that the vectors are read from.")
    pooling: str = ""
    projection: dict[str, Any] | None = Field(None, description="PCA, whitening …: its sha256.")
    embeds_text: bool = False
    text_tower: dict[str, Any] | None = Field(
        None, description="sha256 of the tokenizer, context length, prompt template."
    )
    languages: tuple[str, ...] = Field((), description="ISO 639-1 codes.")
    architecture_config_sha256: Sha256 | None = None
    onnx_sha256: Sha256 | None = None


class Preprocessing(_Facts):
    """How a decoded, oriented sRGB picture becomes the model's input."""

    side_px: int = Field(
        ge=1, description="The decoded picture is scaled down so that its long side is this."
    )
    steps: tuple[dict[str, Any], ...] = Field(description="In order, with every number.")
    sha256: Sha256 = Field(description="SHA-256 of the canonical JSON (RFC 8785) of `steps`.")


class Vectors(_Facts):
    """What lies in the column `vector` or `vectors` of the parts."""

    dim: int = Field(ge=1, le=65_536)
    dtype: DtypeName
    byte_order: Literal["little"] = "little"
    normalised: Literal["l2", "none"]
    metrics: tuple[Literal["angular", "euclidean", "manhattan", "dot"], ...] = Field(
        min_length=1, description="The metrics that make sense here, the intended one first."
    )
    count: int = Field(ge=0, description="Vectors in all parts together.")
    many_rows: bool = Field(description="false: column `vector`; true: columns `vectors`, …")
    rows_are: Literal["image", "detail", "figure"] = "image"
    geometry: bool = Field(False, description="Whether the column `geometry` is there.")
    null_policy: Literal["null-is-not-in-space"] = Field(
        "null-is-not-in-space",
        description="An item with status ok and no vector has no place in the space.",
    )


class Environment(_Facts):
    """The machine that wrote the package and computed the canary."""

    software: dict[str, str] = Field(description="Name → version of every library that matters.")
    platform: str = ""
    device: str = "cpu"
    precision: str = "fp32"
    batch: int | None = None
    seed: int | None = None
    code_commit: str | None = None


class PartFacts(_Facts):
    """One Parquet file."""

    name: str = Field(pattern=r"^part-\d{6}\.parquet$")
    sha256: Sha256
    n_bytes: int = Field(ge=0)
    n_items: int = Field(ge=0)
    n_vectors: int = Field(ge=0)


class AttachmentFacts(_Facts):
    """A file that the vectors need, such as the matrix of a projection."""

    name: str = Field(pattern=r"^projection-[0-9a-f]{16}\.npy$")
    sha256: Sha256
    n_bytes: int = Field(ge=0)


class CanaryPicture(_Facts):
    """One of the eight published test pictures, and what the extractor made of it."""

    picture_sha256: Sha256 = Field(description="Of its RGB bytes, row by row.")
    vectors: tuple[tuple[float, ...], ...] = Field(description="As float32; one or more rows.")


class Canary(_Facts):
    """What lets anybody who runs the extractor prove that it is the same one."""

    pictures: tuple[CanaryPicture, ...]
    texts: tuple[tuple[str, tuple[float, ...]], ...] = ()


class Integrity(_Facts):
    """What must be there, to the byte."""

    parts: tuple[PartFacts, ...]
    attachments: tuple[AttachmentFacts, ...] = ()
    n_ok: int = Field(ge=0)
    n_failed: int = Field(ge=0)
    canary: Canary | None = None
    no_canary_because: str = ""


class Manifest(_Facts):
    """All of `features.json`."""

    format: Literal["bilderatlas-feature-package"]
    format_version: Literal[1]
    id: Sha256 = Field(
        description="SHA-256 of the canonical JSON (RFC 8785) of this object without `id`."
    )
    title: str
    created: str = Field(description="ISO 8601, UTC.")
    creator: Creator | None = None
    licence: str = Field("", description="SPDX identifier for the vectors.")
    citation: str = ""
    derived_from: tuple[Origin, ...] = ()
    model: Model
    preprocessing: Preprocessing
    vectors: Vectors
    environment: Environment
    integrity: Integrity
    extensions: dict[str, Any] = Field(
        default_factory=dict, description="Whatever else a publisher wants to say."
    )
