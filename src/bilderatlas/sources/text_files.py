"""Open a text file whose encoding nobody wrote down, compressed or not."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from bilderatlas.errors import SourceError

MAX_LINE_BYTES = 16_000_000
_CHUNK_BYTES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading, through gzip if its name ends in `.gz`."""
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def detect_encoding(path: Path) -> str:
    """Read a text file through once and return its encoding.

    UTF-8 is recognised because it hardly ever arises by chance; what is not UTF-8 was written by
    Windows (cp1252), or is Latin-1 where it holds bytes that cp1252 leaves undefined.

    Raises:
        SourceError: when the file is empty, damaged, or has a line that is no table's.
    """
    utf8 = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_cp1252, n_since_break, n_bytes = True, True, 0, 0
    try:
        with open_bytes(path) as handle:
            start = b""
            while chunk := handle.read(_CHUNK_BYTES):
                start = start or chunk[:4]
                n_bytes += len(chunk)
                is_utf8 = is_utf8 and _decodes(utf8, chunk)
                if not is_utf8 and is_cp1252:
                    is_cp1252 = not chunk.translate(None, _CP1252_BYTES)
                at = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
                n_since_break = len(chunk) - at - 1 if at >= 0 else n_since_break + len(chunk)
                if n_since_break > MAX_LINE_BYTES:
                    raise SourceError(
                        f"Cannot read '{path.name}' as a table: it has a line of more than "
                        f"{MAX_LINE_BYTES // 1_000_000} MB. Name a CSV, TSV, JSONL or Parquet file."
                    )
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(
            f"Cannot read '{path.name}': the compressed file is damaged ({error}). Fetch it again."
        ) from error
    except OSError as error:
        raise SourceError(f"Cannot read '{path.name}': {error.strerror or error}.") from error
    if n_bytes == 0:
        raise SourceError(
            f"Cannot index '{path.name}': the file is empty. A table needs one row a picture."
        )
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if is_utf8 and _decodes(utf8, b"", final=True):
        return "utf-8"
    return "cp1252" if is_cp1252 else "latin-1"


_CP1252_BYTES = bytes(b for b in range(256) if b not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a text file; line ends are left as they are, and so are bytes that are no text."""
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, errors=errors, newline="")


def is_text(line: str) -> bool:
    """Tell whether all bytes of what `open_text` read were text."""
    if line.isascii():
        return True
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
