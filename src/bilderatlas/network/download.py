"""Fetch a file: to `<name>.part` first, resumed where it broke off, checked, then renamed."""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bilderatlas.checksums import file_sha256
from bilderatlas.errors import BilderatlasError, DiskFullError, NetworkError, StoreError
from bilderatlas.network.addresses import shown
from bilderatlas.network.client import Answer, Client, Limits, check_status, too_large

N_TRIES = 4
MAX_WAIT_S = 30.0  # a server that wants more is left to the user
TIMEOUT_S = 6 * 3600.0
_USABLE = frozenset({200, 206})

Progress = Callable[[int, int | None], None]
"""Bytes that are here, and bytes in all where the server says so."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is here, whole and checked.

    Attributes:
        path: Where it lies.
        sha256: Of its bytes.
        size_bytes: How long it is.
        etag: The server's name for this state of it, without quotes.
        linked_etag: That of the file behind the address (`X-Linked-Etag`: on model hubs its
            sha256), empty where no server said it.
        revision: The commit that the address stood for (`X-Repo-Commit`), likewise.
        final_url: Where it came from, after redirects.
    """

    path: Path
    sha256: str
    size_bytes: int
    etag: str = ""
    linked_etag: str = ""
    revision: str = ""
    final_url: str = ""


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    max_bytes: int,
    allow: frozenset[str] = frozenset(),
    progress: Progress | None = None,
    headers: Mapping[str, str] | None = None,
    client: Client | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """Fetch `url` to `path`, which appears only when it is whole.

    What arrived before a failure stays in `<path>.part` and is continued by the next call, as
    long as the server still has the same file.

    Args:
        url: Where it lies.
        path: Where it goes; an older file there is replaced.
        sha256: What it must be; None: whatever arrives is recorded.
        max_bytes: A larger file is refused.
        allow: What the operator named besides public addresses.
        progress: Told now and then how far it is.
        headers: Sent along, to the first host only where they carry a secret.
        client: Asks instead of one made for this call (its own `allow` counts then).
        wait: Sleeps between tries.

    Raises:
        NetworkError: `checksum` besides the codes of `Client.asked`; nothing lies at `path` then
            that was not there before.
        DiskFullError: and what arrived is kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = client is None
    asked = client or Client(allow=allow, limits=Limits(timeout_s=TIMEOUT_S, read_timeout_s=30.0))
    job = _Job(asked, url, path, sha256, max_bytes, progress, dict(headers or {}))
    try:
        return job.run(wait)
    except OSError as error:
        raise _disk_error(path, error) from error
    finally:
        if own:
            asked.close()


@dataclass(slots=True)
class _Job:
    """One download, over all its tries."""

    client: Client
    url: str
    path: Path
    sha256: str | None
    max_bytes: int
    progress: Progress | None
    headers: dict[str, str]

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def note(self) -> Path:
        """What the part is a part of."""
        return self.path.with_name(f"{self.path.name}.part.json")

    def run(self, wait: Callable[[float], None]) -> Downloaded:
        failed: NetworkError | None = None
        for attempt in range(N_TRIES):
            if failed is not None:
                wait(_waiting_s(failed, attempt))
            try:
                return self._try()
            except NetworkError as error:
                asked_s = error.retry_after_s or 0.0
                if not error.may_pass or asked_s > MAX_WAIT_S:
                    raise
                failed = error
        assert failed is not None
        raise failed

    def _try(self) -> Downloaded:
        validator = self._validator()
        start = self.part.stat().st_size if validator is not None else 0
        sent = dict(self.headers)
        if start:
            sent["Range"] = f"bytes={start}-"
            if validator:
                sent["If-Range"] = validator
        with self.client.asked(self.url, headers=sent, timeout_s=TIMEOUT_S) as answer:
            if answer.status == 416 and start:
                return self._after_416(answer, start)
            check_status(answer, _USABLE)
            _check_plain(answer)
            if answer.status == 206:
                self._check_range(answer, start)
            else:
                start = 0
            self._write(answer, start)
        return self._finish(answer, resumed=start > 0)

    def _validator(self) -> str | None:
        """Return what the part can be continued by: a validator, '' for the checksum, or None."""
        try:
            noted = json.loads(self.note.read_text("utf-8"))
            self.part.stat()
        except (OSError, ValueError):
            return None
        if not isinstance(noted, dict) or noted.get("url") != self.url:
            return None
        if noted.get("sha256") != self.sha256:
            return None
        validator = str(noted.get("validator") or "")
        return validator if validator or self.sha256 else None

    def _after_416(self, answer: Answer, start: int) -> Downloaded:
        """The part is as long as the file, or longer than it: whole, or to be begun anew."""
        total = re.fullmatch(r"bytes \*/([0-9]{1,18})", answer.headers.get("content-range", ""))
        if total and int(total[1]) == start:
            return self._finish(answer, resumed=True)
        self._drop()
        raise NetworkError(
            "range", f"Cannot continue {shown(self.url)}: the file has changed.", may_pass=True
        )

    def _check_range(self, answer: Answer, start: int) -> None:
        given = re.match(r"bytes ([0-9]{1,18})-", answer.headers.get("content-range", ""))
        if start == 0 or given is None or int(given[1]) != start:
            self._drop()
            raise NetworkError(
                "range",
                f"Cannot continue {shown(self.url)}: the server sent another stretch than asked.",
                may_pass=True,
            )

    def _write(self, answer: Answer, start: int) -> None:
        length = answer.length_bytes()
        total = None if length is None else start + length
        if total is not None and total > self.max_bytes:
            self._drop()
            raise too_large(self.url, self.max_bytes)
        if start == 0:
            self.part.unlink(missing_ok=True)
            self._write_note(answer)
        here = start
        with self.part.open("ab") as file:
            for chunk in answer.chunks:
                here += len(chunk)
                if here > self.max_bytes:
                    break
                file.write(chunk)
                if self.progress is not None:
                    self.progress(here, total)
            _sync(file)
        if here > self.max_bytes:
            self._drop()
            raise too_large(self.url, self.max_bytes)

    def _write_note(self, answer: Answer) -> None:
        etag = answer.headers.get("etag", "")
        strong = etag if etag.startswith('"') else ""
        validator = strong or answer.headers.get("last-modified", "")
        noted = {"url": self.url, "validator": validator, "sha256": self.sha256}
        self.note.write_text(json.dumps(noted), "utf-8")

    def _finish(self, answer: Answer, *, resumed: bool) -> Downloaded:
        found = file_sha256(self.part)
        if self.sha256 is not None and found != self.sha256.lower():
            self._drop()
            raise NetworkError(
                "checksum",
                f"Cannot use {shown(self.url)}: its sha256 is {found}, expected {self.sha256}. "
                "It was thrown away. Has the file been changed, or something in between?",
                may_pass=resumed,  # the part may have been of an older file: once more, from 0
            )
        size_bytes = self.part.stat().st_size
        self.part.replace(self.path)
        self.note.unlink(missing_ok=True)
        _sync_folder(self.path.parent)
        seen = (answer.headers, *reversed(answer.hops))
        return Downloaded(
            path=self.path,
            sha256=found,
            size_bytes=size_bytes,
            etag=_bare(answer.headers.get("etag", "")),
            linked_etag=_bare(next((h["x-linked-etag"] for h in seen if "x-linked-etag" in h), "")),
            revision=next((h["x-repo-commit"] for h in seen if "x-repo-commit" in h), ""),
            final_url=answer.url,
        )

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def _waiting_s(failed: NetworkError, attempt: int) -> float:
    """Return what the server asked for, or 1, 2, 4 seconds."""
    return max(failed.retry_after_s or 0.0, float(2 ** (attempt - 1)))


def _check_plain(answer: Answer) -> None:
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise NetworkError(
            "encoding",
            f"Cannot download {shown(answer.url)}: it comes packed ({encoding[:20]}), which was "
            "not asked for.",
        )


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # folders cannot be opened there; the rename is in the journal
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _disk_error(path: Path, error: OSError) -> BilderatlasError:
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", None)}:
        return DiskFullError(
            f"Cannot write {path.name}: the disk is full. What arrived is kept; free space and "
            "run it again."
        )
    return StoreError(f"Cannot write {path}: {error.strerror or error}.")


def _bare(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')
