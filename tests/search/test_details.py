"""Searching by details in a real library of painted scenes, their copies and their details."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.errors import QueryError
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import DetailsSift
from bilderatlas.records import Record
from bilderatlas.search.details import (
    N_CANDIDATES,
    RULE,
    search_details,
    worth_verifying,
)
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Part, PartKind, Query, Region
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.kept import engine_of
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore

MODEL_ID = DetailsSift.card.model_id
N_SCENES = 12


def scene(seed: int, width: int = 400, height: int = 300) -> Pixels:
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128, np.uint8)
    for _ in range(140):
        corners = random.integers(0, [width, height], 2) + random.integers(-30, 30, (4, 2))
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        cv2.fillPoly(pixels, [corners.astype(np.int32)], colour)
    return cv2.GaussianBlur(pixels, (0, 0), 0.8)


def _pictures() -> dict[str, Pixels]:
    pictures = {f"scene-{seed}": scene(seed) for seed in range(N_SCENES)}
    pictures["print-of-3"] = np.ascontiguousarray(scene(3)[:, ::-1])
    pictures["detail-of-4"] = np.ascontiguousarray(scene(4)[60:240, 40:280])
    pictures["blank"] = np.full((300, 400, 3), 200, np.uint8)
    return pictures


PICTURES = _pictures()


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectionStore]:
    """Return a collection of twelve scenes, a mirrored print, a detail and a blank sheet."""
    folder = tmp_path_factory.mktemp("details") / "library"
    with LibraryStore.create(folder) as library:
        collection = library.create_collection(
            "scenes", source_kind="folder", source_address="/nowhere"
        )
        images = [
            NewImage(
                Record(name, title=name, year_begin=1600 + place, year_end=1600 + place),
                content_sha256=f"{place:064x}",
                size_wh=(pixels.shape[1], pixels.shape[0]),
            )
            for place, (name, pixels) in enumerate(PICTURES.items())
        ]
        rows = DetailsSift().extract_batch(list(PICTURES.values()))
        with collection.writer() as writer:
            writer.ensure_space(DetailsSift.card)
            writer.commit_batch(images, {MODEL_ID: list(zip(PICTURES, rows, strict=True))})
        yield collection


UPLOADS = {
    "turned-2": cv2.warpAffine(
        scene(2), cv2.getRotationMatrix2D((200, 150), -8, 0.9), (400, 300), flags=cv2.INTER_CUBIC
    ),
    "stranger": scene(99),
    "grey": np.full((200, 200, 3), 128, np.uint8),
}


def features_of(part: Part) -> ImageRows:
    pixels = UPLOADS[part.value] if part.kind is PartKind.UPLOAD else PICTURES[part.value]
    if part.region:
        height, width = pixels.shape[:2]
        region = part.region
        pixels = pixels[
            round(region.y * height) : round((region.y + region.h) * height),
            round(region.x * width) : round((region.x + region.w) * width),
        ]
    return DetailsSift().extract_batch([pixels])[0]


def ask(collection: CollectionStore, *parts: Part, **options: object) -> Hits:
    query = replace(Query(parts, MODEL_ID), **options)
    return search(collection, query, _no_embedding, features_of)


def _no_embedding(part: Part) -> np.ndarray:
    raise AssertionError(f"{part} needs no embedding")


def image(name: str, **options: object) -> Part:
    return replace(Part(PartKind.IMAGE, name), **options)


def upload(name: str) -> Part:
    return Part(PartKind.UPLOAD, name)


def test_an_upload_finds_its_work(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("turned-2"))
    assert hits[0].image_id == "scene-2"
    assert hits[0].match is not None
    assert hits[0].match.verdict == "same work"
    assert hits[0].match.transform == "10 % smaller, turned 8° anticlockwise" or (
        hits[0].match.transform == "11 % larger, turned 8° anticlockwise"
    )
    assert hits[0].score > 0.8 > 0.5 > hits[1].score
    assert hits[0].percentile == pytest.approx(13 / 14)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_the_answer_names_its_criterion(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("turned-2"))
    assert hits.criterion is not None
    assert hits.criterion.model_id == MODEL_ID
    assert hits.criterion.judges_by == DetailsSift.card.judges_by
    assert hits.criterion.rule == hits.query.rule == RULE
    assert (hits.n_works, hits.n_candidates, hits.collection) == (15, 14, "scenes")
    assert hits.version == scenes.version
    assert hits.recall.startswith("exact comparison; the best ")  # so few are all compared
    assert hits.to_json()["hits"][0]["match"]["verdict"] == "same work"


def test_the_query_itself_is_left_out_unless_asked_for(scenes: CollectionStore) -> None:
    alone = ask(scenes, image("scene-4"))
    assert alone[0].image_id == "detail-of-4"
    assert "scene-4" not in [hit.image_id for hit in alone]
    with_itself = ask(scenes, image("scene-4"), include_query=True)
    assert [hit.image_id for hit in with_itself[:2]] == ["scene-4", "detail-of-4"]
    assert with_itself[0].match is not None
    assert with_itself[0].match.transform == "unchanged in size and direction"


def test_a_detail_names_its_region_in_the_whole(scenes: CollectionStore) -> None:
    hits = ask(scenes, image("detail-of-4"))
    assert hits[0].image_id == "scene-4"
    assert hits[0].match is not None
    assert hits[0].match.region_xyxyn == pytest.approx((0.1, 0.2, 0.7, 0.8), abs=0.06)


def test_mirrored_prints_are_found_on_request(scenes: CollectionStore) -> None:
    straight = ask(scenes, image("scene-3"))
    assert all(hit.match is None for hit in straight)
    mirrored = ask(scenes, image("scene-3"), mirrored=True)
    assert mirrored[0].image_id == "print-of-3"
    assert mirrored[0].match is not None
    assert mirrored[0].match.mirrored
    assert mirrored[0].match.transform == "mirrored"
    assert mirrored[0].match.verdict == "same work"


def test_a_region_is_looked_for_alone(scenes: CollectionStore) -> None:
    part = image("scene-4", region=Region(0.2, 0.3, 0.4, 0.4))
    hits = ask(scenes, part, include_query=True)
    assert {hits[0].image_id, hits[1].image_id} == {"scene-4", "detail-of-4"}
    assert all(hit.match for hit in hits[:2])


def test_of_several_pictures_the_best_counts(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("turned-2"), image("detail-of-4"))
    assert {hit.image_id for hit in hits[:2]} == {"scene-2", "scene-4"}
    assert all(hit.match for hit in hits[:2])
    assert not any(hit.match for hit in hits[2:])


def test_filters_and_lists_hold(scenes: CollectionStore) -> None:
    late = ask(scenes, upload("turned-2"), where="year >= 1605")
    assert "scene-2" not in [hit.image_id for hit in late]
    assert not any(hit.match for hit in late)
    assert late.n_candidates == 9
    within = ask(scenes, upload("turned-2"), within=frozenset({"scene-1", "scene-2", "blank"}))
    assert within[0].image_id == "scene-2"
    assert within.n_candidates == 2
    without = ask(scenes, upload("turned-2"), without=frozenset({"scene-2"}))
    assert "scene-2" not in [hit.image_id for hit in without]


def test_a_mask_of_allowed_works_holds(scenes: CollectionStore) -> None:
    allowed = np.zeros(15, np.bool_)
    allowed[[0, 1]] = True
    query = Query((upload("turned-2"),), MODEL_ID)
    hits = search_details(scenes, query, features_of, allowed=allowed)
    assert {hit.image_id for hit in hits} <= {"scene-0", "scene-1"}
    assert hits.n_candidates == 2


def test_a_stranger_is_said_to_have_no_match(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("stranger"))
    assert not any(hit.match for hit in hits)
    assert all(0 < hit.score < 0.5 for hit in hits)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert "blank" not in [hit.image_id for hit in hits]


def test_pages_continue_each_other(scenes: CollectionStore) -> None:
    whole = ask(scenes, upload("turned-2"), k=6)
    first, second = (ask(scenes, upload("turned-2"), k=3, offset=offset) for offset in (0, 3))
    assert [h.image_id for h in whole] == [h.image_id for h in (*first, *second)]
    assert second[0].rank == 4


def test_exact_gives_the_same_first_hit_and_says_so(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("turned-2"), exact=True)
    assert hits[0].image_id == "scene-2"
    assert hits.recall.startswith("exact comparison; the best ")


def test_words_and_counter_examples_have_no_details(scenes: CollectionStore) -> None:
    words, unlike = Part(PartKind.TEXT, "a turban"), image("scene-2", sign=-1)
    with pytest.raises(QueryError, match=r"^Cannot search for the words .* compares pictures only"):
        ask(scenes, words)
    with pytest.raises(QueryError, match=r"unlike 'scene-2'.*--without"):
        ask(scenes, unlike)
    hits = ask(scenes, image("scene-1"), words, unlike)
    assert [each.part for each in hits.inactive] == ["a turban", "scene-2"]
    assert len(hits)
    assert "scene-2" not in [hit.image_id for hit in hits]


def test_verified_works_are_the_better_ones(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("turned-2"))
    assert hits.pool is not None
    assert int(hits.pool.better.sum()) == sum(hit.match is not None for hit in hits)


def test_too_many_pictures_at_once_are_refused(scenes: CollectionStore) -> None:
    with pytest.raises(QueryError, match="at most 20"):
        ask(scenes, *[upload("turned-2")] * 21)


def test_pictures_without_details_are_left_out_with_a_note(scenes: CollectionStore) -> None:
    hits = ask(scenes, upload("turned-2"), upload("grey"))
    assert hits[0].image_id == "scene-2"
    assert any("'upload:grey' was left out" in note for note in hits.notes)
    with pytest.raises(QueryError, match="too few details"):
        ask(scenes, image("blank"))


def test_the_size_decides_who_is_verified() -> None:
    votes = np.zeros(200)
    votes[:100] = 1.0
    votes[50:60] = np.arange(60, 50, -1)
    chosen = worth_verifying(votes).tolist()
    assert chosen == list(range(50, 60))
    assert worth_verifying(np.zeros(10)).tolist() == []
    assert len(worth_verifying(np.linspace(100, 1, N_CANDIDATES))) == N_CANDIDATES
    assert len(worth_verifying(np.r_[np.full(90, 50.0), np.ones(100)])) <= N_CANDIDATES


def test_one_engine_serves_a_space(scenes: CollectionStore) -> None:
    space = scenes.space(MODEL_ID)
    assert engine_of(scenes, space) is engine_of(scenes, scenes.space(MODEL_ID))


def test_a_removed_work_is_no_longer_found(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = library.create_collection("pair", source_kind="folder", source_address="/x")
        names = ["scene-1", "scene-2"]
        rows = DetailsSift().extract_batch([PICTURES[name] for name in names])
        images = [
            NewImage(
                Record(name), content_sha256=name.encode().hex().ljust(64, "0"), size_wh=(400, 300)
            )
            for name in names
        ]
        with collection.writer() as writer:
            writer.ensure_space(DetailsSift.card)
            writer.commit_batch(images, {MODEL_ID: list(zip(names, rows, strict=True))})
        assert ask(collection, upload("turned-2"))[0].image_id == "scene-2"
        with collection.writer() as writer:
            writer.retire(["scene-2"])
        assert "scene-2" not in [hit.image_id for hit in ask(collection, upload("turned-2"))]
