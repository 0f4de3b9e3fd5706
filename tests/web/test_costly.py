"""Questions that take long: a public server answers few at a time, and says when it is busy."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from bilderatlas.errors import QueryError, UnavailableError
from bilderatlas.search.query import Query, parse_part
from bilderatlas.web.costly import MAX_COMPARED, MAX_HERE, MAX_RUNNING, CostlyQuestions


@dataclass(frozen=True)
class Space:
    card: dict[str, str]

    @property
    def model_id(self) -> str:
        return self.card["model_id"]


class Asked:
    """A collection of two spaces: of whole works, and of their details."""

    def spaces(self) -> Sequence[Space]:
        whole = Space({"model_id": "whole.fake", "rows_are": "image"})
        return whole, Space({"model_id": "details.fake", "rows_are": "detail"})


def like(n: int, **values: Any) -> Query:
    return Query(parts=tuple(parse_part(f"w{number}") for number in range(n)), **values)


def test_only_few_are_answered_at_once_and_few_wait() -> None:
    costly, go, inside = CostlyQuestions(), threading.Event(), threading.Semaphore(0)
    n_most: list[int] = []
    here: list[int] = []

    def ask() -> None:
        with costly.admitted([Asked()], like(1, model_id="details.fake")):
            here.append(1)
            n_most.append(len(here))
            inside.release()
            go.wait(30)
            here.pop()

    threads = [threading.Thread(target=ask) for _ in range(MAX_HERE)]
    for thread in threads:
        thread.start()
    for _ in range(MAX_RUNNING):
        assert inside.acquire(timeout=30)
    while costly._here.acquire(blocking=False):  # until all of them have come in
        costly._here.release()
    for query in (like(1, model_id="details.fake"), like(1, rule="svm")):
        with pytest.raises(UnavailableError, match="Try again"), costly.admitted([Asked()], query):
            pass
    with costly.admitted([Asked()], like(1)):  # what is cheap is answered all the same
        pass
    go.set()
    for thread in threads:
        thread.join(30)
    assert len(n_most) == MAX_HERE and max(n_most) <= MAX_RUNNING
    with costly.admitted([Asked()], like(1, rule="svm")):  # and the doors are open again
        pass


def test_the_details_of_few_pictures_are_compared() -> None:
    costly = CostlyQuestions()
    with costly.admitted([Asked()], like(MAX_COMPARED, model_id="details.fake")):
        pass
    many = like(MAX_COMPARED + 1, model_id="details.fake")
    with pytest.raises(QueryError, match="at most 3"), costly.admitted([Asked()], many):
        pass
    mixed = (("whole.fake", 1.0), ("details.fake", 1.0))
    many = like(MAX_COMPARED + 1, model_id="whole.fake", blend=mixed)
    with pytest.raises(QueryError, match="at most 3"), costly.admitted([Asked()], many):
        pass
    with costly.admitted([Asked()], like(20, model_id="whole.fake")):
        pass
