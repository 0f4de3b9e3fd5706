"""What an extractor is: a card of facts and one batch method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Metric, Pixels
from bilderatlas.errors import QueryError
from bilderatlas.registry import Registry


@dataclass(frozen=True, slots=True)
class Card:
    """The facts of an extractor; everything that makes two spaces comparable stands here.

    Attributes:
        model_id: `architecture.weights`: `raw_32.pixels`.
        judges_by: Completes "judged by …" in a scholar's words: `colour and layout`.
        sees: One sentence for a scholar: what makes two pictures alike here.
        dim: Dimension of one embedding.
        dtype: How rows are stored: `f32`, `f16` or `u8`.
        metrics: The metrics that make sense here, the default first.
        side_px: Pictures arrive with their long side scaled down to this (never up).
        preprocessing: Ordered steps as data, with every number.
        version: Rises whenever the same picture would give another embedding.
        weights_sha256: None for extractors without weights.
        licence: SPDX identifier of the weights, or of the code where there are none.
        paper: Where the method was published.
        embeds_text: Whether texts can be embedded into the same space.
        many_rows: Whether an image may have many rows (local features) or none.
        rows_are: What one row stands for: `image`, `detail` (a local feature: images are compared
            by verified correspondences) or `figure` (images are compared by their nearest rows).
        normalised: `l2` where every row has length 1, otherwise `none`.
        tap: The layer or tensor that the rows are read from.
        pooling: How a map of features becomes one row, where it does.
        training_data: What the weights learned from, in one line.
        languages: ISO 639-1 codes of the languages that texts may be in.
        text_tower: Facts of the text side: sha256 of the tokenizer, context length, template.
        projection: Facts of a projection fitted after extraction: kind, dimensions, sha256.
        weights: Facts of each file of weights: name, source, revision, sha256, and whether these
            were `pinned` in the code or `recorded` at the first fetch.
        knows_only: What the weights know, in a sentence, where that is less than a user expects.
        taken_from: Where rows of this space were taken from, if some were not made here: what their
            maker says of them is a claim, and they are never passed on as our own.
        computed: In which precisions and on which devices rows were made: `fp32 on cpu`; empty for
            extractors that have no choice.
    """

    model_id: str
    judges_by: str
    sees: str
    dim: int
    dtype: str
    metrics: tuple[Metric, ...]
    side_px: int
    preprocessing: tuple[dict[str, Any], ...]
    version: int = 1
    weights_sha256: str | None = None
    licence: str = "MIT"
    paper: str = ""
    embeds_text: bool = False
    many_rows: bool = False
    rows_are: Literal["image", "detail", "figure"] = "image"
    normalised: Literal["l2", "none"] = "none"
    tap: str = ""
    pooling: str = ""
    training_data: str = ""
    languages: tuple[str, ...] = ()
    text_tower: dict[str, Any] | None = None
    projection: dict[str, Any] | None = None
    weights: tuple[dict[str, Any], ...] = ()
    knows_only: str = ""
    taken_from: str = ""
    computed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the card as it is stored in `features.json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Card:
        """Return the card that was stored as `values`; what a newer version added is left out."""
        names = {field.name for field in fields(cls)}
        known = {name: value for name, value in values.items() if name in names}
        for name in ("preprocessing", "languages", "weights", "computed"):
            known[name] = tuple(known.get(name) or ())
        known["metrics"] = tuple(Metric(name) for name in known["metrics"])
        return cls(**known)


def rows_are(card_json: Mapping[str, Any]) -> str:
    """Return what a row of a stored card stands for: `image`, `detail` or `figure`.

    Cards stored before there were figures say only whether an image has many rows.
    """
    said = str(card_json.get("rows_are") or "image")
    return "detail" if said == "image" and card_json.get("many_rows") else said


_DECISIVE = ("dim", "dtype", "version", "weights_sha256", "preprocessing", "projection")
_DESCRIBED = ("normalised", "tap", "pooling")


def differing_facts(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the facts of two cards, as JSON, that give the same picture another embedding.

    Facts that only describe what `version` and the weights decide are held against each other
    where both cards state them: older cards do not.
    """
    differing = [fact for fact in _DECISIVE if _plain(one.get(fact)) != _plain(other.get(fact))]
    differing += [
        fact
        for fact in _DESCRIBED
        if one.get(fact) and other.get(fact) and one[fact] != other[fact]
    ]
    return differing + ["rows_are"] * (rows_are(one) != rows_are(other))


def _plain(value: Any) -> Any:
    """Return a fact with lists for tuples, as JSON has it."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an extractor can run here, and if not, the sentence that says how to make it.

    Attributes:
        state: `ready`; `to fetch` (weights are missing); `to export` (the weights are here but no
            runtime of this machine takes them as they are).
        sentence: What to do, for anybody: what is missing, from where it comes, how large it is,
            the command. Names no path of this machine. Empty when ready.
        here: What else can be done on this machine, by its paths: for the command line and local
            pages, never for strangers.
    """

    state: Literal["ready", "to fetch", "to export"] = "ready"
    sentence: str = ""
    here: str = ""

    @property
    def told_here(self) -> str:
        """All that there is to say to whoever sits at this machine."""
        return f"{self.sentence} {self.here}".strip()


@dataclass(frozen=True, slots=True)
class ImageRows:
    """What one image becomes in a space.

    Attributes:
        vectors: `(m, d)`, float32, or uint8 where the card's dtype is `u8`. One row for an
            ordinary extractor; none where the image is not in the space; many for local features.
        geometry: `(m, 4)` float32 for local features (x, y in 0 to 1 of width and height, scale as
            a share of the long side, angle in radians); otherwise None.
        size_wh: Width and height of the picture that the rows were taken from, where geometry
            needs its proportions; not stored with the rows (the image's own size is).
    """

    vectors: npt.NDArray[Any]
    geometry: npt.NDArray[np.float32] | None = None
    size_wh: tuple[int, int] | None = None


class Extractor(ABC):
    """A card and one method; the rest is written once, here."""

    @property
    @abstractmethod
    def card(self) -> Card:
        """The facts; a class attribute will do, or a property where weights are found late."""

    @property
    def threads_itself(self) -> bool:
        """Tell whether one call uses all processors: it is then given whole batches in turn."""
        return False

    def readiness(self) -> Readiness:
        """Tell whether the extractor can run here; must be quick and load nothing."""
        return Readiness()

    def is_default_for(self, source_kind: str) -> bool:
        """Tell whether collections of this kind of source get this space without being asked."""
        return self.card.weights_sha256 is None

    @abstractmethod
    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract each of `images` (`(h, w, 3)` uint8 sRGB, long side ≤ `card.side_px`).

        Must be safe to call from several threads at once.
        """

    def embed_images(self, images: Sequence[Pixels]) -> Embeddings:
        """Embed images that each have exactly one row: `(n, d)` float32.

        Raises:
            QueryError: when an image has no row or many rows in this space.
        """
        rows = self.extract_batch(images)
        if any(len(row.vectors) != 1 for row in rows):
            raise QueryError(
                f"Cannot embed the picture: it has no single place in '{self.card.model_id}'. "
                "Choose another criterion for this picture."
            )
        return np.concatenate([row.vectors for row in rows]).astype(np.float32)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts: `(n, d)` float32; extractors with a text side override this.

        Raises:
            QueryError: when the extractor has no text side.
        """
        raise QueryError(
            f"Cannot search for the words '{texts[0] if texts else ''}': '{self.card.model_id}' "
            "compares pictures only. Search the metadata with --match, or choose an extractor "
            "with a text side."
        )


EXTRACTORS: Registry[Extractor] = Registry(
    "extractor",
    builtin=(
        "bilderatlas.extractors.raw",
        "bilderatlas.extractors.palette",
        "bilderatlas.extractors.composition",
        "bilderatlas.extractors.details",
        "bilderatlas.extractors.museum_clip",
        "bilderatlas.extractors.clip",
        "bilderatlas.extractors.siglip",
        "bilderatlas.extractors.dinov2",
        "bilderatlas.extractors.squeezenet",
        "bilderatlas.extractors.vgg",
        "bilderatlas.extractors.resnext",
        "bilderatlas.extractors.pose",
    ),
    group="bilderatlas.extractors",
)


def default_extractors(source_kind: str) -> list[Extractor]:
    """Return what a collection of this kind of source is indexed with when nothing is named.

    Those that understand words come first, for the first space is the one that is asked first.
    """
    chosen = [
        one
        for one in EXTRACTORS
        if one.is_default_for(source_kind) and one.readiness().state == "ready"
    ]
    return sorted(chosen, key=lambda one: not one.card.embeds_text)
