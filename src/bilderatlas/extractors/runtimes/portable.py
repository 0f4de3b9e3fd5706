"""What an exported ONNX file says of itself, so that it can be carried and still be proven.

The note lies in the file's own metadata under `bilderatlas`: which model and tower it is, the
sha256 of the weights that it was made from, and the embeddings of the canaries.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bilderatlas.errors import WeightsError
from bilderatlas.extractors.runtimes.record import CanaryFacts
from bilderatlas.extractors.runtimes.weights import is_sha256

KEY = "bilderatlas"


@dataclass(frozen=True, slots=True)
class Note:
    """What an exported file says of itself.

    Attributes:
        model_id: The extractor.
        tower: `image` or `text`.
        version: Of the extractor's card.
        weights_sha256: Of the weights that it was exported from.
        made_at: When, in UTC.
        made_with: Versions of the packages that made it.
        canaries: The embeddings that it has to reproduce.
    """

    model_id: str
    tower: str
    version: int
    weights_sha256: str
    made_at: str
    made_with: dict[str, str]
    canaries: CanaryFacts

    def to_text(self) -> str:
        """Return the note as JSON."""
        return json.dumps(asdict(self))


def write_note(path: Path, note: Note) -> None:
    """Put a note into an ONNX file, and take out the exporter's traces. Needs the laboratory."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for one in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del one.metadata_props[:]  # stack traces, which name folders of this machine
        one.doc_string = ""
    del graph.metadata_props[:]
    entry = model.metadata_props.add()
    entry.key, entry.value = KEY, note.to_text()
    onnx.save(model, path)


def read_note(session: Any) -> Note | None:
    """Return the note in the file of an open session; None where there is none.

    Raises:
        WeightsError: when there is one that cannot be read.
    """
    text = session.get_modelmeta().custom_metadata_map.get(KEY)
    if text is None:
        return None
    try:
        values = json.loads(text)
        canaries = {**values["canaries"], "shape": tuple(values["canaries"]["shape"])}
        note = Note(**{**values, "canaries": CanaryFacts(**canaries)})
        note.canaries.embeddings()
        if not is_sha256(note.weights_sha256):
            raise ValueError("its sha256 of the weights is none")
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            "record", f"Cannot read what the ONNX file says of itself: {error}. Export it again."
        ) from error
    return note
