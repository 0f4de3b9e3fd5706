"""The source of a collection that was made of features alone: records, vectors, no pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from bilderatlas.errors import Failure, ImageError, QueryError, SourceError
from bilderatlas.extractors.base import Extractor, differing_facts
from bilderatlas.records import Record
from bilderatlas.sources.base import Source

SOURCE_KIND = "features"
_TOLD: Mapping[str, str] = {
    "dim": "the dimension",
    "version": "the version of the method",
    "weights_sha256": "the weights",
    "preprocessing": "the preparation of pictures",
    "normalised": "the length of vectors",
    "tap": "the layer",
    "rows_are": "what a vector stands for",
}
_TEXT_FACTS: Mapping[str, str] = {
    "tokenizer_sha256": "the tokenizer",
    "sha256": "the text network",
    "context_length": "the length of texts",
    "pad_id": "what texts are filled up with",
    "template": "the sentence around the words",
}
_HARMLESS = {"dtype"}
"""A query may be more exact than what it is held against."""


class FeaturesSource(Source):
    """Says, of every picture, that there is none here and where it may be found."""

    kind: ClassVar[str] = SOURCE_KIND

    def __init__(self, address: str) -> None:
        """Know the address that the features were imported from."""
        self.address = address

    def iter_records(self) -> Iterator[Record | Failure]:
        """Refuse: features are imported, not indexed.

        Raises:
            SourceError: saying how to import them.
        """
        raise SourceError(
            f"Cannot index '{self.address}': features hold no pictures. Take them in with "
            "`bilderatlas features import`."
        )

    def fingerprint(self, record: Record) -> str | None:
        """Return None: nothing is known of a picture."""
        return None

    def read_image(self, record: Record) -> bytes:
        """Refuse, naming where the picture lies on the web.

        Raises:
            ImageError: always.
        """
        where = record.image_url or record.iiif_service or record.page_url
        told = f" Its publisher shows it at {where}." if where else ""
        raise ImageError(
            "no-picture",
            f"There is no picture of '{record.image_id}' here: its collection was made of "
            f"published features alone.{told}",
        )


def refuse_other_extractor(space: Mapping[str, Any], extractor: Extractor, collection: str) -> None:
    """Refuse to compare what `extractor` makes with the rows of a stored space of other facts.

    `space` is the stored card as JSON; a fact that it does not state cannot differ.

    Raises:
        QueryError: naming the facts.
    """
    own = extractor.card
    differing = [
        _TOLD.get(fact, f"the {fact}")
        for fact in differing_facts(space, own.to_json())
        if fact not in _HARMLESS
    ]
    if differing:
        raise QueryError(
            f"Cannot embed pictures or words into the space '{own.model_id}' of '{collection}': "
            f"its vectors were made otherwise than '{own.model_id}' makes them here "
            f"({', '.join(differing)} differ). Search by images of the collection itself."
        )


def refuse_other_words(space: Mapping[str, Any], extractor: Extractor, collection: str) -> None:
    """Refuse to compare words with stored rows when the text side is another than they knew.

    The card of a space is brought up to date by indexing; what either does not state cannot differ.

    Raises:
        QueryError: naming what differs.
    """
    stored, here = space.get("text_tower") or {}, extractor.card.text_tower or {}
    differing = [
        words
        for fact, words in _TEXT_FACTS.items()
        if stored.get(fact) is not None and here.get(fact) not in (None, stored[fact])
    ]
    if differing:
        raise QueryError(
            f"Cannot embed words into the space '{extractor.card.model_id}' of '{collection}': "
            f"{' and '.join(differing)} here is another than the space was made with. Fetch that "
            "one again, or index the collection again if this one is right; searching by images "
            "works meanwhile."
        )
