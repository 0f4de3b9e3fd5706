"""What all neural extractors share: weights, a runtime, batches; a family adds its architecture."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Pixels, unit_rows
from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.base import Card, Extractor, ImageRows, Readiness
from bilderatlas.extractors.canaries import canary_pictures, canary_texts
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.runtimes.base import Run, Runtime, RuntimeOptions
from bilderatlas.extractors.runtimes.likeness import problem_of
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.extractors.runtimes.record import record_stamp
from bilderatlas.extractors.runtimes.torch import TorchRuntime, has_torch
from bilderatlas.extractors.runtimes.weights import (
    WEIGHTS_FILE,
    ModelFiles,
    WeightsFile,
    shown_size,
)
from bilderatlas.settings import models_folder

if TYPE_CHECKING:
    import torch

INT8_SUFFIX = "~int8"


class NeuralExtractor(Extractor):
    """An extractor with weights: fetched once, run by ONNX Runtime or torch.

    A family gives `base_card`, `files`, `build_towers`, and `tokenise` where it reads texts.
    """

    base_card: ClassVar[Card]
    files: ClassVar[tuple[WeightsFile, ...]] = ()
    towers: ClassVar[tuple[str, ...]] = ("image",)
    free_axes: ClassVar[Mapping[str, tuple[int, ...]]] = {}  # of a tower's input; else the first
    batch_size: ClassVar[int] = 32

    def __init__(self, folder: Path | None = None, options: RuntimeOptions | None = None) -> None:
        """Use the weights in `folder`, else those in the user's cache."""
        self._folder = folder
        self.options = options or RuntimeOptions()
        self._fresh()

    def _fresh(self) -> None:
        self._lock = threading.Lock()
        self._runtime: tuple[object, Runtime] | None = None

    def configured(self, options: RuntimeOptions) -> Self:
        """Return the same extractor, to be run in another way."""
        other = copy.copy(self)
        other.options = options
        other._fresh()
        return other

    def at(self, folder: Path) -> Self:
        """Return the same extractor with its weights in `folder`."""
        other = copy.copy(self)
        other._folder = folder
        other._fresh()
        return other

    @property
    def threads_itself(self) -> bool:
        """Tell whether one call uses all processors."""
        return self.options.n_threads != 1

    @property
    def folder(self) -> Path:
        """Where its files are kept; may not exist yet."""
        return self._folder or models_folder() / self.base_card.model_id

    @property
    def model_files(self) -> ModelFiles:
        """Its files: which are here, and what was recorded of them."""
        return ModelFiles(self.base_card.model_id, self.folder, self.files, self.towers)

    @property
    def card(self) -> Card:
        """The facts, with those of the weights as far as they are known."""
        files = self.model_files
        suffix = INT8_SUFFIX if self.options.precision == "int8" else ""
        card = replace(self.base_card, model_id=self.base_card.model_id + suffix)
        try:
            return replace(
                card, weights_sha256=files.weights_sha256(), weights=files.weights_facts()
            )
        except WeightsError:
            return card  # a record that cannot be read: `readiness` says so

    def is_default_for(self, source_kind: str) -> bool:
        """Tell that a space with weights is made when asked for."""
        return False

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build the networks in evaluation mode, from a safetensors file or (None) at random.

        Each maps a preprocessed batch to `(n, d)`. Needs the laboratory.
        """
        raise NotImplementedError(f"{type(self).__name__} has no architecture")

    def tokenise(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Turn texts into `(n, length)` int64; families with a text tower override this."""
        raise NotImplementedError(f"{type(self).__name__} reads no texts")

    def to_rows(self, outputs: Embeddings) -> list[ImageRows]:
        """Turn the image tower's `(n, d)` into rows, one an image."""
        return [ImageRows(row[None, :]) for row in self.to_embeddings(outputs)]

    def to_embeddings(self, outputs: Embeddings) -> Embeddings:
        """Scale outputs `(n, d)` to length 1 where the card says so."""
        outputs = np.asarray(outputs, dtype=np.float32)
        return unit_rows(outputs) if self.base_card.normalised == "l2" else outputs

    def example_inputs(self, tower: str) -> npt.NDArray[Any]:
        """Return the canaries as a batch for a tower: what an export is traced and tested with."""
        if tower == "text":
            return self.tokenise(canary_texts())
        return preprocess(canary_pictures(), self.base_card.preprocessing)

    def canary_outputs(self, tower: str, run: Run, *, n: int | None = None) -> Embeddings:
        """Return what a tower, run by `run`, makes of the (first `n`) canaries: `(n, d)` float32.

        By these outputs two runs are told to be the same space.
        """
        return np.asarray(run(self.example_inputs(tower)[:n])[0], dtype=np.float32)

    def output_shape(self, tower: str) -> tuple[str | int, ...]:
        """Return the shape of a tower's first output; words stand for axes of any length."""
        return ("batch", self.base_card.dim)

    def write_onnx(self, tower: str, network: torch.nn.Module, path: Path) -> None:
        """Write a tower as an ONNX file. Needs the laboratory.

        Raises:
            WeightsError: when it is larger than such a file can be.
        """
        from bilderatlas.extractors.runtimes.export import write_onnx

        free_axes = self.free_axes.get(tower, (0,))
        write_onnx(network, self.example_inputs(tower), path, self.base_card.model_id, free_axes)

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Extract each of `images`, `batch_size` at a time.

        Raises:
            UnavailableError: when the weights are not here, saying how to get them.
            WeightsError: when they are not what was recorded.
        """
        rows: list[ImageRows] = []
        for start in range(0, len(images), self.batch_size):
            batch = preprocess(
                images[start : start + self.batch_size], self.base_card.preprocessing
            )
            rows += self.to_rows(self.runtime().run("image", batch))
        return rows

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts: `(n, d)` float32.

        Raises:
            QueryError: when the extractor has no text side.
            UnavailableError: when the weights are not here, saying how to get them.
        """
        if "text" not in self.towers or not texts:
            return super().embed_texts(texts)
        return self.to_embeddings(self.runtime().run("text", self.tokenise(texts)))

    def find_file(self, name: str) -> Path:
        """Return a file of this model (`tokenizer.json`), its sha256 checked.

        Raises:
            UnavailableError: when it is not here, saying how to get it.
            WeightsError: when it is not what was recorded.
        """
        if self.model_files.find(name) is None:
            raise UnavailableError(self.to_fetch_sentence())
        return self.model_files.verified(name)

    def readiness(self) -> Readiness:
        """Tell whether it can run here: by which files are here; none is loaded."""
        try:
            files = self.model_files
            files.settled()  # refuses what was put here under the name of other bytes
            if self.possible_runtimes():
                return Readiness()
            here = files.find(WEIGHTS_FILE) is not None and files.tokenizers_are_here()
        except WeightsError as error:
            return Readiness("to fetch", str(error), f"Its files are in '{self.folder}'.")
        if here:
            return Readiness("to export", self.to_export_sentence())
        return Readiness("to fetch", self.to_fetch_sentence(), self.by_hand_sentence())

    def needs_torch(self) -> bool:
        """Tell whether only torch can run it as it is configured."""
        return self.options.device != "cpu" or self.options.precision == "bf16"

    def missing_files(self) -> list[WeightsFile]:
        """List what has to come before it can run: beside ONNX files that are here, no weights."""
        missing = self.model_files.missing()
        if self.needs_torch() or not self.model_files.onnx_is_here():
            return missing
        return [one for one in missing if one.role == "tokenizer"]

    def possible_runtimes(self) -> list[str]:
        """List the runtimes that can run it here as it is configured, the preferred one first."""
        files = self.model_files
        if not files.tokenizers_are_here():
            return []
        found = []
        if not self.needs_torch() and files.onnx_is_here():
            found.append(OnnxRuntime.name)
        by_torch = self.options.precision != "int8" and has_torch()
        if by_torch and files.find(WEIGHTS_FILE) is not None:
            found.append(TorchRuntime.name)
        return found

    def runtime(self) -> Runtime:
        """Return what runs it here, made at the first use and again when the weights change.

        Raises:
            UnavailableError: when nothing can, saying what to do.
            WeightsError: when the weights are not what was recorded.
        """
        with self._lock:
            stamp = record_stamp(self.folder)
            if self._runtime is None or self._runtime[0] != stamp:
                names = self.possible_runtimes()
                if not names:
                    raise UnavailableError(self.readiness().sentence)
                runtime = self.build_runtime(names[0])
                self._runtime = (record_stamp(self.folder), runtime)
            return self._runtime[1]

    def build_runtime(self, name: str) -> Runtime:
        """Build the runtime called `name`, the sha256 of its files checked.

        Raises:
            WeightsError: when a file is not what was recorded.
        """
        files = self.model_files
        if name == OnnxRuntime.name:
            paths = {tower: files.verified(f"{tower}.onnx") for tower in self.towers}
            return OnnxRuntime(paths, self.options)
        return TorchRuntime(self.build_towers(files.verified(WEIGHTS_FILE)), self.options)

    def check_weights(self, path: Path) -> None:
        """Make sure that a safetensors file fits the architecture, and tells pictures apart.

        Needs the laboratory to tell. The texts are left out while their tokenizer is not here.

        Raises:
            WeightsError: naming what does not fit.
        """
        if not has_torch():
            return
        try:
            towers = self.build_towers(path)
        except (RuntimeError, KeyError, ValueError, AttributeError, TypeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise WeightsError(
                "misfit",
                f"Cannot use '{path.name}' for '{self.base_card.model_id}': {reason}. Give the "
                "weights that belong to it.",
            ) from error
        for tower, network in towers.items():
            if tower == "text" and not self.model_files.tokenizers_are_here():
                continue
            outputs = self.canary_outputs(tower, TorchRuntime({tower: network}).runner(tower))
            if problem := problem_of(outputs):
                raise WeightsError(
                    "broken",
                    f"Cannot use '{path.name}' for '{self.base_card.model_id}': on the canaries "
                    f"its {tower} network {problem}. The weights are broken; get them again.",
                )

    def release(self) -> None:
        """Let go of the networks; the next call loads them again."""
        with self._lock:
            self._runtime = None

    def to_fetch_sentence(self) -> str:
        """Say what is missing, from where it comes, how large it is and what brings it."""
        model_id = self.base_card.model_id
        missing = self.missing_files() or list(self.files)
        only_words = {one.role for one in missing} == {"tokenizer"}
        what, them = ("tokenizer is", "it") if only_words else ("weights are", "them")
        known = [one.size_bytes for one in missing if one.size_bytes]
        size = f"about {shown_size(sum(known))} " if known else ""
        sources = " and ".join(one.source() for one in missing)
        laboratory = (
            ""
            if has_torch() or only_words
            else " To run they need the laboratory (pip install 'bilderatlas[lab]'), or an ONNX "
            "file that was exported on another machine."
        )
        return (
            f"Cannot use '{model_id}': its {what} not here. Fetch {them} ({size}from {sources}) "
            f"with: bilderatlas extractors fetch {model_id} — or give "
            f"{'the file' if len(missing) == 1 else 'the files'} with --weights FILE.{laboratory}"
        )

    def by_hand_sentence(self) -> str:
        """Say where on this machine the files that are missing may be put by hand."""
        missing = self.missing_files() or list(self.files)
        paths = [str(self.folder / one.name) for one in missing if one.role != "pickle"]
        if not paths:
            return ""
        return f"By hand, {'it goes' if len(paths) == 1 else 'they go'} to {' and '.join(paths)}."

    def to_export_sentence(self) -> str:
        """Say that the weights are here and what they need to run."""
        model_id, options = self.base_card.model_id, self.options
        if self.needs_torch():
            if options.precision == "int8":
                return (
                    f"Cannot run '{self.card.model_id}' on '{options.device}': int8 is made for "
                    f"the CPU. Use --device cpu, or '{model_id}' on '{options.device}'."
                )
            return (
                f"Cannot run '{model_id}' on '{options.device}' in {options.precision}: that needs "
                "the laboratory. Install it with: pip install 'bilderatlas[lab]' — or run it on "
                "the CPU in fp32."
            )
        return (
            f"Cannot use '{self.card.model_id}': its weights are here, but they have not been "
            "exported to ONNX. That needs the laboratory once (pip install 'bilderatlas[lab]'), "
            f"here or on another machine: bilderatlas extractors export {model_id} — then an ONNX "
            f"file can be carried here: bilderatlas extractors fetch {model_id} --weights FILE"
        )
