"""What indexing is told, what it tells on the way, and what it tells at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from bilderatlas.errors import Failure


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: images `done` of `total`, of which `failed` could not be used."""

    done: int
    total: int
    failed: int
    message: str


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a run is about to do, told before it begins.

    Attributes:
        n_new: Pictures that the collection has not seen.
        n_changed: Pictures that may have changed, or failed before, and are read again.
        n_read_again: Unchanged pictures that are read again only because a space lacks them.
        notes: What the user should know about how extractors will run.
    """

    n_new: int
    n_changed: int
    n_read_again: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How to index.

    Attributes:
        extractors: Model ids; empty: those of the collection, or all that need no weights.
        workers: Decoding processes and extracting threads; 0: one a processor.
        retry_failed: Try pictures again that failed before.
        retry_ids: Try only these of them again.
        keep_first: Of rows that share an id index the first, and report the others as failures;
            otherwise such a source is refused before anything is written.
        batch_images: Images a commit; at most this much work is repeated after a kill. 0: as
            many as suit the machine.
        device: `cpu`, or `cuda` for the extractors that run on a GPU.
        precision: `fp32`, or `bf16` where an extractor passes its gate.
        on_plan: Called once, before the first picture is read.
        on_progress: Called after each batch.
        should_stop: Asked after each batch; True ends the run in a resumable state.
    """

    extractors: tuple[str, ...] = ()
    workers: int = 0
    retry_failed: bool = False
    retry_ids: frozenset[str] = frozenset()
    keep_first: bool = False
    batch_images: int = 0
    device: str = "cpu"
    precision: str = "fp32"
    on_plan: Callable[[PlanSummary], None] = lambda summary: None
    on_progress: Callable[[Progress], None] = lambda progress: None
    should_stop: Callable[[], bool] = lambda: False


NO_PICTURE_CODES = frozenset({"no-image", "remote"})  # what sources say of pictures elsewhere


@dataclass(slots=True)
class IndexReport:
    """What a run did. Counts are images; `unchanged` includes those that failed before.

    Attributes:
        collection: Its name.
        added: New images with at least one space.
        updated: Images whose picture or record changed.
        completed: Unchanged images that came into a further space.
        reused: Embeddings taken over from the library, which had the same content under the same
            card; one for each image and space.
        unchanged: Images with nothing to do.
        without_picture: Records kept although the source has no picture for them, or none here.
        retired: Images that the source no longer has.
        kept_back: Images missing from a source of which a part could not be read: they stay.
        failed: Images and rows that could not be used in this run.
        stopped: Whether the run was interrupted; the same command goes on where it was.
        seconds: Duration.
        failures: One for each failed image or row, with its reason.
    """

    collection: str
    added: int = 0
    updated: int = 0
    completed: int = 0
    reused: int = 0
    unchanged: int = 0
    without_picture: int = 0
    retired: int = 0
    kept_back: int = 0
    failed: int = 0
    stopped: bool = False
    seconds: float = 0.0
    spaces: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return what `index --json` ends with."""
        return asdict(self) | {"seconds": round(self.seconds, 3)}
