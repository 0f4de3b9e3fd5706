"""The child that reads HDF5: a hostile file can only break this process, which can do nothing.

    python -m bilderatlas.exchange.hdf5_child FILE

Started by `hdf5`, never by hand. Only plain numbers (and plain texts) in the file itself are read:
no links, no groups, no data kept in other files, no filters but the usual ones, no objects.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from bilderatlas.images import sandbox
from bilderatlas.images.protocol import BrokenFrameError, read_frame, write_frame

if TYPE_CHECKING:
    import h5py

MEMORY_BYTES = 1_500_000_000
CPU_S = 60.0
MAX_NAMES = 100
MAX_AXIS = 1 << 33
MAX_CHUNK_BYTES = 256 << 20
MAX_RATIO = 1_100  # the most that deflate can do; a file that declares more was made to burst
MAX_TEXT_BYTES = 1 << 20
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}
KINDS = "fiu"


class RefusedError(Exception):
    """What the file asks for and does not get; its text is the end of a sentence."""

    def __init__(self, code: str, why: str) -> None:
        """Name the fault and say it."""
        self.code = code
        super().__init__(why)


def checked(file: h5py.File, name: str) -> h5py.Dataset:
    """Return a dataset of which nothing was read yet, proved to be harmless.

    Raises:
        RefusedError: naming what it is that no array of numbers needs.
    """
    import h5py

    link = file.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        raise RefusedError("external-link", f"'{shown(name)}' is a link to another file")
    if isinstance(link, h5py.SoftLink):
        raise RefusedError("soft-link", f"'{shown(name)}' is a link to somewhere else")
    if not isinstance(link, h5py.HardLink):
        raise RefusedError("link", f"'{shown(name)}' is a link of an unknown kind")
    kind = h5py.h5o.get_info(file.id, name.encode()).type
    if kind != h5py.h5o.TYPE_DATASET:
        raise RefusedError("group", f"'{shown(name)}' is no array")
    dataset = file[name]
    properties = dataset.id.get_create_plist()
    if properties.get_layout() == h5py.h5d.VIRTUAL:
        raise RefusedError("virtual", f"'{shown(name)}' is put together from other files")
    if properties.get_external_count():
        raise RefusedError("external-data", f"the numbers of '{shown(name)}' lie in another file")
    for place in range(properties.get_nfilters()):
        number = properties.get_filter(place)[0]
        if number not in FILTERS:
            raise RefusedError(
                "filter", f"'{shown(name)}' is packed by the unknown filter {number}"
            )
    check_size(dataset, name)
    return dataset


def check_size(dataset: h5py.Dataset, name: str) -> None:
    """Refuse arrays whose declared size has nothing to do with what the file holds.

    Raises:
        RefusedError: `size`.
    """
    shape = tuple(dataset.shape or ())
    size = dataset.dtype.itemsize
    if not 0 < len(shape) <= 2 or any(not 0 <= length <= MAX_AXIS for length in shape):
        raise RefusedError("shape", f"'{shown(name)}' has the shape {shape}")
    n_bytes = math.prod(shape) * size
    held = dataset.id.get_storage_size()
    if n_bytes > held * MAX_RATIO:
        raise RefusedError(
            "size", f"'{shown(name)}' declares {n_bytes:,} bytes, and {held:,} are there"
        )
    if dataset.chunks and math.prod(dataset.chunks) * size > MAX_CHUNK_BYTES:
        raise RefusedError("size", f"'{shown(name)}' is stored in chunks of more than 256 MiB")


def list_file(file: h5py.File) -> dict[str, Any]:
    """Return name → shape and type of every array; everything in the file must be one.

    Raises:
        RefusedError: at the first thing that is none.
    """
    import h5py

    names = []
    for name in file:
        names.append(name)
        if len(names) > MAX_NAMES:
            raise RefusedError("names", f"it holds more than {MAX_NAMES} things")
    arrays: dict[str, Any] = {}
    for name in names:
        dataset = checked(file, name)
        text = h5py.check_string_dtype(dataset.dtype)
        if text is not None and len(dataset.shape) == 1:
            kind = "text"
        elif dataset.dtype.kind in KINDS and dataset.dtype.names is None:
            kind = dataset.dtype.newbyteorder("<").str
        else:
            raise RefusedError("dtype", f"'{shown(name)}' holds neither numbers nor texts")
        arrays[name] = {"shape": list(dataset.shape), "kind": kind}
    return arrays


def read_numbers(file: h5py.File, name: str, start: int, stop: int) -> bytes:
    """Return rows as little-endian bytes."""
    import numpy as np

    dataset = checked(file, name)
    if dataset.dtype.kind not in KINDS:
        raise RefusedError("dtype", f"'{shown(name)}' holds no numbers")
    return np.ascontiguousarray(
        dataset[start:stop].astype(dataset.dtype.newbyteorder("<"))
    ).tobytes()


def read_texts(file: h5py.File, name: str, start: int, stop: int) -> bytes:
    """Return texts as a JSON list."""
    dataset = checked(file, name)
    texts = [_text(value, name) for value in dataset[start:stop].tolist()]
    return json.dumps(texts).encode("ascii")


def _text(value: object, name: str) -> str:
    if not isinstance(value, bytes | str) or len(value) > MAX_TEXT_BYTES:
        raise RefusedError("text", f"'{shown(name)}' holds what is no text, or one above 1 MiB")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def shown(name: str) -> str:
    """Return a name that can stand in a sentence."""
    return "".join(c if c.isprintable() else "�" for c in name[:80])


VERBS: dict[str, Callable[[h5py.File, str, int, int], bytes]] = {
    "numbers": read_numbers,
    "texts": read_texts,
}


def answer(file: h5py.File, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return the header and the body that answer one request; never raises."""
    try:
        if request["verb"] == "list":
            return {"arrays": list_file(file)}, b""
        read = VERBS[request["verb"]]
        return {}, read(file, request["name"], request["start"], request["stop"])
    except RefusedError as error:
        return {"code": error.code, "why": str(error)}, b""
    except MemoryError:
        return {"code": "memory", "why": "reading it takes more memory than is given to it"}, b""
    except Exception as error:  # whatever the library makes of a damaged file
        return {"code": "damaged", "why": f"it is damaged ({str(error)[:200]})"}, b""


def serve(requests: BinaryIO, answers: BinaryIO, path: str) -> None:
    """Open the file and answer until the requests end."""
    sandbox.allow_cpu(CPU_S)
    import h5py

    try:
        file = h5py.File(path, "r")
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        write_frame(answers, {"code": "hdf5", "why": f"it is no HDF5 file ({str(error)[:200]})"})
        return
    write_frame(answers, {})
    while True:
        try:
            request, _ = read_frame(requests, 0)
        except BrokenFrameError:
            return
        sandbox.allow_cpu(CPU_S)
        header, body = answer(file, request)
        write_frame(answers, header, body)


def main() -> None:
    """Take the standard streams, lock this process up, and serve."""
    requests = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    answers = os.fdopen(os.dup(1), "wb", buffering=1 << 16)
    os.dup2(2, 1)
    sandbox.lock_up(MEMORY_BYTES)  # before anything is imported that is not Python's or ours
    try:
        serve(requests, answers, sys.argv[1])
    except BrokenPipeError:
        pass  # the parent was killed
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
