"""Downloads that break off, are continued, change under the hand, and are checked."""

from __future__ import annotations

import hashlib
import json
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bilderatlas.errors import NetworkError
from bilderatlas.network.download import Downloaded, download
from tests.network.servers import Asked, asking, reply

DATA = random.Random(7).randbytes(300_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
URL = "http://museum.test/weights.bin"


@dataclass
class Museum:
    """Serves `data` by stretches, and breaks off after so many bytes of a connection."""

    data: bytes = DATA
    etag: str = '"one"'
    breaks_after: list[int] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    knows_ranges: bool = True

    def __call__(self, asked: Asked, connection: socket.socket) -> None:
        given = asked.headers.get("range")
        self.ranges.append(given)
        condition = asked.headers.get("if-range")
        start = 0
        if given and self.knows_ranges and condition in {None, self.etag}:
            start = int(given.removeprefix("bytes=").removesuffix("-"))
        total = len(self.data)
        if start >= total:
            reply(connection, status="416 No", Content_Range=f"bytes */{total}")
            return
        stretch = self.data[start:]
        head = f"HTTP/1.1 {'206 Part' if start else '200 OK'}\r\nContent-Length: {len(stretch)}\r\n"
        if start:
            head += f"Content-Range: bytes {start}-{total - 1}/{total}\r\n"
        if self.etag:
            head += f"ETag: {self.etag}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        length = self.breaks_after.pop(0) if self.breaks_after else total
        connection.sendall(stretch[:length])


Get = Callable[..., Downloaded]


def getting(
    museum: Callable[[Asked, socket.socket], None], path: Path, **options: object
) -> Downloaded:
    with asking(museum) as (_, client):
        given = {"max_bytes": 1_000_000, "wait": lambda seconds: None, **options}
        return download(URL, path, client=client, **given)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models" / "weights.bin"


def left(path: Path) -> set[str]:
    return {one.name for one in path.parent.iterdir()}


def test_a_whole_file(path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    found = getting(Museum(), path, sha256=SHA256, progress=lambda *told: seen.append(told))
    assert path.read_bytes() == DATA
    assert (found.sha256, found.size_bytes, found.etag) == (SHA256, len(DATA), "one")
    assert seen[-1] == (len(DATA), len(DATA))
    assert left(path) == {"weights.bin"}


def test_a_broken_connection_is_continued_at_once(path: Path) -> None:
    museum = Museum(breaks_after=[100_000, 50_000])
    found = getting(museum, path)
    assert museum.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert path.read_bytes() == DATA and found.sha256 == SHA256


def test_a_later_call_continues_what_an_earlier_one_left(path: Path) -> None:
    stubborn = Museum(breaks_after=[10_000, 0, 0, 0])
    with pytest.raises(NetworkError) as broken:
        getting(stubborn, path)
    assert broken.value.reason_code == "cut-off"
    assert left(path) == {"weights.bin.part", "weights.bin.part.json"}
    museum = Museum()
    getting(museum, path)
    assert museum.ranges == ["bytes=10000-"] and path.read_bytes() == DATA


def test_a_file_that_changed_meanwhile_begins_anew(path: Path) -> None:
    with pytest.raises(NetworkError):
        getting(Museum(data=bytes(200_000), etag='"old"', breaks_after=[9_000, 0, 0, 0]), path)
    museum = Museum()
    getting(museum, path)
    assert museum.ranges == ["bytes=9000-"] and path.read_bytes() == DATA


def test_without_a_name_for_the_state_only_a_checksum_lets_it_continue(path: Path) -> None:
    for sha256, expected in ((None, None), (SHA256, "bytes=9000-")):
        with pytest.raises(NetworkError):
            getting(Museum(etag="", breaks_after=[9_000, 0, 0, 0]), path, sha256=sha256)
        museum = Museum(etag="")
        getting(museum, path, sha256=sha256)
        assert museum.ranges == [expected] and path.read_bytes() == DATA


def test_a_part_of_an_older_file_is_found_out_by_the_checksum(path: Path) -> None:
    with pytest.raises(NetworkError):
        getting(
            Museum(data=bytes(200_000), etag="", breaks_after=[9_000, 0, 0, 0]), path, sha256=SHA256
        )
    museum = Museum(etag="")
    assert getting(museum, path, sha256=SHA256).sha256 == SHA256
    assert museum.ranges == ["bytes=9000-", None]


def test_a_server_that_knows_no_stretches(path: Path) -> None:
    museum = Museum(breaks_after=[100_000], knows_ranges=False)
    assert getting(museum, path).sha256 == SHA256


def test_a_whole_part_is_only_checked(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.with_name("weights.bin.part").write_bytes(DATA)
    note = {"url": URL, "validator": '"one"', "sha256": None}
    path.with_name("weights.bin.part.json").write_text(json.dumps(note))
    museum = Museum()
    assert getting(museum, path).sha256 == SHA256
    assert museum.ranges == [f"bytes={len(DATA)}-"]


def test_a_part_that_is_too_long_begins_anew(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.with_name("weights.bin.part").write_bytes(DATA + b"more")
    note = {"url": URL, "validator": '"one"', "sha256": None}
    path.with_name("weights.bin.part.json").write_text(json.dumps(note))
    assert getting(Museum(), path).sha256 == SHA256


@pytest.mark.parametrize("note", ["", "[]", '{"url": "http://other.test/"}', '{"url": 1}'])
def test_a_part_of_something_else_is_not_continued(path: Path, note: str) -> None:
    path.parent.mkdir(parents=True)
    path.with_name("weights.bin.part").write_bytes(b"x" * 1000)
    path.with_name("weights.bin.part.json").write_text(note)
    museum = Museum()
    assert getting(museum, path).sha256 == SHA256 and museum.ranges == [None]


def test_a_wrong_stretch_is_not_glued_on(path: Path) -> None:
    calls = 0

    def behave(asked: Asked, connection: socket.socket) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            reply(connection, DATA[7:], "206 Part", Content_Range=f"bytes 7-{len(DATA) - 1}/*")
        else:
            Museum(breaks_after=[5000] if calls == 1 else [])(asked, connection)

    assert getting(behave, path).sha256 == SHA256
    assert calls == 3


def test_a_wrong_checksum_leaves_what_was_there(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"older")
    with pytest.raises(NetworkError) as wrong:
        getting(Museum(), path, sha256="0" * 64)
    assert wrong.value.reason_code == "checksum" and SHA256 in str(wrong.value)
    assert path.read_bytes() == b"older" and left(path) == {"weights.bin"}


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large(path: Path, announced: bool) -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        reply(connection, DATA, Content_Length=str(len(DATA)) if announced else "")

    with pytest.raises(NetworkError) as refused:
        getting(behave, path, max_bytes=100_000)
    assert refused.value.reason_code == "too-large" and left(path) == set()


def test_a_page_in_place_of_the_file(path: Path) -> None:
    for status, n_asked in (("404 Not Found", 1), ("503 Later", 4)):
        waits: list[float] = []
        with pytest.raises(NetworkError) as refused:
            getting(lambda a, c, s=status: reply(c, b"<html>", s), path, wait=waits.append)  # type: ignore[misc]
        assert refused.value.reason_code == "status" and len(waits) == n_asked - 1
        assert left(path) == set()


def test_what_a_server_asks_for_is_waited(path: Path) -> None:
    waits: list[float] = []
    statuses = iter(["429 Slowly", "500 Oops", "200"])

    def behave(asked: Asked, connection: socket.socket) -> None:
        status = next(statuses)
        if status == "200":
            Museum()(asked, connection)
        else:
            reply(connection, status=status, Retry_After="9" if "429" in status else "")

    getting(behave, path, wait=waits.append)
    assert waits == [9.0, 2.0]


def test_a_server_that_wants_an_hour_is_left_to_the_user(path: Path) -> None:
    waits: list[float] = []
    with pytest.raises(NetworkError) as later:
        getting(
            lambda asked, c: reply(c, status="503 Later", Retry_After="3600"),
            path,
            wait=waits.append,
        )
    assert later.value.retry_after_s == 3600 and waits == []


def test_what_a_model_hub_says_on_the_way(path: Path) -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        if asked.path == "/weights.bin":
            reply(
                connection,
                status="302 Found",
                Location="http://cdn.test/blob?signature=x",
                X_Linked_Etag=f'"{SHA256}"',
                X_Repo_Commit="c0ffee",
            )
        else:
            Museum(etag='W/"weak"')(asked, connection)

    found = getting(behave, path)
    assert (found.linked_etag, found.revision, found.etag) == (SHA256, "c0ffee", "weak")
    assert found.final_url == "http://cdn.test/blob?signature=x"


def test_packed_files_are_refused(path: Path) -> None:
    with pytest.raises(NetworkError) as refused:
        getting(lambda asked, c: reply(c, b"x", Content_Encoding="gzip"), path)
    assert refused.value.reason_code == "encoding" and left(path) == set()
