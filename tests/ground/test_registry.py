"""The registry: one door, near names, an order that does not depend on who imports what."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bilderatlas.errors import UnknownNameError
from bilderatlas.extractors import EXTRACTORS
from bilderatlas.registry import Registry

ORDER = ["raw_32.pixels", "palette_lab.pixels", "composition_hog.pixels", "details_sift.pixels"]


def test_the_order_is_that_of_the_modules_whoever_was_imported_first() -> None:
    code = (
        "import bilderatlas.extractors.details, bilderatlas.extractors.palette\n"
        "from bilderatlas.extractors import EXTRACTORS\n"
        "print(' '.join(EXTRACTORS.names()[:4]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ORDER


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"'raw_32\.pixels'"):
        EXTRACTORS.get("raw_32.pixel")


def test_a_name_is_given_once() -> None:
    registry: Registry[object] = Registry("thing", builtin=(), group="bilderatlas.tests.none")
    first = object()
    assert registry.register("one", first) is registry.register("one", first)
    with pytest.raises(ValueError, match="given once"):
        registry.register("one", object())
    assert registry.names() == ["one"]
    assert "one" in registry
    assert "two" not in registry
