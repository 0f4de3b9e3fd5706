"""Turn weights that exist only as a pickle into safetensors, once, in a child process.

The one file that may call `torch.load`, and only with `weights_only=True`: torch's reader then
builds tensors and plain containers and calls nothing that the file names. It runs in a child of
its own nevertheless, in an empty folder, with limits of memory and of what it may write:

    python -P -m bilderatlas.extractors.runtimes.convert_pickle SOURCE TARGET

prints one line of JSON: {"n_tensors": 54} or {"error": "why"}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.runtimes.torch import has_torch
from bilderatlas.images.process import lean_environment

TIMEOUT_S = 1800
BASE_ADDRESS_BYTES = 16_000_000_000  # what torch maps before it reads anything, with room
BASE_WRITTEN_BYTES = 100_000_000
GROWTH = 4  # a tensor is read, copied and written; more than that, a file does not honestly need
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIX = "module."  # what training on several GPUs puts before every name


def convert(source: Path, target: Path) -> int:
    """Write the tensors of the pickle `source` to the safetensors file `target`.

    Returns:
        How many tensors there are.

    Raises:
        UnavailableError: the laboratory is not installed.
        WeightsError: the file holds anything but tensors, or cannot be read; no target is left.
    """
    require_laboratory(source.name)
    answer = _answer_of_child(source.resolve(), target.resolve())
    if "error" in answer:
        target.unlink(missing_ok=True)
        raise WeightsError(
            "not-weights",
            f"Cannot convert '{source}': {answer['error']}. Expected a PyTorch file that holds "
            "tensors by name, and nothing else.",
        )
    return int(answer["n_tensors"])


def _answer_of_child(source: Path, target: Path) -> dict[str, Any]:
    """Start the child where no folder lends it modules, and return what it says."""
    # -P: the folder in which a user happens to stand must not lend us its modules
    command = [sys.executable, "-P", "-B", "-m", __spec__.name, str(source), str(target)]
    try:
        with TemporaryDirectory(prefix="bilderatlas-child-") as empty:
            child = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
                cwd=empty,
                env=lean_environment(),
                start_new_session=True,
            )
        answer = json.loads(child.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        return {"error": "the child process that read it ended without an answer"}
    return answer if isinstance(answer, dict) else {"error": "its reader gave no answer"}


def require_laboratory(name: str) -> None:
    """Make sure that a pickle can be converted here.

    Raises:
        UnavailableError: the laboratory is not installed.
    """
    if not has_torch():
        raise UnavailableError(
            f"Cannot read '{name}': it is a pickle, and converting it needs the laboratory once. "
            "Install it with: pip install 'bilderatlas[lab]' — or take a safetensors or ONNX file "
            "from another machine, with --weights FILE."
        )


def _unwrapped(loaded: Any) -> dict[str, Any]:
    """Return the tensors by name, out of the wrappers that training programs put around them."""
    import torch

    if isinstance(loaded, Mapping):
        for name in WRAPPERS:
            if isinstance(loaded.get(name), Mapping):
                return _unwrapped(loaded[name])
    if not isinstance(loaded, Mapping) or not loaded:
        raise ValueError(f"it holds a {type(loaded).__name__}, not tensors by name")
    wrong = [name for name, one in loaded.items() if not isinstance(one, torch.Tensor)]
    if wrong:
        kind = type(loaded[wrong[0]]).__name__
        raise ValueError(f"'{wrong[0]}' in it is a {kind}, not a tensor")
    names = [str(name) for name in loaded]
    start = len(PREFIX) if all(name.startswith(PREFIX) for name in names) else 0
    return {
        name[start:]: tensor.detach().clone().contiguous()
        for name, tensor in zip(names, loaded.values(), strict=True)
    }


def _limit(source_bytes: int) -> None:
    """Bound what this process may map and write, where the system can: a file may lie of itself."""
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wanted = {resource.RLIMIT_FSIZE: BASE_WRITTEN_BYTES + GROWTH * source_bytes}
    if sys.platform == "linux":  # elsewhere the limit is not kept, or refused
        wanted[resource.RLIMIT_AS] = BASE_ADDRESS_BYTES + GROWTH * source_bytes
    for kind, n_bytes in wanted.items():
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or n_bytes < hard:
            resource.setrlimit(kind, (n_bytes, n_bytes))


def main(arguments: list[str]) -> int:
    """Convert and print what happened."""
    import torch
    from safetensors.torch import save_file

    source, target = arguments
    try:
        tensors = _unwrapped(torch.load(source, map_location="cpu", weights_only=True))
        save_file(tensors, target)
    except Exception as error:  # whatever a hostile file provokes ends as a sentence
        print(json.dumps({"error": " ".join(str(error).split())[:300] or type(error).__name__}))
        return 1
    print(json.dumps({"n_tensors": len(tensors)}))
    return 0


if __name__ == "__main__":  # be the child
    _limit(Path(sys.argv[1]).stat().st_size)
    sys.exit(main(sys.argv[1:]))
