"""Training: models of this project, made from nothing but its own museum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import UnavailableError, UsageError
from bilderatlas.extractors.runtimes.torch import has_torch
from bilderatlas.learning.contrastive import MIN_WORKS, Recipe, train_contrastive
from bilderatlas.learning.painted import paint_set
from bilderatlas.learning.publish import publish

if TYPE_CHECKING:
    from bilderatlas.learning.painted import PaintedSet


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training made.

    Attributes:
        folder: Where the model's files are.
        epochs: How many epochs were trained in all.
        files: sha256 and size of each file of the model.
        min_cosine: The smallest cosine between its two runtimes on the canaries.
    """

    folder: Path
    epochs: int
    files: dict[str, dict[str, Any]]
    min_cosine: float

    def to_json(self) -> dict[str, Any]:
        """Return what is printed."""
        return {
            "folder": str(self.folder),
            "epochs": self.epochs,
            "files": self.files,
            "min_cosine": self.min_cosine,
        }


def train_museum_clip(
    folder: Path,
    recipe: Recipe,
    *,
    cache: Path | None = None,
    threads: int = 1,
    processes: int = 0,
    on_painted: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[dict[str, Any]], None] = lambda line: None,
) -> TrainingReport:
    """Paint the works of a museum, train both towers on them, and write the model to `folder`.

    Stopped at any moment, the same call goes on: with the next work to paint, or after the last
    finished epoch.

    Args:
        folder: Receives the model, its log and its checkpoint.
        recipe: Seed, works, epochs, and all that decides how it goes.
        cache: Where the painted works are kept; None: `painted` in the folder.
        threads: That learn; another number gives slightly other weights.
        processes: That paint; 0: one a processor.
        on_painted: Called with how many works are painted, of how many.
        on_epoch: Called with each line of the log.

    Raises:
        UnavailableError: The laboratory (torch) is not installed.
        UsageError: Too few works to learn from.
        ConflictError: The folder holds another training, or other pictures.
    """
    if not has_torch():
        raise UnavailableError(
            "Cannot train: the laboratory is not installed. Install it with: "
            "pip install 'bilderatlas[lab]'"
        )
    _check(recipe)
    painted: PaintedSet = paint_set(
        cache or folder / "painted", recipe.seed, recipe.works, processes, on_painted
    )
    towers = train_contrastive(painted, recipe, folder, threads, on_epoch)
    made = publish(towers, recipe, folder, threads)
    return TrainingReport(folder, recipe.epochs, made["files"], made["min_cosine"])


def _check(recipe: Recipe) -> None:
    if recipe.works < MIN_WORKS:
        raise UsageError(
            f"Cannot learn from {recipe.works} works: at least {MIN_WORKS} are needed, and the "
            "shipped model saw 20,000."
        )


__all__ = ["Recipe", "TrainingReport", "train_museum_clip"]
