"""What a job does: a registered kind with one method; the room knows no other door to it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from bilderatlas.registry import Registry
from bilderatlas.store.library import LibraryStore


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a running job may touch.

    Attributes:
        store: The library that the job works on.
        report: Takes `(done, total, message)`; `total` is None while it is unknown.
        stop: Set when the job was cancelled or paused, or its lease was lost; a job looks at it
            at least every two seconds of work and returns, leaving a state that it can resume.
    """

    store: LibraryStore
    report: Callable[[int, int | None, str], None]
    stop: threading.Event


class JobKind(ABC):
    """One kind of long work. It must be resumable: after a kill the same `run` is called again."""

    name: ClassVar[str]

    @abstractmethod
    def run(self, context: JobContext, params: dict[str, Any]) -> dict[str, Any]:
        """Do the work and return a JSON-ready result.

        Raises:
            BilderatlasError: the job failed for good; its text is shown to the user.
        """


JOB_KINDS: Registry[JobKind] = Registry(
    "kind of job",
    builtin=("bilderatlas.indexing.job", "bilderatlas.api.invariance_job"),
    group="bilderatlas.jobs",
)
