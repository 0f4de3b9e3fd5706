"""Facets, years, orders, groups, several collections, mixtures and two rankings, as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bilderatlas.arrays import Metric
from bilderatlas.cli.main import run
from bilderatlas.cli.search_words import read_facet, read_judging, read_years
from bilderatlas.errors import QueryError, UnknownNameError
from bilderatlas.search.query import Query

WORKS = [
    ("a.png", (200, 30, 30), "Anna", 1610),
    ("b.png", (180, 60, 30), "Bruno", 1620),
    ("c.png", (20, 40, 200), "Bruno", 1710),
    ("d.png", (10, 160, 60), "Bruno", 1730),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Index two folders, the second one under one criterion; return the option that names them."""
    option = ["--library", str(tmp_path_factory.mktemp("cli") / "library")]
    for name, extractors in (("one", ("raw_32.pixels", "palette_lab.pixels")),
                             ("two", ("raw_32.pixels",))):  # fmt: skip
        folder: Path = tmp_path_factory.mktemp(name)
        rows = ["file,title,creator,date"]
        for file, colour, maker, year in WORKS:
            Image.new("RGB", (40, 30), colour).save(folder / file)
            rows.append(f"{file},Work {file[0]},{maker},{year}")
        (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")
        chosen = [word for one in extractors for word in ("--extractor", one)]
        assert run(["index", str(folder), "-c", name, *chosen, *option]) == 0
    return option


@pytest.fixture
def ask(library: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that searches with the words it is given, and reads what was printed."""

    def asked(*words: str, collection: str = "one") -> dict[str, Any]:
        capsys.readouterr()
        assert run(["search", "-c", collection, *words, "--json", *library]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    return asked


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["image_id"] for hit in answer["hits"]]


def test_facets_and_years_narrow_and_sort_orders(ask: Any) -> None:
    assert ids(ask("--sort", "-date")) == ["d.png", "c.png", "b.png", "a.png"]
    assert ids(ask("--sort", "date", "--years", "1615-1710")) == ["b.png", "c.png"]
    assert ids(ask("--sort", "date", "--years", "1700-")) == ["c.png", "d.png"]
    bruno = ask("--sort", "title", "--facet", "creators:Bruno")
    assert ids(bruno) == ["b.png", "c.png", "d.png"]
    assert bruno["query"]["facets"] == [{"column": "creators", "value": "Bruno"}]
    both = ask("--facet", "creators:Bruno", "--facet", "creators:Anna")
    assert len(both["hits"]) == 4


def test_groups_and_counts_are_printed(
    ask: Any, library: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask("--group", "century", "--count", "--like", "a.png")
    assert [(one["label"], one["n"]) for one in answer["groups"]] == [
        ("17th century", 1), ("18th century", 2)
    ]  # fmt: skip
    makers = answer["facets"][0]
    assert makers["column"] == "creators"
    assert makers["values"] == [{"value": "Bruno", "n": 3, "chosen": False}]
    run(["search", "-c", "one", "--count", *library])
    assert "creators:Bruno\t3" in capsys.readouterr().out
    run(["search", "-c", "one", "--group", "creators", *library])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == ["Bruno"] * 3 + ["Anna"]


def test_several_criteria_are_mixed(ask: Any) -> None:
    answer = ask(
        "--like", "a.png", "--extractor", "raw_32.pixels^3", "--extractor", "palette_lab.pixels"
    )
    assert [one["weight"] for one in answer["query"]["blend"]] == [3, 1]
    assert [one["model_id"] for one in answer["criteria"]] == [
        "raw_32.pixels", "palette_lab.pixels"
    ]  # fmt: skip
    assert all(sum(one["share"] for one in hit["shares"]) > 0.999 for hit in answer["hits"])


def test_several_collections_are_asked(
    ask: Any, library: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = ask("--like", "a.png", "--also", "two")
    assert answer["also"] == ["two"]
    found = [(hit["collection"], hit["image_id"]) for hit in answer["hits"]]
    assert found[0] == ("two", "a.png")
    assert len(found) == 7
    both = ask("--also", "two", "--count", "--group", "century")
    assert {one["value"]: one["n"] for one in both["facets"][0]["values"]} == {
        "Bruno": 6, "Anna": 2
    }  # fmt: skip
    assert [one["n"] for one in both["groups"]] == [4, 4]
    refused = ["search", "-c", "one", "--also", "two", "--compare-with", "ranking", *library]
    assert run(refused) == 2
    assert "--compare-with with --also" in capsys.readouterr().err


def test_two_rankings_are_compared(
    ask: Any, library: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--like", "a.png", "--compare-with", "palette_lab.pixels")
    answer = ask(*words)
    assert answer["a"]["criterion"]["model_id"] == "raw_32.pixels"
    assert answer["b"]["criterion"]["model_id"] == "palette_lab.pixels"
    assert answer["both"] == ids(answer["a"])
    run(["search", "-c", "one", *words, *library])
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 4
    assert "Rank-biased overlap" in printed.err
    assert run(["search", "-c", "one", "--compare-with", "ranking", *library]) == 2
    assert "nothing was asked" in capsys.readouterr().err


def test_a_panel_is_searched_within(library: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["search", "-c", "one", "--within", "panel:none", *library]) != 0
    assert "panel" in capsys.readouterr().err


# The words alone


@pytest.mark.parametrize("text", ["school", "school:", ":Dutch", ": "])
def test_a_facet_needs_a_column_and_a_value(text: str) -> None:
    with pytest.raises(QueryError, match="school:Dutch"):
        read_facet(text)


@pytest.mark.parametrize("text", ["-", "1600", "1600-x", "1600-1700-1800", "99999999-1"])
def test_years_need_two_years(text: str) -> None:
    with pytest.raises(QueryError, match="1600-1750"):
        read_years(text)


def test_a_second_way_of_judging_takes_any_of_three() -> None:
    asked = Query(model_id="a.x", metric=Metric.DOT, rule="contrast")
    other = read_judging(asked, "b.y , ranking")
    assert (other.model_id, other.metric, other.rule) == ("b.y", None, "ranking")
    other = read_judging(asked, "euclidean")
    assert (other.model_id, other.metric, other.rule) == ("a.x", Metric.EUCLIDEAN, "contrast")
    other = read_judging(asked, "a.x^2,b.y,dot")
    assert other.blend == (("a.x", 2.0), ("b.y", 1.0))
    assert other.metric is Metric.DOT
    with pytest.raises(UnknownNameError, match="ranking"):
        read_judging(asked, "rankin")
    for text in ("", ",", "dot,euclidean", "ranking,contrast"):
        with pytest.raises(QueryError, match="some of these"):
            read_judging(asked, text)
