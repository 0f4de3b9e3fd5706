"""The house: imports only go down, rooms stay small, nothing dangerous is called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "bilderatlas"
FRONTEND = PACKAGE.parents[1] / "frontend" / "src"

# DESIGN section 3, from the ground up; within a floor a room may use the rooms before it.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "records", "arrays", "registry", "settings", "checksums", "words"),
    ("network", "images", "extractors", "store", "evaluation", "museum"),
    ("sources", "iconclass", "search", "explain", "atlas", "learning", "exchange", "jobs"),
    ("indexing",),
    ("api",),
    ("web", "cli"),  # `bilderatlas serve` opens the web door
)
ORDER = {
    room: (floor, place) for floor, rooms in enumerate(FLOORS) for place, room in enumerate(rooms)
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "manager"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the room of a file: its first folder, or its own name on the ground floor."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def imported_rooms(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the rooms that a file imports, with the line."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            names = [node.module or ""]
            if node.module == "bilderatlas":
                names = [f"bilderatlas.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "bilderatlas" and len(parts) > 1:
                yield parts[1], node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path) -> None:
    room = room_of(path)
    if room in {"__init__", "__main__"}:
        return  # the front door may name the verbs
    assert room in ORDER, f"{path}: no such room in the house"
    floor, place = ORDER[room]
    for other, line in imported_rooms(path):
        if other == room or other == "__version__":
            continue
        assert other in ORDER, f"{path}:{line}: imports from unknown room {other}"
        other_floor, other_place = ORDER[other]
        allowed = other_floor < floor or (other_floor == floor and other_place < place)
        assert allowed, f"{path}:{line}: {room} (floor {floor}) must not import {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sizes(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 500, "a module has at most 500 lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{path.name}:{node.lineno} {node.name} has {length} lines, not 60"


def test_most_functions_are_short() -> None:
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    short = sum(length <= 25 for length in lengths)
    assert short / len(lengths) >= 0.8


def test_no_corridors() -> None:
    names = {
        part.removesuffix(".py") for path in MODULES for part in path.relative_to(PACKAGE).parts
    }
    assert not names & FORBIDDEN_NAMES


def test_islands_are_small() -> None:
    for path in FRONTEND.rglob("*.ts"):
        assert len(path.read_text("utf-8").splitlines()) <= 300, (
            f"{path}: an island has ≤ 300 lines"
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_dangerous_is_called(path: Path) -> None:
    """No pickle, exec, eval, torch.load or allow_pickle; forks never (DESIGN section 9)."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
            banned = {"pickle", "dill", "joblib", "marshal", "shelve", "cloudpickle"}
            assert not banned & {name.split(".")[0] for name in names}, f"{path}:{node.lineno}"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"exec", "eval", "compile", "os.system", "os.fork", "yaml.load"}
            if called == "torch.load":
                assert path.name == "convert_pickle.py"
            for keyword in node.keywords:
                assert keyword.arg not in {"allow_pickle", "shell"}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_children_borrow_no_modules_from_the_folder_of_the_user(path: Path) -> None:
    """Every Python that the package starts has `-P`: else a downloaded numpy.py would run in it."""
    tree = ast.parse(path.read_text("utf-8"))
    safe = {
        id(node.elts[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.List)
        and node.elts
        and any(isinstance(one, ast.Constant) and one.value == "-P" for one in node.elts)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.executable":
            assert id(node) in safe, f"{path}:{node.lineno} starts Python without -P"


def test_a_light_import() -> None:
    """`import bilderatlas` loads neither torch nor an engine."""
    import subprocess
    import sys

    heavy = "('torch', 'faiss', 'cv2', 'numkong')"
    code = f"import sys, bilderatlas; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_machine_paths_or_registry_hosts() -> None:
    root = PACKAGE.parents[1]
    pattern = re.compile(r"(?<![\w.])/(?:home|root|Users)/|registry\.npm" + r"js|py" + r"pi\.org")
    for path in root.rglob("*"):
        skip = {".git", ".venv", "node_modules", ".make", "static"} & set(path.parts)
        if (
            skip
            or not path.is_file()
            or path.suffix not in {".py", ".md", ".toml", ".json", ".txt", ".ts"}
        ):
            continue
        assert not pattern.search(path.read_text("utf-8", "replace")), (
            f"{path} names a machine or host"
        )
