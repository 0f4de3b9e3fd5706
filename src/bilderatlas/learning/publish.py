"""Makes of trained towers what is shipped: rounded weights, ONNX files, and a record of both."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.museum_clip import MuseumClip
from bilderatlas.extractors.runtimes.export import export
from bilderatlas.extractors.runtimes.likeness import MIN_COSINE, cosines_of
from bilderatlas.extractors.runtimes.onnx import OnnxRuntime
from bilderatlas.extractors.runtimes.record import FileFacts, write_record
from bilderatlas.extractors.runtimes.torch import TorchRuntime
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, now, sha256_of
from bilderatlas.learning.contrastive import Recipe
from bilderatlas.museum import PAINTER_VERSION

if TYPE_CHECKING:
    from bilderatlas.extractors.museum_clip_towers import Towers

RECIPE_FILE = "recipe.json"
_SMALL = 64  # arrays of fewer numbers stay as they are: halving them saves nothing


class TrainedHere(MuseumClip):
    """The same extractor with weights that nobody has pinned yet."""

    files = tuple(replace(one, sha256=None) for one in MuseumClip.files)


def publish(towers: Towers, recipe: Recipe, folder: Path, threads: int) -> dict[str, Any]:
    """Write `weights.safetensors`, `image.onnx`, `text.onnx`, `recipe.json` and `record.json`.

    The folder must hold `tokenizer.json`. Weights are rounded to float16 once; both runtimes
    compute with these in float32, and are proven on the canaries to be the same space.

    Returns:
        The sha256 and size of each file, and the smallest cosine between the two runtimes.

    Raises:
        WeightsError: The two runtimes differ; no ONNX file is left then.
    """
    command = command_of(recipe, threads)
    facts = {
        "command": command,
        "painter_version": PAINTER_VERSION,
        "threads": threads,
        "recipe": asdict(recipe),
    }
    (folder / RECIPE_FILE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    _save_rounded(towers, folder / WEIGHTS_FILE, facts)
    (folder / "record.json").unlink(missing_ok=True)
    extractor = TrainedHere(folder)
    _record_files(extractor, command)
    export(extractor)
    cosine = min(_halve(extractor, tower) for tower in extractor.towers)
    names = [WEIGHTS_FILE, "image.onnx", "text.onnx", "tokenizer.json"]
    return {
        "files": {
            name: {
                "sha256": sha256_of(folder / name),
                "size_bytes": (folder / name).stat().st_size,
            }
            for name in names
        },
        "min_cosine": cosine,
    }


def command_of(recipe: Recipe, threads: int) -> str:
    """Return the command that trains by this recipe, with all that decides what comes of it."""
    words = [f"--works {recipe.works}", f"--seed {recipe.seed}", f"--epochs {recipe.epochs}"]
    words.append(f"--threads {threads}")  # that share a batch: each draws its own chance
    return " ".join(["bilderatlas train contrastive", *words, "--out DIR"])


def _save_rounded(towers: Towers, path: Path, facts: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    from bilderatlas.extractors.museum_clip_towers import fused

    state = {
        f"{name}.{key}": value.detach().half().contiguous()
        for name, tower in fused(towers).items()
        for key, value in tower.state_dict().items()
    }
    save_file(state, path, metadata={"bilderatlas": json.dumps(facts)})


def _record_files(extractor: TrainedHere, source: str) -> None:
    """Record where weights and word pieces come from; pinned where they are the shipped ones."""
    record = extractor.model_files.record
    for one in MuseumClip.files:
        path = extractor.folder / one.name
        sha256 = sha256_of(path)
        facts = FileFacts(
            name=one.name,
            role=one.role,
            source=source,
            revision=None,
            sha256=sha256,
            origin="pinned" if sha256 == one.sha256 else "recorded",
            fetched_at=now(),
            size_bytes=path.stat().st_size,
        )
        record = record.with_file(facts)
    write_record(extractor.folder, record)


def _halve(extractor: TrainedHere, tower: str) -> float:
    """Keep the numbers of an ONNX file in float16, prove and record it; return the cosine.

    The weights were rounded before, so nothing is lost: a `Cast` brings each array back.
    """
    path = extractor.folder / f"{tower}.onnx"
    halve_initialisers(path)
    inputs = extractor.example_inputs(tower)
    built = extractor.build_towers(extractor.model_files.verified(WEIGHTS_FILE))
    expected = TorchRuntime({tower: built[tower]}).run(tower, inputs)
    cosines = cosines_of(expected, OnnxRuntime({tower: path}).run(tower, inputs))
    if min(cosines) < MIN_COSINE:
        path.unlink()
        raise WeightsError(
            "not-the-same-space",
            f"Cannot publish '{path.name}': with its numbers in float16 it gives cosine "
            f"{min(cosines)} to torch, expected at least {MIN_COSINE}. Train again.",
        )
    record = extractor.model_files.record
    known = record.exports[path.name]
    changed = replace(known, sha256=sha256_of(path), cosines=cosines)
    write_record(extractor.folder, record.with_export(changed))
    return min(cosines)


def halve_initialisers(path: Path) -> None:
    """Rewrite an ONNX file so that its large float32 arrays lie in float16 and are cast back."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(path)
    graph = model.graph
    casts = []
    for one in graph.initializer:
        values = numpy_helper.to_array(one)
        if one.data_type != TensorProto.FLOAT or values.size < _SMALL:
            continue
        name = one.name
        one.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)
