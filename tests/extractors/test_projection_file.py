"""The file of a projection, as strangers may have written it."""

from __future__ import annotations

import io
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest

from bilderatlas.errors import StoreError
from bilderatlas.extractors.reduced import Projection

WHOLE = np.arange(15, dtype="<f4").reshape(3, 5)


def npy(array: Any) -> bytes:
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def with_header(header: str, body: bytes = b"") -> bytes:
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode() + body


def header(shape: str, descr: str = "'<f4'", order: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}"


def zipped() -> bytes:
    written = io.BytesIO()
    np.savez(written, WHOLE)
    return written.getvalue()


def test_a_whole_file_is_read() -> None:
    projection = Projection.from_bytes(npy(WHOLE))
    assert np.array_equal(projection.mean, WHOLE[0])
    assert np.array_equal(projection.components, WHOLE[1:])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        zipped(),
        npy(WHOLE)[:-4],
        npy(WHOLE) + b"\0\0\0\0",
        npy(WHOLE.astype("<f8")),
        npy(WHOLE.astype(">f4")),
        npy(np.asfortranarray(WHOLE)),
        npy(WHOLE[:1]),
        npy(WHOLE[0]),
        npy(WHOLE[:, :0]),
        npy(np.where(WHOLE == 7, np.nan, WHOLE).astype("<f4")),
        npy(np.where(WHOLE == 7, np.inf, WHOLE).astype("<f4")),
        npy(np.zeros((2, 2), [("a", "<f4")])),
        npy(WHOLE)[:6] + b"\x09\x00" + npy(WHOLE)[8:],
        with_header(header("(3, 5)", "'|O'"), b"cos\nsystem\n"),
        with_header(header("(1000000000, 1000000000)")),
        with_header(header("(-3, -5)"), bytes(60)),
        with_header(header("(3, 5"), bytes(60)),
        with_header("[" * 100, bytes(60)),
    ],
)
def test_anything_else_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(StoreError, match="Cannot read a projection"):
        Projection.from_bytes(content)


def test_nothing_is_allocated_for_a_claim() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(StoreError, match="bytes, and 0 are there"):
            Projection.from_bytes(with_header(header("(50000, 10000)")))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
