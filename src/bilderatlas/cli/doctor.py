"""`bilderatlas doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from bilderatlas import __version__
from bilderatlas.api import open as open_library
from bilderatlas.api.extractors import ExtractorInfo, list_extractors
from bilderatlas.cli.options import JsonOption, LibraryOption
from bilderatlas.cli.output import print_json, print_table
from bilderatlas.errors import BilderatlasError, NotFoundError
from bilderatlas.extractors.runtimes.weights import shown_size
from bilderatlas.settings import DEFAULT_PORT, find_library

LOW_DISK_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    advice: str = ""
    is_here: bool = True

    @property
    def mark(self) -> str:
        """`ok`, `!` for what is wrong, and a dash for what could be fetched and need not."""
        if not self.ok:
            return "!"
        return "ok" if self.is_here else "–"


def doctor(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Look at versions, disk, library, extractors and port; exit 1 when something is wrong."""
    root = find_library(library)
    findings = [
        *_versions(),
        _disk(root),
        _library(root),
        *_extractors(),
        _pages(),
        _port(DEFAULT_PORT),
    ]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [(f.mark, f.what, f.found, f.advice) for f in findings]
        print_table(("", "", "found", "what to do"), rows)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _versions() -> list[Finding]:
    findings = [
        Finding("bilderatlas", True, __version__),
        Finding("python", True, f"{platform.python_version()} on {platform.platform()}"),
        Finding("processors", True, str(os.cpu_count())),
    ]
    for package in ("numpy", "faiss-cpu", "numkong", "opencv-python-headless", "pillow"):
        try:
            findings.append(Finding(package, True, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            advice = "Install again: pip install bilderatlas"
            findings.append(Finding(package, False, "missing", advice))
    lab = importlib.util.find_spec("torch") is not None
    findings.append(
        Finding("laboratory", True, "installed" if lab else "not installed (only for training)")
    )
    return findings


def _disk(root: Path) -> Finding:
    folder = next(parent for parent in (root, *root.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    advice = "Free some space: an index of 10,000 works takes about 2 GB."
    enough = free > LOW_DISK_BYTES
    return Finding("disk", enough, f"{free / 1e9:.1f} GB free", "" if enough else advice)


def _library(root: Path) -> Finding:
    try:
        with open_library(root) as opened:
            n = len(opened.collections())
        return Finding("library", True, f"{root} ({n} collection{'' if n == 1 else 's'})")
    except NotFoundError:
        above = next(parent for parent in (root, *root.parents) if parent.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            advice = "Name another folder with --library."
            return Finding("library", False, f"'{above}' cannot hold a library", advice)
        return Finding("library", True, f"{root} (none yet: it is made by the first index)")
    except BilderatlasError as error:
        return Finding("library", False, str(root), str(error))


def _extractors() -> list[Finding]:
    return [_extractor(one) for one in list_extractors()]


def _extractor(info: ExtractorInfo) -> Finding:
    """Say in one short line what is to fetch; `extractors show` tells from where."""
    what, state = f"extractor {info.card.model_id}", info.readiness.state
    if state == "ready":
        return Finding(what, True, state)
    if not info.to_fetch_bytes:
        return Finding(what, True, state, info.readiness.told_here, is_here=False)
    told = f"to fetch: about {shown_size(info.to_fetch_bytes)}"
    advice = f"To use it: bilderatlas extractors fetch {info.card.model_id}"
    return Finding(what, True, told, advice, is_here=False)


def _pages() -> Finding:
    spec = importlib.util.find_spec("bilderatlas.web")
    folder = Path(spec.origin).parent / "static" if spec and spec.origin else Path("static")
    built = folder.is_dir() and any(folder.glob("*.css"))
    advice = "" if built else "Build them: pip install . (or `make demo`)"
    return Finding("web pages", built, "built" if built else "not built", advice)


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return Finding(
                f"port {port}", True, "in use", "Another server runs? Choose: serve --port 8766"
            )
    return Finding(f"port {port}", True, "free")
