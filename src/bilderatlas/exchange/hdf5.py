"""HDF5 files of strangers, read by a disposable child: names, arrays of numbers, texts."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from bilderatlas.errors import PackageError, UnavailableError
from bilderatlas.images.protocol import BrokenFrameError, read_frame, write_frame

MAX_BODY_BYTES = 512 << 20
WAIT_S = 120.0
_CHILD = "bilderatlas.exchange.hdf5_child"
_KEPT_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Hdf5Array:
    """What the file says of one of its arrays.

    Attributes:
        shape: One or two axes.
        kind: A NumPy type with its byte order, or `text`.
    """

    shape: tuple[int, ...]
    kind: str


class Hdf5File:
    """One file and its child; a context manager."""

    def __init__(self, path: Path) -> None:
        """Start the child, and list what is in the file.

        Raises:
            UnavailableError: when h5py is not installed, or no process can be started.
            PackageError: when the file holds anything but plain arrays.
        """
        if importlib.util.find_spec("h5py") is None:
            raise UnavailableError(
                f"Cannot read '{path.name}': HDF5 files need h5py. Install it with "
                "`pip install 'bilderatlas[hdf5]'`."
            )
        if not path.is_file():
            raise PackageError("missing-part", f"Cannot read '{path}': it is not there.")
        self.path = path.resolve()
        self._lock = threading.Lock()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-B", "-m", _CHILD, str(self.path)],  # -P: not this folder
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise UnavailableError(
                f"Cannot read '{path.name}': no further process could be started. Close other "
                "programs."
            ) from error
        self._requests = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        try:
            self._receive(0)
            self.arrays = _arrays(self._ask({"verb": "list"}, 0)[0])
        except BaseException:
            self.close()
            raise

    def numbers(self, name: str, start: int, stop: int) -> npt.NDArray[Any]:
        """Return rows `start` to `stop` of an array.

        Raises:
            PackageError: when they cannot be read.
        """
        array = self.arrays[name]
        dtype = np.dtype(array.kind)
        shape = (min(stop, array.shape[0]) - start, *array.shape[1:])
        n_bytes = int(np.prod(shape)) * dtype.itemsize
        _, body = self._ask(
            {"verb": "numbers", "name": name, "start": start, "stop": stop}, n_bytes
        )
        if len(body) != n_bytes:
            raise self._refusal("damaged", "rows of it are missing")
        return np.frombuffer(body, dtype).reshape(shape)

    def texts(self, name: str, start: int, stop: int) -> list[str]:
        """Return texts `start` to `stop` of an array.

        Raises:
            PackageError: when they cannot be read.
        """
        request = {"verb": "texts", "name": name, "start": start, "stop": stop}
        _, body = self._ask(request, MAX_BODY_BYTES)
        texts = json.loads(body)
        wanted = min(stop, self.arrays[name].shape[0]) - start
        if not isinstance(texts, list) or len(texts) != wanted:
            raise self._refusal("damaged", "texts of it are missing")
        return [str(text) for text in texts]

    def _ask(self, request: dict[str, Any], max_bytes: int) -> tuple[dict[str, Any], bytearray]:
        with self._lock:
            try:
                write_frame(self._requests, request)
            except OSError as error:
                raise self._refusal("damaged", "reading it ended the reader") from error
            return self._receive(max_bytes)

    def _receive(self, max_bytes: int) -> tuple[dict[str, Any], bytearray]:
        clock = threading.Timer(WAIT_S, self._process.kill)
        clock.start()
        try:
            header, body = read_frame(self._answers, max_bytes)
        except (OSError, ValueError, BrokenFrameError) as error:
            raise self._refusal("damaged", "reading it ended the reader") from error
        finally:
            clock.cancel()
        if "code" in header:
            raise self._refusal(str(header["code"]), str(header.get("why", ""))[:400])
        return header, body

    def _refusal(self, code: str, why: str) -> PackageError:
        return PackageError(
            f"hdf5-{code}" if code != "hdf5" else code,
            f"Cannot read '{self.path.name}': {why}. Only plain arrays in the file itself are "
            "read; nothing was imported.",
        )

    def close(self) -> None:
        """End the child."""
        with contextlib.suppress(OSError):
            self._requests.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(OSError):
            self._answers.close()

    def __enter__(self) -> Hdf5File:
        """Use the file in a `with` block."""
        return self

    def __exit__(self, *error: object) -> None:
        """End the child on leaving the block."""
        self.close()


def _arrays(header: dict[str, Any]) -> dict[str, Hdf5Array]:
    return {
        name: Hdf5Array(tuple(int(length) for length in facts["shape"]), str(facts["kind"]))
        for name, facts in header["arrays"].items()
    }


def _environment() -> dict[str, str]:
    """Return the little that the child has to know; the library loads no plug-ins there."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    paths = [str(Path(path).resolve()) for path in sys.path if path]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",
        "HDF5_PLUGIN_PRELOAD": "::",
        "HDF5_USE_FILE_LOCKING": "FALSE",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
