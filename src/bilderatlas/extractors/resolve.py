"""From the name that a user gives to an extractor: built in, brought along, or in another form.

raw_32.pixels                  built in, or announced by a plug-in
clip_vit_b32.openai~int8       the same network in int8: a space of its own
onnx:path/to/model.onnx        brought along, with a card beside it; kept from then on
my_model.weights               brought along earlier, by the id on its card
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from bilderatlas.errors import UnknownNameError, UsageError
from bilderatlas.extractors.base import EXTRACTORS, Extractor
from bilderatlas.extractors.neural import INT8_SUFFIX, NeuralExtractor
from bilderatlas.extractors.runtimes.record import record_stamp

PREFIX = "onnx:"

_kept: dict[tuple[str, Path, object], Extractor] = {}
_keeping = threading.Lock()


def get_extractor(name: str, *, may_bring: bool = False) -> Extractor:
    """Return the extractor that `name` stands for; the same object each time.

    `may_bring` lets `onnx:FILE` take in a file of this machine: for names that its own user typed,
    never for those that an address of the web or a foreign package says.

    Raises:
        UnknownNameError: listing near names.
        UsageError: when a brought model or its card cannot be used, or there is no such form.
        WeightsError: when a brought model does not do what its card says.
    """
    if may_bring and name.startswith(PREFIX):
        from bilderatlas.extractors.brought import bring_model

        brought = bring_model(Path(name.removeprefix(PREFIX)).expanduser())
        return _once(brought.card.model_id, brought)
    if name in EXTRACTORS:
        return EXTRACTORS.get(name)
    if name.endswith(INT8_SUFFIX):
        return _in_int8(name)
    from bilderatlas.extractors.brought import find_brought

    found = find_brought(name)
    if found is None:
        raise UnknownNameError(
            EXTRACTORS.kind,
            name,
            known_names(),
            advice=f"To bring a model along, name its file: {PREFIX}FILE.",
        )
    return _once(name, found)


def known_names() -> list[str]:
    """List the names that can be given: built in first, then what was brought along."""
    from bilderatlas.extractors.brought import brought_ids

    return [*EXTRACTORS.names(), *(name for name in brought_ids() if name not in EXTRACTORS)]


def all_extractors() -> list[Extractor]:
    """List all extractors: built in first, then what was brought along and can still be read."""
    found = []
    for name in known_names():
        try:
            found.append(get_extractor(name))
        except UsageError:
            continue  # one damaged card must not hide the others
    return found


def _in_int8(name: str) -> Extractor:
    base = get_extractor(name.removesuffix(INT8_SUFFIX))
    if not isinstance(base, NeuralExtractor) or base.options.precision == "int8":
        raise UsageError(
            f"Cannot use '{name}': '{base.card.model_id}' has no weights that could be rounded. "
            f"Use '{base.card.model_id}'."
        )
    return _once(name, base.configured(replace(base.options, precision="int8")))


def _once(name: str, extractor: NeuralExtractor) -> Extractor:
    """Keep the object that was made first, and with it its open networks, while its files stand."""
    key = (name, extractor.folder, record_stamp(extractor.folder))
    with _keeping:
        for other in [one for one in _kept if one[0] == name and one != key]:
            del _kept[other]
        return _kept.setdefault(key, extractor)
