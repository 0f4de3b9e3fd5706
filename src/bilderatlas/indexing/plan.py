"""What is to be done: a source's records held against what the collection already has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from bilderatlas.errors import Failure
from bilderatlas.indexing.report import PlanSummary
from bilderatlas.records import Record
from bilderatlas.sources import Source
from bilderatlas.store.writer import CollectionWriter

UNREAD_CODES = frozenset({"unreadable", "bad-row", "ragged-row", "bad-id"})
"""What sources say of a folder or row that they could not read: works may hide behind it."""


@dataclass(slots=True)
class Plan:
    """The work of one run.

    Attributes:
        to_read: Records whose picture must be read, in the source's order.
        places: Of each of them: its place in that order.
        tokens: Of each of them: changes when the picture or its record may have changed.
        lacking: Of each of them: the spaces that it is not in yet, were its picture unchanged.
        known_sha256: Of those that the collection has: the hash of their picture.
        only_lacking: Those that are unchanged and read only because a space lacks them.
        failures: Rows of the source that are no records.
        retired: Ids that the collection has and the source no longer.
        n_kept_back: Ids missing from a source of which a part could not be read; they stay.
        n_unchanged: Images with nothing to do.
    """

    to_read: list[Record] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str | None] = field(default_factory=dict)
    lacking: dict[str, frozenset[str]] = field(default_factory=dict)
    known_sha256: dict[str, str | None] = field(default_factory=dict)
    only_lacking: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    n_kept_back: int = 0
    n_unchanged: int = 0

    def leave(self, image_ids: Set[str]) -> None:
        """Take images off the list of those to read: they need nothing more."""
        self.to_read = [one for one in self.to_read if one.image_id not in image_ids]
        self.only_lacking -= image_ids
        self.places = {record.image_id: place for place, record in enumerate(self.to_read)}

    def summary(self) -> PlanSummary:
        """Return how many pictures are read, and why."""
        n_known = sum(record.image_id in self.known_sha256 for record in self.to_read)
        n_again = len(self.only_lacking)
        return PlanSummary(len(self.to_read) - n_known, n_known - n_again, n_again)


def make_plan(
    source: Source,
    writer: CollectionWriter,
    model_ids: Sequence[str],
    *,
    retry: bool | Set[str] = False,
) -> Plan:
    """Read all records of `source` and decide for each whether its picture must be read.

    An image is left alone when its token is the stored one and it is in all the spaces of
    `model_ids`. Where a source can tell no token, the picture is read and its hash decides.

    Args:
        source: Where the records come from.
        writer: Of the collection.
        model_ids: The spaces that each image is to be in.
        retry: Whether images that failed before are read again: all of them, or only these ids.
    """
    plan = Plan()
    state = writer.state_of()
    lacking = _lacking(writer, model_ids)
    seen: set[str] = set()
    for record in source.iter_records():
        if isinstance(record, Failure):
            plan.failures.append(record)
            continue
        seen.add(record.image_id)
        token = _token(source, record)
        known = state.get(record.image_id)
        if known is not None:
            old_token, sha256, status = known
            same = token is not None and token == old_token
            retried = retry if isinstance(retry, bool) else record.image_id in retry
            complete = not retried if status == "failed" else record.image_id not in lacking
            if same and complete:
                plan.n_unchanged += 1
                continue
            plan.known_sha256[record.image_id] = sha256
            if status != "failed":
                plan.lacking[record.image_id] = lacking.get(record.image_id, frozenset())
                if same and sha256 is not None:
                    plan.only_lacking.add(record.image_id)
        plan.places[record.image_id] = len(plan.to_read)
        plan.to_read.append(record)
        plan.tokens[record.image_id] = token
    gone = [image_id for image_id in state if image_id not in seen]
    if any(failure.code in UNREAD_CODES for failure in plan.failures):
        plan.n_kept_back = len(gone)  # what could not be read is not known to be gone
    else:
        plan.retired = gone
    return plan


def _lacking(writer: CollectionWriter, model_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for model_id in model_ids:
        for image_id in writer.missing(model_id):
            found.setdefault(image_id, set()).add(model_id)
    return {image_id: frozenset(spaces) for image_id, spaces in found.items()}


def _token(source: Source, record: Record) -> str | None:
    """Join the source's fingerprint of the picture with a hash of the record."""
    fingerprint = source.fingerprint(record)
    if fingerprint is None:
        return None
    text = json.dumps(record.to_json(), sort_keys=True, ensure_ascii=False, default=str)
    return f"{fingerprint}#{hashlib.sha256(text.encode()).hexdigest()[:16]}"
