"""What kind of file lies here: told by its first bytes, never by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.runtimes.weights import Role

MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors format itself


def kind_of(path: Path) -> Role | None:
    """Tell what a file is; None where it is nothing that a model is made of."""
    with path.open("rb") as opened:
        start = opened.read(512)
    length = int.from_bytes(start[:8], "little")
    if len(start) > 8 and start[8:9] == b"{" and length + 8 <= path.stat().st_size:
        return "safetensors"
    if start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return "pickle"
    if start.lstrip()[:1] == b"{":
        return "tokenizer"
    if start[:1] == b"\x08" and len(start) > 16:  # protobuf: field 1, the IR version of ONNX
        return "onnx"
    return None


def check_role(path: Path, role: Role) -> None:
    """Make sure that a file is of the kind that it should be.

    Raises:
        WeightsError: saying what it looks like.
    """
    found = kind_of(path)
    if found == "safetensors" and role == "safetensors":
        read_header(path)
    elif found == "tokenizer" and role == "tokenizer":
        _check_json(path)
    elif found != role:
        raise WeightsError(
            "not-weights",
            f"Cannot use '{path.name}': expected {_NAMES[role]}, but it is "
            f"{_NAMES[found] if found else _guess(path)}. Check the address or the file.",
        )


_NAMES: dict[str, str] = {
    "safetensors": "a safetensors file",
    "pickle": "a PyTorch file (.pth, .pt)",
    "onnx": "an ONNX file",
    "tokenizer": "a tokenizer.json",
}


def read_header(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a safetensors file by name, after checking that it is whole.

    Raises:
        WeightsError: when it is cut off or no safetensors file.
    """
    size_bytes = path.stat().st_size
    try:
        with path.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > min(MAX_HEADER_BYTES, size_bytes - 8):
                raise ValueError("its header is longer than the file")
            header: dict[str, Any] = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        end = max((one["data_offsets"][1] for one in header.values()), default=0)
        if end + 8 + length != size_bytes:
            raise ValueError(f"it has {size_bytes} bytes, its header promises {end + 8 + length}")
        return {name: tuple(one["shape"]) for name, one in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise WeightsError(
            "not-weights",
            f"Cannot read '{path.name}' as safetensors: {error}. Get the file again.",
        ) from error


def _check_json(path: Path) -> None:
    try:
        known = isinstance(json.loads(path.read_text("utf-8")).get("model"), dict)
    except (ValueError, AttributeError):
        known = False
    if not known:
        raise WeightsError(
            "not-weights",
            f"Cannot read '{path.name}' as a tokenizer: expected JSON with a 'model'.",
        )


def _guess(path: Path) -> str:
    start = path.read_bytes()[:200] if path.stat().st_size < 10_000_000 else b""
    if start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page (an error or a log-in, perhaps)"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file that it points to"
    return "empty" if path.stat().st_size == 0 else "something else"
