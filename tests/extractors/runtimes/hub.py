"""A model hub on this machine that can be told to misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What it serves, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    announced: dict[str, str] = field(default_factory=dict)
    cut_after: dict[str, int] = field(default_factory=dict)
    commit: str = COMMIT
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def put(self, repo: str, path: str, content: bytes) -> None:
        self.files[f"{repo}/{path}"] = content
        self.announced[f"{repo}/{path}"] = hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        hub = self.hub
        hub.asked.append((self.path, self.headers.get("Range")))
        if self.path.startswith("/api/models/"):
            self.answer(200, json.dumps({"sha": hub.commit}).encode(), {})
        elif self.path.startswith("/blobs/"):
            self.blob(self.path.removeprefix("/blobs/"))
        else:
            repo, found, rest = self.path.lstrip("/").partition("/resolve/")
            name = f"{repo}/{rest.partition('/')[2]}"
            if not found or name not in hub.files:
                self.answer(404, b"<html>Not found</html>", {})
                return
            headers = {"Location": f"/blobs/{name}", "X-Repo-Commit": hub.commit}
            if hub.announced.get(name):
                headers["X-Linked-ETag"] = f'"{hub.announced[name]}"'
            self.answer(302, b"", headers)

    def blob(self, name: str) -> None:
        content = self.hub.files[name]
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        status = 206 if start else 200
        headers = {"ETag": f'"state-{len(content)}"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(status, content[start:], headers, self.hub.cut_after.pop(name, None))

    def answer(
        self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        if cut is not None:
            self.close_connection = True


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    handler = type("OneHandler", (Handler,), {"hub": hub})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()
