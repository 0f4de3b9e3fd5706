"""Import from a served library: its embeddings, page by page, into a spool, then into ours.

The spool lies in the user's cache. What was fetched before a connection broke is not fetched again,
as long as the other collection is still in the same state; when it has changed, all is fetched
anew, so that what is imported is one version and never a mixture of two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import numpy as np
import numpy.typing as npt
import platformdirs
from pydantic import ValidationError

from bilderatlas.errors import Failure, NetworkError, PackageError, UsageError
from bilderatlas.exchange.base import (
    IMPORTERS,
    FeatureBatch,
    Features,
    Importer,
    ImportOptions,
)
from bilderatlas.exchange.format import NO_PICTURE, NOT_EXTRACTED
from bilderatlas.exchange.manifest import checked_card
from bilderatlas.exchange.projection import without_file
from bilderatlas.exchange.records_json import record_from
from bilderatlas.exchange.spool import Spool
from bilderatlas.extractors.base import Card
from bilderatlas.network.client import Client, get_json
from bilderatlas.records import Record
from bilderatlas.store.segments import DTYPES

FORMAT = "bilderatlas-embeddings"
FORMAT_VERSION = 1
PAGE_ITEMS = 500
MAX_VECTOR_BYTES = 16 << 20  # of one answer, as a server of this program cuts it
MAX_RECORD_BYTES = 32 << 10  # of an item without its vectors, in the mean over a page
MAX_BESIDE_BYTES = 8 << 20  # for what is above the mean: one record may have 4 MiB
MAX_PAGE_BYTES = 64 << 20  # 16 MiB of small rows with their geometry, as base64, and records
MAX_BEGINNINGS = 4
N_TRIES = 4
MAX_WAIT_S = 60.0
_PATH = re.compile(r"/c/([^/]+?)(?:/embeddings)?(?:\.json)?/?\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class ServedFeatures(Features):
    """One space of a collection that another library serves."""

    hands_out_projection = False

    def __init__(
        self,
        address: str,
        options: ImportOptions,
        *,
        client: Client | None = None,
        spools: Path | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Ask for the facts of the space.

        Args:
            address: Of the collection, or of its embeddings.
            options: `extractor` chooses the space, `token` opens a server that is not public,
                `allow` names the host where it is not a public one.
            client: Asks instead of one made for this import.
            spools: Folder of what is fetched; the user's cache by default.
            wait: Sleeps between tries.

        Raises:
            NetworkError: when the server may not be asked, or does not answer.
            PackageError: when the answer is none of ours.
        """
        self._url, model_id = _read_address(address)
        self._model_id = options.extractor or model_id
        self._token = options.token
        self._wait = wait
        self._own = client is None
        self._client = client or Client(allow=options.allow)
        self._is_done = False
        try:
            first = self._page(after=None, version=None, limit=1)
            self._describe(first)
        except BaseException:
            if self._own:
                self._client.close()
            raise
        root = spools or Path(platformdirs.user_cache_path("bilderatlas", appauthor=False))
        name = hashlib.sha256(self.address.encode()).hexdigest()[:32]
        self._spool = Spool(root / "served" / name, self.address)

    def _describe(self, first: Mapping[str, Any]) -> None:
        card = _card_of(first, self._url)
        self.card = replace(card, projection=without_file(card.projection))
        self._model_id = self.card.model_id
        self.address = f"{self._url.removesuffix('/embeddings.json')}#{self._model_id}"
        self.title = str(first["collection"].get("title") or "")[:500]
        self.n_items = _whole(first, "n_items")
        self._state = _state_of(first)
        notes = [f"{self.address}, version {self._state['version']}, as it is served now."]
        if self.card.projection:
            notes.append(
                "The space went through a projection that is not handed out: pictures and words "
                "cannot be embedded into it here."
            )
        self.notes = tuple(notes)

    @property
    def package_id(self) -> str:
        """A name for the state of the other collection."""
        return hashlib.sha256(json.dumps(self._state, sort_keys=True).encode()).hexdigest()

    def check(self) -> bool:
        """Fetch all pages; the items in them are proved afterwards, as those of any stranger.

        Raises:
            NetworkError: when the server stops answering; what was fetched stays.
            PackageError: when an answer is none of ours, is larger than its items can be, or the
                collection changes all the time.
            ConflictError: when another import from this address is under way.
            DiskFullError: when it would fill the disk.
        """
        self._spool.take()
        for _ in range(MAX_BEGINNINGS):
            try:
                self._fetch()
            except NetworkError as error:
                if error.status != 409:
                    raise
                self._begin_anew()
                continue
            return False
        raise PackageError(
            "changing",
            f"Cannot import '{self.address}': it changes faster than it can be read. Try again "
            "when nobody writes to it.",
        )

    def _begin_anew(self) -> None:
        self._spool.clear()
        self._describe(self._page(after=None, version=None, limit=1))
        note = "It changed while it was read; everything was fetched again."
        self.notes = (*self.notes, note)

    def _fetch(self) -> None:
        """Fetch the pages that are not here yet.

        Raises:
            NetworkError: with status 409 when the collection is in another state.
        """
        after, number, n_items = self._resume()
        while after != "":
            page = self._page(after=after, version=self._state["version"], limit=PAGE_ITEMS)
            if _state_of(page) != self._state:
                raise NetworkError("status", "The collection was made anew.", status=409)
            after = _cursor(page, after)
            number, n_items = number + 1, n_items + len(page["items"])
            if self.n_items is not None and n_items > self.n_items:
                raise _damaged(self.address, f"it gives more than the {self.n_items:,} items")
            kept = {"after": after, "n_pages": number, "n_items": n_items}
            note = {"state": self._state, **kept}
            self._spool.keep(number, page, note, most_bytes=self._most_bytes(self.n_items or 0))

    def _most_bytes(self, n_items: int) -> int:
        """Return how much the embeddings of so many items may have as JSON.

        Items with many rows may have any number; a page of them is bounded by its vectors.
        """
        row_bytes = self.card.dim * DTYPES[self.card.dtype].itemsize
        if self.card.many_rows:
            row_bytes = MAX_VECTOR_BYTES * (row_bytes + 16) // row_bytes  # with its geometry
        return MAX_BESIDE_BYTES + n_items * (row_bytes * 4 // 3 + MAX_RECORD_BYTES)

    def _resume(self) -> tuple[str | None, int, int]:
        """Return the cursor to go on from ('': all is here), and the pages and items here."""
        kept = self._spool.note()
        if kept.get("state") == self._state:
            return kept["after"], kept["n_pages"], kept["n_items"]
        self._spool.clear()
        row_bytes = self.card.dim * DTYPES[self.card.dtype].itemsize
        if not self.card.many_rows:
            self._spool.need_space((self.n_items or 0) * row_bytes * 4 // 3)
        return None, 0, 0

    def _page(self, *, after: str | None, version: int | None, limit: int) -> Mapping[str, Any]:
        is_known = version is not None  # else nothing is known of its rows yet
        most = min(self._most_bytes(limit), MAX_PAGE_BYTES) if is_known else MAX_PAGE_BYTES
        params = {"limit": str(limit)}
        given = {"model_id": self._model_id, "after": after, "version": version}
        params |= {name: str(value) for name, value in given.items() if value not in (None, "")}
        url = f"{self._url}?{urlencode(params)}"
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = self._patiently(
            lambda: get_json(url, max_bytes=most, headers=headers, client=self._client)
        )
        return _page_of(answer, self._url)

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        for attempt in range(1, N_TRIES + 1):
            try:
                return ask()
            except NetworkError as error:
                waited_s = max(error.retry_after_s or 0.0, float(2 ** (attempt - 1)))
                if not error.may_pass or attempt == N_TRIES or waited_s > MAX_WAIT_S:
                    raise self._explained(error) from error
                self._wait(waited_s)
        raise AssertionError("unreachable")

    def _explained(self, error: NetworkError) -> NetworkError:
        if error.status == 403:
            return NetworkError(
                "status",
                f"Cannot read {self._url}: the library is private. Give the token that "
                "`bilderatlas serve --show-token` prints there, with --token.",
                status=403,
            )
        if error.status == 404:
            space = f", or it has no space '{self._model_id}'" if self._model_id else ""
            return NetworkError(
                "status",
                f"Cannot read {self._url}: there is no such collection{space}. Open "
                f"{self._url.removesuffix('.json')} in a browser to see its spaces.",
                status=404,
            )
        return error

    def batches(self) -> Iterator[FeatureBatch]:
        """Yield the items of the pages that are here, in their order."""
        self._spool.take()
        if not self._spool.note():
            self.check()
        self._is_done = False
        for number in range(1, self._spool.note()["n_pages"] + 1):
            yield batch_of(self._spool.page(number), self.card, self.address)
        self._is_done = True

    def close(self) -> None:
        """Close the connections; forget the pages when all were read to the end."""
        if self._own:
            self._client.close()
        self._spool.close(is_spent=self._is_done)


def _read_address(address: str) -> tuple[str, str]:
    """Return the address of the embeddings as JSON, and the space that it names, or ''."""
    parts = urlsplit(address)
    matched = _PATH.search(parts.path)
    if matched is None:
        raise UsageError(
            f"Cannot import '{address[:200]}': expected the address of a served collection, as in "
            "http://127.0.0.1:8765/c/rijks."
        )
    prefix = parts.path[: matched.start()]
    name = quote(unquote(matched[1]), safe="")
    query = parse_qs(parts.query)
    model_id = (query.get("model_id") or query.get("by") or [parts.fragment])[0]
    return f"{parts.scheme}://{parts.netloc}{prefix}/c/{name}/embeddings.json", model_id


def _page_of(answer: Any, url: str) -> Mapping[str, Any]:
    is_ours = isinstance(answer, dict) and answer.get("format") == FORMAT
    if not is_ours or not isinstance(answer.get("collection"), dict):
        raise PackageError("not-ours", f"Cannot import '{url}': no library of Bilderatlas answers.")
    if answer.get("format_version") != FORMAT_VERSION:
        raise PackageError(
            "newer-version",
            f"Cannot import '{url}': it speaks version {str(answer.get('format_version'))[:20]} of "
            f"the format, this program version {FORMAT_VERSION}. Update Bilderatlas.",
        )
    if not isinstance(answer.get("items"), list) or not isinstance(answer.get("card"), dict):
        raise _damaged(url, "an answer has no items or no card")
    return cast("Mapping[str, Any]", answer)


def _card_of(page: Mapping[str, Any], url: str) -> Card:
    """Return the card of a stranger, each of its facts proved to be of its very type.

    Raises:
        PackageError: when a fact is missing or none.
    """
    try:
        card = checked_card(page["card"])
    except (ValidationError, TypeError, ValueError, AttributeError, KeyError) as error:
        why = str(error).splitlines()[0][:200]
        raise PackageError("card", f"Cannot import '{url}': its card is not one: {why}.") from error
    return card


def _state_of(page: Mapping[str, Any]) -> dict[str, Any]:
    collection = page["collection"]
    card = hashlib.sha256(json.dumps(page["card"], sort_keys=True).encode()).hexdigest()
    return {
        "created_at": str(collection.get("created_at"))[:100],
        "version": _whole(collection, "version"),
        "card": card,
    }


def _cursor(page: Mapping[str, Any], before: str | None) -> str:
    """Return the cursor of the next page, '' at the end; it must move on."""
    after = page.get("after")
    if after is None:
        return ""
    is_number = isinstance(after, str) and re.fullmatch(r"[0-9]{1,18}", after)
    if not is_number or int(after) <= int(before or -1) or not page["items"]:
        raise PackageError("loop", "Cannot import: the server's pages lead in a circle.")
    return str(after)


def _whole(values: Mapping[str, Any], name: str) -> int:
    value = values.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise PackageError("answer", f"Cannot import: the server's {name} is no number.")
    return value


def batch_of(page: Mapping[str, Any], card: Card, address: str) -> FeatureBatch:
    """Return the items of an answer.

    Raises:
        PackageError: naming the item that cannot be used.
    """
    items = page["items"]
    vectors, geometries, records = [], [], []
    for item in items:
        record = _record(item, address)
        records.append(record)
        n_rows = _whole(item, "n_rows")
        vectors.append(_rows(item, "vectors", n_rows, card.dim, DTYPES[card.dtype], record))
        if "geometry" in item:
            geometries.append(_rows(item, "geometry", n_rows, 4, np.dtype("<f4"), record))
    if geometries and len(geometries) != len(items):
        raise _damaged(address, "some items have geometry and others have not")
    is_ok = np.array([item.get("status") == "ok" for item in items], bool)
    if any(len(rows) for rows, ok in zip(vectors, is_ok.tolist(), strict=True) if not ok):
        raise _damaged(address, "a failed item has a vector")
    return FeatureBatch(
        records,
        [_sha256(item, address) for item in items],
        [_size_of(item) for item in items],
        np.concatenate([np.empty((0, card.dim), DTYPES[card.dtype]), *vectors]),
        np.array([len(rows) for rows in vectors], np.int64),
        is_ok,
        np.concatenate(geometries) if geometries else None,
        [_failure_of(item, record) for item, record in zip(items, records, strict=True)],
    )


def _record(item: Any, address: str) -> Record:
    image_id = item.get("image_id") if isinstance(item, dict) else None
    if not isinstance(image_id, str) or not isinstance(item.get("record", {}), dict):
        raise _damaged(address, "an item has no id or no record")
    names = {"image_url": "source_url", "page_url": "page_url", "iiif_service": "iiif_image"}
    links = {field: item.get(name) for field, name in names.items()} | {
        "rights": item.get("rights")
    }
    texts = {field: text for field, text in links.items() if isinstance(text, str)}
    try:
        return record_from(image_id, json.dumps(item.get("record", {})), texts)
    except ValueError as error:
        raise _damaged(address, f"the record of '{image_id[:100]}': {error}") from error


def _rows(
    item: Mapping[str, Any], name: str, n: int, d: int, dtype: np.dtype[Any], record: Record
) -> npt.NDArray[Any]:
    text = item.get(name, "")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise _damaged(record.image_id, f"its {name} are not base64") from error
    if len(content) != n * d * dtype.itemsize:
        raise _damaged(
            record.image_id, f"its {name} have {len(content):,} bytes for {n} rows of {d} numbers"
        )
    return np.frombuffer(content, dtype).reshape(n, d)


def _sha256(item: Mapping[str, Any], address: str) -> str | None:
    sha256 = item.get("sha256")
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.match(sha256)):
        raise _damaged(address, f"the sha256 of '{str(item['image_id'])[:100]}' is none")
    return sha256


def _size_of(item: Mapping[str, Any]) -> tuple[int, int] | None:
    size = item.get("size_wh")
    if not isinstance(size, list) or len(size) != 2:
        return None
    is_size = all(isinstance(n, int) and 0 < n < 1_000_000 for n in size)
    return (size[0], size[1]) if is_size else None


def _failure_of(item: Mapping[str, Any], record: Record) -> Failure | None:
    if item.get("status") == "ok" or item.get("code") in (NO_PICTURE, NOT_EXTRACTED):
        return None
    told = [str(item.get(name) or "")[:1000] for name in ("stage", "code", "reason")]
    return Failure(
        record.image_id, told[0] or "extract", told[1] or "failed", told[2] or "Not said."
    )


def _damaged(where: str, why: str) -> PackageError:
    return PackageError("damaged", f"Cannot import '{where[:200]}': {why}.")


class ServedImporter(Importer):
    """Recognises the address of a collection on the web."""

    name: ClassVar[str] = "served library"
    example: ClassVar[str] = "http://127.0.0.1:8765/c/rijks"

    def recognises(self, address: str) -> bool:
        """Tell by the spelling; nothing is asked."""
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and bool(_PATH.search(parts.path))

    def open(self, address: str, options: ImportOptions) -> ServedFeatures:
        """Ask the server for the facts of the space."""
        return ServedFeatures(address, options)


IMPORTERS.register(ServedImporter.name, ServedImporter())
