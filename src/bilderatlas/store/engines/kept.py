"""The engines that are kept between two questions: one for each space of local features."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.engines.descriptors import DescriptorEngine
from bilderatlas.store.spaces import SpaceStore

_MAX_ENGINES = 16  # each holds mapped files

_ENGINES: OrderedDict[Path, DescriptorEngine] = OrderedDict()
_ENGINES_LOCK = threading.Lock()


def engine_of(collection: CollectionStore, space: SpaceStore) -> DescriptorEngine:
    """Return the engine of a space; kept, since opening its derived files takes a while."""
    folder = space.folder / "engine"
    with _ENGINES_LOCK:
        engine = _ENGINES.get(folder)
        if engine is None:
            engine = DescriptorEngine(folder, read_only=collection.read_only)
            _ENGINES[folder] = engine
        _ENGINES.move_to_end(folder)
        while len(_ENGINES) > _MAX_ENGINES:
            _ENGINES.popitem(last=False)
        return engine
