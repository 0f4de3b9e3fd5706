"""`onnx:FILE`: a model that somebody brings along, with a card beside it that says what it is.

The card is JSON: `model.onnx` has `model.card.json`. What it says is tried on the canaries before
anything is kept; then the files are copied to the folder of models under the card's `model_id`, so
that later searches find them without the original.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings
from bilderatlas.errors import UsageError, WeightsError
from bilderatlas.extractors.base import EXTRACTORS, Readiness
from bilderatlas.extractors.brought_card import (
    BroughtCard,
    TextTower,
    card_path,
    parse_card,
    read_card,
)
from bilderatlas.extractors.brought_trial import try_model
from bilderatlas.extractors.canaries import canary_texts
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.base import Runtime
from bilderatlas.extractors.runtimes.record import FileFacts, ModelRecord, write_record
from bilderatlas.extractors.runtimes.weights import now, sha256_of
from bilderatlas.settings import models_folder

PREFIX = "onnx:"
KEPT_FILE = "brought.json"
_TEMPORARY = ".bringing-"
_IMAGE, _TEXT, _TOKENIZER = "image.onnx", "text.onnx", "tokenizer.json"
_EMBEDDING_FIELDS = ("dim", "dtype", "version", "preprocessing", "normalised")


class BroughtModel(NeuralExtractor):
    """A model that was brought: its card and its files lie in its folder, nothing is built in.

    Every brought model is a class of its own, as every built-in one is.
    """

    text: ClassVar[TextTower | None] = None

    def tokenise(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Turn texts into `(n, context_length)` int64 with the model's own tokenizer."""
        assert self.text is not None
        return tokenised(texts, self.text, self.find_file(_TOKENIZER))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts: `(n, d)` float32, `batch_size` at a time.

        Raises:
            QueryError: when the model has no text side.
        """
        embed = super().embed_texts
        parts = [embed(texts[: self.batch_size])]
        starts = range(self.batch_size, len(texts), self.batch_size)
        parts += [embed(texts[start : start + self.batch_size]) for start in starts]
        return np.concatenate(parts)

    def build_runtime(self, name: str) -> Runtime:
        """Build the runtime called `name`, the sha256 of its files checked.

        Raises:
            WeightsError: when a file is not what was brought.
        """
        try:
            return super().build_runtime(name)
        except WeightsError as error:
            raise WeightsError(
                error.reason_code,
                f"Cannot use '{self.base_card.model_id}': one of its files has another sha256 than "
                "the one that was brought, or is gone. Bring the model again with: "
                f"--extractor {PREFIX}FILE",
            ) from error

    def readiness(self) -> Readiness:
        """Tell whether its files are here; what else it cannot do is said in a sentence."""
        if self.possible_runtimes():
            return Readiness()
        here = f"Its files were in '{self.folder}'."
        return Readiness("to fetch", self.to_fetch_sentence(), here)

    def to_fetch_sentence(self) -> str:
        """Say why it cannot run, and what to do."""
        model_id, options = self.base_card.model_id, self.options
        if options.device != "cpu" or options.precision == "bf16":
            return (
                f"Cannot run '{model_id}' on '{options.device}' in {options.precision}: a brought "
                "model is run by ONNX Runtime on the CPU, in fp32 or int8."
            )
        return (
            f"Cannot use '{model_id}': its files are no longer in its folder. Bring it again with: "
            f"--extractor {PREFIX}FILE"
        )


def bring_model(model: Path, root: Path | None = None) -> BroughtModel:
    """Take in an ONNX file with the card beside it, and return its extractor.

    Nothing is kept of a model that is refused. One that is here already is found again; the words
    of its card may have changed meanwhile, what decides its embeddings may not.

    Args:
        model: The ONNX file of the image tower.
        root: The folder of models; else the user's.

    Raises:
        UsageError: for a card that cannot be used, or an id that belongs to another model.
        WeightsError: for a model that does not do what its card says.
    """
    root = root or models_folder()
    if not model.is_file():
        raise UsageError(f"Cannot bring '{model}': there is no such file. Check the path.")
    brought = read_card(card_path(model))
    model_id = brought.card.model_id
    if model_id in EXTRACTORS:
        raise UsageError(
            f"Cannot bring '{model}': its card calls it '{model_id}', and a model of that name is "
            "built in. Choose another model_id."
        )
    root.mkdir(parents=True, exist_ok=True)
    staged = root / f"{_TEMPORARY}{uuid.uuid4().hex}"
    staged.mkdir()
    try:
        _keep(model, brought, staged, root / model_id)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    found = find_brought(model_id, root)
    assert found is not None
    return found


def _keep(model: Path, brought: BroughtCard, staged: Path, folder: Path) -> None:
    """Copy a model to `staged`, try it there, and give it its place; or mend what is there.

    Raises:
        UsageError: when the place belongs to another model.
        WeightsError: for a model that does not do what its card says.
    """
    record = _copy_files(model, brought, staged)
    known = find_brought(folder.name, folder.parent)
    is_same = known is not None and _is_same(known, brought, record)
    if known is not None and is_same and _is_whole(folder, record):
        _write_kept(folder, brought, 1 if known.batch_size == 1 else 0)
        write_record(folder, known.model_files.record)  # tells that something changed
        return
    if folder.exists() and not is_same:
        raise UsageError(
            f"Cannot bring '{model}': another model is called '{folder.name}' already, with other "
            "weights or another preparation of its pictures. Choose another model_id, or remove "
            f"'{folder}' first."
        )
    _try(brought, staged, record)
    if folder.exists():
        shutil.rmtree(folder)  # damaged: made good by what is brought again
    staged.rename(folder)


def find_brought(model_id: str, root: Path | None = None) -> BroughtModel | None:
    """Return a model that was brought earlier, by its id; None if there is none.

    Raises:
        UsageError: when its card cannot be read any more.
    """
    folder = (root or models_folder()) / model_id
    path = folder / KEPT_FILE
    if not model_id or Path(model_id).name != model_id or not path.is_file():
        return None
    try:
        kept: dict[str, Any] = json.loads(path.read_text("utf-8"))
        brought, n_at_once = (
            parse_card(kept["card"], f"{model_id}/{KEPT_FILE}"),
            int(kept["n_at_once"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"Cannot use '{model_id}': its {KEPT_FILE} cannot be read ({error}). Remove its folder "
            "and bring the model again."
        ) from error
    facts = {
        "base_card": replace(brought.card, text_tower=kept.get("text_tower")),
        "towers": ("image", "text") if brought.text is not None else ("image",),
        "text": brought.text,
        "batch_size": n_at_once or NeuralExtractor.batch_size,
        "__doc__": f"`{model_id}`, brought by a user.",
    }
    made: type[BroughtModel] = type("BroughtModel", (BroughtModel,), facts)
    return made(folder)


def brought_ids(root: Path | None = None) -> list[str]:
    """Return the ids of the models that were brought, in alphabetical order."""
    found = (root or models_folder()).glob(f"[!.]*/{KEPT_FILE}")
    return sorted(path.parent.name for path in found)


def tokenised(texts: Sequence[str], text: TextTower, path: Path) -> npt.NDArray[np.int64]:
    """Turn texts into `(n, context_length)` int64 by the tokenizer in the file `path`.

    Raises:
        WeightsError: when it is no tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower one
        raise WeightsError(
            "tokenizer", f"Cannot read the tokenizer '{path.name}': {error}. Check the file."
        ) from error
    tokenizer.enable_truncation(text.context_length)
    tokenizer.no_padding()
    filled = np.full((len(texts), text.context_length), text.pad_id, np.int64)
    encoded = tokenizer.encode_batch([text.template.replace("{}", one) for one in texts])
    for row, found in zip(filled, encoded, strict=True):
        row[: len(found.ids)] = found.ids
    return filled


def _copy_files(model: Path, brought: BroughtCard, folder: Path) -> ModelRecord:
    """Copy the files of a model to `folder`, synced, and return what is known of them.

    Raises:
        UsageError: when one that the card names is not there.
    """
    wanted = [(_IMAGE, "onnx", model)]
    if brought.text is not None:
        wanted.append((_TEXT, "onnx", model.parent / brought.text.file))
        wanted.append((_TOKENIZER, "tokenizer", model.parent / brought.text.tokenizer))
    record = ModelRecord()
    for name, role, path in wanted:
        if not path.is_file():
            raise UsageError(
                f"Cannot bring '{model}': its card names '{path.name}', and there is no such file "
                "beside it."
            )
        with path.open("rb") as source, (folder / name).open("xb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        record = record.with_file(
            FileFacts(
                name=name,
                role=role,
                source=f"brought as {path.name}",
                revision=None,
                sha256=sha256_of(folder / name),
                origin="given",
                fetched_at=now(),
                size_bytes=(folder / name).stat().st_size,
            )
        )
    return record


def _is_same(known: BroughtModel, brought: BroughtCard, record: ModelRecord) -> bool:
    """Tell whether a model that is here gives the same embeddings as the one that is brought."""
    files = known.model_files.record.files
    shas = {name: facts.sha256 for name, facts in record.files.items()}
    same_files = shas == {name: facts.sha256 for name, facts in files.items()}
    same_facts = all(
        getattr(known.base_card, name) == getattr(brought.card, name) for name in _EMBEDDING_FIELDS
    )
    return same_files and same_facts and _text_facts(known.text) == _text_facts(brought.text)


def _is_whole(folder: Path, record: ModelRecord) -> bool:
    return all(
        (folder / name).is_file() and sha256_of(folder / name) == facts.sha256
        for name, facts in record.files.items()
    )


def _text_facts(text: TextTower | None) -> dict[str, Any] | None:
    if text is None:
        return None
    return {
        "context_length": text.context_length,
        "pad_id": text.pad_id,
        "template": text.template,
    }


def _try(brought: BroughtCard, folder: Path, record: ModelRecord) -> None:
    """Try the copied model on the canaries; then write its record and its card beside it."""
    tokens = None
    if brought.text is not None:
        tokens = tokenised(canary_texts(), brought.text, folder / _TOKENIZER)
    text = folder / _TEXT if brought.text is not None else None
    n_at_once = try_model(brought, folder / _IMAGE, text, tokens)
    write_record(folder, record)
    _write_kept(folder, brought, n_at_once)


def _write_kept(folder: Path, brought: BroughtCard, n_at_once: int) -> None:
    """Write what a later search needs to know, so that a reader sees all of it or none."""
    text_tower = _text_facts(brought.text)
    if text_tower is not None:
        for key, name in (("sha256", _TEXT), ("tokenizer_sha256", _TOKENIZER)):
            text_tower[key] = sha256_of(folder / name)
    kept = {"card": brought.values, "n_at_once": n_at_once, "text_tower": text_tower}
    partial = folder / f".{KEPT_FILE}.{uuid.uuid4().hex}"
    with partial.open("w", encoding="utf-8") as opened:
        json.dump(kept, opened, ensure_ascii=False, indent=1)
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(folder / KEPT_FILE)
