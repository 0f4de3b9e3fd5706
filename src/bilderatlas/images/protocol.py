"""What passes between the parent and a child: a small header as JSON, then bytes of known length.

The parent trusts nothing that comes back; `replies` checks every number.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

MAX_HEADER_BYTES = 1_000_000
_LENGTHS = struct.Struct("<IQ")  # of the header, of the body


class BrokenFrameError(Exception):
    """The other side ended, or says what it must not say."""


def write_frame(stream: BinaryIO, header: Mapping[str, Any], *bodies: bytes) -> None:
    """Write one message and flush it."""
    text = json.dumps(header).encode("ascii")
    parts = [memoryview(body).cast("B") for body in bodies if len(body)]
    stream.write(_LENGTHS.pack(len(text), sum(len(part) for part in parts)) + text)
    for part in parts:
        stream.write(part)
    stream.flush()


def read_frame(stream: BinaryIO, max_body_bytes: int) -> tuple[dict[str, Any], bytearray]:
    """Read one message: its header and its body.

    Raises:
        BrokenFrameError: when the stream ends, or a length is above its limit, or the header is
            not a JSON object. Nothing is allocated before its length was checked.
    """
    n_header, n_body = _LENGTHS.unpack(_read_exactly(stream, _LENGTHS.size))
    if n_header > MAX_HEADER_BYTES or n_body > max_body_bytes:
        raise BrokenFrameError(f"a message of {n_header} + {n_body} bytes")
    text = _read_exactly(stream, n_header)
    body = _read_exactly(stream, n_body)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BrokenFrameError("a header that is not JSON") from error
    if not isinstance(header, dict):
        raise BrokenFrameError("a header that is not an object")
    return header, body


def _read_exactly(stream: BinaryIO, n_bytes: int) -> bytearray:
    buffer = bytearray(n_bytes)
    view = memoryview(buffer)
    at = 0
    while at < n_bytes:
        n_read = stream.readinto(view[at:])  # type: ignore[attr-defined]  # both are buffered
        if not n_read:
            raise BrokenFrameError("the stream ended")
        at += n_read
    return buffer
