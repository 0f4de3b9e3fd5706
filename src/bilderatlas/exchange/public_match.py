"""Which works a full-text search finds only by words that strangers are not told."""

from __future__ import annotations

from bilderatlas.exchange.public_record import public_record
from bilderatlas.records import Record
from bilderatlas.store.collection import CollectionStore
from bilderatlas.store.fulltext import record_says

_BATCH = 500


def hidden_matches(collection: CollectionStore, typed: str) -> frozenset[str]:
    """Return the ids of works that match in full, and not in their public record."""
    columns = collection.columns
    ordinals = columns.ordinals_of_keys(collection.match_text(typed))
    image_ids = [columns.image_ids[ordinal] for ordinal in ordinals[ordinals >= 0].tolist()]
    hidden: set[str] = set()
    for start in range(0, len(image_ids), _BATCH):
        for stored in collection.get_records(image_ids[start : start + _BATCH]):
            public = Record.from_json(public_record(stored.record.to_json()))
            if not record_says(public, typed):
                hidden.add(stored.image_id)
    return frozenset(hidden)
