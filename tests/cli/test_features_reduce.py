"""`features reduce` and `onnx:FILE` as a user meets them: index, reduce, search, index again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bilderatlas.cli.main import run
from tests.indexing.conftest import paint

RAW = "raw_32.pixels"
REDUCED = f"{RAW}~pca5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        paint(folder / f"{number}.png", number)
    return folder


class Bilderatlas:
    """The command line on one library; returns what was printed as JSON."""

    def __init__(self, library: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.library, self.capsys = library, capsys

    def __call__(self, *arguments: str, status: int = 0) -> dict[str, object]:
        found = run([*arguments, "--library", str(self.library), "--json"])
        printed = self.capsys.readouterr()
        assert found == status, printed.err
        answer: dict[str, object] = json.loads(printed.out)
        return answer


@pytest.fixture
def bilderatlas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bilderatlas:
    return Bilderatlas(tmp_path / "library", capsys)


def hits(answer: dict[str, object]) -> list[str]:
    return [hit["image_id"] for hit in answer["hits"]]  # type: ignore[attr-defined]


def test_reduce_then_search_then_index_again(
    bilderatlas: Bilderatlas, folder: Path, tmp_path: Path
) -> None:
    bilderatlas("index", str(folder), "-c", "works", "--extractor", RAW)
    report = bilderatlas("features", "reduce", "-c", "works", "--extractor", RAW, "--dim", "5")
    assert report["model_id"] == REDUCED and report["n_projected"] == report["n_fitted_on"] == 12
    asked = ("search", "-c", "works", "--extractor", REDUCED, "-k", "3", "--like")
    assert len(hits(bilderatlas(*asked, "3.png"))) == 3
    paint(tmp_path / "copy.png", 7, (192, 144))  # the seventh work once more, larger
    assert hits(bilderatlas(*asked, str(tmp_path / "copy.png")))[0] == "7.png"
    paint(folder / "later.png", 77)
    again = bilderatlas("index", str(folder), "-c", "works")
    assert again["added"] == 1 and again["unchanged"] == 12
    paint(tmp_path / "late copy.png", 77, (192, 144))
    assert hits(bilderatlas(*asked, str(tmp_path / "late copy.png")))[0] == "later.png"
    once_more = bilderatlas("features", "reduce", "-c", "works", "--extractor", RAW, "--dim", "5")
    assert (once_more["fitted"], once_more["n_projected"]) == (False, 0)
    paint(folder / "3.png", 78)  # another picture under an old name
    assert bilderatlas("index", str(folder), "-c", "works", "--extractor", REDUCED)["updated"] == 1
    paint(tmp_path / "changed copy.png", 78, (192, 144))
    assert hits(bilderatlas(*asked, str(tmp_path / "changed copy.png")))[0] == "3.png"


def test_the_same_upload_in_two_collections_is_projected_by_each(
    bilderatlas: Bilderatlas, folder: Path, tmp_path: Path
) -> None:
    from bilderatlas.api import open as open_library

    other = tmp_path / "others"
    other.mkdir()
    for number in range(12):
        paint(other / f"{number}.png", 100 + number)
    paint(other / "shared.png", 5)
    for name, address in (("works", folder), ("others", other)):
        bilderatlas("index", str(address), "-c", name, "--extractor", RAW)
        bilderatlas("features", "reduce", "-c", name, "--extractor", RAW, "--dim", "5")
    paint(tmp_path / "copy.png", 5, (192, 144))
    with open_library(bilderatlas.library) as library:
        upload = library.add_upload((tmp_path / "copy.png").read_bytes()).value
        first = {
            name: library[name].search(like=upload, extractor=REDUCED, k=1)[0]
            for name in ("works", "others")
        }
    assert first["works"].image_id == "5.png" and first["others"].image_id == "shared.png"
    assert all(hit.score > -600 for hit in first.values()), "a projection of the other collection"


def test_what_cannot_be_reduced_is_told_in_a_sentence(
    bilderatlas: Bilderatlas, folder: Path
) -> None:
    bilderatlas("index", str(folder), "-c", "works", "--extractor", RAW)
    reduce = ("features", "reduce", "-c", "works", "--extractor")
    answer = bilderatlas(*reduce, RAW, status=2)
    assert "only 12 works" in str(answer["error"])
    answer = bilderatlas(*reduce, "clip.nothing", "--dim", "3", status=2)
    assert "no space called" in str(answer["error"])
    answer = bilderatlas(
        "search", "-c", "works", "--extractor", REDUCED, "--like", "3.png", status=2
    )
    assert REDUCED in str(answer["error"])


def test_a_brought_model_searches_without_its_file(
    bilderatlas: Bilderatlas, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnx", reason="the test builds its own ONNX file")
    from tests.extractors.test_brought import write

    monkeypatch.setenv("BILDERATLAS_MODELS", str(tmp_path / "models"))
    model = write(tmp_path / "mine")
    bilderatlas("index", str(folder), "-c", "works", "--extractor", f"onnx:{model}")
    model.unlink()
    model.with_suffix(".card.json").unlink()
    paint(tmp_path / "copy.png", 7, (192, 144))
    answer = bilderatlas("search", "-c", "works", "--like", str(tmp_path / "copy.png"), "-k", "2")
    assert hits(answer)[0] == "7.png"
    assert answer["criterion"]["model_id"] == "mean_colour.test"  # type: ignore[index]
    paint(folder / "later.png", 77)
    assert bilderatlas("index", str(folder), "-c", "works")["added"] == 1
    asked = ("search", "-c", "works", "--like", "7.png", "--extractor", f"onnx:{model}")
    assert "no extractor called" in str(bilderatlas(*asked, status=2)["error"])
    answer = bilderatlas(
        "index", str(folder), "-c", "works", "--extractor", f"onnx:{model}", status=2
    )
    assert "no such file" in str(answer["error"])
