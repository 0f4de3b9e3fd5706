"""Checksums of files."""

from __future__ import annotations

import ast
from pathlib import Path

import bilderatlas
from bilderatlas.checksums import file_sha256


def test_a_known_checksum(tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert file_sha256(path).startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")  # FIPS 180-2


def test_no_other_module_reads_a_file_for_its_checksum() -> None:
    package = Path(bilderatlas.__file__).parent
    names = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "file_digest"
    }
    assert names == {"checksums.py"}
