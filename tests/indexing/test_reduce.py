"""Reduced spaces: fitted on a collection's rows, filled from them, searched like any other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.arrays import Embeddings, Metric, Pixels
from bilderatlas.errors import QueryError, StoreError, UnknownNameError, UsageError
from bilderatlas.extractors import EXTRACTORS, Extractor, ImageRows
from bilderatlas.extractors.base import Card
from bilderatlas.extractors.raw import RawPixels
from bilderatlas.extractors.reduced import Projection, ReducedExtractor, fit_pca, reduced_id
from bilderatlas.indexing.reduce import complete_reduced, reduce_space
from bilderatlas.indexing.spaces import choose_extractors, extractor_of
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.projections import ensure_projected_space
from tests.indexing.conftest import MakeFolder
from tests.store.building import card, details_of, new_image, sha256_of

D = 24
BASE = "numbers.test"


def base_vector(image_id: str) -> np.ndarray:
    """Return numbers that vary in a few directions more than in others, far from the origin."""
    random = np.random.default_rng(int(sha256_of(image_id)[:8], 16))
    spread = 10.0 * 0.75 ** np.arange(D)
    return (random.normal(0, spread) + 30).astype(np.float32)[None]


def add(
    collection: CollectionStore, ids: list[str], *, dtype: str = "f32", **facts: object
) -> None:
    with collection.writer() as writer:
        writer.ensure_space(card(BASE, dtype=dtype, dim=D, **facts))
        rows = [(image_id, ImageRows(base_vector(image_id))) for image_id in ids]
        for start in range(0, len(ids), 30):
            batch = ids[start : start + 30]
            writer.commit_batch([new_image(one) for one in batch], {BASE: rows[start : start + 30]})


def works(library: LibraryStore, n: int = 80, name: str = "works") -> CollectionStore:
    collection = library.create_collection(name, source_kind="folder", source_address=f"/{name}")
    add(collection, [f"w{number}" for number in range(n)])
    return collection


def exact_pca(vectors: np.ndarray, dim: int) -> np.ndarray:
    """Return what a singular value decomposition of the centred rows says."""
    centred = vectors.astype(np.float64) - vectors.astype(np.float64).mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    return u[:, :dim] * s[:dim]


def distances(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors[:, None] - vectors[None], axis=2)


def stored(collection: CollectionStore, model_id: str, ids: list[str]) -> np.ndarray:
    view = collection.space(model_id).snapshot()
    return np.concatenate([view.vectors_of(image_id) for image_id in ids])


@pytest.mark.parametrize("n", [14, 24, 25, 80])  # fewer rows than dimensions, as many, more
def test_a_fit_is_the_singular_value_decomposition(n: int) -> None:
    vectors = np.concatenate([base_vector(f"w{number}") for number in range(n)])
    fitted = fit_pca(lambda: [vectors[:9], vectors[9:]], 6)
    exact = exact_pca(vectors, 6)
    found = fitted.projection.apply(vectors)
    assert np.allclose(np.abs(found), np.abs(exact), atol=1e-3)
    centred = vectors - vectors.mean(axis=0)
    assert fitted.explained_variance == pytest.approx((exact**2).sum() / (centred**2).sum(), 1e-5)
    strongest = np.abs(fitted.projection.components).argmax(axis=1)
    assert (fitted.projection.components[np.arange(6), strongest] > 0).all()


def test_whitened_rows_have_unit_covariance() -> None:
    vectors = np.concatenate([base_vector(f"w{number}") for number in range(60)])
    fitted = fit_pca(lambda: [vectors], 5, whiten=True)
    assert np.allclose(np.cov(fitted.projection.apply(vectors).T), np.eye(5), atol=1e-3)


def test_rows_that_do_not_vary_are_refused() -> None:
    same = np.ones((20, D), np.float32)
    with pytest.raises(UsageError, match="differ in 0 directions"):
        fit_pca(lambda: [same], 2)
    line = same * np.arange(20, dtype=np.float32)[:, None]
    with pytest.raises(UsageError, match="differ in 1 directions"):
        fit_pca(lambda: [line], 2, whiten=True)


def test_a_projection_survives_its_file() -> None:
    fitted = fit_pca(lambda: [np.concatenate([base_vector(str(n)) for n in range(30)])], 4)
    again = Projection.from_bytes(fitted.projection.to_bytes())
    assert np.array_equal(again.mean, fitted.projection.mean)
    assert np.array_equal(again.components, fitted.projection.components)
    with pytest.raises(StoreError):
        Projection.from_bytes(fitted.projection.to_bytes()[:-5])
    with pytest.raises(StoreError):
        Projection.from_bytes(b"")


def test_neighbours_agree_with_the_exact_analysis(tmp_path: Path) -> None:
    ids = [f"w{number}" for number in range(80)]
    with LibraryStore.create(tmp_path / "library") as library:
        report = reduce_space(works(library), BASE, 8)
        assert (report.fitted, report.n_fitted_on, report.n_projected) == (True, 80, 80)
    with LibraryStore.open(tmp_path / "library") as library:  # as a later process finds it
        collection = library.get_collection("works")
        assert collection.check() == []
        vectors = np.concatenate([base_vector(image_id) for image_id in ids])
        found = stored(collection, report.model_id, ids)
        exact = exact_pca(vectors, 8)
        assert np.allclose(distances(found), distances(exact), atol=1e-2)
        nearest = np.argsort(distances(found), axis=1, kind="stable")[:, 1:6]
        assert np.array_equal(nearest, np.argsort(distances(exact), axis=1, kind="stable")[:, 1:6])
        facts = collection.space(report.model_id).card_json
        assert facts["metrics"][0] == Metric.EUCLIDEAN and facts["dim"] == 8
        assert facts["projection"]["fitted_on"].startswith("works@")
        assert "from 24 to 8 numbers" in facts["sees"]


def test_later_works_are_projected_as_the_first_were(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = works(library, 60)
        target = reduce_space(collection, BASE, 5).model_id
        before = stored(collection, target, ["w7"])
        sha256 = collection.space(target).card_json["projection"]["sha256"]
        add(collection, ["later"])
        with collection.writer() as writer:
            assert writer.missing(target) == ["later"]
            assert complete_reduced(collection, writer, [target]) == {target: 1}
        projection = Projection.from_bytes(
            next(collection.space_folder(target).glob("projection-*.npy")).read_bytes()
        )
        assert np.array_equal(
            stored(collection, target, ["later"]), projection.apply(base_vector("later"))
        )
        again = reduce_space(collection, BASE, 5)
        assert (again.fitted, again.n_projected) == (False, 0)
        assert np.array_equal(stored(collection, target, ["w7"]), before)
        anew = reduce_space(collection, BASE, 5, refit=True)
        assert (anew.fitted, anew.n_fitted_on, anew.n_projected) == (True, 61, 61)
        assert collection.space(target).card_json["projection"]["sha256"] != sha256
        with collection.writer():
            pass  # sweeps the projection that nobody names any longer
        assert len(list(collection.space_folder(target).glob("projection-*.npy"))) == 1
        assert collection.check() == []


def test_works_that_are_gone_are_not_fitted_on(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = works(library, 50)
        with collection.writer() as writer:
            writer.retire([f"w{number}" for number in range(10)])
        report = reduce_space(collection, BASE, 4)
        assert (report.n_fitted_on, report.n_projected) == (40, 40)
        expected = fit_pca(
            lambda: [np.concatenate([base_vector(f"w{number}") for number in range(10, 50)])], 4
        )
        assert report.explained_variance == pytest.approx(expected.explained_variance, abs=1e-6)


def test_what_cannot_be_reduced_is_refused(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = works(library, 10)
        with collection.writer() as writer:
            writer.ensure_space(card("details.test", dtype="u8", many_rows=True))
            writer.ensure_space(card("poses.test", many_rows=True, rows_are="figure"))
            writer.commit_batch([], {"details.test": [("w1", details_of("w1"))]})
        with pytest.raises(UsageError, match="only 10 works"):
            reduce_space(collection, BASE, 12)
        for dim in (0, D, D + 1):
            with pytest.raises(UsageError, match="from 1 to 23"):
                reduce_space(collection, BASE, dim)
        for model_id in ("details.test", "poses.test"):
            with pytest.raises(UsageError, match="many rows"):
                reduce_space(collection, model_id, 2)
        with pytest.raises(UnknownNameError):
            reduce_space(collection, "nothing.test", 2)
        target = reduce_space(collection, BASE, 4).model_id
        with pytest.raises(UsageError, match="reduced already"):
            reduce_space(collection, target, 2)
        assert set(collection.model_ids()) == {BASE, "details.test", "poses.test", target}


def test_a_damaged_projection_is_found_and_fitted_anew(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = works(library, 40)
        target = reduce_space(collection, BASE, 4).model_id
        path = next(collection.space_folder(target).glob("projection-*.npy"))
        content = bytearray(path.read_bytes())
        content[-3] ^= 1
        path.write_bytes(content)
        assert [finding.kind for finding in collection.check()] == ["projection"]
        add(collection, ["later"])
        with collection.writer() as writer, pytest.raises(StoreError, match="--refit"):
            complete_reduced(collection, writer, [target])
        assert reduce_space(collection, BASE, 4).fitted
        assert collection.check() == []
        path = next(collection.space_folder(target).glob("projection-*.npy"))
        path.unlink()
        assert [finding.kind for finding in collection.check()] == ["projection"]


def test_a_backup_brings_the_projection(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        target = reduce_space(works(library, 40), BASE, 4).model_id
        library.backup(tmp_path / "backup.tar")
    with LibraryStore.restore(tmp_path / "backup.tar", tmp_path / "restored") as library:
        collection = library.get_collection("works")
        assert collection.check() == []
        assert not reduce_space(collection, BASE, 4).fitted
        assert collection.space(target).n_images == 40


def test_other_weights_of_the_base_leave_the_reduced_rows_alone(tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        collection = works(library, 40)
        target = reduce_space(collection, BASE, 4).model_id
        before = stored(collection, target, ["w3"])
        with collection.writer() as writer:
            writer.ensure_space(card(BASE, dim=D, weights_sha256="ab" * 32))
            rows = [(f"w{n}", ImageRows(2 * base_vector(f"w{n}"))) for n in range(40)]
            writer.commit_batch([], {BASE: rows})
            assert complete_reduced(collection, writer, [target]) == {}
        assert np.array_equal(stored(collection, target, ["w3"]), before)
        assert reduce_space(collection, BASE, 4).fitted


def killed(root: Path, deadly: int) -> int:
    """Reduce in a process that dies at its `deadly`-th write point; return how many it passed."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom sqlalchemy import event\n"
        "from bilderatlas.store.library import LibraryStore\n"
        "from bilderatlas.indexing import reduce\n"
        "from tests.store.killed_writer import WritePoints\n"
        "reduce.BLOCK_ROWS = 16\n"
        "points = WritePoints(int(sys.argv[2]))\n"
        "with LibraryStore.open(Path(sys.argv[1])) as library:\n"
        "    for name in ('replace', 'fsync', 'unlink'):\n"
        "        points.watch(name)\n"
        "    event.listen(library.database, 'commit', lambda _connection: points.pass_one())\n"
        "    reduce.reduce_space(library.get_collection('works'), 'numbers.test', 5)\n"
        "print(points.count)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root), str(deadly)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return int(done.stdout) if done.returncode == 0 else 0


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
@pytest.mark.parametrize("n_kills", [4, pytest.param(1000, marks=pytest.mark.slow)])
def test_killed_anywhere_it_goes_on_where_it_was(n_kills: int, tmp_path: Path) -> None:
    with LibraryStore.create(tmp_path / "library") as library:
        works(library, 60)
        library.backup(tmp_path / "start.tar")
    n_points = killed(tmp_path / "library", 0)
    with LibraryStore.open(tmp_path / "library") as library:
        expected = stored(library.get_collection("works"), reduced_id(BASE, 5), ["w1", "w59"])
    for deadly in range(1, n_points + 1, max(1, n_points // n_kills)):
        root = tmp_path / f"killed-{deadly}"
        LibraryStore.restore(tmp_path / "start.tar", root).close()
        assert killed(root, deadly) == 0
        with LibraryStore.open(root) as library:
            collection = library.get_collection("works")
            reduce_space(collection, BASE, 5)
            assert collection.check() == []
            target = collection.space(reduced_id(BASE, 5))
            assert target.n_images == target.n_rows == 60
            assert np.array_equal(stored(collection, target.model_id, ["w1", "w59"]), expected)


# With real pictures and a real extractor -----------------------------------------------------


@pytest.fixture
def pictures(make_folder: MakeFolder, store: LibraryStore) -> CollectionStore:
    from bilderatlas.indexing import IndexOptions, index_source
    from bilderatlas.sources import open_source

    source = open_source(str(make_folder(20)))
    index_source(store, source, "works", IndexOptions(extractors=(RawPixels.card.model_id,)))
    source.close()
    return store.get_collection("works")


def test_a_picture_is_embedded_by_the_base_and_projected(pictures: CollectionStore) -> None:
    target = reduce_space(pictures, RawPixels.card.model_id, 12).model_id
    extractor = extractor_of(pictures, target)
    assert extractor.card.to_json()["projection"] == pictures.space(target).card_json["projection"]
    pixels: Pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    facts = pictures.space(target).card_json
    content = (pictures.space_folder(target) / facts["projection"]["file"]).read_bytes()
    expected = Projection.from_bytes(content).apply(RawPixels().embed_images([pixels]))
    assert np.array_equal(extractor.embed_images([pixels]), expected)
    assert not extractor.is_default_for("folder")
    with pytest.raises(QueryError, match="compares pictures only"):
        extractor.embed_texts(["turban"])


def test_a_reduced_space_brings_its_base_along(pictures: CollectionStore) -> None:
    raw = RawPixels.card.model_id
    target = reduce_space(pictures, raw, 6).model_id
    chosen = choose_extractors(pictures, [target, "palette_lab.pixels", raw])
    assert [one.card.model_id for one in chosen.extractors] == [raw, "palette_lab.pixels"]
    assert chosen.reduced == [target]
    with pytest.raises(UnknownNameError):
        choose_extractors(pictures, [f"{raw}~pca7"])
    with pytest.raises(UnknownNameError):
        choose_extractors(None, [target])
    with pytest.raises(UnknownNameError):
        extractor_of(pictures, f"{raw}~pca7")


def test_a_reduced_space_without_its_base_is_extracted_in_one_go(
    pictures: CollectionStore, store: LibraryStore
) -> None:
    """As when it came with a feature package, into a collection without its base."""
    raw = RawPixels.card.model_id
    target = reduce_space(pictures, raw, 6).model_id
    space = pictures.space(target)
    other = store.create_collection("other", source_kind="folder", source_address="/other")
    with other.writer() as writer:
        content = (space.folder / space.card_json["projection"]["file"]).read_bytes()
        ensure_projected_space(writer, Card.from_json(space.card_json), content)
    chosen = choose_extractors(other, [target])
    assert [one.card.model_id for one in chosen.extractors] == [target]
    assert chosen.reduced == []
    chosen = choose_extractors(other, [target, raw])
    assert [one.card.model_id for one in chosen.extractors] == [raw]
    assert chosen.reduced == [target]


def test_a_projection_from_elsewhere_is_no_damage(tmp_path: Path) -> None:
    facts = {"kind": "unknown", "file": "clip_reducer.dill"}
    with LibraryStore.create(tmp_path / "library") as library:
        collection = library.create_collection("x", source_kind="npy", source_address="/x")
        add(collection, ["a", "b", "c"], projection=facts)
        assert collection.check() == []
        with pytest.raises(UsageError, match="reduced already"):
            reduce_space(collection, BASE, 2)


class Words(RawPixels):
    """A base whose words and pictures are numbers that can be computed in the head."""

    card = replace(card(BASE, dim=4), embeds_text=True)

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        return np.array([[len(text), 0, 1, 2] for text in texts], np.float32)


def test_words_are_embedded_by_the_base_and_projected() -> None:
    projection = Projection(
        np.array([1, 0, 1, 0], np.float32), np.array([[1, 0, 0, 0], [0, 0, 0, 2]], np.float32)
    )
    facts = {"dim": 2, "whitened": False, "explained_variance": 0.5, "fitted_on": "works@3"}
    extractor = ReducedExtractor(Words(), projection, facts)
    assert extractor.embed_texts(["ship", "sea"]).tolist() == [[3, 4], [2, 4]]
    assert extractor.card.embeds_text and extractor.card.model_id == f"{BASE}~pca2"


def test_two_collections_have_two_projections(store: LibraryStore) -> None:
    one, other = works(store, 40), works(store, 30, "other")
    targets = [reduce_space(collection, BASE, 4).model_id for collection in (one, other)]
    shas = {
        collection.space(target).card_json["projection"]["sha256"]
        for collection, target in zip((one, other), targets, strict=True)
    }
    assert targets[0] == targets[1] and len(shas) == 2


class OtherRaw(RawPixels):
    """Raw pixels of a later version: the same picture gives other numbers."""

    card = RawPixels.card.__class__.from_json(RawPixels.card.to_json() | {"version": 2})


def test_a_base_of_another_version_is_refused(
    pictures: CollectionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = RawPixels.card.model_id
    target = reduce_space(pictures, raw, 6).model_id
    members: dict[str, Extractor] = EXTRACTORS._members
    monkeypatch.setitem(members, raw, OtherRaw())
    with pytest.raises(QueryError, match="--refit"):
        extractor_of(pictures, target)
