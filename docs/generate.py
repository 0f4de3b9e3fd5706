"""Write the generated pages of docs/, or with --check say which of them are stale.

The map of rooms comes from the imports, the command line from its commands, the extractors from
their cards, the settings and errors from their classes: what is written once is never copied.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from bilderatlas import api, errors
from bilderatlas.api import Collection, Library
from bilderatlas.api.panels import Panels
from bilderatlas.cli.main import app
from bilderatlas.extractors import EXTRACTORS
from bilderatlas.search.hits import Hits
from bilderatlas.settings import Settings
from bilderatlas.sources import SOURCES

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "bilderatlas"
START, END = "<!-- generated: make docs -->", "<!-- end -->"


def cli_page() -> str:
    """Return the reference of the command line."""
    lines = ["# The command line", "", START, ""]
    for path, command in _commands(typer.main.get_command(app), "bilderatlas"):
        context = command.make_context(path, [], resilient_parsing=True, max_content_width=96)
        lines += [f"## `{path}`", "", "```text", command.get_help(context), "```", ""]
    return "\n".join([*lines, END, ""])


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, member in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(member, f"{path} {name}")


def extractors_page() -> str:
    """Return the reference of the extractors, from their cards."""
    lines = ["# Extractors", "", START, ""]
    for extractor in EXTRACTORS:
        card = extractor.card
        lines += [
            f"## `{card.model_id}`",
            "",
            f"**Judges by {card.judges_by}.** {card.sees}",
            "",
            f"- Dimension {card.dim}, stored as {card.dtype}"
            + (", many rows an image" if card.many_rows else ""),
            f"- Metrics, the default first: {', '.join(metric.value for metric in card.metrics)}",
            f"- Pictures arrive with a long side of at most {card.side_px} px",
            f"- Version {card.version}, licence {card.licence}",
            f"- After: {card.paper}" if card.paper else "- No publication",
            "- Preprocessing:",
            *(f"  {n}. `{step}`" for n, step in enumerate(card.preprocessing, 1)),
            "",
        ]
    return "\n".join([*lines, END, ""])


def settings_page() -> str:
    """Return the settings, their variables and defaults, and the kinds of sources."""
    described = dict(_attributes(Settings))
    lines = ["# Settings", "", START, "", "| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `BILDERATLAS_{name.upper()}` | {field.default} | {described[name]} |")
    lines += ["", "## Kinds of sources", "", "| kind | example |", "|---|---|"]
    lines += [f"| {kind.name} | `{kind.example}` |" for kind in SOURCES]
    return "\n".join([*lines, "", END, ""])


def _attributes(thing: type) -> Iterator[tuple[str, str]]:
    """Read the `Attributes:` section of a docstring."""
    text = inspect.getdoc(thing) or ""
    for line in text.partition("Attributes:\n")[2].splitlines():
        name, separator, meaning = line.strip().partition(": ")
        if separator:
            yield name, meaning


def python_page() -> str:
    """Return the reference of the Python API, from its docstrings."""
    lines = ["# The Python API", "", START, ""]
    lines += ["```python", "import bilderatlas as ba", "```", ""]
    for thing in (api.open, api.create, api.index):
        lines += _described(thing, f"ba.{thing.__name__}")
    for kind in (Library, Collection, Panels, Hits):
        lines += [f"## {kind.__name__}", "", inspect.getdoc(kind) or "", ""]
        for name, member in vars(kind).items():
            shown = not name.startswith("_") and (
                inspect.isfunction(member) or isinstance(member, property)
            )
            if shown:
                lines += _described(member, f"{kind.__name__.lower()}.{name}")
    return "\n".join([*lines, END, ""])


def _described(thing: Any, name: str) -> list[str]:
    """Name, signature and docstring of a function or property."""
    signature = ""
    if not isinstance(thing, property):
        signature = str(inspect.signature(thing)).replace("(self, ", "(").replace("(self)", "()")
    text = inspect.getdoc(thing) or ""
    return [
        f"### `{name}`",
        "",
        "```text",
        f"{name.rsplit('.', maxsplit=1)[-1]}{signature}",
        "",
        text,
        "```",
        "",
    ]


def errors_page() -> str:
    """Return the tree of errors with codes, exit and HTTP status."""
    lines = ["# Errors", "", START, "", inspect.getdoc(errors) or "", ""]
    lines += ["| error | code | exit | HTTP |", "|---|---|---|---|"]
    for name, thing in vars(errors).items():
        if isinstance(thing, type) and issubclass(thing, errors.BilderatlasError):
            lines.append(f"| {name} | `{thing.code}` | {thing.exit_status} | {thing.http_status} |")
    return "\n".join([*lines, "", END, ""])


def rooms_map() -> str:
    """Return the map of rooms: what each is for, how large it is, and what it imports."""
    lines = ["| room | what for | files | lines | imports |", "|---|---|---|---|---|"]
    for room in sorted(_rooms(), key=_order):
        files = _rooms()[room]
        uses = Counter(other for file in files for other in _imports(file) if other != room)
        floor_zero = {"errors", "records", "arrays", "registry", "settings"}
        shown = [other for other in sorted(uses, key=_order) if other not in floor_zero]
        n_lines = sum(len(file.read_text("utf-8").splitlines()) for file in files)
        purpose = _purpose(room)
        lines.append(
            f"| `{room}` | {purpose} | {len(files)} | {n_lines} | {', '.join(shown) or '—'} |"
        )
    return "\n".join(lines)


def _rooms() -> dict[str, list[Path]]:
    rooms: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if parts[0] not in {"__init__.py", "__main__.py"}:
            rooms.setdefault(parts[0].removesuffix(".py"), []).append(path)
    return rooms


def _order(room: str) -> tuple[int, str]:
    floors = (
        "errors arrays records registry settings",
        "network images extractors store evaluation museum",
        "sources iconclass search explain atlas learning exchange jobs",
        "indexing",
        "api",
        "cli web",
    )
    return next((n for n, floor in enumerate(floors) if room in floor.split()), 9), room


def _purpose(room: str) -> str:
    file = PACKAGE / f"{room}.py"
    file = file if file.exists() else PACKAGE / room / "__init__.py"
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) if file.exists() else ""
    return (text or "").splitlines()[0] if text else ""


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bilderatlas."):
            found.add((node.module or "").split(".")[1])
    return found


def architecture_page() -> str:
    """Return docs/architecture.md with its map of rooms renewed."""
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    before, _, rest = text.partition(START)
    after = rest.partition(END)[2]
    return f"{before}{START}\n\n{rooms_map()}\n\n{END}{after}"


PAGES = {
    "docs/architecture.md": architecture_page,
    "docs/reference/command-line.md": cli_page,
    "docs/reference/extractors.md": extractors_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/errors.md": errors_page,
    "docs/reference/python.md": python_page,
}


def stale_pages() -> list[str]:
    """Return the generated pages that differ from what the code says now."""
    return [
        name
        for name, make in PAGES.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text("utf-8") != make()
    ]


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    if parser.parse_args().check:
        stale = stale_pages()
        print("\n".join(stale) or "All generated pages are current.")
        sys.exit(bool(stale))
    for name, make in PAGES.items():
        page = make()
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(page, "utf-8")


if __name__ == "__main__":
    main()
