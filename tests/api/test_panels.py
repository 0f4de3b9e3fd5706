"""Panels as a user has them: compiled from works, asked with, searched within, hidden."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import update

from bilderatlas.api import Library, create, index
from bilderatlas.api.exports import export_panel
from bilderatlas.api.panels import find_item
from bilderatlas.errors import ConflictError, NotFoundError, QueryError, UnknownNameError
from bilderatlas.indexing import IndexOptions
from bilderatlas.search.hits import Hits
from bilderatlas.search.query import Part, PartKind, Query, parse_part
from bilderatlas.store.schema import panels as panel_table

SHADES = {f"red-{n}.png": (230 - 20 * n, 30, 30) for n in range(3)} | {
    f"blue-{n}.png": (30, 30, 230 - 20 * n) for n in range(3)
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("panels")
    library = create(root / "library")
    for name in ("works", "more"):
        folder = root / name
        folder.mkdir()
        for file, colour in SHADES.items():
            Image.new("RGB", (60, 40), colour).save(folder / file)
        index(library, str(folder), name, options=IndexOptions(extractors=("raw_32.pixels",)))
    library.close()
    return root


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Iterator[Library]:
    import bilderatlas as ba

    shutil.copytree(made / "library", tmp_path / "library")
    with ba.open(tmp_path / "library") as opened:
        yield opened


def ids(hits: Hits) -> list[str]:
    return [hit.image_id for hit in hits]


def test_a_panel_is_named_and_compiled(library: Library) -> None:
    panels = library.panels
    panel = panels.create("Reds", note="All of them.", works=["works/red-0.png"])
    panels.add("Reds", ["works/red-1.png", "works/red-2.png@0.1,0.1,0.5,0.5"], note="see also")
    assert panels.works("Reds")[0].item.label == "red 0"
    assert panels["reds"].id == panels[panel.id].id == panel.id
    assert str(panels.works(panel.id)[2].region) == "0.1,0.1,0.5,0.5"
    panels.move("Reds", ["works/red-2.png"], "works/red-0.png")
    assert [item.image_id for item in panels["Reds"].items] == [
        "red-2.png",
        "red-0.png",
        "red-1.png",
    ]
    panels.set_note("Reds", "A detail.", work="works/red-2.png@0.1,0.1,0.5,0.5")
    assert panels["Reds"].items[0].note == "A detail."
    panels.remove("Reds", ["works/red-0.png"])
    assert len(panels.undo("Reds")) == 3
    assert panels.kept_ids("works") == {"red-0.png", "red-1.png", "red-2.png"}
    assert [info.name for info in panels.with_work("works", "red-1.png")] == ["Reds"]
    panels.rename("Reds", "Crimsons")
    with pytest.raises(UnknownNameError, match="Crimsons"):
        panels["Crimson"]
    panels.put_away("Crimsons")
    assert list(panels) == []
    assert panels.undo(panel.id).name == "Crimsons"


def test_what_is_not_there_is_said(library: Library) -> None:
    panels = library.panels
    panels.create("One")
    for work, error in (
        ("works/rde-0.png", NotFoundError),
        ("red-0.png", NotFoundError),
        ("nowhere/red-0.png", UnknownNameError),
        ("upload:1234", NotFoundError),
    ):
        with pytest.raises(error):
            panels.add("One", ["works/red-0.png", work])
    assert len(panels["One"]) == 0
    with pytest.raises(NotFoundError, match="not on the panel"):
        panels.remove("One", ["works/red-0.png"])
    two = panels.create("Two")
    panels.create("Three")
    with library.store.database.begin() as connection:  # as libraries of old may have it
        doubled = update(panel_table).where(panel_table.c.id == two.id).values(name="Three")
        connection.execute(doubled)
    with pytest.raises(ConflictError, match="Name one by its id"):
        panels["Three"]


def test_another_collection_of_the_same_name_is_no_source_of_the_works(
    library: Library, tmp_path: Path
) -> None:
    panels = library.panels
    panel = panels.create("Reds", works=["works/red-0.png", "works/red-1.png", "more/red-2.png"])
    panels.mark_seen("works", ["red-0.png"])

    def made_anew(colours: dict[str, tuple[int, int, int]], name: str) -> None:
        library.remove("works")
        folder = tmp_path / name
        folder.mkdir()
        for file, colour in colours.items():
            Image.new("RGB", (60, 40), colour).save(folder / file)
        options = IndexOptions(extractors=("raw_32.pixels",))
        index(library, str(folder), "works", options=options)

    made_anew(SHADES | {"red-0.png": (0, 200, 0)}, "others")
    assert panels.seen_ids("works") == frozenset()
    first, second, third = panels.works(panel.id)
    assert first.stored is None and "another one now" in first.gone
    assert (second.gone, third.gone) == ("", "")  # the same picture came back: the same work
    assert first.item.label and first.to_json()["record"] is None
    assert panels.kept_ids("works") == panels.store.ids_in(panel.id, "works") == {"red-1.png"}
    assert panels.with_work("works", "red-0.png") == []
    asked = library["works"].search(like=f"panel:{panel.id}", extractor="raw_32.pixels", k=9)
    assert "red-0.png" in ids(asked) and "red-1.png" not in ids(asked)
    made = export_panel(library, panels["Reds"], page_of=lambda *_: "")
    assert [work.sha256 is None for work in made.works] == [True, False, False]
    alone = panels.create("Gone", works=["works/blue-0.png"])
    made_anew({"blue-0.png": (9, 9, 9), "red-0.png": (230, 30, 30)}, "third")
    assert panels.works(panel.id)[0].gone == ""
    with pytest.raises(QueryError, match="are gone"):
        library["works"].search(like=f"panel:{alone.id}", extractor="raw_32.pixels")


def test_a_panel_is_an_example(library: Library) -> None:
    panel = library.panels.create("Reds", works=["works/red-0.png", "more/red-1.png"])
    hits = library["works"].search(like=f"panel:{panel.id}", k=4)
    assert ids(hits)[:2] == ["red-1.png", "red-2.png"]  # its own works are no answers
    assert hits.query.parts == (Part(PartKind.PANEL, panel.id),)
    assert "red-0.png" in hits.query.without
    hits = library["works"].search(
        like=["blue-0.png", "red-1.png"], unlike=f"panel:{panel.id}^2", k=4
    )
    assert ids(hits)[0].startswith("blue")
    both = library["works"].search(like=[f"panel:{panel.id}", "works/red-2.png"], k=4)
    plain = library["works"].search(
        like=["red-0.png^0.5", "more/red-1.png^0.5", "red-2.png"], k=4, without=()
    )
    assert [round(hit.score, 5) for hit in both] == [round(hit.score, 5) for hit in plain]


def test_a_panel_that_cannot_be_asked_with_stays_visible(library: Library) -> None:
    empty = library.panels.create("Empty")
    hits = library["works"].search(like=["red-0.png", f"panel:{empty.id}", "panel:gone"])
    assert [(one.part, one.kind) for one in hits.inactive] == [
        (f"panel:{empty.id}", "panel"),
        ("panel:gone", "panel"),
    ]
    assert ids(hits)[0] == "red-1.png"
    with pytest.raises(QueryError, match="no works"):
        library["works"].search(like=f"panel:{empty.id}")
    full = library.panels.create("More", works=["more/red-0.png", "more/blue-0.png"])
    library.remove("more")
    assert [bool(work.gone) for work in library.panels.works(full)] == [True, True]
    assert library.panels.works(full)[0].item.label == "red 0"
    hits = library["works"].search(like=["red-0.png", f"panel:{full.id}"])
    assert ids(hits)[0] == "red-1.png"
    assert [one.part for one in hits.inactive] == [f"panel:{full.id}"]
    assert not any("more/red" in note for note in hits.notes)


def test_only_so_many_works_fit_into_a_question(library: Library) -> None:
    works = [f"works/red-0.png@0,0,0.{n:02d},0.5" for n in range(10, 99)]
    works += [f"works/red-1.png@0,0,0.{n:02d},0.5" for n in range(10, 40)]
    panel = library.panels.create("Many", works=works)
    hits = library["works"].search(like=[f"panel:{panel.id}", "blue-0.png"], k=2)
    assert any("the first 99 of 119 works" in note for note in hits.notes)


def test_within_a_panel_and_without_what_is_known(library: Library) -> None:
    panels, works = library.panels, library["works"]
    panel = panels.create("Some", works=["works/red-0.png", "works/blue-0.png", "more/red-2.png"])
    like = (parse_part("red-1.png"),)
    within = works.run(Query(like, within_panel=panel.id))
    assert ids(within) == ["red-0.png", "blue-0.png"]
    assert ids(works.run(Query(within_panel=panel.id, within=frozenset(["red-0.png"])))) == [
        "red-0.png"
    ]
    assert set(ids(works.run(Query(like, hide=("kept",))))) == {
        "red-2.png",
        "blue-1.png",
        "blue-2.png",
    }
    panels.mark_seen("works", ["red-2.png", "no such work"])
    assert panels.seen_ids("works") == {"red-2.png"}
    before = panels.stamp(Query(hide=("kept", "seen")), "works")
    assert set(ids(works.run(Query(like, hide=("kept", "seen"))))) == {"blue-1.png", "blue-2.png"}
    panels.mark_seen("works", ["blue-1.png"])
    assert panels.stamp(Query(hide=("kept", "seen")), "works") != before
    panels.put_away("Some")
    assert panels.kept_ids("works") == frozenset()
    with pytest.raises(QueryError, match="Cannot search within"):
        works.run(Query(like, within_panel="gone"))


def test_an_item_is_found_by_its_work(library: Library) -> None:
    panel = library.panels.create("One", works=["works/red-0.png@0,0,0.5,0.5", "works/red-0.png"])
    assert find_item(panel, "works/red-0.png").region == ""
    assert find_item(panel, panel.items[0].item_id).region == "0,0,0.5,0.5"
