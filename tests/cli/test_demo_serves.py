"""The demo end to end: served while its job goes on, searchable by every criterion at the end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

URL = re.compile(r"http://\S+")


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """Start the demo on a free port and follow its link as a browser would."""
    command = [sys.executable, "-m", "bilderatlas", "demo", "--works", "24", "--no-browser"]
    command += ["--port", "0", "--library", str(tmp_path / "library")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    told: list[str] = []
    link = None
    for line in process.stderr:
        told.append(line)
        if (found := URL.search(line)) is not None:
            link = found.group()
            break
    assert link is not None, "".join(told)
    with httpx.Client(base_url=link.split("/?")[0], follow_redirects=True) as client:
        assert client.get(link).status_code == 200
        yield process, client
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    process.stderr.close()


def jobs_of(client: httpx.Client) -> list[dict[str, Any]]:
    found = client.get("/jobs.json").json()
    jobs: list[dict[str, Any]] = found["jobs"]
    return jobs


def test_the_demo_serves_and_its_job_completes_the_museum(
    demo: tuple[subprocess.Popen[str], httpx.Client],
) -> None:
    _, client = demo
    first = client.get("/c/museum.json")
    assert first.status_code == 200, "it can be searched before the job is done"
    end = time.monotonic() + 120
    while any(job["state"] in {"queued", "running"} for job in jobs_of(client)):
        assert time.monotonic() < end, json.dumps(jobs_of(client))
        time.sleep(0.5)
    [job] = jobs_of(client)
    assert job["state"] == "done", job
    spaces = ("raw_32.pixels", "palette_lab.pixels", "composition_hog.pixels")
    for model_id in spaces:
        page = client.get("/c/museum.json", params={"like": "m7-000001", "by": model_id, "k": 30})
        assert page.status_code == 200
        assert f'"{model_id}"' in page.text
        assert "m7-000002" in page.text, "every other work is a hit"
