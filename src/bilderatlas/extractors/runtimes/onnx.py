"""ONNX Runtime: runs exported networks on a CPU, in the base install."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.runtimes.base import Runtime, RuntimeOptions
from bilderatlas.extractors.runtimes.weights import sha256_of, shown_file

INT8_OPERATORS = ["MatMul", "Gemm"]  # convolutions get slower, not faster


class OnnxRuntime(Runtime):
    """Runs `{tower: file.onnx}`; sessions start at the first use."""

    name = "onnxruntime"

    def __init__(self, paths: Mapping[str, Path], options: RuntimeOptions | None = None) -> None:
        """Run the files at `paths`, one a tower.

        Raises:
            UnavailableError: for a device or a precision that this runtime has not.
        """
        self._paths = dict(paths)
        self._options = options or RuntimeOptions()
        self._sessions: dict[str, Any] = {}
        self._lock = threading.Lock()
        if self._options.device != "cpu" or self._options.precision == "bf16":
            raise UnavailableError(
                f"Cannot run an ONNX file on '{self._options.device}' in "
                f"{self._options.precision}: ONNX Runtime runs here on the CPU, in fp32 or int8. "
                "For cuda and bf16 install the laboratory: pip install 'bilderatlas[lab]'."
            )

    def run_all(self, tower: str, inputs: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], ...]:
        """Run a tower on a batch and return all of its outputs."""
        session = self.session(tower)
        (name,) = (one.name for one in session.get_inputs())
        return tuple(session.run(None, {name: np.ascontiguousarray(inputs)}))

    def session(self, tower: str) -> Any:
        """Return the `onnxruntime.InferenceSession` of a tower.

        Raises:
            WeightsError: when the file is no ONNX file that can be run.
        """
        with self._lock:
            if tower not in self._sessions:
                path = self._paths[tower]
                if self._options.precision == "int8":
                    path = quantised(path)
                self._sessions[tower] = open_session(path, self._options.n_threads)
            return self._sessions[tower]


def open_session(path: Path, n_threads: int = 0) -> Any:
    """Open an ONNX file with all optimisations; `n_threads` 0: all processors.

    Raises:
        WeightsError: when the file is no ONNX file that can be run.
    """
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    settings.intra_op_num_threads = n_threads
    settings.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(path), sess_options=settings, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the library has no common base for what a bad file raises
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(
            "not-weights",
            f"Cannot run '{shown_file(path)}': ONNX Runtime answered "
            f"'{reason.replace(str(path), path.name)}'. Expected an ONNX file; fetch or export it "
            "again.",
        ) from error


def quantised(path: Path) -> Path:
    """Return the int8 form of an ONNX file, made beside it at the first use.

    Its name says of which bytes it was made, and what its own are: it is never run unproven.

    Raises:
        UnavailableError: when it is still to be made and the laboratory is not installed, or the
            network has nothing that is worth rounding.
        WeightsError: when it holds other bytes than were made.
    """
    made_of = f"{path.stem}.int8-{sha256_of(path)[:16]}"
    for derived in sorted(path.parent.glob(f"{made_of}-*.onnx")):
        if sha256_of(derived) != derived.stem.removeprefix(f"{made_of}-"):
            raise WeightsError(
                "wrong-sha256",
                f"Cannot use '{shown_file(derived)}': it was changed or damaged since it "
                "was made. Remove it; it is made again at its next use.",
            )
        return derived
    partial = path.with_name(f".{made_of}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        _round(path, partial)
        return partial.replace(path.with_name(f"{made_of}-{sha256_of(partial)}.onnx"))
    finally:
        partial.unlink(missing_ok=True)


def _round(path: Path, target: Path) -> None:
    """Write the int8 form of the ONNX file `path` to `target`."""
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise UnavailableError(
            f"Cannot make the int8 form of '{path.name}': that needs the laboratory once. Install "
            "it with: pip install 'bilderatlas[lab]'"
        ) from error
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it recommends steps that an exported network needs not
    try:
        model = onnx.load(path)
        del model.graph.value_info[:]  # shapes of weights that rounding turns round
        quantize_dynamic(
            model, target, op_types_to_quantize=INT8_OPERATORS, weight_type=QuantType.QInt8
        )
    finally:
        logging.disable(disabled)
    if not _has_int8(target):
        raise UnavailableError(
            f"Cannot make the int8 form of '{shown_file(path)}': the network is made of "
            "convolutions, which int8 does not speed up here. Use it in fp32."
        )


def _has_int8(path: Path) -> bool:
    """Tell whether any weights of an ONNX file were rounded."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    return any(one.data_type == onnx.TensorProto.INT8 for one in model.graph.initializer)
