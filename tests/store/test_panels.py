"""Panels: what is put on them stays, every action can be undone, no editor overwrites another."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bilderatlas.errors import ConflictError, ForbiddenError, NotFoundError, UsageError
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.panel_changes import PanelChange, PanelItem, moved_items
from bilderatlas.store.panels import NewItem, Panel, PanelStore
from bilderatlas.store.seen import SeenStore
from tests.store.building import filled

ROOT = Path(__file__).parents[2]


@pytest.fixture
def panels(library: LibraryStore) -> PanelStore:
    return PanelStore(library)


def works(*ids: str, collection: str = "works") -> list[NewItem]:
    return [NewItem(collection, one, label=f"Maker, {one}") for one in ids]


def order(panel: Panel) -> str:
    return " ".join(item.image_id for item in panel.items)


def ids(panel: Panel, *image_ids: str) -> list[str]:
    return [item.item_id for item in panel.items if item.image_id in image_ids]


def test_a_panel_is_compiled(panels: PanelStore) -> None:
    made = panels.create("  Turbans,\n worn ", "A corpus.", works("a", "b"))
    assert (made.name, made.info.note, order(made), made.undoable) == (
        "Turbans, worn",
        "A corpus.",
        "a b",
        "",
    )
    panels.add(made.id, [*works("c", "a"), NewItem("works", "a", "0.1,0.1,0.5,0.5")])
    now = panels.get(made.id)
    assert order(now) == "a b c a"  # a detail of a work is another thing than the work
    assert (len(now), now.version, now.undoable) == (4, 2, "add")
    assert panels.add(made.id, works("b")).version == 2  # it is there already: nothing happened
    moved = panels.move(made.id, ids(now, "c"), now.items[0].item_id)
    assert order(moved) == "c a b a"
    noted = panels.set_item_note(made.id, moved.items[0].item_id, "see\r\nfol. 3 ")
    assert noted.items[0].note == "see\nfol. 3"
    assert order(panels.remove(made.id, [*ids(noted, "b"), "gone"])) == "c a a"
    assert [info.n_items for info in panels.list_panels()] == [3]
    assert panels.ids_in(made.id, "works") == {"a", "c"}
    assert panels.ids_in(made.id, "other") == frozenset()
    assert panels.kept_ids("works") == {"a", "c"}
    assert [info.name for info in panels.panels_of("works", "c")] == ["Turbans, worn"]


def test_undo_and_redo(panels: PanelStore) -> None:
    panel = panels.create("One", items=works("a", "b", "c"))
    states = [panel]
    states.append(panels.move(panel.id, ids(panel, "a"), None))
    states.append(panels.remove(panel.id, ids(panel, "b")))
    states.append(panels.set_name(panel.id, "Two"))
    states.append(panels.put_away(panel.id))
    assert panels.list_panels() == []
    assert panels.kept_ids("works") == frozenset()
    assert [info.name for info in panels.list_panels(removed=True)] == ["Two"]
    for state in reversed(states[:-1]):
        assert content(panels.undo(panel.id)) == content(state)
    with pytest.raises(ConflictError, match="nothing to undo"):
        panels.undo(panel.id)
    for state in states[1:]:
        assert content(panels.redo(panel.id)) == content(state)
    with pytest.raises(ConflictError, match="nothing to redo"):
        panels.redo(panel.id)
    assert panels.bring_back(panel.id).info.removed_at is None
    panels.undo(panel.id)
    assert panels.undo(panel.id).redoable == "put away"
    assert panels.add(panel.id, works("z")).redoable == ""  # a new action takes its place


def test_editors_do_not_overwrite_each_other(panels: PanelStore) -> None:
    panel = panels.create("One", "first", works("a", "b"))
    panels.set_note(panel.id, "hers", was="first")
    with pytest.raises(ConflictError, match="“hers”"):
        panels.set_note(panel.id, "his", was="first")
    assert panels.get(panel.id).info.note == "hers"
    assert panels.set_note(panel.id, "hers", was="first").version == 2  # both wrote the same
    (item,) = ids(panel, "a")
    panels.set_item_note(panel.id, item, "her note", was="")
    with pytest.raises(ConflictError, match="“her note”"):
        panels.set_item_note(panel.id, item, "his note", was="")
    panels.add(panel.id, works("c"))
    with pytest.raises(ConflictError, match="changed since"):
        panels.undo(panel.id, version=panel.version)
    panels.remove(panel.id, [item])
    for act in (
        lambda: panels.move(panel.id, ids(panel, "b"), item),
        lambda: panels.set_item_note(panel.id, item, "x"),
    ):
        with pytest.raises(ConflictError, match="not on the panel"):
            act()
    assert order(panels.get(panel.id)) == "b c"


def test_what_is_refused(panels: PanelStore, library: LibraryStore) -> None:
    panel = panels.create("Straße")
    for name in ("", " \n", "x" * 201):
        with pytest.raises(UsageError):
            panels.create(name)
    with pytest.raises(ConflictError, match="already"):
        panels.create("straße")
    other = panels.create("Other")
    with pytest.raises(ConflictError, match="already"):
        panels.set_name(other.id, "Straße")
    assert panels.set_name(panel.id, "STRASSE").name == "STRASSE"
    with pytest.raises(UsageError, match="10,001"):
        panels.add(panel.id, works(*map(str, range(10_001))))
    assert len(panels.get(panel.id)) == 0
    for act in (panels.get, panels.undo, lambda one: panels.ids_in(one, "works")):
        with pytest.raises(NotFoundError, match="no panel 'nope'"):
            act("nope")
    with LibraryStore.open(library.root, read_only=True) as reading:
        with pytest.raises(ForbiddenError):
            PanelStore(reading).add(panel.id, works("a"))
        assert len(PanelStore(reading).list_panels()) == 2


def test_no_name_is_doubled_by_bringing_one_back(panels: PanelStore) -> None:
    old = panels.create("Turbans")
    panels.put_away(old.id)
    new = panels.create("turbans")
    for bring_back in (panels.bring_back, panels.undo):
        with pytest.raises(ConflictError, match="called 'Turbans' already"):
            bring_back(old.id)
    panels.set_name(old.id, "Hats")  # put away, under another name: it may come back
    assert panels.bring_back(old.id).info.removed_at is None
    panels.set_name(new.id, "Caps")
    taken = panels.create("Turbans")
    with pytest.raises(ConflictError, match="already"):
        panels.undo(new.id)
    panels.put_away(taken.id)
    assert panels.undo(new.id).name == "turbans"
    panels.create("Caps")
    with pytest.raises(ConflictError, match="called 'Caps' already"):
        panels.redo(new.id)
    names = [info.name.lower() for info in panels.list_panels()]
    assert len(names) == len(set(names)) == 3


def test_name_and_note_are_one_action(panels: PanelStore) -> None:
    panel = panels.create("One", "first")
    told = panels.describe(panel.id, "Two", "second", name_was="One", note_was="first")
    assert (told.name, told.info.note, told.version) == ("Two", "second", 2)
    with pytest.raises(ConflictError, match="The note was changed meanwhile"):
        panels.describe(panel.id, "Three", "third", name_was="Two", note_was="first")
    assert panels.get(panel.id) == told  # half of a form is not kept
    back = panels.undo(panel.id)
    assert (back.name, back.info.note) == ("One", "first")


def test_a_panel_outlives_its_collection(library: LibraryStore, panels: PanelStore) -> None:
    filled(library)
    panel = panels.create("Kept", items=works("w1", "w2"))
    library.remove_collection("works")
    (first, _) = panels.get(panel.id).items
    assert (first.label, first.image_id) == ("Maker, w1", "w1")


def test_backups_hold_panels(library: LibraryStore, panels: PanelStore, tmp_path: Path) -> None:
    panel = panels.create("Kept", items=works("a", "b"))
    panels.remove(panel.id, ids(panel, "a"))
    SeenStore(library).mark("works", ["a"])
    library.backup(tmp_path / "copy.tar")
    with LibraryStore.restore(tmp_path / "copy.tar", tmp_path / "copy") as copy:
        assert content(PanelStore(copy).get(panel.id)) == content(panels.get(panel.id))
        assert order(PanelStore(copy).undo(panel.id)) == "a b"
        assert SeenStore(copy).ids("works") == {"a"}


def test_works_looked_at(library: LibraryStore) -> None:
    seen = SeenStore(library)
    seen.mark("works", ["a", "b"])
    seen.mark("works", ["b", "c"])
    seen.mark("works", [])
    assert seen.ids("works") == {"a", "b", "c"}
    assert seen.ids("other") == frozenset()
    seen.forget("works")
    assert seen.ids("works") == frozenset()


def test_places_are_renewed_when_there_is_no_room() -> None:
    items = [PanelItem(name, place, "c", name) for place, name in enumerate("abc")]
    change = moved_items(items, ["c"], "b")
    after = sorted(one.position for _, one in change.items.values() if one)
    assert len(set(after)) == len(after) == 3
    assert PanelChange.from_json(change.to_json()) == change
    assert not moved_items(items, ["b"], "c")
    assert not moved_items(items, ["b"], "b")


def test_many_threads_add_and_nothing_is_lost(library: LibraryStore, panels: PanelStore) -> None:
    panel = panels.create("Many")

    def add(who: int) -> None:
        for n in range(5):
            PanelStore(library).add(panel.id, works(f"{who}-{n}"))

    threads = [threading.Thread(target=add, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = panels.get(panel.id)
    assert len(now) == 20
    assert now.version == 21
    for _ in range(20):
        panels.undo(panel.id)
    assert len(panels.get(panel.id)) == 0


def content(panel: Panel) -> object:
    """What undo must restore: everything but the version and the time of the change."""
    return panel.name, panel.info.note, panel.info.removed_at is None, panel.items


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "move", "item note", "name", "note", "away", "back"]),
        st.lists(st.integers(0, 9), min_size=1, max_size=3),
        st.one_of(st.none(), st.integers(0, 9)),
        st.sampled_from(["", "one", "two", "=drei\nvier", "🜚"]),
    ),
    max_size=12,
)


def act(panels: PanelStore, panel: Panel, action: tuple[str, list[int], int | None, str]) -> Panel:
    kind, numbers, place, text = action
    named = [panel.items[n % len(panel)].item_id for n in numbers] if panel.items else []
    before = panel.items[place % len(panel)].item_id if place is not None and named else None
    if kind == "add":
        return panels.add(panel.id, works(*map(str, numbers)))
    if kind == "remove":
        return panels.remove(panel.id, named)
    if kind == "move":
        return panels.move(panel.id, named, before)
    if kind == "item note" and named:
        return panels.set_item_note(panel.id, named[0], text, was=None)
    if kind == "name":
        return panels.set_name(panel.id, f"Panel {text}")
    if kind == "note":
        return panels.set_note(panel.id, text)
    return panels.bring_back(panel.id) if kind == "back" else panels.put_away(panel.id)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_any_actions_and_as_many_undos_lead_back(
    panels: PanelStore, actions: list[tuple[str, list[int], int | None, str]]
) -> None:
    panel = panels.create(
        f"Panel {len(panels.list_panels()) + len(panels.list_panels(removed=True))}#"
    )
    states = [panel]
    for action in actions:
        changed = act(panels, states[-1], action)
        if changed.version != states[-1].version:
            states.append(changed)
    for state in reversed(states[:-1]):
        assert content(panels.undo(panel.id)) == content(state)
    for state in states[1:]:
        assert content(panels.redo(panel.id)) == content(state)
    panels.set_name(panel.id, f"done with {panel.id}")


KILLED = """
import os, signal, sys
from pathlib import Path
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.panels import NewItem, PanelStore
from sqlalchemy import event
deadly = int(sys.argv[2])
count = 0
library = LibraryStore.open(Path(sys.argv[1]))
def point(*_):
    global count
    count += 1
    if count == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(library.database, "commit", point)
event.listen(library.database, "after_cursor_execute", point)
panels = PanelStore(library)
(info,) = panels.list_panels()
for n in range(4):
    panels.add(info.id, [NewItem("works", f"{n}a"), NewItem("works", f"{n}b")])
    print(n, flush=True)
for n in range(2):
    panels.undo(info.id)
"""


@pytest.mark.parametrize("deadly", [4, 9, 13, 17, 22, 30, 41, 47, 55])
def test_killed_at_any_moment_an_action_is_whole_or_not_there(deadly: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "library"
        with LibraryStore.create(root) as library:
            PanelStore(library).create("One")
        command = [sys.executable, "-c", KILLED, str(root), str(deadly)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        told = len(done.stdout.split())
        assert done.returncode == -9, done.stderr
        with LibraryStore.open(root) as library:
            panels = PanelStore(library)
            (info,) = panels.list_panels()
            panel = panels.get(info.id)
            n_actions = panel.version - 1
            assert n_actions >= told
            expected = n_actions if n_actions <= 4 else 8 - n_actions
            assert order(panel) == " ".join(f"{n}{x}" for n in range(expected) for x in "ab")
            for _ in range(expected):
                panels.undo(info.id)
            assert order(panels.get(info.id)) == ""
