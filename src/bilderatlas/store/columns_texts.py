"""Strings of a column on their way from records into a file: compact, numbered, decoded late.

A million different titles as Python strings take ten times the memory of their bytes, so they lie
in Arrow arrays. Halves of surrogate pairs become `?` and NUL goes before anything is numbered: a
file of columns can hold neither, and two values that are spelled alike there are one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Ints

if TYPE_CHECKING:  # Arrow is imported where columns are built: most processes only read them
    import pyarrow as pa

_CHUNK = 65_536
_Codes = npt.NDArray[np.int32]


class ArrowTexts(Sequence[str]):
    """Strings in an Arrow array, decoded when they are asked for."""

    def __init__(self, texts: pa.ChunkedArray) -> None:
        """Take an array of `large_string` without missing values and without NUL."""
        self._texts = texts

    def __len__(self) -> int:
        """Return the number of strings."""
        return len(self._texts)

    @property
    def n_bytes(self) -> int:
        """Return the length of all strings as UTF-8."""
        import pyarrow.compute as pc

        return int(pc.sum(pc.binary_length(self._texts), min_count=0).as_py())

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Decode one string, or a slice of them."""
        found: str | list[str]
        if isinstance(place, slice):
            found = self._texts.take(np.arange(len(self))[place]).to_pylist()
        else:
            found = self._texts[place].as_py()
        return found

    def __iter__(self) -> Iterator[str]:
        """Decode all of them, some at a time."""
        for start in range(0, len(self), _CHUNK):
            yield from self._texts.slice(start, _CHUNK).to_pylist()


def packed_size(texts: Sequence[str]) -> int:
    """Return the length in bytes of `iter_packed`."""
    if isinstance(texts, ArrowTexts):
        return texts.n_bytes + len(texts)
    return sum(len(part) for part in iter_packed(texts))


def iter_packed(texts: Sequence[str]) -> Iterator[bytes]:
    """Yield the strings as UTF-8, each ended by NUL, some thousand at a time."""
    for start in range(0, len(texts), _CHUNK):
        part: Sequence[str] = texts[start : start + _CHUNK]
        yield "".join(f"{text}\0" for text in part).encode("utf-8", "replace")


class TextsBuilder:
    """Collects a column of texts, or of lists of texts; batches without any cost nothing."""

    def __init__(self, *, lists: bool = False) -> None:
        """Begin with nothing; `lists`: what is added are lists."""
        self._is_lists = lists
        self._parts: list[tuple[int, pa.DictionaryArray | pa.Array]] = []
        self._lengths: list[tuple[int, _Codes]] = []

    def add(self, found: Sequence[Any], start: int) -> None:
        """Add what the rows from `start` on hold: texts, lists of texts, or None."""
        if self._is_lists:
            self._lengths.append((start, np.array([len(one or ()) for one in found], np.int32)))
            found = [str(text) for one in found for text in one or ()]
        texts = arrow_texts(found)
        if texts.null_count < len(texts):
            self._parts.append((start, texts.dictionary_encode()))

    def finish(self, n: int) -> tuple[_Codes, Ints | None, ArrowTexts]:
        """Return codes in the order of first appearance, −1 missing; offsets of lists; values."""
        import pyarrow as pa

        parts = pa.chunked_array(
            [part for _, part in self._parts], pa.dictionary(pa.int32(), pa.large_string())
        ).unify_dictionaries()
        values = parts.chunk(0).dictionary if parts.num_chunks else pa.array([], pa.large_string())
        numbered = [_codes_of(part) for part in parts.chunks]
        starts = [start for start, _ in self._parts]
        self._parts.clear()
        offsets = None
        if self._is_lists:
            offsets = np.zeros(n + 1, np.int64)
            for start, lengths in self._lengths:
                offsets[start + 1 : start + 1 + len(lengths)] = lengths
            np.cumsum(offsets, out=offsets)
            codes = np.concatenate([np.empty(0, np.int32), *numbered])
        elif numbered:
            codes = np.full(n, -1, np.int32)
            for start, part in zip(starts, numbered, strict=True):
                codes[start : start + len(part)] = part
        else:  # a column that nobody fills takes no memory
            codes = np.broadcast_to(np.int32(-1), (n,))
        return codes, offsets, ArrowTexts(pa.chunked_array([values]))


class PlainTexts:
    """Collects texts of which each row has one, without numbering them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._parts: list[pa.Array] = []

    def add(self, found: Sequence[str]) -> None:
        """Add the texts of further rows."""
        self._parts.append(arrow_texts(found))

    def finish(self) -> ArrowTexts:
        """Return all of them."""
        import pyarrow as pa

        return ArrowTexts(pa.chunked_array(self._parts, pa.large_string()))


def arrow_texts(found: Sequence[Any]) -> pa.Array:
    """Return texts as `large_string`, what no file of columns can hold taken out; None stays."""
    import pyarrow as pa

    try:
        texts = pa.array(found, pa.large_string())
    except (pa.ArrowException, UnicodeEncodeError, TypeError):  # half a surrogate pair, a number
        texts = None
    if texts is None or _has_nul(texts):
        return pa.array(
            [None if one is None else _clean(str(one)) for one in found], pa.large_string()
        )
    return texts


def _clean(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _has_nul(texts: pa.Array) -> bool:
    content = texts.buffers()[2]
    return content is not None and bool((np.frombuffer(content, np.uint8) == 0).any())


def _codes_of(part: pa.DictionaryArray) -> _Codes:
    return np.asarray(part.indices.fill_null(-1).to_numpy(zero_copy_only=False), np.int32)
