"""Embeddings for others to reuse: explained to people, handed to programs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from bilderatlas.api.embeddings import MAX_ITEMS, EmbeddingPage, EmbeddingServer, Item, Wanted
from bilderatlas.errors import NotFoundError, UnknownNameError, UsageError
from bilderatlas.web import urls
from bilderatlas.web.rendering import collection_title

if TYPE_CHECKING:
    from starlette.requests import Request

    from bilderatlas.api import Library

FORMAT = "bilderatlas-embeddings"
FORMAT_VERSION = 1
DEFAULT_LIMIT = 100
MAX_QUESTION_BYTES = 4 << 20
N_SHOWN = 12
_LISTS = {"image_ids", "sha256", "source_urls"}
_LINKS = {"source_url": "image_url", "page_url": "page_url", "iiif_image": "iiif_service"}


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class EmbeddingsPage:
    """The data of the page about one space of a collection."""

    template: ClassVar[str] = "embeddings.html"
    found: EmbeddingPage
    limit: int = DEFAULT_LIMIT
    status: int = 200

    @property
    def shown(self) -> Sequence[Item]:
        """A few items, for people."""
        return self.found.items[:N_SHOWN]

    @property
    def title(self) -> str:
        """The collection's title; its name where it has none."""
        return collection_title(_Named(self.found.collection, self.found.title))

    @property
    def model_id(self) -> str:
        """The space."""
        return str(self.found.card["model_id"])

    @property
    def next_url(self) -> str:
        """The address of what follows; empty at the end."""
        if self.found.next_after is None:
            return ""
        params = [
            ("model_id", self.model_id),
            ("after", str(self.found.next_after)),
            ("limit", str(self.limit)),
            ("version", str(self.found.version)),
        ]
        return urls.embeddings(self.found.collection, params, json=True)

    def to_json(self) -> dict[str, Any]:
        """Return the items with their vectors, as `docs/reference/embeddings.md` describes them."""
        found = self.found
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "collection": {
                "name": found.collection,
                "title": found.title,
                "created_at": found.created_at,
                "version": found.version,
            },
            "model_ids": list(found.model_ids),
            "card": dict(found.card),
            "dim": found.card["dim"],
            "dtype": found.card["dtype"],
            "byte_order": "little",
            "n_items": found.n_items,
            "items": [item_json(item) for item in found.items],
            "after": None if found.next_after is None else str(found.next_after),
            "next": self.next_url or None,
            "not_found": list(found.not_found),
            "left_out": list(found.left_out),
        }


def item_json(item: Item) -> dict[str, Any]:
    """Return one item as JSON; its vectors are little-endian rows in base64."""
    values: dict[str, Any] = {
        "image_id": item.image_id,
        "sha256": item.sha256,
        "size_wh": item.size_wh,
        "rights": item.record.get("rights"),
        "status": "failed" if item.failure else "ok",
    }
    values |= {name: item.record.get(field) for name, field in _LINKS.items()}
    if item.failure:
        values |= dict(zip(("code", "stage", "reason"), item.failure, strict=True))
    values |= {
        "n_rows": len(item.vectors),
        "vectors": base64.b64encode(item.vectors.tobytes()).decode("ascii"),
    }
    if item.geometry is not None:
        values["geometry"] = base64.b64encode(item.geometry.astype("<f4").tobytes()).decode("ascii")
    return values | {"record": item.record}


class EmbeddingsPages:
    """Answers for one site."""

    def __init__(self, library: Library) -> None:
        """Answer from `library`."""
        self._server = EmbeddingServer(library.store)

    def listed(self, collection: str, params: Iterable[tuple[str, str]]) -> EmbeddingsPage:
        """Return items beyond a cursor: `model_id`, `after`, `limit`, `version`.

        Raises:
            NotFoundError: when there is no such collection or space.
            ConflictError: when the collection has another version than the one asked for.
            UsageError: for a number that cannot be read.
        """
        given = dict(params)
        limit = _whole(given, "limit", DEFAULT_LIMIT)
        try:
            found = self._server.listed(
                collection,
                given.get("model_id", ""),
                after=_whole(given, "after", -1),
                limit=limit,
                version=_whole(given, "version", None),
            )
        except UnknownNameError as error:
            raise NotFoundError(str(error)) from error
        return EmbeddingsPage(found, limit)

    def asked(self, collection: str, question: Mapping[str, Any]) -> EmbeddingsPage:
        """Return the items that a question names.

        Raises:
            NotFoundError: when there is no such collection or space.
            ConflictError: when the collection has another version than the one asked for.
            UsageError: for a question that cannot be read.
        """
        unknown = question.keys() - _LISTS - {"model_id", "version"}
        if unknown:
            raise UsageError(
                f"Cannot read the question: '{sorted(map(str, unknown))[0][:80]}' is not asked "
                "for. Known: image_ids, model_id, sha256, source_urls, version."
            )
        wanted = Wanted(**{name: _texts(question, name) for name in _LISTS})
        model_id, version = question.get("model_id", ""), question.get("version")
        is_whole = isinstance(version, int) and not isinstance(version, bool)
        if not isinstance(model_id, str) or not (version is None or is_whole):
            raise UsageError("Cannot read the question: model_id is a text, version a number.")
        try:
            found = self._server.found(collection, wanted, model_id, version=version)
        except UnknownNameError as error:
            raise NotFoundError(str(error)) from error
        return EmbeddingsPage(found)


async def read_question(request: Request) -> dict[str, Any]:
    """Return the JSON object that a program sent.

    Raises:
        UsageError: when it is none, or longer than 4 MiB.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_QUESTION_BYTES:
            raise UsageError("Cannot read the question: it is longer than 4 MiB.")
    try:
        question = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            'Cannot read the question: expected JSON, as in {"image_ids": ["SK-C-5"]}.'
        ) from error
    if not isinstance(question, dict):
        raise UsageError("Cannot read the question: expected a JSON object.")
    return question


def _texts(question: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = question.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise UsageError(f"Cannot read the question: {name} is a list of texts.")
    if len(values) > MAX_ITEMS:
        raise UsageError(
            f"Cannot look up {len(values):,} images at once: name at most {MAX_ITEMS:,}."
        )
    return tuple(value.encode("utf-8", "replace").decode() for value in values)


def _whole(params: Mapping[str, str], name: str, default: int | None) -> Any:
    text = params.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise UsageError(f"Cannot use {name} = '{text[:40]}': expected a whole number.")
    return int(text)
