"""Searching by poses in a real library whose works show figures with known joints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.arrays import Metric
from bilderatlas.errors import NotFoundError, QueryError, SpaceMismatchError
from bilderatlas.extractors.base import Card, ImageRows
from bilderatlas.extractors.pose_vectors import DIM, rows_of_figures
from bilderatlas.records import Record
from bilderatlas.search.figures import MAX_FIGURES
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Part, PartKind, Query, Region
from bilderatlas.search.run import search
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.images import NewImage
from bilderatlas.store.library import LibraryStore
from tests.search.conftest import ANGLES, vector

SIZE = (400, 300)
SWAPPED = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
CARD = Card(
    model_id="poses.fake",
    judges_by="the pose of figures",
    sees="Figures are alike that hold themselves alike.",
    dim=DIM,
    dtype="f32",
    metrics=(Metric.ANGULAR, Metric.EUCLIDEAN, Metric.MANHATTAN),
    side_px=1,
    preprocessing=(),
    weights_sha256="cd" * 32,
    many_rows=True,
    rows_are="figure",
)


def figure(kind: str, x: float = 200, y: float = 150, height: float = 200) -> np.ndarray:
    """Return the joints `(17, 3)` of a figure around (x, y): how it stands is its name."""
    places = np.array(
        [
            (0, -.5), (.02, -.52), (-.02, -.52), (.045, -.5), (-.045, -.5), (.1, -.34), (-.1, -.34),
            (.15, -.14), (-.15, -.14), (.16, .06), (-.16, .06), (.06, .05), (-.06, .05),
            (.07, .28), (-.07, .28), (.08, .5), (-.08, .5),
        ]
    )  # fmt: skip
    if "points" in kind:  # with the left arm
        places[[7, 9]] = [(0.3, -0.36), (0.48, -0.4)]
    if "prays" in kind:
        places[[7, 9, 8, 10]] = [(0.14, -0.16), (0.02, -0.26), (-0.14, -0.16), (-0.02, -0.26)]
    if "kneels" in kind:
        places[13:] = [(0.1, 0.24), (-0.05, 0.24), (-0.1, 0.26), (-0.25, 0.26)]
    if "lies" in kind:
        places = places[:, ::-1] * [-1, 1]
    if "mirrored" in kind:
        places = (places * [-1, 1])[SWAPPED]
    return np.c_[places * height + [x, y], np.ones(17)]


WORKS: dict[str, list[np.ndarray]] = {
    "stands": [figure("stands")],
    "points": [figure("points", 120, 160, 150)],
    "points-mirrored": [figure("points mirrored", 250, 140, 190)],
    "prays": [figure("prays")],
    "kneels": [figure("kneels prays", 300, 200, 90)],
    "lies": [figure("lies")],
    "two": [figure("lies", 120, 250, 150), figure("points", 320, 120, 120)],
    "crowd": [figure("stands", 80, 150, 160), figure("kneels prays", 300, 200, 100)],
    "landscape": [],
}
UPLOADS = {
    "a pointing man": [figure("points", 50, 60, 80)],
    "two men": [figure("kneels prays", 300, 200, 99), figure("points", 60, 60, 80)],
    "a tree": [],
}


def rows_of(figures: list[np.ndarray]) -> ImageRows:
    return rows_of_figures(np.array(figures).reshape(-1, 17, 3), SIZE)


@pytest.fixture(scope="module")
def poses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectionStore]:
    """Return eight works with figures, a landscape, and a work that is in no space yet."""
    folder: Path = tmp_path_factory.mktemp("poses") / "library"
    with LibraryStore.create(folder) as library:
        collection = library.create_collection(
            "poses", source_kind="folder", source_address="/nowhere"
        )
        names = [*WORKS, "new"]
        images = [
            NewImage(
                Record(name, title=name, year_begin=1600 + place, year_end=1600 + place),
                content_sha256=f"{place:064x}",
                size_wh=SIZE,
            )
            for place, name in enumerate(names)
        ]
        with collection.writer() as writer:
            writer.ensure_space(CARD)
            rows = [(name, rows_of(figures)) for name, figures in WORKS.items()]
            writer.commit_batch(images, {CARD.model_id: rows})
        yield collection


def features_of(part: Part) -> ImageRows:
    assert part.region is None, "figures are chosen from the whole picture"
    if part.kind is PartKind.UPLOAD:
        return rows_of(UPLOADS[part.value])
    raise NotFoundError(f"There is no image '{part.value}'.")


def no_embedding(part: Part) -> np.ndarray:
    raise AssertionError(f"{part} needs no embedding")


def ask(collection: CollectionStore, *parts: Part, **options: object) -> Hits:
    query = replace(Query(parts, CARD.model_id), **options)
    return search(collection, query, no_embedding, features_of)


def like(name: str, **options: object) -> Part:
    kind = PartKind.UPLOAD if name in UPLOADS else PartKind.IMAGE
    return replace(Part(kind, name), **options)


def unlike(name: str, **options: object) -> Part:
    return like(name, sign=-1, **options)


def ids(hits: Hits) -> list[str]:
    return [hit.image_id for hit in hits]


def test_any_figure_of_a_work_answers(poses: CollectionStore) -> None:
    hits = ask(poses, like("points"))
    assert ids(hits)[0] == "two"
    assert hits[0].score == pytest.approx(1, abs=1e-5)
    assert len(set(ids(hits))) == len(hits) == 7  # each once; the landscape and the new one never
    assert "landscape" not in ids(hits) and "new" not in ids(hits)
    assert hits.n_candidates == 8 and hits.n_works == 10 and hits.recall == "exact"
    assert hits.criterion is not None and hits.criterion.metric == "angular"


def test_the_hit_says_which_figure(poses: CollectionStore) -> None:
    found = ask(poses, like("points"))[0].figure
    assert found is not None and not found.mirrored and found.part == "points"
    x1, y1, x2, y2 = found.region_xyxyn
    assert 0.7 < x1 < x2 < 1 and 0 < y1 < y2 < 0.7  # the one on the right, not the one that lies
    assert found.query_region_xyxyn is not None and found.query_region_xyxyn[2] < 0.6
    joints = [joint for joint in found.joints_xyn if joint is not None]
    assert np.array(joints) * SIZE == pytest.approx(WORKS["two"][1][:, :2], abs=0.05)
    assert ask(poses, like("points"))[0].region_xyxyn == found.region_xyxyn


def test_a_picture_of_many_asks_each_of_its_figures(poses: CollectionStore) -> None:
    hits = ask(poses, like("two men"))
    assert set(ids(hits)[:4]) == {"points", "two", "kneels", "crowd"}
    assert all(hit.score == pytest.approx(1, abs=1e-5) for hit in hits[:4])
    assert all(hit.figure is not None and hit.figure.part == "upload:two men" for hit in hits)


def test_a_region_chooses_the_figures_whose_centre_it_holds(poses: CollectionStore) -> None:
    right = Region(0.5, 0, 0.5, 1)
    assert set(ids(ask(poses, like("two men", region=right)))[:2]) == {"kneels", "crowd"}
    assert ids(ask(poses, like("two", region=right)))[0] == "points"
    assert ids(ask(poses, like("two", region=Region(0, 0.6, 0.5, 0.4))))[0] == "lies"
    with pytest.raises(QueryError, match="No figure has its middle in that region"):
        ask(poses, like("two", region=Region(0, 0, 0.1, 0.1)))


def test_mirror_images_on_request_only(poses: CollectionStore) -> None:
    plain = ask(poses, like("points"))
    mirrored = ask(poses, like("points"), mirrored=True)
    assert ids(plain).index("points-mirrored") > 1
    assert set(ids(mirrored)[:2]) == {"two", "points-mirrored"}
    by_id = {hit.image_id: hit for hit in mirrored}
    assert by_id["points-mirrored"].score == pytest.approx(1, abs=1e-5)
    assert by_id["points-mirrored"].figure is not None
    assert by_id["points-mirrored"].figure.mirrored
    assert by_id["two"].figure is not None and not by_id["two"].figure.mirrored
    assert mirrored.notes == ()


@pytest.mark.parametrize("metric", CARD.metrics)
def test_every_metric_of_the_card(poses: CollectionStore, metric: Metric) -> None:
    hits = ask(poses, like("points"), metric=metric)
    assert ids(hits)[0] == "two" and hits[-1].score < hits[0].score
    best = 1 if metric is Metric.ANGULAR else 0
    assert hits[0].score == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("rule", ["difference", "ranking", "contrast"])
def test_one_figure_alone_is_plain_search_under_every_rule(
    poses: CollectionStore, rule: str
) -> None:
    hits = ask(poses, like("kneels"), rule=rule)
    assert ids(hits) == ids(ask(poses, like("kneels")))
    assert hits[0].score == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("rule", ["difference", "contrast"])
def test_counter_examples_push_works_down(poses: CollectionStore, rule: str) -> None:
    parts = (like("a pointing man"), unlike("lies"))
    alone = ids(ask(poses, parts[0], rule=rule))
    with_unlike = ask(poses, *parts, rule=rule, lambda_=1.0)
    assert alone[:2] == ["points", "two"]
    # the one that lies beside the one that points counts against "two"
    assert ids(with_unlike)[0] == "points"
    assert ids(with_unlike).index("two") > 1
    assert "lies" not in ids(with_unlike)  # parts of the query are no hits
    assert all(hit.figure is not None and hit.figure.part != "lies" for hit in with_unlike)


def test_ranking_puts_works_last_that_are_nearer_to_a_counter_example(
    poses: CollectionStore,
) -> None:
    hits = ask(poses, like("a pointing man"), unlike("kneels"), rule="ranking")
    assert ids(hits)[:2] == ["points", "two"] and ids(hits)[-1] == "crowd"


@pytest.mark.parametrize("rule", ["difference", "ranking", "contrast"])
@pytest.mark.parametrize("metric", CARD.metrics)
def test_counter_examples_alone_turn_the_list_round(
    poses: CollectionStore, rule: str, metric: Metric
) -> None:
    nearest_first = ids(ask(poses, like("stands"), metric=metric))
    hits = ask(poses, unlike("stands"), rule=rule, metric=metric)
    assert sorted(ids(hits)) == sorted(nearest_first)
    # works of equal likeness stand in the order of the collection both times
    assert ids(hits)[0] in {"lies", "two"} and ids(hits)[-1] == "crowd"
    assert all(hit.figure is None for hit in hits)


def test_two_examples_may_be_answered_by_two_figures_of_one_work(poses: CollectionStore) -> None:
    for rule in ("difference", "contrast"):
        hits = ask(poses, like("lies"), like("a pointing man"), rule=rule)
        assert ids(hits)[0] == "two"
        assert hits[0].score == pytest.approx(1, abs=1e-5)


def test_difference_ranks_single_figures_as_the_difference_of_vectors(
    poses: CollectionStore,
) -> None:
    """Under the angular metric, for works of one figure: cos(mean(a, b) − c / 1, x) in order."""
    within = frozenset(["stands", "points", "points-mirrored", "prays", "kneels", "lies"])
    hits = ask(
        poses, like("stands", weight=2), like("kneels"), unlike("points"),
        within=within, include_query=True,
    )  # fmt: skip
    rows = {name: rows_of(WORKS[name]).vectors[0] for name in within}
    # examples weigh 2 and 1, 1.5 on average; the counter-example 1
    direction = (2 * rows["stands"] + rows["kneels"]) / 3 - rows["points"] / 1.5
    order = sorted(within, key=lambda name: -float(rows[name] @ direction))
    assert ids(hits) == order


def test_filters_offset_and_lists(poses: CollectionStore) -> None:
    whole = ask(poses, like("a pointing man"))
    assert ids(ask(poses, like("a pointing man"), k=3, offset=2)) == ids(whole)[2:5]
    filtered = ask(poses, like("a pointing man"), where="year >= 1602 and year <= 1604")
    assert set(ids(filtered)) == {"points-mirrored", "prays", "kneels"}
    assert filtered.n_candidates == 3
    percentiles = {hit.image_id: hit.percentile for hit in whole}
    assert all(hit.percentile == percentiles[hit.image_id] for hit in filtered)
    assert percentiles["points"] == pytest.approx(6 / 8)  # equal to "two": neither is lower
    within = ask(poses, like("a pointing man"), within=frozenset(["lies", "landscape", "new"]))
    assert ids(within) == ["lies"]
    assert "points" not in ids(ask(poses, like("a pointing man"), without=frozenset(["points"])))
    assert ids(ask(poses, like("points"), include_query=True))[:2] == ["points", "two"]


def test_a_work_without_figures_cannot_be_asked_and_says_why(poses: CollectionStore) -> None:
    with pytest.raises(QueryError, match="found nothing in the picture"):
        ask(poses, like("landscape"))
    with pytest.raises(QueryError, match="not yet in the space"):
        ask(poses, like("new"))
    with pytest.raises(QueryError, match="no figure in it"):
        ask(poses, like("a tree"))
    hits = ask(poses, like("points"), like("landscape"))
    assert ids(hits)[0] == "two"
    assert len(hits.notes) == 1 and "'landscape' was left out" in hits.notes[0]
    with pytest.raises(QueryError, match="hits should be like"):
        ask(poses, like("landscape"), unlike("points"))


def test_what_means_nothing_here_is_refused(poses: CollectionStore) -> None:
    with pytest.raises(QueryError, match="Choose 'difference', 'ranking' or 'contrast'"):
        ask(poses, like("points"), rule="projection")
    with pytest.raises(QueryError, match="poses of figures only"):
        ask(poses, Part(PartKind.TEXT, "a kneeling man"))
    with pytest.raises(QueryError, match="made for 'angular' or 'euclidean' or 'manhattan'"):
        ask(poses, like("points"), metric=Metric.DOT)
    with pytest.raises(QueryError, match="expected a number from 0"):
        ask(poses, like("points"), unlike("lies"), metric=Metric.EUCLIDEAN, lambda_=-1.0)


def test_a_crowd_too_large_to_ask_is_refused(poses: CollectionStore) -> None:
    many = rows_of([figure("points")] * (MAX_FIGURES + 1))
    query = Query((like("a pointing man"),), CARD.model_id)
    with pytest.raises(QueryError, match=f"at most {MAX_FIGURES}"):
        search(poses, query, no_embedding, lambda _: many)


def test_vectors_of_another_space_are_refused(poses: CollectionStore) -> None:
    wrong = ImageRows(np.ones((1, 4), np.float32), np.zeros((1, 4), np.float32), SIZE)
    with pytest.raises(SpaceMismatchError):
        search(poses, Query((like("a tree"),), CARD.model_id), no_embedding, lambda _: wrong)


def test_rows_that_do_not_say_where_they_are(poses: CollectionStore) -> None:
    bare = ImageRows(rows_of(UPLOADS["a pointing man"]).vectors)
    query = Query((like("a pointing man"),), CARD.model_id)
    hits = search(poses, query, no_embedding, lambda _: bare)
    assert ids(hits)[:2] == ["points", "two"]
    assert hits[0].figure is not None and hits[0].figure.query_region_xyxyn is None
    part = like("a pointing man", region=Region(0, 0, 0.5, 0.5))
    with pytest.raises(QueryError, match="does not say where its figures stand"):
        search(poses, replace(query, parts=(part,)), no_embedding, lambda _: bare)


def test_the_answer_is_json(poses: CollectionStore) -> None:
    found = ask(poses, like("points"), mirrored=True).to_json()
    assert found["query"]["mirrored"] is True
    first = found["hits"][0]
    assert set(first["figure"]) == {
        "region_xyxyn", "joints_xyn", "part", "query_region_xyxyn", "score", "mirrored",
    }  # fmt: skip
    assert "match" not in first


def test_a_random_hang_shows_every_work(poses: CollectionStore) -> None:
    hits = ask(poses)
    assert len(hits) == 10 and all(hit.figure is None for hit in hits)


def test_removed_works_answer_no_more(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = library.create_collection("p", source_kind="folder", source_address="/no")
        images = [
            NewImage(Record(name), content_sha256=f"{place:064x}", size_wh=SIZE)
            for place, name in enumerate(WORKS)
        ]
        with collection.writer() as writer:
            writer.ensure_space(CARD)
            rows = [(name, rows_of(figures)) for name, figures in WORKS.items()]
            writer.commit_batch(images, {CARD.model_id: rows})
            writer.retire(["two"])
        assert ids(ask(collection, like("a pointing man")))[0] == "points"
        assert "two" not in ids(ask(collection, like("a pointing man")))
        assert not [finding for finding in collection.check() if finding.severity == "error"]


def test_no_work_may_be_a_hit(poses: CollectionStore) -> None:
    hits = ask(poses, like("points"), unlike("lies"), within=frozenset(["landscape"]))
    assert len(hits) == 0 and hits.n_candidates == 0


@pytest.mark.parametrize("rule", ["difference", "ranking", "contrast"])
def test_a_collection_without_any_figure(tmp_path: Path, rule: str) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = library.create_collection("p", source_kind="folder", source_address="/no")
        image = NewImage(Record("landscape"), content_sha256="0" * 64, size_wh=SIZE)
        with collection.writer() as writer:
            writer.ensure_space(CARD)
            writer.commit_batch([image], {CARD.model_id: [("landscape", rows_of([]))]})
        hits = ask(collection, like("two men"), unlike("a pointing man"), rule=rule, mirrored=True)
        assert len(hits) == 0 and hits.n_candidates == 0


# Among other criteria


def test_poses_are_mixed_with_other_criteria(poses: CollectionStore) -> None:
    degrees = dict.fromkeys(WORKS, 90.0) | {"stands": 0.0, "landscape": 1.0, "prays": 60.0}
    with poses.writer() as writer:
        writer.ensure_space(ANGLES)
        rows = [(name, ImageRows(vector(angle))) for name, angle in degrees.items()]
        writer.commit_batch([], {ANGLES.model_id: rows})
    parts = (Part(PartKind.IMAGE, "stands"), Part(PartKind.TEXT, "a man"))
    blend = ((CARD.model_id, 1.0), (ANGLES.model_id, 1.0))

    def rows_in(model_id: str):
        def refuse(part: Part) -> ImageRows:
            raise QueryError(f"'{model_id}' compares pictures only.")

        return refuse

    hits = search(poses, Query(parts, blend=blend), lambda part: vector(0), rows_in=rows_in)
    shares = {hit.image_id: [share.percentile for share in hit.shares] for hit in hits}
    assert shares["landscape"][0] == 0  # shows no figure: the last there
    assert shares["landscape"][1] == pytest.approx(7 / 9)
    assert shares["crowd"][0] >= 6 / 8  # one of its figures stands, too
    assert "new" not in shares
    assert [each.part for each in hits.inactive] == ["a man"]


def test_the_pool_holds_the_works_that_show_figures(poses: CollectionStore) -> None:
    query = Query((Part(PartKind.IMAGE, "stands"),), CARD.model_id, sort="-date", k=3)
    hits = search(poses, query, lambda part: vector(0), features_of)
    assert [hit.image_id for hit in hits] == ["crowd", "two", "lies"]
    assert hits.stop is None
    assert hits.pool is not None
    assert int(hits.pool.mask.sum()) == 7
    assert all(hit.figure is not None for hit in hits)
