"""The modules of sources import one another in one direction only."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import bilderatlas.sources

PACKAGE = "bilderatlas.sources"
FOLDER = Path(bilderatlas.sources.__file__).parent


def imports_of(path: Path) -> set[str]:
    """Return the sister modules that a module imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}


def test_imports_go_one_way() -> None:
    graph = {path.stem: imports_of(path) for path in FOLDER.glob("*.py")}
    assert graph["table"] >= {"formats", "rows"}
    TopologicalSorter(graph).prepare()  # raises CycleError, naming the circle
