"""The child: reads pictures from its standard input, answers with pixels, and can do nothing else.

    python -m bilderatlas.images.child '{"max_pixels": 200000000, …}'

Started by `process`, never by hand. It ends when its input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

from bilderatlas.errors import ImageError
from bilderatlas.images import sandbox, uploads
from bilderatlas.images.decode import open_picture, prepare
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.protocol import BrokenFrameError, read_frame, write_frame
from bilderatlas.images.refusals import refusal
from bilderatlas.images.thumbnails import make_thumbnails
from bilderatlas.images.tiles import make_tiles


def answer(
    request: dict[str, Any], content: bytes, limits: DecodeLimits
) -> tuple[dict[str, Any], list[bytes]]:
    """Return the header and the bodies that answer one request."""
    try:
        if request["verb"] == "upload":
            opened = open_picture(content, request["format"], uploads.UPLOAD_SIDE_PX, limits)
            return {}, [uploads.encode_upload(opened.picture)]
        if request["verb"] == "tiles":
            return _cut(request, content, limits)
        opened = open_picture(content, request["format"], request["side_px"], limits)
        thumbnails = (
            make_thumbnails(opened.base, opened.original_size_wh) if request["thumbnails"] else {}
        )
        header = {
            "size_wh": opened.original_size_wh,
            "format": request["format"],
            "n_frames": opened.n_frames,
            "thumbnails": {str(side): len(webp) for side, webp in thumbnails.items()},
            "found": opened.found,
        }
        return header, [opened.picture.tobytes(), *thumbnails.values()]
    except ImageError as error:
        return {"code": error.reason_code, "sentence": str(error)}, []
    except MemoryError:
        too_much = refusal("too-much-memory", limit=limits.memory_bytes)
        return {"code": too_much.reason_code, "sentence": str(too_much)}, []


def _cut(
    request: dict[str, Any], content: bytes, limits: DecodeLimits
) -> tuple[dict[str, Any], list[bytes]]:
    # without a gap a very large picture is opened at half its sides, which is all that fits
    picture = open_picture(
        content, request["format"], request["side_px"], limits, draft_gap=1, reducing_gap=1
    ).picture
    tiles = make_tiles(picture)
    return {"size_wh": picture.size, "tiles": list(map(len, tiles))}, tiles


def serve(requests: BinaryIO, answers: BinaryIO, limits: DecodeLimits) -> None:
    """Answer requests until their stream ends."""
    while True:
        try:
            request, body = read_frame(requests, limits.max_file_bytes)
        except BrokenFrameError:
            return
        sandbox.allow_cpu(limits.timeout_s)
        content = bytes(body)
        del body  # the file once in memory is enough
        header, bodies = answer(request, content, limits)
        del content
        write_frame(answers, {**header, "peak_bytes": sandbox.peak_bytes()}, *bodies)


def main() -> None:
    """Take the standard streams, lock this process up, and serve."""
    limits = DecodeLimits(**json.loads(sys.argv[1]))
    requests = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)  # a decoder that prints must not be heard as an answer
    prepare(limits)
    sandbox.lock_up(limits.memory_bytes)
    try:
        serve(requests, answers, limits)
    except BrokenPipeError:
        pass  # the parent was killed
    finally:
        with contextlib.suppress(OSError):
            Path.cwd().rmdir()  # empty, and nobody else's; a killed parent cannot do it
        os._exit(0)  # hostile objects need no finalisers


if __name__ == "__main__":
    main()
