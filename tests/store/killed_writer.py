"""A writer that is killed: run as a process of its own by `test_kill.py`.

    python -m tests.store.killed_writer LIBRARY POINT

It works through `STEPS` and prints the number of each step that was confirmed. At its POINT-th
write point (a file sync, a rename, an unlink, the moment before a COMMIT, or the moment after it)
it kills itself as `kill -9` does; with POINT 0 it lives, and prints how many points there were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.writer import CollectionWriter
from tests.store.building import card, details_of, new_image, rows_of

MODELS = {"colour.test": rows_of, "details.test": details_of}
State = dict[str, tuple[int, frozenset[str]]]
"""image_id → how often its picture changed, and which spaces have looked at it."""


@dataclass(frozen=True)
class Step:
    """One call that ends in one commit, or changes nothing that a reader can see (purge)."""

    kind: str
    ids: tuple[str, ...] = ()
    content: int = 0


STEPS = (
    *(Step("add", (f"a{n}", f"b{n}")) for n in range(14)),
    Step("change", ("a3", "b5", "a9"), 1),
    Step("details", ("a3", "b5"), 1),
    Step("retire", ("a0", "b1", "a2")),
    *(Step("add", (f"c{n}",)) for n in range(4)),
    Step("purge"),
    Step("change", ("c0",), 2),
)


def run_step(writer: CollectionWriter, step: Step) -> None:
    """Do one step."""
    if step.kind == "retire":
        writer.retire(step.ids)
    elif step.kind == "purge":
        writer.purge()
    else:
        models = {"add": list(MODELS), "change": ["colour.test"], "details": ["details.test"]}
        rows: dict[str, Any] = {
            model: [(image_id, MODELS[model](image_id, step.content)) for image_id in step.ids]
            for model in models[step.kind]
        }
        images = [new_image(image_id, step.content) for image_id in step.ids]
        writer.commit_batch([] if step.kind == "details" else images, rows)


def expected_states() -> list[State]:
    """Return what a reader sees before the first step, after the first, and so on."""
    state: State = {}
    states = [dict(state)]
    for step in STEPS:
        for image_id in step.ids:
            if step.kind == "add":
                state[image_id] = (0, frozenset(MODELS))
            elif step.kind == "change":
                state[image_id] = (step.content, frozenset({"colour.test"}))
            elif step.kind == "details":
                state[image_id] = (step.content, frozenset(MODELS))
            else:
                del state[image_id]
        states.append(dict(state))
    return states


def open_writer(library: LibraryStore) -> CollectionWriter:
    """Return the writer of the one collection, with its spaces."""
    collection = library.create_collection("works", source_kind="folder", source_address="/")
    writer = collection.writer()
    writer.ensure_space(card("colour.test", dtype="f16"))
    writer.ensure_space(card("details.test", dtype="u8", many_rows=True))
    return writer


def collection_of(library: LibraryStore) -> CollectionStore | None:
    """Return the one collection, if the writer came that far."""
    names = [info.name for info in library.list_collections()]
    return library.get_collection("works") if names else None


class WritePoints:
    """Counts the moments at which bytes become durable, and dies at one of them."""

    def __init__(self, deadly: int) -> None:
        """Die at the `deadly`-th point; 0: live."""
        self.deadly = deadly
        self.count = 0

    def pass_one(self) -> None:
        """Count one point."""
        self.count += 1
        if self.count == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, name: str) -> None:
        """Count the calls of a function of `os`, each before it happens."""
        real: Callable[..., Any] = getattr(os, name)

        def counted(*args: Any, **options: Any) -> Any:
            self.pass_one()
            return real(*args, **options)

        setattr(os, name, counted)


def main(root: Path, deadly: int) -> None:
    """Work through the steps."""
    points = WritePoints(deadly)
    with LibraryStore.open(root) as library:
        for name in ("replace", "fsync", "unlink"):
            points.watch(name)
        event.listen(library.database, "commit", lambda _connection: points.pass_one())
        with open_writer(library) as writer:
            for number, step in enumerate(STEPS, 1):
                run_step(writer, step)
                points.pass_one()
                print(number, flush=True)
    print(f"points {points.count}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
