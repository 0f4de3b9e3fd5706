"""Questions that take seconds: a public server answers a few at a time and keeps no queue."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bilderatlas.errors import QueryError, UnavailableError
from bilderatlas.extractors.base import rows_are
from bilderatlas.search.query import PartKind, Query

if TYPE_CHECKING:
    from bilderatlas.api import Collection

MAX_RUNNING = 2
MAX_HERE = 6  # those that run and those that wait for them; each holds a thread
MAX_COMPARED = 3  # pictures whose details or figures are compared for one question
MAX_ALSO = 3  # collections beside the first that one question is put to
COSTLY_RULE = "svm"


class CostlyQuestions:
    """Lets through what is cheap, and of what takes long a few at a time; for any threads."""

    def __init__(self) -> None:
        """Let nobody wait yet."""
        self._running = threading.BoundedSemaphore(MAX_RUNNING)
        self._here = threading.BoundedSemaphore(MAX_HERE)

    @contextmanager
    def admitted(self, asked: Sequence[Collection], query: Query) -> Iterator[None]:
        """Answer a question to collections in this block, when its turn has come.

        Raises:
            QueryError: when it compares the details of too many pictures.
            UnavailableError: when too many such questions wait already.
        """
        if not is_costly(asked, query):
            yield
            return
        with self.turn():
            yield

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Do in this block what takes long, when its turn has come.

        Raises:
            UnavailableError: when too much of the kind waits already.
        """
        if not self._here.acquire(blocking=False):
            raise UnavailableError(
                "Many questions that take long are being answered. Try again in a few seconds."
            )
        try:
            with self._running:
                yield
        finally:
            self._here.release()


def is_costly(asked: Sequence[Collection], query: Query) -> bool:
    """Tell whether a question takes seconds.

    Raises:
        QueryError: when it compares the details of too many pictures.
    """
    if not query.parts:
        return False
    named = {query.model_id, *(model_id for model_id, _weight in query.blend)} - {""}
    cards = [
        space.card
        for collection in asked
        for place, space in enumerate(collection.spaces())
        if space.model_id in named or (not named and not place)
    ]
    many_rows = [card for card in cards if rows_are(card) != "image"]
    n_pictures = sum(part.kind is not PartKind.TEXT for part in query.parts)
    if many_rows and n_pictures > MAX_COMPARED:
        raise QueryError(
            f"Cannot compare the details of {n_pictures} pictures: this server takes at most "
            f"{MAX_COMPARED} in one question by '{many_rows[0]['model_id']}'. Remove some of them."
        )
    return bool(many_rows) or query.rule == COSTLY_RULE
