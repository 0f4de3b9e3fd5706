"""Fetch the files of a model: from the hub or a fixed address, checked, recorded, never half."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from bilderatlas.errors import DiskFullError, NetworkError, WeightsError
from bilderatlas.extractors.runtimes.convert_pickle import convert, require_laboratory
from bilderatlas.extractors.runtimes.kinds import check_role
from bilderatlas.extractors.runtimes.lock import changing
from bilderatlas.extractors.runtimes.record import FileFacts, Origin
from bilderatlas.extractors.runtimes.replaced import take_over
from bilderatlas.extractors.runtimes.torch import has_torch
from bilderatlas.extractors.runtimes.weights import (
    WeightsFile,
    is_sha256,
    now,
    sha256_of,
    shown_size,
)
from bilderatlas.network.client import get_json
from bilderatlas.network.download import Downloaded, download
from bilderatlas.settings import Settings, read_settings

if TYPE_CHECKING:
    from bilderatlas.extractors.neural import NeuralExtractor

INCOMING = ".incoming"
MAX_BYTES = 20_000_000_000
FileProgress = Callable[[str, int, int | None], None]
"""Name of the file, bytes that are here, and bytes in all where the server says so."""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch did.

    Attributes:
        model_id: The extractor.
        fetched: What came, in its order.
        kept: Names of the files that were here already, whole.
        notes: What departs from what the program expects, a sentence each.
    """

    model_id: str
    fetched: list[FileFacts] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def fetch(extractor: NeuralExtractor, progress: FileProgress | None = None) -> FetchReport:
    """Fetch what is missing or damaged of an extractor's files; the rest stays as it is.

    What broke off is continued by the next call.

    Raises:
        NetworkError: a server cannot be reached or does not have the file.
        WeightsError: what came is not what was pinned, recorded or announced.
        UnavailableError: a pickle came, and the laboratory that converts it is not installed.
        DiskFullError: there is too little space.
        ConflictError: another process is at it.
    """
    with changing(extractor.folder):
        return _fetch_missing(extractor, progress)


def _fetch_missing(extractor: NeuralExtractor, progress: FileProgress | None) -> FetchReport:
    files = extractor.model_files
    report = FetchReport(files.model_id)
    carried = files.onnx_is_here() and not has_torch()  # then weights could not be used anyway
    for one in extractor.files:
        if carried and one.role in {"safetensors", "pickle"} and not files.find(one.kept_as):
            continue
        known = files.record.files.get(one.kept_as)
        path = files.find(one.kept_as)
        if path is not None and (known is None or sha256_of(path) == known.sha256):
            files.settled()  # what was put here by hand is entered now
            report.kept.append(one.kept_as)
            continue
        report.fetched.append(_Fetch(extractor, one, known, progress).run())
    shutil.rmtree(extractor.folder / INCOMING, ignore_errors=True)
    return report


@dataclass(slots=True)
class _Fetch:
    """One file on its way."""

    extractor: NeuralExtractor
    wanted: WeightsFile
    known: FileFacts | None
    progress: FileProgress | None

    def run(self) -> FileFacts:
        if self.wanted.role == "pickle":
            require_laboratory(self.wanted.name)  # before a large file comes in vain
        self._check_space()
        incoming = self.extractor.folder / INCOMING / self.wanted.name
        try:
            revision = self._revision()
            came = self._download(self.wanted.source(revision), incoming)
        except NetworkError as error:
            if error.reason_code == "checksum":
                raise WeightsError("wrong-sha256", str(error)) from error
            raise self._with_advice(error) from error
        try:
            self._check_announced(came)
            check_role(incoming, self.wanted.role)
            facts, kept = self._facts(came, revision)
            if not self.wanted.is_pinned and facts.role == "safetensors":
                self.extractor.check_weights(kept)
        except WeightsError:
            incoming.unlink(missing_ok=True)
            raise
        take_over(self.extractor.model_files, facts, kept)
        incoming.unlink(missing_ok=True)
        return facts

    def _check_space(self) -> None:
        folder = self.extractor.folder
        folder.mkdir(parents=True, exist_ok=True)
        needed = (self.wanted.size_bytes or 0) * (2 if self.wanted.role == "pickle" else 1)
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise DiskFullError(
                f"Cannot fetch '{self.wanted.name}': it needs {shown_size(needed)} in '{folder}', "
                f"where {shown_size(free)} are free. Free some space, or name another folder with "
                "BILDERATLAS_MODELS."
            )

    def _expected(self) -> str | None:
        """Return the sha256 that is pinned, or that was recorded when it first came."""
        if self.wanted.sha256 is not None:
            return self.wanted.sha256
        if self.known is None or self.known.origin == "given":
            return None
        if self.wanted.role == "pickle":
            return (self.known.made_from or {}).get("sha256")
        return self.known.sha256

    def _revision(self) -> str | None:
        """Return the commit to fetch: pinned, recorded earlier, or looked up now."""
        if self.wanted.url is not None:
            return None
        if self.wanted.revision is not None:
            return self.wanted.revision
        if self.known is not None and self.known.revision:
            return self.known.revision
        settings = read_settings()
        repo = quote(self.wanted.repo)
        url = f"{settings.hub.rstrip('/')}/api/models/{repo}/revision/main"
        answer = get_json(url, allow=allowed_hosts(settings))
        commit = answer.get("sha") if isinstance(answer, dict) else None
        if not isinstance(commit, str) or not commit.isalnum():
            raise NetworkError(
                "revision",
                f"Cannot fetch '{self.wanted.name}': {url} does not say which commit is the newest "
                "one. Is BILDERATLAS_HUB the address of a model hub?",
            )
        return commit

    def _download(self, url: str, incoming: Path) -> Downloaded:
        def told(here: int, total: int | None) -> None:
            if self.progress is not None:
                self.progress(self.wanted.name, here, total)

        return download(
            url,
            incoming,
            sha256=self._expected(),
            max_bytes=min(MAX_BYTES, 2 * (self.wanted.size_bytes or MAX_BYTES) + 10_000_000),
            allow=allowed_hosts(read_settings()),
            progress=told,
        )

    def _with_advice(self, error: NetworkError) -> NetworkError:
        """Add what to get on another machine, from where, how large it is and where it goes."""
        wanted, model_id = self.wanted, self.extractor.base_card.model_id
        size = f" ({shown_size(wanted.size_bytes)})" if wanted.size_bytes else ""
        put = f"put it at {self.extractor.folder / wanted.name}, or "
        others = [one for one in self.extractor.missing_files() if one.name != wanted.name]
        also = "".join(f" and {one.source()}" for one in others)
        them = "them" if others else "it"
        if others or wanted.role == "pickle":
            put = ""
        given = "FOLDER" if others else "FILE"
        return NetworkError(
            error.reason_code,
            f"{error} To use '{model_id}' without the network, get {wanted.source()}{size}{also} "
            f"on another machine{', together in one folder' if others else ''}, then {put}give "
            f"{them} with: bilderatlas extractors fetch {model_id} --weights {given}",
            status=error.status,
            retry_after_s=error.retry_after_s,
            may_pass=error.may_pass,
        )

    def _check_announced(self, came: Downloaded) -> None:
        """Compare with the start of a checksum in the file's name, and with the hub's own word."""
        announced = next((tag for tag in (came.linked_etag, came.etag) if is_sha256(tag)), None)
        wrong = announced if announced is not None and announced != came.sha256 else ""
        prefix = self.wanted.sha256_prefix
        if prefix and not came.sha256.startswith(prefix):
            wrong = f"{prefix}…"
        if wrong:
            raise WeightsError(
                "wrong-sha256",
                f"Cannot use '{self.wanted.name}' from {came.final_url}: its sha256 is "
                f"{came.sha256}, expected {wrong}. It was thrown away; what was here before "
                "stands. Fetch it again.",
            )

    def _facts(self, came: Downloaded, revision: str | None) -> tuple[FileFacts, Path]:
        """Return what is recorded, and the file that is to be kept: of a pickle its conversion."""
        wanted = self.wanted
        kept, made_from, role = came.path, None, str(wanted.role)
        if wanted.role == "pickle":
            kept = came.path.with_name(wanted.kept_as)
            convert(came.path, kept)
            made_from, role = {"name": wanted.name, "sha256": came.sha256}, "safetensors"
        again = self.known is not None and self.known.origin == "recorded"
        first = self.known.fetched_at if again and self.known is not None else now()
        origin: Origin = "pinned" if wanted.is_pinned else "recorded"
        facts = FileFacts(
            name=wanted.kept_as,
            role=role,
            source=wanted.source(revision),
            revision=revision,
            sha256=sha256_of(kept),
            origin=origin,
            fetched_at=first,
            size_bytes=kept.stat().st_size,
            made_from=made_from,
        )
        return facts, kept


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Return the hub's host where the operator named one: it may lie in a network of their own."""
    default = Settings.model_fields["hub"].default
    if settings.hub == default:
        return frozenset()
    return frozenset([urlsplit(settings.hub).netloc.rpartition("@")[2]])
