"""The file of a projection: it lies beside the rows that were projected, and its card names it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bilderatlas.errors import StoreError
from bilderatlas.extractors.base import Card
from bilderatlas.store.disk import explained_disk_errors, sync_folder, write_durably

if TYPE_CHECKING:
    from bilderatlas.store.writer import CollectionWriter

PROJECTION_NAME = re.compile(r"projection-[0-9a-f]{16}\.npy\Z")


def projection_file(card_json: Mapping[str, Any]) -> str | None:
    """Return the name of the file that a card's projection lies in; None without a projection."""
    name = (card_json.get("projection") or {}).get("file")
    return name if isinstance(name, str) and PROJECTION_NAME.match(name) else None


def ensure_projected_space(writer: CollectionWriter, card: Card, content: bytes) -> None:
    """Make the space of a reduced card: its projection on disk first, then the commit.

    Killed between the two, the file belongs to nobody and the next writer sweeps it.

    Raises:
        StoreError: when `content` is not what the card says.
        DiskFullError: when there is no space; nothing is left behind.
    """
    name = projection_file(card.to_json())
    if name is None or hashlib.sha256(content).hexdigest() != (card.projection or {}).get("sha256"):
        raise StoreError(
            f"Cannot make space '{card.model_id}': its card names another projection than this."
        )
    folder = writer.collection.space_folder(card.model_id)
    with explained_disk_errors(writer.collection.root):
        folder.mkdir(parents=True, exist_ok=True)
        if damage_of_projection(folder, card.to_json()):
            (folder / name).unlink(missing_ok=True)  # absent or damaged; it is never mapped
            write_durably(folder / name, [content])
            sync_folder(folder)
    writer.ensure_space(card)


def read_projection(folder: Path, card_json: Mapping[str, Any]) -> bytes:
    """Return the file of the projection that a card names, proved by its sha256.

    Raises:
        StoreError: when it is gone or damaged.
    """
    if damage := damage_of_projection(folder, card_json):
        raise StoreError(
            f"Cannot use space '{folder.name}': {damage} Run `bilderatlas features reduce` with "
            "--refit to fit it anew."
        )
    return (folder / str(projection_file(card_json))).read_bytes()


def damage_of_projection(folder: Path, card_json: Mapping[str, Any]) -> str:
    """Return what is wrong with the file that a card names, as a sentence; empty if nothing is.

    Vectors that went through a projection elsewhere, of which no file came with them, are sound.
    """
    if not {"sha256", "file"} <= (card_json.get("projection") or {}).keys():
        return ""
    name = projection_file(card_json)
    if name is None:
        return "Its card names no file of a projection."
    try:
        content = (folder / name).read_bytes()
    except FileNotFoundError:
        return f"The file of its projection, '{name}', is gone."
    if hashlib.sha256(content).hexdigest() != card_json["projection"].get("sha256"):
        return f"The file of its projection, '{name}', holds other bytes than were committed."
    return ""
