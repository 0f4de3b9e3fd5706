"""Records that answers showed lately are read once, and never older than the answer."""

from __future__ import annotations

from bilderatlas.extractors.base import ImageRows
from bilderatlas.search import shown_lately
from bilderatlas.search.query import Query
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from tests.search.conftest import ANGLES, image, vector


def ask(museum: CollectionStore, k: int = 9) -> dict[str, str]:
    return {hit.image_id: hit.record.title for hit in search(museum, Query(k=k), None)}


def test_a_second_answer_reads_only_what_the_first_did_not_show(museum, monkeypatch):
    asked: list[str] = []
    read = CollectionStore.get_records

    def noting(self, image_ids):
        asked.extend(image_ids)
        return read(self, image_ids)

    monkeypatch.setattr(CollectionStore, "get_records", noting)
    few = ask(museum, k=3)
    every = ask(museum)
    assert few.items() <= every.items()
    assert sorted(asked) == sorted(every)  # each once
    assert ask(museum) == every
    assert len(asked) == len(every)


def test_a_record_that_changed_is_read_anew(museum):
    assert ask(museum)["a0"] == "Hand at 0 degrees"
    with museum.writer() as writer:
        writer.ensure_space(ANGLES)
        changed = image("a0", title="The hand of noon", school="Dutch")
        writer.commit_batch([changed], {ANGLES.model_id: [("a0", ImageRows(vector(0)))]})
    assert ask(museum)["a0"] == "The hand of noon"


def test_only_so_many_records_are_kept(museum, monkeypatch):
    monkeypatch.setattr(shown_lately, "MAX_REMEMBERED", 4)
    every = ask(museum)
    assert ask(museum, k=2).items() <= every.items()
    assert ask(museum) == every
