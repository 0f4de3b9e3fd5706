"""Run every benchmark, one after the other, and write what each printed to benchmarks/results/.

    python benchmarks/run.py [--paintings FOLDER]

Run it with nothing else going on. Benchmarks that need real paintings are left out, with a word on
stderr, where no folder is named.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def commands(paintings: Path | None) -> dict[str, list[str]]:
    """Return the command of each benchmark by the name of its result."""
    found = {
        "exact_search": ["exact_search.py", "--rows", "100000", "--dim", "512", "--json"],
        "poses": ["poses.py", "--figures", "1000", "--queries", "200", "--json"],
        "features": ["features.py", "--rows", "1000000", "--dim", "512", "--json"],
        "museum_clip": ["museum_clip.py", "--json"],
        "interface": ["interface.py", "--json"],
        "indexing_museum": ["indexing.py", "--source", "museum://?works=100&seed=7", "--json"],
    }
    if paintings is not None:
        found["indexing_paintings"] = ["indexing.py", "--source", str(paintings), "--json"]
        photographs = ["visitor_photographs.py", "--paintings", str(paintings), "--json"]
        found["visitor_photographs"] = photographs
        found["encoders"] = ["encoders.py", "--paintings", str(paintings), "--json"]
    return found


def main() -> None:
    """Run them all; the exit status is 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paintings", type=Path, help="a folder of real paintings")
    paintings = parser.parse_args().paintings
    if paintings is None:
        print("Left out: the benchmarks on real paintings (--paintings FOLDER).", file=sys.stderr)
    RESULTS.mkdir(exist_ok=True)
    failed = False
    for name, (script, *arguments) in commands(paintings).items():
        print(f"{name} …", file=sys.stderr)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, str(HERE / script), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        failed |= done.returncode != 0
        if done.returncode == 0:
            result = json.loads(done.stdout)
            (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
            print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
