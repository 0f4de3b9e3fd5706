"""Every failure that Bilderatlas can name.

    BilderatlasError                what could not be done, what we got, what to do
    ├── UsageError                  the request itself is wrong (exit 2, HTTP 400)
    │   ├── UnknownNameError        no such extractor, collection, column …; lists near names
    │   ├── FilterError             a `--where` that cannot be read
    │   ├── QueryError              parts, rule or metric that do not fit each other or the space
    │   └── SpaceMismatchError      two embeddings that do not share a space
    ├── NotFoundError               a thing that was named rightly is not there (exit 1, HTTP 404)
    ├── ConflictError               the name is taken, or somebody else holds the lock (HTTP 409)
    ├── ForbiddenError              this server or this caller may not do it (HTTP 403)
    ├── SourceError                 a source cannot be read as a whole (HTTP 422)
    ├── PackageError                published features that cannot be used: has a `code` (HTTP 422)
    ├── ImageError                  one picture cannot be decoded: has a `code` from images/refusals
    ├── StoreError                  the library on disk cannot be read or written (HTTP 500)
    │   ├── LibraryVersionError     written by a newer version
    │   └── DiskFullError           nothing was half done; free space and run again (HTTP 507)
    ├── WeightsError                a file of weights is not what it should be (HTTP 422)
    └── UnavailableError            something needed is missing: weights, network, a port (HTTP 503)
        └── NetworkError            an address that may not be asked, or did not answer as it should

One picture that fails never ends a run: it becomes a `Failure`, a value, and stands in the
collection as a row with its reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class BilderatlasError(Exception):
    """Base of all failures; its text is one sentence or two that a user can act on."""

    code: ClassVar[str] = "failed"
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class UsageError(BilderatlasError):
    """The request itself is wrong."""

    code = "usage"
    exit_status = 2
    http_status = 400


class UnknownNameError(UsageError):
    """A name that no registry, collection or column answers to."""

    code = "unknown-name"

    def __init__(self, kind: str, name: str, known: Iterable[str], *, advice: str = "") -> None:
        """Say which `kind` of thing `name` is not, and list the nearest of the `known` names."""
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        super().__init__(f"There is no {kind} called '{name}'. {self._near()}{advice}".strip())

    def _near(self) -> str:
        near = difflib.get_close_matches(self.name, self.known, n=3, cutoff=0.5)
        if near:
            return "Did you mean " + " or ".join(f"'{n}'" for n in near) + "? "
        if self.known:
            shown = ", ".join(f"'{n}'" for n in self.known[:12])
            return f"Known: {shown}{' …' if len(self.known) > 12 else ''}. "
        return "There are none yet. "


class FilterError(UsageError):
    """A filter text that cannot be read; `position` is the character, from 0, where it breaks."""

    code = "filter"

    def __init__(self, message: str, *, position: int | None = None) -> None:
        """Say what was expected and found; `position` lets an input field mark the place."""
        self.position = position
        super().__init__(message)


class QueryError(UsageError):
    """Parts, rule or metric of a query that do not fit each other or the space.

    Attributes:
        inactive: What is told of each part that could not be used, where none was left.
    """

    code = "query"

    def __init__(self, message: str, *, inactive: Iterable[object] = ()) -> None:
        """Say what does not fit; `inactive` lets a page show the parts with their reasons."""
        self.inactive: tuple[object, ...] = tuple(inactive)
        super().__init__(message)


class SpaceMismatchError(QueryError):
    """Two embeddings that do not share a space."""

    code = "space-mismatch"


class NotFoundError(BilderatlasError):
    """A thing that was named rightly is not there."""

    code = "not-found"
    http_status = 404


class ConflictError(BilderatlasError):
    """The name is taken, or somebody else is writing."""

    code = "conflict"
    http_status = 409


class ForbiddenError(BilderatlasError):
    """This server, or this caller, may not do it."""

    code = "forbidden"
    http_status = 403


class SourceError(BilderatlasError):
    """A source that cannot be read as a whole."""

    code = "source"
    http_status = 422


class PackageError(BilderatlasError):
    """Published features that cannot be used as a whole; nothing was taken from them."""

    code = "package"
    http_status = 422

    def __init__(self, reason_code: str, message: str) -> None:
        """Name the kind of fault (`not-finite`, `duplicate-id` …) and say it in a sentence."""
        self.reason_code = reason_code
        super().__init__(message)


class ImageError(BilderatlasError):
    """One picture that cannot be used; `reason_code` says why in one word for tables."""

    code = "image"
    http_status = 422

    def __init__(self, reason_code: str, message: str) -> None:
        """Name the kind of refusal (`truncated`, `too-many-pixels` …) and say it in a sentence."""
        self.reason_code = reason_code
        super().__init__(message)


class StoreError(BilderatlasError):
    """The library on disk cannot be read or written."""

    code = "store"


class LibraryVersionError(StoreError):
    """The library was written by a newer version."""

    code = "library-version"


class DiskFullError(StoreError):
    """The disk is full; the last complete state still stands."""

    code = "disk-full"
    http_status = 507


class WeightsError(BilderatlasError):
    """A file of weights that is not what it should be; `reason_code` says how in one word."""

    code = "weights"
    http_status = 422

    def __init__(self, reason_code: str, message: str) -> None:
        """Name the kind of fault (`wrong-sha256`, `misfit` …) and say it in a sentence."""
        self.reason_code = reason_code
        super().__init__(message)


class UnavailableError(BilderatlasError):
    """Something that is needed is missing: weights, the network, a free port."""

    code = "unavailable"
    http_status = 503


class NetworkError(UnavailableError):
    """An address that may not be asked, or whose answer cannot be used.

    Attributes:
        reason_code: One word for tables: `forbidden-address`, `timeout`, `too-large`, `status` …
        status: HTTP status of the answer, where there was one.
        retry_after_s: How long the server asked to be left alone.
        may_pass: Whether asking again later may help.
    """

    code = "network"
    http_status = 502

    def __init__(
        self,
        reason_code: str,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        may_pass: bool = False,
    ) -> None:
        """Name the kind of failure and say it in a sentence."""
        self.reason_code = reason_code
        self.status = status
        self.retry_after_s = retry_after_s
        self.may_pass = may_pass
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Failure:
    """One item that could not be done, kept as a value.

    Attributes:
        subject: What failed: an image id, a file name, a row number.
        stage: Where: `record`, `fetch`, `decode`, `extract`.
        code: One word for tables: `truncated`, `no-image`, `too-many-pixels` …
        reason: The sentence that the user reads.
    """

    subject: str
    stage: str
    code: str
    reason: str
