"""Tests about the project: generated pages are current, commands are documented."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from bilderatlas.cli.main import app

ROOT = Path(__file__).parents[2]


def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_current() -> None:
    assert generate().stale_pages() == [], "run `make docs`"


def commands(command: Any) -> list[Any]:
    members = getattr(command, "commands", {}).values()
    return [command, *(found for member in members for found in commands(member))]


@pytest.mark.parametrize("command", commands(typer.main.get_command(app)), ids=lambda c: c.name)
def test_every_command_and_option_explains_itself(command: Any) -> None:
    assert command.help, f"{command.name} has no help"
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.name != "help":
            assert parameter.help, f"{command.name}: {parameter.name} has no help"


def test_links_in_the_docs_lead_somewhere() -> None:
    import re

    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
