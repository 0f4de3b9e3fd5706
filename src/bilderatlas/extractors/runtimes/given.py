"""Take in a file that the user gives: safetensors, ONNX, a PyTorch file or a tokenizer.

Nothing that is given replaces what is here before it was tried; what is refused leaves no trace.
"""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np

from bilderatlas.errors import BilderatlasError, NotFoundError, UnavailableError, WeightsError
from bilderatlas.extractors.canaries import canaries_sha256, canary_texts
from bilderatlas.extractors.runtimes.convert_pickle import convert
from bilderatlas.extractors.runtimes.kinds import check_role, kind_of
from bilderatlas.extractors.runtimes.likeness import MIN_COSINE, cosines_of, problem_of
from bilderatlas.extractors.runtimes.lock import changing
from bilderatlas.extractors.runtimes.onnx import open_session
from bilderatlas.extractors.runtimes.portable import Note, read_note
from bilderatlas.extractors.runtimes.record import ExportFacts, FileFacts, ModelRecord, write_record
from bilderatlas.extractors.runtimes.replaced import (
    remove_quantised,
    take_over,
    without_stale_exports,
)
from bilderatlas.extractors.runtimes.torch import TorchRuntime, has_torch
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, now, sha256_of

if TYPE_CHECKING:
    from bilderatlas.extractors.neural import NeuralExtractor

TOKENIZER_FILE = "tokenizer.json"
CARRIED = ("image.onnx", "text.onnx", TOKENIZER_FILE)
"""What is taken from a folder that is given; where it has no ONNX files, its weights instead."""


def take_given(extractor: NeuralExtractor, path: Path) -> list[FileFacts | ExportFacts]:
    """Take in `path`: one file, or a folder of them as another machine exported it.

    Raises:
        NotFoundError: there is no such file, or nothing to take in the folder.
        WeightsError: it is not what this extractor takes, with the reason.
        UnavailableError: it needs the laboratory, which is not installed.
        ConflictError: another process is at it.
    """
    if path.is_dir():
        found = _found_in(path, extractor)
        return [one for file in found for one in take_given(extractor, file)]
    if not path.is_file():
        raise NotFoundError(f"Cannot take weights from '{path}': there is no such file.")
    with changing(extractor.folder):
        staged = Path(mkdtemp(prefix=".giving-", dir=extractor.folder))
        try:
            return [_take(extractor, path, staged)]
        finally:
            shutil.rmtree(staged, ignore_errors=True)


def _found_in(folder: Path, extractor: NeuralExtractor) -> list[Path]:
    """List what is taken from a folder; weights may have the name under which they are published.

    Raises:
        NotFoundError: when there is nothing.
    """
    found = [folder / name for name in CARRIED if (folder / name).is_file()]
    published = [
        PurePosixPath(one.url or one.path).name
        for one in extractor.files
        if one.role in {"safetensors", "pickle"}
    ]
    weights = list(dict.fromkeys([WEIGHTS_FILE, *published]))
    if not any(one.suffix == ".onnx" for one in found):
        found += [folder / name for name in weights if (folder / name).is_file()][:1]
    if not found:
        raise NotFoundError(
            f"Cannot take weights from '{folder}': it has none of {', '.join(CARRIED)} and "
            f"{', '.join(weights)}. Name the file."
        )
    return found


def _take(extractor: NeuralExtractor, path: Path, staged: Path) -> FileFacts | ExportFacts:
    kind = kind_of(path)
    if kind == "onnx":
        return _take_onnx(extractor, path, Path(shutil.copyfile(path, staged / path.name)))
    if kind == "tokenizer":
        return _take_tokenizer(extractor, path, staged)
    copy = staged / f"{path.stem}.safetensors"  # its own name, for what messages say of it
    made_from = None
    if kind == "pickle":
        convert(path, copy)
        made_from = {"name": path.name, "sha256": sha256_of(path)}
    else:
        check_role(path, "safetensors")
        shutil.copyfile(path, copy)
    extractor.check_weights(copy)
    facts = _facts(extractor, path, copy, WEIGHTS_FILE, "safetensors", made_from)
    take_over(extractor.model_files, facts, copy)
    return facts


def _take_tokenizer(extractor: NeuralExtractor, path: Path, staged: Path) -> FileFacts:
    check_role(path, "tokenizer")
    if not any(one.role == "tokenizer" for one in extractor.files):
        raise WeightsError(
            "misfit",
            f"Cannot use '{path}': it is a tokenizer, and '{extractor.base_card.model_id}' reads "
            "none. Give its weights.",
        )
    copy = Path(shutil.copyfile(path, staged / TOKENIZER_FILE))
    facts = _facts(extractor, path, copy, TOKENIZER_FILE, "tokenizer", None)
    here = extractor.model_files.record.files.get(TOKENIZER_FILE)
    if facts.origin == "given" and (here is None or here.sha256 != facts.sha256):
        _try_tokenizer(extractor, path, facts, staged)
    take_over(extractor.model_files, facts, copy)
    return facts


def _try_tokenizer(extractor: NeuralExtractor, path: Path, facts: FileFacts, staged: Path) -> None:
    """Let the extractor read the canary texts with it, where it was put aside.

    Whether texts come to lie where they did is not told by that: what was indexed remembers the
    sha256 of its tokenizer instead, and refuses words that another one has cut.
    """
    write_record(staged, ModelRecord().with_file(facts))
    try:
        tokens = extractor.at(staged).tokenise(canary_texts())
    except BilderatlasError as error:
        raise WeightsError(
            "misfit",
            f"Cannot use '{path}': '{extractor.base_card.model_id}' cannot read words with it "
            f"({error}). What was here before stands as it was.",
        ) from error
    except Exception as error:  # the library raises no narrower one
        reason = " ".join(str(error).split())[:200]
        raise _misfit(path, f"it cannot cut texts ({reason})", "a tokenizer that can") from error
    n_distinct = len(np.unique(tokens, axis=0))
    if n_distinct < len(tokens):
        raise _misfit(
            path,
            f"it makes {n_distinct} of {len(tokens)} different texts",
            "a tokenizer that tells them apart",
        )


def _facts(
    extractor: NeuralExtractor,
    path: Path,
    copy: Path,
    name: str,
    role: str,
    made_from: dict[str, str] | None,
) -> FileFacts:
    """Return what is recorded: `pinned` where the program expects exactly these bytes.

    Other bytes are `given`: a user may bring a variant, and is told that it is one.
    """
    sha256 = sha256_of(copy)
    original = made_from["sha256"] if made_from else sha256
    pinned = any(one.kept_as == name and one.is_pinned_to(original) for one in extractor.files)
    return FileFacts(
        name=name,
        role=role,
        source=path.name,
        revision=None,
        sha256=sha256,
        origin="pinned" if pinned else "given",
        fetched_at=now(),
        size_bytes=copy.stat().st_size,
        made_from=made_from,
    )


def _take_onnx(extractor: NeuralExtractor, path: Path, copy: Path) -> FileFacts | ExportFacts:
    """Take in a network after running it on the canaries."""
    session = open_session(copy)
    note = read_note(session)
    tower = _tower_of(extractor, session, path, note)
    _check_shapes(extractor, tower, session, path)
    outputs = _run(extractor, tower, session, path)
    wanted = (len(extractor.example_inputs(tower)), extractor.base_card.dim)
    if outputs.shape != wanted:
        raise _misfit(path, f"on the canaries it gives {outputs.shape}", wanted)
    if problem := problem_of(outputs):
        raise _misfit(path, f"on the canaries it {problem}", "an embedding of its own for each")
    del session  # some systems cannot move a file that is open
    files = extractor.model_files
    here = files.settled().files.get(WEIGHTS_FILE) if files.find(WEIGHTS_FILE) else None
    if note is not None:
        _check_weights_are_its(extractor, note, here, path)
        cosines = _check_note(extractor, tower, note, outputs, path)
        return _keep_export(extractor, tower, copy, note.weights_sha256, cosines, note)
    if here is not None:
        cosines = _compare_with_torch(extractor, tower, outputs, path)
        return _keep_export(extractor, tower, copy, here.sha256, cosines, None)
    facts = _facts(extractor, path, copy, f"{tower}.onnx", "onnx", None)
    take_over(files, facts, copy)
    remove_quantised(extractor.folder)
    return facts


def _check_weights_are_its(
    extractor: NeuralExtractor, note: Note, here: FileFacts | None, path: Path
) -> None:
    if here is not None and here.sha256 != note.weights_sha256:
        raise WeightsError(
            "not-the-same-space",
            f"Cannot use '{path}': it was exported from weights {note.weights_sha256[:12]}…, "
            f"here are {here.sha256[:12]}…. Export it from these, or remove "
            f"'{extractor.folder / WEIGHTS_FILE}' first.",
        )


def _keep_export(
    extractor: NeuralExtractor,
    tower: str,
    copy: Path,
    weights_sha256: str,
    cosines: tuple[float, ...],
    note: Note | None,
) -> ExportFacts:
    """Move a proven network to its name; networks of other weights make way."""
    facts = ExportFacts(
        name=f"{tower}.onnx",
        tower=tower,
        sha256=sha256_of(copy),
        weights_sha256=weights_sha256,
        made_at=note.made_at if note else now(),
        made_with=note.made_with if note else {},
        cosines=cosines,
    )
    folder = extractor.folder
    record = without_stale_exports(folder, extractor.model_files.settled(), weights_sha256)
    copy.replace(folder / facts.name)
    record = record.with_export(facts)
    if note is not None:
        record = record.with_canaries(tower, note.canaries)
    write_record(folder, record)
    remove_quantised(folder)
    return facts


def _tower_of(extractor: NeuralExtractor, session: Any, path: Path, note: Note | None) -> str:
    """Tell which tower a network is: by its note, else by what it reads."""
    model_id = extractor.base_card.model_id
    if note is not None and note.model_id != model_id:
        raise WeightsError(
            "misfit",
            f"Cannot use '{path}': it is the {note.tower} network of '{note.model_id}', not of "
            f"'{model_id}'.",
        )
    if note is not None and note.version != extractor.base_card.version:
        raise WeightsError(
            "misfit",
            f"Cannot use '{path}': it was exported for version {note.version} of '{model_id}', "
            f"this program has version {extractor.base_card.version}. Export it again.",
        )
    inputs = session.get_inputs()
    reads_tokens = len(inputs) == 1 and inputs[0].type in {"tensor(int64)", "tensor(int32)"}
    tower = note.tower if note is not None else "text" if reads_tokens else "image"
    if tower not in extractor.towers:
        raise _misfit(path, f"it is a {tower} network", "a network for pictures")
    return tower


def _check_shapes(extractor: NeuralExtractor, tower: str, session: Any, path: Path) -> None:
    """Compare what the file says it reads and gives with what the card needs."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    example = extractor.example_inputs(tower)
    if len(inputs) != 1:
        raise _misfit(path, f"it reads {len(inputs)} inputs", "one")
    wanted = ("batch", *example.shape[1:])
    kind = "tensor(int64)" if tower == "text" else "tensor(float)"
    if inputs[0].type != kind:
        raise _misfit(path, f"it reads {inputs[0].type}", kind)
    if not _fits(inputs[0].shape, wanted):
        raise _misfit(path, f"it reads {_shown(inputs[0].shape)}", _shown(wanted))
    given = extractor.output_shape(tower)
    if outputs[0].shape and not _fits(outputs[0].shape, given):
        raise _misfit(path, f"it gives {_shown(outputs[0].shape)}", _shown(given))


def _fits(found: list[Any], wanted: tuple[Any, ...]) -> bool:
    """Tell whether an axis is free where it must be, and equal (or free) elsewhere."""
    if len(found) != len(wanted) or isinstance(found[0], int):
        return False
    return all(
        one == other
        for one, other in zip(found[1:], wanted[1:], strict=True)
        if isinstance(one, int)
    )


def _shown(shape: Any) -> str:
    return "(" + ", ".join(str(one) if isinstance(one, int) else "any" for one in shape) + ")"


def _run(extractor: NeuralExtractor, tower: str, session: Any, path: Path) -> Any:
    name = session.get_inputs()[0].name
    try:
        return extractor.canary_outputs(tower, lambda batch: session.run(None, {name: batch}))
    except BilderatlasError:
        raise
    except Exception as error:  # the library has no common base for what a bad file raises
        reason = " ".join(str(error).split())[:200]
        raise _misfit(path, f"it cannot be run on the canaries ({reason})", "a network") from error


def _check_note(
    extractor: NeuralExtractor, tower: str, note: Note, outputs: Any, path: Path
) -> tuple[float, ...]:
    """Compare what a carried network gives here with what it gave where it was made."""
    if note.canaries.canaries_sha256 != canaries_sha256(tower):
        raise WeightsError(
            "not-the-same-space",
            f"Cannot use '{path}': it was proven on other canaries than this program has. Export "
            f"'{extractor.base_card.model_id}' again with this version.",
        )
    return _require_same(note.canaries.embeddings(), outputs, path, "where it was exported")


def _compare_with_torch(
    extractor: NeuralExtractor, tower: str, outputs: Any, path: Path
) -> tuple[float, ...]:
    """Prove that a network without a note is that of the weights that are here."""
    if not has_torch():
        raise UnavailableError(
            f"Cannot use '{path}' beside '{extractor.folder / WEIGHTS_FILE}': whether the two are "
            "the same space can only be told with the laboratory (pip install 'bilderatlas[lab]'). "
            "Remove the one that is not wanted first."
        )
    weights = extractor.model_files.verified(WEIGHTS_FILE)
    network = TorchRuntime({tower: extractor.build_towers(weights)[tower]})
    expected = extractor.canary_outputs(tower, network.runner(tower))
    return _require_same(expected, outputs, path, f"with '{WEIGHTS_FILE}' here")


def _require_same(expected: Any, outputs: Any, path: Path, where: str) -> tuple[float, ...]:
    cosines = cosines_of(expected, outputs.astype(np.float32))
    if min(cosines) < MIN_COSINE:
        raise WeightsError(
            "not-the-same-space",
            f"Cannot use '{path}': on the canaries it differs from the embeddings {where} (cosine "
            f"{min(cosines):.6f}, expected at least {MIN_COSINE}). It is another space.",
        )
    return cosines


def _misfit(path: Path, found: str, wanted: object) -> WeightsError:
    return WeightsError(
        "misfit",
        f"Cannot use '{path}': {found}, expected {wanted}. What was here before stands as it was.",
    )
