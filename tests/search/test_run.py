"""Searches in a real library: defaults, parts, rules, filters, places, and what is refused."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from bilderatlas.arrays import Embeddings, Metric
from bilderatlas.errors import (
    FilterError,
    ImageError,
    NotFoundError,
    QueryError,
    SpaceMismatchError,
    StoreError,
    UnavailableError,
    UnknownNameError,
)
from bilderatlas.extractors.base import ImageRows
from bilderatlas.search.hits import Hits, Inactive
from bilderatlas.search.query import Part, PartKind, Query, parse_part
from bilderatlas.search.restrict import restrict
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from tests.search.conftest import ANGLES, DEGREES, WORDS, image, vector


def no_embedder(part: Part) -> Embeddings:
    raise AssertionError(f"the embedder was asked for {part}")


def like(*texts: str) -> tuple[Part, ...]:
    return tuple(parse_part(text) for text in texts)


def unlike(*texts: str) -> tuple[Part, ...]:
    return tuple(parse_part(text, sign=-1) for text in texts)


def ids(hits: Hits) -> list[str]:
    return [hit.image_id for hit in hits]


def ask(museum: CollectionStore, *parts: Part, embed=no_embedder, **asked) -> Hits:
    return search(museum, Query(parts=parts, **asked), embed)


def test_neighbours_of_one_work(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0"))
    assert ids(hits) == ["a20", "twin", "a40", "a60", "a80", "a180"]  # twins by insertion
    assert [hit.rank for hit in hits] == [1, 2, 3, 4, 5, 6]
    cosines = [math.cos(math.radians(DEGREES[each])) for each in ids(hits)]
    assert [hit.score for hit in hits] == pytest.approx(cosines, abs=1e-6)
    assert hits[0].record.title == "Hand at 20 degrees"
    assert hits.recall == "exact"
    assert hits.notes == ()
    assert (hits.n_works, hits.n_candidates) == (9, 7)
    assert (hits.collection, hits.version) == ("museum", museum.version)
    # a0 itself is the only one above both twins; a180 is below all
    assert [hit.percentile for hit in hits] == pytest.approx([4 / 7, 4 / 7, 3 / 7, 2 / 7, 1 / 7, 0])


def test_the_answer_names_every_default_and_its_criterion(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0"))
    assert (hits.query.model_id, hits.query.metric) == ("angles.fake", Metric.ANGULAR)
    assert hits.criterion is not None
    assert hits.criterion.to_json() == {
        "model_id": "angles.fake",
        "metric": "angular",
        "rule": "difference",
        "weights_sha256": "ab" * 32,
        "judges_by": "the angle",
        "sees": "Works are alike whose hands point the same way.",
    }
    again = search(museum, hits.query, no_embedder)
    assert (again.hits, again.query) == (hits.hits, hits.query)


def test_the_query_itself_is_a_hit_only_if_asked_for(museum: CollectionStore) -> None:
    assert ids(ask(museum, *like("a20"), include_query=True))[:2] == ["a20", "twin"]
    assert ids(ask(museum, *like("a20")))[0] == "twin"
    hits = ask(museum, *like("museum/a20"), *unlike("a80"))
    assert {"a20", "a80"}.isdisjoint(ids(hits))


@pytest.mark.parametrize("rule", ["difference", "ranking", "contrast", "projection"])
def test_counter_examples_alone_put_the_least_similar_first(
    museum: CollectionStore, rule: str
) -> None:
    hits = ask(museum, *unlike("a0"), rule=rule, include_query=True)
    assert ids(hits) == ["a180", "a80", "a60", "a40", "a20", "twin", "a0"]
    assert hits[0].score == pytest.approx(1)
    assert hits[-1].score == pytest.approx(-1)


@pytest.mark.parametrize(
    ("rule", "first"),
    [("difference", "a0"), ("ranking", "a20"), ("contrast", "a20"), ("projection", "a0")],
)
def test_rules_answer_differently(museum: CollectionStore, rule: str, first: str) -> None:
    hits = ask(museum, *like("a40"), *unlike("a80"), rule=rule)
    assert ids(hits)[0] == first
    assert hits.criterion is not None
    assert hits.criterion.rule == rule


def test_metrics(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0"), metric=Metric.MANHATTAN)
    by_hand = -float(np.abs(vector(0) - vector(80)).sum())
    assert {hit.image_id: hit.score for hit in hits}["a80"] == pytest.approx(by_hand, abs=1e-6)
    with pytest.raises(QueryError, match="made for 'angular' or 'euclidean' or 'manhattan'"):
        ask(museum, *like("a0"), metric=Metric.DOT)
    with pytest.raises(QueryError, match="'projection' under the metric 'euclidean'"):
        ask(museum, *like("a0"), metric=Metric.EUCLIDEAN, rule="projection")


def test_pages_follow_each_other(museum: CollectionStore) -> None:
    whole = ask(museum, *like("a0"))
    pages = [ask(museum, *like("a0"), k=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [hit for page in pages for hit in page] == list(whole)
    assert ids(pages[3]) == []


def test_what_may_be_a_hit(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0"), where="year >= 1640")
    assert ids(hits) == ["a40", "a60", "a80"]
    assert hits.n_candidates == 3
    assert hits[0].percentile == pytest.approx(3 / 7)  # of all works, also the hidden ones
    assert ids(ask(museum, *like("a0"), where="school = 'flemish'")) == ["a60", "a80", "a180"]
    assert ids(ask(museum, *like("a0"), match="degrees 180")) == ["a180"]
    assert ids(ask(museum, *like("a0"), without=frozenset(["a20", "a40"])))[0] == "twin"
    both = ask(museum, *like("a0"), where="year < 1670", match="hand", without=frozenset(["a20"]))
    assert ids(both) == ["a40", "a60"]
    assert ids(ask(museum, *like("a0"), match="nowhere")) == []


def test_facets_are_alternatives_in_a_column_and_narrow_each_other(
    museum: CollectionStore,
) -> None:
    flemish, both = (("school", "Flemish"),), (("school", "Flemish"), ("school", "Dutch"))
    assert ids(ask(museum, *like("a0"), facets=flemish)) == ["a60", "a80", "a180"]
    assert len(ask(museum, *like("a0"), facets=both)) == 6
    assert ids(ask(museum, *like("a0"), facets=(("school", "flemish"),))) == []  # as it is spelled
    hits = ask(museum, *like("a0"), facets=(*flemish, ("year_begin", "1680")))
    assert ids(hits) == ["a80"]
    assert hits.query.facets == (*flemish, ("year_begin", "1680"))


def test_years_keep_the_works_whose_dates_overlap_them(museum: CollectionStore) -> None:
    assert ids(ask(museum, *like("a0"), years=(1630, 1660))) == ["a40", "a60"]
    assert ids(ask(museum, *like("a0"), years=(1650, 1655))) == []
    with museum.writer() as writer:
        new = image("wide", year_begin=1640, year_end=1700)
        writer.commit_batch([new], {"angles.fake": [("wide", ImageRows(vector(1)))]})
    assert ids(ask(museum, *like("a0"), years=(1650, 1655))) == ["wide"]


def test_a_facet_is_lifted_to_count_its_other_values(museum: CollectionStore) -> None:
    query = Query(facets=(("school", "Dutch"), ("year_begin", "1640")), years=(1600, 1700))

    def passing(lifting: str = "") -> list[str]:
        mask = restrict(museum, museum.columns, query, lifting=lifting).mask
        return [museum.columns.image_ids[place] for place in np.flatnonzero(mask)]

    assert passing() == ["a40"]
    assert passing("school") == ["a40"]
    assert passing("year_begin") == ["a0", "a20", "a40"]
    undated = replace(query, facets=(("school", "Dutch"),))
    mask = restrict(museum, museum.columns, undated, lifting="years").mask
    assert museum.columns.image_ids[int(np.flatnonzero(mask)[-1])] == "twin"  # without a date


def test_hits_stand_by_date_or_title_if_asked_for(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0"), sort="-date")
    assert ids(hits) == ["a80", "a60", "a40", "a20", "twin", "a180"]  # undated ones by likeness
    assert hits[0].percentile == pytest.approx(1 / 7)
    assert hits[0].score == pytest.approx(math.cos(math.radians(80)))
    assert ids(ask(museum, *like("a0"), sort="date", k=2, offset=1)) == ["a40", "a60"]
    assert ids(search(museum, Query(sort="title", k=2), no_embedder)) == ["broken", "a0"]


def test_the_pool_holds_all_works_behind_the_answer(museum: CollectionStore) -> None:
    pool = ask(museum, *like("a0"), where="year >= 1640", k=1).pool
    assert pool is not None
    named = [pool.columns.image_ids[place] for place in np.flatnonzero(pool.better)]
    assert named == ["a40", "a60", "a80"]
    assert int((pool.scores > -np.inf).sum()) == 7
    assert pool.better_of(np.ones(pool.columns.n, np.bool_)).sum() == 6  # a0 is what was asked


def test_search_within_a_list(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0"), within=frozenset(["a80", "a40", "gone", "broken"]))
    assert ids(hits) == ["a40", "a80"]
    assert hits.n_candidates == 2
    assert hits.notes == ("1 of the 4 ids to search within is not in this collection.",)
    assert ids(ask(museum, *like("a0"), within=frozenset())) == []


def test_a_filter_sees_what_was_committed_since(museum: CollectionStore) -> None:
    query = Query(parts=like("a0"), where="school = 'Sienese'", match="fresh")
    assert ids(search(museum, query, no_embedder)) == []
    with museum.writer() as writer:
        new = image("new", school="Sienese", title="fresh")
        writer.commit_batch([new], {"angles.fake": [("new", ImageRows(vector(5)))]})
    hits = search(museum, query, no_embedder)
    assert ids(hits) == ["new"]
    assert hits.version == museum.version


def test_a_removed_work_is_neither_hit_nor_counted(museum: CollectionStore) -> None:
    with museum.writer() as writer:
        writer.retire(["a20"])
    hits = ask(museum, *like("a0"))
    assert ids(hits)[:2] == ["twin", "a40"]
    assert hits.n_works == 8
    assert hits[0].percentile == pytest.approx(4 / 6)


def test_a_work_removed_during_a_search_is_no_hit(museum: CollectionStore) -> None:
    removals = ["a20"]

    def embed(part: Part) -> Embeddings:
        while removals:  # the search has begun: its view still holds the work
            with museum.writer() as writer:
                writer.retire([removals.pop()])
        return vector(1)

    hits = ask(museum, *like("upload:00"), embed=embed)
    assert ids(hits)[:2] == ["a0", "twin"]
    assert hits.version == museum.version


def test_searches_go_on_while_works_are_added(museum: CollectionStore) -> None:
    done = threading.Event()

    def search_on() -> list[Hits]:
        found = []
        while not done.is_set() or not found:
            found.append(ask(museum, *like("a0"), where="title contains 'hand'", k=1000))
        return found

    with ThreadPoolExecutor(2) as threads:
        searches = [threads.submit(search_on) for _ in range(2)]
        try:
            with museum.writer() as writer:
                for n in range(15):
                    new = image(f"n{n}", title="A new hand")
                    writer.commit_batch([new], {"angles.fake": [(f"n{n}", ImageRows(vector(1)))]})
        finally:
            done.set()
        for each in searches:
            answers = each.result()
            versions = [hits.version for hits in answers]
            assert versions == sorted(versions)
            for hits in answers:
                # whatever the version, the answer is whole: all its works, none twice
                n_new = hits.n_works - 9
                assert len(hits) == len(set(ids(hits))) == 6 + n_new
                assert ids(hits)[:n_new] == [f"n{n}" for n in range(n_new)]
    assert len(ask(museum, *like("a0"), k=1000)) == 21


def test_local_features_have_a_search_of_their_own(museum: CollectionStore) -> None:
    with museum.writer() as writer:
        writer.ensure_space(replace(ANGLES, model_id="points.fake", many_rows=True))
    asked: list[Part] = []

    def features_of(part: Part) -> ImageRows:
        asked.append(part)
        return ImageRows(np.empty((0, 2), np.float32), np.empty((0, 4), np.float32))

    query = Query(parts=like("upload:00"), model_id="points.fake")
    with pytest.raises(QueryError):  # a picture without any feature
        search(museum, query, no_embedder, features_of)
    assert asked == list(query.parts)
    with pytest.raises(QueryError, match="only whole images of the collection have features"):
        search(museum, query, no_embedder)


def test_regions_uploads_and_words_go_to_the_embedder(museum: CollectionStore) -> None:
    asked: list[Part] = []

    def embed(part: Part) -> Embeddings:
        asked.append(part)
        return vector(80)

    parts = (
        *like("a0@0.1,0.1,0.5,0.5", "upload:" + "f" * 64),
        Part(PartKind.TEXT, "a hand"),
        *like("other/SK-1"),
    )
    hits = ask(museum, *parts, embed=embed)
    assert asked == list(parts)
    assert ids(hits)[0] == "a80"
    assert "a0" not in ids(hits)  # a region of a work is the work itself


def test_words_choose_the_first_space_that_takes_them(museum: CollectionStore) -> None:
    with museum.writer() as writer:
        writer.ensure_space(WORDS)
        row = ImageRows(np.array([[0, 2, 0]], np.float32))
        writer.commit_batch([], {"words.fake": [("a40", row)]})
    embed = lambda part: np.array([[0, 1.5, 0]], np.float32)  # noqa: E731
    hits = ask(museum, Part(PartKind.TEXT, "hand"), embed=embed)
    assert (hits.query.model_id, hits.query.metric) == ("words.fake", Metric.DOT)
    assert [(hit.image_id, hit.score) for hit in hits] == [("a40", 3.0)]
    assert hits.n_candidates == 1
    assert ask(museum, *like("a0")).query.model_id == "angles.fake"


def refuse_words(part: Part) -> Embeddings:
    raise QueryError(f"Cannot search for the words '{part.value}'.")


def test_words_without_a_text_side_are_left_out(museum: CollectionStore) -> None:
    words = Part(PartKind.TEXT, "hand", weight=2)
    hits = ask(museum, words, *like("a0"), embed=refuse_words)
    assert ids(hits) == ids(ask(museum, *like("a0")))
    assert hits.inactive == (Inactive("hand^2", "text", 1, "Cannot search for the words 'hand'."),)
    assert hits.notes == ("The part 'hand^2' was left out. Cannot search for the words 'hand'.",)
    assert hits.to_json()["inactive"] == [
        {
            "part": "hand^2",
            "kind": "text",
            "sign": 1,
            "reason": "Cannot search for the words 'hand'.",
        }
    ]


def test_words_alone_without_a_text_side_are_refused(museum: CollectionStore) -> None:
    with pytest.raises(QueryError, match=r"^Cannot search for the words 'hand'") as alone:
        ask(museum, Part(PartKind.TEXT, "hand"), embed=refuse_words)
    assert [each.part for each in alone.value.inactive] == ["hand"]
    with pytest.raises(QueryError, match="none of the pictures and words") as caught:
        ask(museum, Part(PartKind.TEXT, "hand"), *like("broken"), embed=refuse_words)
    assert [(each.part, each.kind) for each in caught.value.inactive] == [
        ("hand", "text"),
        ("broken", "image"),
    ]


@pytest.mark.parametrize(
    "error",
    [
        ImageError("gone", "The museum has it no longer."),
        UnavailableError("The weights are not here."),
        NotFoundError("This upload has been forgotten."),
        UnknownNameError("collection", "other", ["museum"]),
    ],
)
def test_what_cannot_be_embedded_is_left_out(museum: CollectionStore, error) -> None:
    def embed(part: Part) -> Embeddings:
        raise error

    hits = ask(museum, *like("a0", "upload:" + "f" * 64), *unlike("panel:p1"), embed=embed)
    assert ids(hits)[0] == "a20"
    assert [(each.kind, each.sign) for each in hits.inactive] == [("upload", 1), ("panel", -1)]
    assert hits.inactive[0].reason == str(error)
    assert hits.inactive[1].reason == "There is no panel 'p1' here, or it is empty."


def test_a_library_that_cannot_be_read_ends_the_search(museum: CollectionStore) -> None:
    def embed(part: Part) -> Embeddings:
        raise StoreError("The disk is gone.")

    with pytest.raises(StoreError):
        ask(museum, *like("a0", "upload:" + "f" * 64), embed=embed)


def test_parts_without_a_place_are_left_out_with_a_note(museum: CollectionStore) -> None:
    hits = ask(museum, *like("a0", "blank", "broken", "a44"))
    assert ids(hits)[0] == "a20"
    assert hits.notes == (
        "The part 'blank' was left out. 'angles.fake' found nothing in the picture that it could "
        "compare.",
        "The part 'broken' was left out. Its picture could not be read: The file ends too early.",
        hits.notes[2],
    )
    assert hits.notes[2].startswith("The part 'a44' was left out. There is no image 'a44' in")
    assert "'a40'" in hits.notes[2]


def test_a_work_that_waits_for_the_space_says_so(museum: CollectionStore) -> None:
    with museum.writer() as writer:
        writer.commit_batch([image("later")], {})
    hits = ask(museum, *like("a0", "later"))
    assert hits.notes[0].startswith("The part 'later' was left out. It is not yet in the space")


def test_no_part_left_is_refused_with_the_reasons(museum: CollectionStore) -> None:
    with pytest.raises(QueryError, match=r"should be like can be used.*The file ends too early"):
        ask(museum, *like("broken"))
    with pytest.raises(QueryError, match="should be unlike can be used"):
        ask(museum, *unlike("broken"))
    # counter-examples alone would be another question
    with pytest.raises(QueryError, match="should be like can be used"):
        ask(museum, *like("a44"), *unlike("a20"))


def test_a_foreign_image_that_cannot_be_found_is_named(museum: CollectionStore) -> None:
    def embed(part: Part) -> Embeddings:
        raise NotFoundError("no such collection")

    with pytest.raises(QueryError, match="There is no image 'other/x' in collection 'museum'"):
        ask(museum, *like("other/x"), embed=embed)


def test_vectors_of_another_space_are_refused(museum: CollectionStore) -> None:
    embed = lambda part: np.ones((1, 5), np.float32)  # noqa: E731
    with pytest.raises(SpaceMismatchError, match=r"dimension 5 but space 'angles.fake' has 2"):
        ask(museum, *like("upload:00"), embed=embed)
    hits = ask(museum, *like("upload:00", "a0"), embed=embed)
    assert "dimension 5" in hits.inactive[0].reason


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"k": 0}, QueryError, "Cannot return 0 hits"),
        ({"k": 1001}, QueryError, "expected 1 to 1,000"),
        ({"k": 10, "offset": 9991}, QueryError, "only the first 10,000"),
        ({"offset": -1}, QueryError, "Cannot skip -1 hits"),
        ({"rule": "diference"}, UnknownNameError, "Did you mean 'difference'"),
        ({"model_id": "angels.fake"}, UnknownNameError, "Did you mean 'angles.fake'"),
        ({"sort": "size"}, UnknownNameError, "There is no order called 'size'"),
        ({"years": (1700, 1600)}, QueryError, "the first year is later than the last"),
        ({"facets": (("school", "Dutch"),) * 101}, QueryError, "at most 100"),
        ({"facets": (("scool", "Dutch"),)}, UnknownNameError, "'school'"),
        ({"facets": (("year_begin", "early"),)}, QueryError, "the column holds numbers"),
        ({"where": "year >="}, FilterError, "at character 8"),
        ({"where": "scool = 'x'"}, UnknownNameError, "'school'"),
        ({"rule": "contrast", "lambda_": -1.0}, QueryError, "λ = -1"),
        ({"parts": like(*["a0"] * 101)}, QueryError, "at most 100"),
        ({"parts": (*like("a20"), *unlike("twin"))}, QueryError, "cancel each other out"),
    ],
)
def test_what_is_refused(museum: CollectionStore, asked, error, said) -> None:
    query = replace(Query(parts=like("a0")), **asked)
    with pytest.raises(error) as caught:
        search(museum, query, no_embedder)
    assert said in str(caught.value)


# The random hang


def hang(museum: CollectionStore, **asked) -> list[str]:
    return ids(search(museum, Query(**asked), no_embedder))


def test_an_empty_query_hangs_the_collection_by_lot(museum: CollectionStore) -> None:
    hits = search(museum, Query(seed=5), no_embedder)
    assert hits.criterion is None
    assert sorted(ids(hits)) == sorted([*DEGREES, "blank", "broken"])
    assert ids(hits)[-1] == "broken"  # without a picture
    assert (hits.n_candidates, hits.n_works, hits.recall) == (9, 9, "exact")
    assert hang(museum, seed=5) == ids(hits)
    assert {tuple(hang(museum, seed=seed, k=3)) for seed in range(8)} != {tuple(ids(hits)[:3])}
    pages = [hang(museum, seed=5, k=4, offset=offset) for offset in (0, 4, 8)]
    assert [each for page in pages for each in page] == ids(hits)


def test_a_hang_honours_filters(museum: CollectionStore) -> None:
    assert sorted(hang(museum, where="school = 'Flemish'")) == ["a180", "a60", "a80"]
    assert sorted(hang(museum, match="hand", without=frozenset(["a0"]))) == sorted(
        set(DEGREES) - {"a0"}
    )
    assert hang(museum, within=frozenset(["a0"])) == ["a0"]


def test_a_hang_keeps_its_order_when_works_are_added(museum: CollectionStore) -> None:
    before = hang(museum, seed=9)
    with museum.writer() as writer:
        writer.commit_batch([image(f"new{n}") for n in range(20)], {})
    after = hang(museum, seed=9)
    assert [each for each in after if not each.startswith("new")] == before
    assert len(after) == 29


def test_hangs_are_fair() -> None:
    from bilderatlas.search.hang import _draw_lots

    ids_by_crc = np.arange(5, dtype=np.uint64)
    firsts = [int(np.argmin(_draw_lots(ids_by_crc, seed))) for seed in range(-1000, 1000)]
    assert np.bincount(firsts, minlength=5).min() > 300  # 400 each is fair


def test_a_collection_without_spaces(tmp_path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = library.create_collection("bare", source_kind="table", source_address="x.csv")
        assert hang(collection) == []
        with collection.writer() as writer:
            writer.commit_batch([image("one")], {})
        assert hang(collection) == ["one"]
        with pytest.raises(QueryError, match="nothing in it is indexed yet"):
            ask(collection, *like("one"))
        with collection.writer() as writer:
            writer.ensure_space(ANGLES)
        with pytest.raises(QueryError, match=r"not yet in the space 'angles\.fake'"):
            ask(collection, *like("one"))
        # words or an upload against a space that is still empty: no hits, no error
        hits = ask(collection, Part(PartKind.UPLOAD, "f" * 64), embed=lambda part: vector(3))
        assert ids(hits) == []
