"""Feature packages from the outside: publish, take in without a picture, search, verify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from bilderatlas.api import Library, create, index
from bilderatlas.api.features import (
    Publication,
    diff_packages,
    export_features,
    take_in_features,
    validate_package,
    verify_package,
)
from bilderatlas.cli.main import run
from bilderatlas.errors import ConflictError, ImageError, NotFoundError, QueryError, UsageError
from bilderatlas.exchange.manifest import read_manifest
from bilderatlas.indexing import IndexOptions
from bilderatlas.web.app import create_app
from bilderatlas.web.security import Access
from tests.exchange.packages import paint, write_package
from tests.exchange.small_network import SmallExtractor

N = 7
RAW = "raw_32.pixels"


@pytest.fixture
def works(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    rows = ["file,title,rights,image url"]
    for seed in range(N):
        Image.fromarray(paint(seed).pixels).save(folder / f"{seed}.png")
        rows.append(
            f"{seed}.png,Work {seed},https://creativecommons.org/publicdomain/zero/1.0/,"
            f"https://museum.example/{seed}.jpg"
        )
    (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")
    return folder


@pytest.fixture
def library(tmp_path: Path, works: Path) -> Iterator[Library]:
    with create(tmp_path / "library") as made:
        index(made, str(works), "mine", options=IndexOptions(extractors=(RAW,)))
        yield made


@pytest.fixture
def package(library: Library, tmp_path: Path) -> Path:
    told = Publication("Seven works", "A. Author", "0000-0002-1825-0097", "CC0-1.0", "", ("doi:1",))
    export_features(library, "mine", RAW, tmp_path / "package", told)
    return tmp_path / "package"


def test_what_a_publisher_says(package: Path) -> None:
    manifest = read_manifest(package)
    assert manifest.title == "Seven works"
    assert manifest.creator is not None and manifest.creator.orcid == "0000-0002-1825-0097"
    assert [origin.address for origin in manifest.derived_from] == ["doi:1"]
    assert manifest.integrity.canary is not None
    assert len(manifest.integrity.canary.pictures) == 8
    assert manifest.environment.software["numpy"] == np.__version__


def test_a_wrong_orcid(library: Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ORCID"):
        export_features(library, "mine", RAW, tmp_path / "p", Publication(creator="A", orcid="12"))


def test_a_collection_lives_from_a_package_alone(
    library: Library, package: Path, tmp_path: Path
) -> None:
    """No picture on this machine: records, search by stored works, by uploads, all the same."""
    with create(tmp_path / "elsewhere") as other:
        report = take_in_features(other, str(package), "theirs")
        assert (report.added, report.vectors) == (N, N)
        theirs = other["theirs"]
        assert [hit.image_id for hit in theirs.search(like=["3.png"], k=3)] == [
            hit.image_id for hit in library["mine"].search(like=["3.png"], k=3)
        ]
        shown = tmp_path / "shown.png"
        Image.fromarray(paint(5).pixels).save(shown)
        assert theirs.search(like=[str(shown)], k=1)[0].image_id == "5.png"
        assert theirs.search(match="Work 2")[0].image_id == "2.png"
        assert theirs.record("2.png").record.image_url == "https://museum.example/2.jpg"
        assert theirs.thumbnail("2.png") is None
        with pytest.raises(ImageError, match="published features alone"):
            theirs.original("2.png")
        assert theirs.check() == []


def test_a_collection_without_pictures_has_pages(package: Path, tmp_path: Path) -> None:
    with create(tmp_path / "elsewhere") as other:
        take_in_features(other, str(package), "theirs")
        access = Access.local()
        headers = {"Authorization": f"Bearer {access.bearer}", "Sec-Fetch-Site": "same-origin"}
        client = TestClient(
            create_app(other, access), base_url="http://127.0.0.1:8642", headers=headers
        )
        for path in ("/", "/c/theirs", "/c/theirs/i/2.png", "/c/theirs?q=%2B2.png"):
            page = client.get(path)
            assert page.status_code == 200, path
            assert "/thumb/" not in page.text, path
        assert "no picture" in client.get("/c/theirs").text
        work = client.get("/c/theirs/i/2.png").text
        assert "published features alone" in work
        assert "https://museum.example/2.jpg" in work
        assert "More like this" in work


def test_words_and_uploads_need_the_very_extractor(tmp_path: Path) -> None:
    """A package of another version of an extractor here: only its own works can be asked about."""
    from dataclasses import replace

    from bilderatlas.extractors.raw import RawPixels

    class Older(RawPixels):
        card = replace(RawPixels.card, version=7)

    write_package(tmp_path / "package", Older(), [paint(seed) for seed in range(N)])
    with create(tmp_path / "library") as library:
        take_in_features(library, str(tmp_path / "package"), "theirs")
        assert len(library["theirs"].search(like=["work-002"], k=3)) == 3
        shown = tmp_path / "shown.png"
        Image.fromarray(paint(5).pixels).save(shown)
        with pytest.raises(QueryError, match="the version of the method differ"):
            library["theirs"].search(like=[str(shown)])


def test_an_extractor_that_is_not_here(tmp_path: Path) -> None:
    write_package(tmp_path / "package", SmallExtractor(), [paint(seed) for seed in range(N)])
    with create(tmp_path / "library") as library:
        take_in_features(library, str(tmp_path / "package"), "theirs")
        assert len(library["theirs"].search(like=["work-002"], k=3)) == 3
    report = verify_package(tmp_path / "package")
    assert report.verdict == "untried"
    assert "no extractor called 'small_network.test'" in report.notes[0]


def test_verify_with_a_folder_and_with_a_collection(
    library: Library, package: Path, works: Path
) -> None:
    for named in ("mine", str(works)):
        report = verify_package(package, library=library, pictures=named, n_sample=4)
        assert report.verdict == "same"
        assert report.sample is not None and report.sample.n == 4
    with pytest.raises(NotFoundError, match="no such collection and no such folder"):
        verify_package(package, library=library, pictures="nobody")


def test_diff_says_why(library: Library, package: Path, tmp_path: Path) -> None:
    export_features(library, "mine", RAW, tmp_path / "again", Publication("Again"))
    same = diff_packages(package, tmp_path / "again")
    assert same.same_space and same.n_common == N
    assert same.common is not None and same.common.passed
    assert "same space" in same.sentence
    small = [paint(seed) for seed in range(N)]
    write_package(tmp_path / "one", SmallExtractor(1), small)
    write_package(tmp_path / "two", SmallExtractor(2), small)
    other = diff_packages(tmp_path / "one", tmp_path / "two")
    assert not other.same_space
    assert [one.field for one in other.differences if one.of_space] == ["model.weights_sha256"]
    assert "other weights" in other.differences[0].meaning
    lying = SmallExtractor(2, states_seed=1)
    write_package(tmp_path / "lying", lying, small)
    assert "not made as it says" in diff_packages(tmp_path / "one", tmp_path / "lying").sentence
    changed = SmallExtractor().with_steps(
        [
            {**step, "filter": "bilinear"} if step["step"] == "resize" else step
            for step in SmallExtractor.base_card.preprocessing
        ]
    )
    write_package(tmp_path / "bilinear", changed, small)
    steps = diff_packages(tmp_path / "one", tmp_path / "bilinear").differences[0]
    assert steps.field == "preprocessing.steps"
    assert [len(steps.first), len(steps.second)] == [1, 1]
    assert steps.second[0]["filter"] == "bilinear"


def test_the_commands(
    library: Library, package: Path, works: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ["--library", str(library.root), "--json"]

    def told(*words: str, status: int = 0) -> dict[str, object]:
        capsys.readouterr()
        assert run(["features", *words]) == status
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    out = str(tmp_path / "out")
    assert told("export", out, "-c", "mine", *root)["vectors"] == N
    assert "error" in told("export", out, "-c", "mine", *root, status=1)
    assert told("export", out, "-c", "mine", "--replace", *root)["failed"] == 0
    assert told("validate", out, "--json") == {"sound": True, "faults": []}
    assert told("verify", out, "--pictures", str(works), *root)["verdict"] == "same"
    assert told("diff", out, str(package), "--json")["same_space"] is True
    assert told("import", out, "-c", "theirs", *root)["added"] == N
    assert told("import", out, "-c", "mine", "--merge", *root)["matched"] == N
    assert "error" in told("import", str(works / "0.png"), "-c", "x", *root, status=2)
    (tmp_path / "out" / "part-000001.parquet").unlink()
    assert told("validate", out, "--json", status=1)["sound"] is False
    assert told("verify", out, *root, status=1)["verdict"] == "differs"
    assert "error" in told("import", out, "-c", "broken", *root, status=1)
    assert "broken" not in library


def test_what_cannot_be_used_makes_no_library(tmp_path: Path) -> None:
    words = ["features", "import", str(tmp_path), "-c", "x", "--library", str(tmp_path / "new")]
    assert run(words) == 2
    assert not (tmp_path / "new").exists()


def test_two_exports_cannot_meet(library: Library, package: Path) -> None:
    with pytest.raises(ConflictError):
        export_features(library, "mine", RAW, package)
    assert validate_package(package) == []


def test_a_reduced_space_brings_its_projection(library: Library, tmp_path: Path) -> None:
    """A projection belongs to one collection; the package carries it, so that others can ask."""
    from bilderatlas.api.reduce import reduce

    reduced = reduce(library, "mine", RAW, dim=3).model_id
    path = tmp_path / "reduced"
    export_features(library, "mine", reduced, path)
    assert validate_package(path) == []
    assert verify_package(path, extractor=RAW).verdict == "differs"
    assert verify_package(path).verdict == "same"
    with create(tmp_path / "elsewhere") as other:
        take_in_features(other, str(path), "theirs")
        shown = tmp_path / "shown.png"
        Image.fromarray(paint(5).pixels).save(shown)
        found = other["theirs"].search(like=[str(shown)], extractor=reduced, k=1)
        assert found[0].image_id == "5.png"
        assert other["theirs"].check() == []
    attached = next(path.glob("projection-*.npy"))
    attached.write_bytes(attached.read_bytes()[:-4])
    assert [fault.code for fault in validate_package(path)] == ["truncated-part"]


def test_an_orcid_belongs_to_somebody(library: Library, tmp_path: Path) -> None:
    told = Publication(orcid="0000-0002-1825-0097")
    with pytest.raises(UsageError, match="Add --creator NAME"):
        export_features(library, "mine", RAW, tmp_path / "package", told)
    assert not (tmp_path / "package").exists()


def test_an_import_is_called_as_asked(library: Library, package: Path) -> None:
    take_in_features(library, str(package), "theirs")
    take_in_features(library, str(package), "ours", title="Ours at last")
    titles = {info.name: info.title for info in library.collections()}
    assert (titles["theirs"], titles["ours"]) == ("Seven works", "Ours at last")
    with pytest.raises(UsageError, match="it keeps its own title"):
        take_in_features(library, str(package), "mine", merge=True, title="Another")
