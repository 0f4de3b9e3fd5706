"""Every address of the site, spelled once: the patterns that are routed and the links on pages.

An `image_id` may hold slashes, dots and any other character. It is percent-encoded; what browsers
would rewrite on their own (`.` and `..` as whole segments) and what the site reads as a suffix
(`.json`) is written with a tilde instead: `..` is `~2E~2E`, a tilde is `~7E`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

HOME = "/"
HOME_JSON = "/index.json"
SEARCH = "/c/{collection}"
WORK = "/c/{collection}/i/{encoded_id:path}"
THUMBNAIL = "/c/{collection}/thumb/{side_px:int}/{version}/{encoded_id:path}"
ORIGINAL = "/c/{collection}/original/{encoded_id:path}"
COMPARE = "/c/{collection}/compare"
TILES = "/c/{collection}/tiles/{version}/{encoded_id:path}"
TILE = "/c/{collection}/tile/{version}/{level:int}/{column:int}/{row:int}/{encoded_id:path}"
RANKINGS = "/c/{collection}/rankings"
EMBEDDINGS = "/c/{collection}/embeddings"
UPLOADS = "/uploads"
UPLOAD_THUMBNAIL = "/uploads/{sha256}.webp"
UPLOAD_FORGET = "/uploads/{sha256}/forget"
UPLOADS_FORGET = "/uploads/forget"
ADD = "/add"
SOURCE = "/c/{collection}/source"
INDEX_AGAIN = "/c/{collection}/index"
FAILURES = "/c/{collection}/failures"
FAILURES_RETRY = "/c/{collection}/failures/retry"
REMOVE = "/c/{collection}/remove"
JOBS = "/jobs"
JOB = "/jobs/{job_id}"
JOBS_EVENTS = "/jobs/events"
JOB_EVENTS = "/jobs/{job_id}/events"
JOB_ACTION = "/jobs/{job_id}/{action}"
PANELS = "/panels"
PANELS_PUT = "/panels/put"
PANEL = "/panels/{panel_id}"
PANEL_EXPORT = "/panels/{panel_id}/export.{kind}"
PANEL_ACTION = "/panels/{panel_id}/{action}"
SEARCH_EXPORT = "/c/{collection}/export.{kind}"
SEEN = "/seen"
CRITERIA = "/about/criteria"
CRITERION = "/about/criteria/{model_id}"
CRITERION_HERE = "/c/{collection}/criteria/{model_id}"
CRITERION_TEST = "/c/{collection}/criteria/{model_id}/test"
STATIC = "/static/{name}"
STATIC_PREFIX = "/static/"
JSON_SUFFIX = ".json"

Params = Iterable[tuple[str, str]]

_SAFE = ":,/@^"
_SHORT = 80  # signs of what is remembered as it is spelled: anybody may send what is longer
_TILDE = re.compile(r"~([0-9A-F]{2})")


@lru_cache(maxsize=20_000)
def encode_id(image_id: str) -> str:
    """Spell an image id as the end of a path.

    >>> encode_id("prints/é #1.jpg"), encode_id("../~"), encode_id("a.json")
    ('prints/%C3%A9%20%231.jpg', '~2E~2E/~7E', 'a~2Ejson')
    """
    segments = image_id.replace("~", "~7E").split("/")
    safe = [s.replace(".", "~2E") if s in {".", ".."} else s for s in segments]
    text = "/".join(safe)
    if text.endswith(JSON_SUFFIX):
        text = text.removesuffix(JSON_SUFFIX) + "~2Ejson"
    return quote(text, safe="/~", errors="surrogatepass")


def decode_id(path: str) -> str:
    """Read an image id from the (already percent-decoded) end of a path."""
    return _TILDE.sub(lambda match: chr(int(match[1], 16)), path)


@lru_cache(maxsize=1000)
def _name(collection: str) -> str:
    return quote(collection)


def encode_params(params: Params) -> str:
    """Spell parameters as they stand after the question mark."""
    return "&".join(f"{encode_value(name)}={encode_value(value)}" for name, value in params)


def encode_value(value: str) -> str:
    """Spell the value of one parameter, as `encode_params` does."""
    return _encoded(value) if len(value) <= _SHORT else _encoded.__wrapped__(value)


@lru_cache(maxsize=20_000)
def _encoded(value: str) -> str:
    return quote_plus(value, safe=_SAFE, errors="surrogatepass")


def with_params(url: str, params: Params) -> str:
    """Append `params` to `url`; nothing if there are none."""
    text = encode_params(params)
    return f"{url}?{text}" if text else url


def json_twin(path: str, params: Params = ()) -> str:
    """Return the address of a page's data; `path` is percent-decoded, as the server sees it.

    >>> json_twin("/c/maps/i/old #1", [("like", "a b")])
    '/c/maps/i/old%20%231.json?like=a+b'
    """
    return with_params(quote(path, safe="/~", errors="surrogatepass") + JSON_SUFFIX, params)


def search(collection: str, params: Params = (), *, json: bool = False) -> str:
    """Return the address of a search, which is its whole state."""
    return with_params(f"/c/{_name(collection)}{JSON_SUFFIX if json else ''}", params)


def work(collection: str, image_id: str, params: Params = (), *, json: bool = False) -> str:
    """Return the address of a work's page."""
    suffix = JSON_SUFFIX if json else ""
    return with_params(f"/c/{quote(collection)}/i/{encode_id(image_id)}{suffix}", params)


def thumbnail(collection: str, image_id: str, side_px: int, sha256: str | None) -> str:
    """Return the address of a thumbnail; it names the content and is immutable."""
    version = (sha256 or "-")[:16]
    return f"/c/{_name(collection)}/thumb/{side_px}/{version}/{encode_id(image_id)}"


def original(collection: str, image_id: str) -> str:
    """Return the address of the picture as its source has it."""
    return f"/c/{quote(collection)}/original/{encode_id(image_id)}"


def tiles(collection: str, image_id: str, version: str) -> str:
    """Return where a picture is made ready to be looked at closely; `version` names its content."""
    return f"/c/{quote(collection)}/tiles/{version}/{encode_id(image_id)}"


def tile(collection: str, image_id: str, version: str) -> str:
    """Return the address of all tiles of a picture, with places for `{level}/{column}/{row}`."""
    places = "{level}/{column}/{row}"
    return f"/c/{quote(collection)}/tile/{version}/{places}/{encode_id(image_id)}"


def compare(collection: str, params: Params = (), *, json: bool = False) -> str:
    """Return where two pictures, `a` and `b`, are compared."""
    suffix = JSON_SUFFIX if json else ""
    return with_params(f"/c/{quote(collection)}/compare{suffix}", params)


def rankings(collection: str, params: Params = (), *, json: bool = False) -> str:
    """Return where one question is judged in two ways, side by side."""
    suffix = JSON_SUFFIX if json else ""
    return with_params(f"/c/{quote(collection)}/rankings{suffix}", params)


def embeddings(collection: str, params: Params = (), *, json: bool = False) -> str:
    """Return where the embeddings of a collection are handed out."""
    suffix = JSON_SUFFIX if json else ""
    return with_params(f"/c/{quote(collection)}/embeddings{suffix}", params)


def upload_thumbnail(sha256: str) -> str:
    """Return the address of the thumbnail of a picture that was brought along."""
    return f"{UPLOADS}/{quote(sha256)}.webp"


def upload_forget(sha256: str) -> str:
    """Return where to post that a picture that was brought along is to be forgotten."""
    return f"{UPLOADS}/{quote(sha256)}/forget"


def add(params: Params = ()) -> str:
    """Return where a collection is added; `params` say of which source, and how it is read."""
    return with_params(ADD, params)


def source(collection: str) -> str:
    """Return where it is told where a collection comes from, and where it is kept up to date."""
    return f"/c/{quote(collection)}/source"


def index_again(collection: str) -> str:
    """Return where to post that a collection is to be brought up to date."""
    return f"/c/{quote(collection)}/index"


def failures(collection: str, params: Params = ()) -> str:
    """Return the list of what a collection could not use."""
    return with_params(f"/c/{quote(collection)}/failures", params)


def failures_retry(collection: str) -> str:
    """Return where to post what is to be tried again."""
    return f"{failures(collection)}/retry"


def remove(collection: str) -> str:
    """Return where a collection is removed, after it was said what is lost."""
    return f"/c/{quote(collection)}/remove"


def job(job_id: str, *, json: bool = False) -> str:
    """Return the address of a job."""
    return f"{JOBS}/{quote(job_id, safe='')}{JSON_SUFFIX if json else ''}"


def job_events(job_id: str) -> str:
    """Return the address of a job's stream of events."""
    return f"{job(job_id)}/events"


def job_action(job_id: str, action: str) -> str:
    """Return where to post `cancel`, `pause` or `resume`."""
    return f"{job(job_id)}/{action}"


def panel(panel_id: str, params: Params = (), *, json: bool = False) -> str:
    """Return the address of a panel."""
    suffix = JSON_SUFFIX if json else ""
    return with_params(f"{PANELS}/{quote(panel_id, safe='')}{suffix}", params)


def panel_action(panel_id: str, action: str) -> str:
    """Return where to post what is to be done with a panel: `add`, `move`, `undo` …"""
    return f"{panel(panel_id)}/{action}"


def panel_export(panel_id: str, kind: str) -> str:
    """Return a panel to take along, as `csv`, `json`, `zip`, `txt` or `bib`."""
    return f"{panel(panel_id)}/export.{kind}"


def panels_put(works: Iterable[str] = (), back: str = "") -> str:
    """Return where works, `collection/image_id`, are put on a panel; then one goes `back`."""
    params = [*(("work", work) for work in works), *([("back", back)] if back else [])]
    return with_params(PANELS_PUT, params)


def search_export(collection: str, kind: str, params: Params = ()) -> str:
    """Return an answer to take along, as `csv`, `json`, `zip`, `txt` or `bib`."""
    return with_params(f"/c/{quote(collection)}/export.{kind}", params)


def criterion(model_id: str) -> str:
    """Return where a criterion is explained."""
    return f"{CRITERIA}/{quote(model_id, safe='')}"


def criterion_here(collection: str, model_id: str, params: Params = ()) -> str:
    """Return where a criterion is shown at work, and tested, on one collection."""
    return with_params(f"/c/{quote(collection)}/criteria/{quote(model_id, safe='')}", params)


def criterion_test(collection: str, model_id: str) -> str:
    """Return where to post that a criterion is to be tested on a collection."""
    return f"{criterion_here(collection, model_id)}/test"


def static(name: str) -> str:
    """Return the address of a built file (its name holds its content hash)."""
    return f"{STATIC_PREFIX}{quote(name)}"
