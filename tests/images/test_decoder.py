"""Children die, hang, lie and grow old; the parent and the other pictures never notice."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from bilderatlas.errors import Failure, ImageError, UnavailableError
from bilderatlas.images import replies, sandbox
from bilderatlas.images.decoder import Decoder
from bilderatlas.images.limits import DecodeLimits
from bilderatlas.images.process import ChildEndedError, ChildProcess
from bilderatlas.images.protocol import BrokenFrameError, read_frame, write_frame
from tests.images.pictures import encoded, plain_png, quarters, textured

SOUND = encoded(quarters(), "JPEG")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")


def children_of(decoder: Decoder) -> list[ChildProcess]:
    return list(decoder._alive)


def code_of(decoder: Decoder, content: bytes) -> str:
    with pytest.raises(ImageError) as caught:
        decoder.decode(content, side_px=64)
    return caught.value.reason_code


@posix
def test_a_killed_child_is_replaced() -> None:
    with Decoder(n_children=1) as decoder:
        decoder.decode(SOUND, side_px=64)
        (child,) = children_of(decoder)
        os.kill(child.pid, signal.SIGKILL)
        assert decoder.decode(SOUND, side_px=64).pixels.shape == (43, 64, 3)
        assert children_of(decoder) != [child]


@posix
def test_a_hanging_child_is_ended_and_the_next_picture_opens() -> None:
    with Decoder(DecodeLimits(timeout_s=0.4), n_children=1) as decoder:
        decoder.decode(SOUND, side_px=64)
        (child,) = children_of(decoder)
        os.kill(child.pid, signal.SIGSTOP)
        assert code_of(decoder, SOUND) == "too-slow"
        assert decoder.decode(SOUND, side_px=64).format == "JPEG"


@posix
def test_pictures_in_flight_survive_the_death_of_their_children() -> None:
    pictures = [encoded(textured(seed, 300, 200), "PNG") for seed in range(40)]
    with Decoder(n_children=2) as decoder:
        wanted = [decoder.decode(content, side_px=64).pixels for content in pictures]
        seen = []
        for number, decoded in decoder.iter_decoded(enumerate(pictures), side_px=64):
            if number % 8 == 0:
                for child in children_of(decoder):
                    os.kill(child.pid, signal.SIGKILL)
            assert not isinstance(decoded, Failure)
            seen.append(decoded.pixels)
    assert all(np.array_equal(a, b) for a, b in zip(wanted, seen, strict=True))


def test_children_retire() -> None:
    with Decoder(DecodeLimits(images_per_child=3), n_children=1) as decoder:
        pids = set()
        for _ in range(7):
            decoder.decode(SOUND, side_px=16)
            pids |= {child.pid for child in children_of(decoder)}
        assert len(pids) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a watchdog does it")
def test_memory_is_limited() -> None:
    limits = DecodeLimits(memory_bytes=400_000_000)
    with Decoder(limits, n_children=1) as decoder:
        assert code_of(decoder, plain_png(9000, 9000, 8, 2, 1)) == "too-much-memory"
        assert decoder.decode(SOUND, side_px=64).format == "JPEG"
        assert 0 < decoder.peak_child_bytes < limits.memory_bytes


@pytest.mark.skipif(sys.platform == "win32", reason="reads its own memory by getrusage")
def test_the_watchdog_ends_a_process_that_grows() -> None:
    program = (
        "from bilderatlas.images.sandbox import _start_watchdog, peak_bytes\n"
        "import time\n"
        "_start_watchdog(peak_bytes() + 50_000_000)\n"
        "hoard = [bytes(b'x' * 10_000_000) for _ in range(20)]\n"
        "time.sleep(30)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == sandbox.MEMORY_EXIT_STATUS


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
        "open('x', 'w')",
        "import os; os.system('true')",
    ],
)
def test_a_locked_process_can_do_nothing_else(deed: str, tmp_path: Path) -> None:
    program = (
        "import socket, subprocess\n"
        "from bilderatlas.images import sandbox\n"
        f"sandbox.lock_up(1_000_000_000)\n{deed}\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 1
    assert "PermissionError: A decoder may not" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_children_inherit_no_secrets_no_sockets_and_an_empty_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hush")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:hush@proxy")
    with Decoder(n_children=1) as decoder:
        decoder.decode(SOUND, side_px=64)
        (child,) = children_of(decoder)
        process = Path(f"/proc/{child.pid}")
        environment = (process / "environ").read_bytes()
        assert b"hush" not in environment
        assert b"PYTHONPATH" in environment
        folder = (process / "cwd").readlink()
        assert list(folder.iterdir()) == []
        targets = [str(fd.readlink()) for fd in (process / "fd").iterdir()]
        assert all(target.startswith("pipe:") or target == "/dev/null" for target in targets)
    assert not folder.exists()


@posix
def test_children_of_a_killed_parent_end_and_leave_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from bilderatlas.images.decoder import Decoder\n"
        "decoder = Decoder(n_children=1)\n"
        "decoder.decode(sys.stdin.buffer.read(), side_px=16)\n"
        "print(*(child.pid for child in decoder._alive), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        input=SOUND,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert ended.returncode == -signal.SIGKILL
    pid = int(ended.stdout)
    for _ in range(200):
        if not list(tmp_path.iterdir()) and not is_alive(pid):
            break
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_child_loads_no_more_than_it_needs() -> None:
    program = (
        "import sys, bilderatlas.images.child\n"
        "print(*sorted({n.split('.')[0] for n in sys.modules} & "
        "{'pydantic', 'sqlalchemy', 'cv2', 'faiss', 'torch', 'fastapi', 'socket'}))\n"
        "print(*sorted(n for n in sys.modules if n.startswith('bilderatlas.') "
        "and n.split('.')[1] not in {'images', 'errors', 'records', 'arrays'}))\n"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stdout.split() == []


def test_order_is_kept_and_failures_pass_through() -> None:
    lost = Failure("b", "fetch", "gone", "It is gone.")
    items: list[tuple[str, bytes | Failure]] = [("a", SOUND), ("b", lost), ("c", b""), ("d", SOUND)]
    with Decoder(n_children=2) as decoder:
        got = list(decoder.iter_decoded(items * 5, side_px=32, subject=str.upper))
    assert [key for key, _ in got] == list("abcd" * 5)
    assert got[1][1] is lost
    refused = got[2][1]
    assert isinstance(refused, Failure)
    assert (refused.subject, refused.stage, refused.code) == ("C", "decode", "empty")


def test_only_a_few_pictures_are_taken_at_a_time() -> None:
    n_taken = 0

    def endless() -> Iterator[tuple[int, bytes]]:
        nonlocal n_taken
        while True:
            n_taken += 1
            yield n_taken, SOUND

    with Decoder(n_children=2) as decoder:
        stream = decoder.iter_decoded(endless(), side_px=32)
        for number in range(1, 21):
            assert next(stream)[0] == number
            assert n_taken <= number + 6
        stream.close()


def test_many_threads_share_a_decoder() -> None:
    shapes: list[tuple[int, ...]] = []
    with Decoder(n_children=2) as decoder:

        def work(side_px: int) -> None:
            shapes.extend(decoder.decode(SOUND, side_px=side_px).pixels.shape for _ in range(5))

        threads = [threading.Thread(target=work, args=(side,)) for side in (9, 30, 60, 96)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(shapes) == sorted([(6, 9, 3), (20, 30, 3), (40, 60, 3), (64, 96, 3)] * 5)


def test_a_closed_decoder_says_so() -> None:
    decoder = Decoder(n_children=1)
    decoder.decode(SOUND, side_px=16)
    decoder.close()
    decoder.close()
    with pytest.raises(UnavailableError, match="closed"):
        decoder.decode(SOUND, side_px=16)


def test_too_large_a_file_is_not_even_sent() -> None:
    with Decoder(DecodeLimits(max_file_bytes=100), n_children=1) as decoder:
        assert code_of(decoder, SOUND) == "file-too-large"
        assert children_of(decoder) == []


def test_a_side_that_makes_no_sense_is_refused(decoder: Decoder) -> None:
    with pytest.raises(ValueError, match="side_px"):
        decoder.decode(SOUND, side_px=0)


GOOD: dict[str, Any] = {
    "size_wh": [4, 2], "format": "PNG", "n_frames": 1, "thumbnails": {}, "found": {},
}  # fmt: skip
WEBP = b"RIFF\x04\x00\x00\x00WEBP"


def test_honest_answers_are_believed() -> None:
    header = {
        **GOOD,
        "thumbnails": {"64": 12},
        "found": {"title": " x\x00 ", "gps": "1", "tags": "a"},
    }
    image = replies.checked_image(header, bytearray(bytes(24) + WEBP), 4, DecodeLimits())
    assert image.pixels.shape == (2, 4, 3)
    assert image.thumbnails == {64: WEBP}
    assert image.found == {"title": "x", "tags": ("a",)}


@pytest.mark.parametrize(
    ("lie", "body"),
    [
        ({"size_wh": [4, 3]}, bytes(24)),
        ({"size_wh": [0, 2]}, bytes(24)),
        ({"size_wh": [4.0, 2]}, bytes(24)),
        ({"size_wh": [10**9, 10**9]}, bytes(24)),
        ({"size_wh": None}, bytes(24)),
        ({"format": "SVG"}, bytes(24)),
        ({"format": ["PNG"]}, bytes(24)),
        ({"n_frames": 0}, bytes(24)),
        ({"n_frames": 10**6}, bytes(24)),
        ({}, bytes(23)),
        ({}, bytes(25)),
        ({"thumbnails": {"65": 12}}, bytes(24) + WEBP),
        ({"thumbnails": {"64": 13}}, bytes(24) + WEBP),
        ({"thumbnails": {"64": 12}}, bytes(24) + b"<script>...."),
        ({"thumbnails": {"64": -1}}, bytes(24)),
        ({"thumbnails": [64]}, bytes(24)),
        ({"code": "no-such-code", "sentence": "Ha."}, b""),
        ({"code": "empty", "sentence": 5}, b""),
        ({"code": ["empty"], "sentence": "x"}, b""),
    ],
)
def test_lies_are_not_believed(lie: dict[str, Any], body: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        replies.checked_image({**GOOD, **lie}, bytearray(body), 4, DecodeLimits())
    assert caught.value.reason_code == "bad-answer"


def test_an_upload_must_be_a_jpeg() -> None:
    with pytest.raises(ImageError):
        replies.checked_upload({}, bytearray(b"<svg/>"))


def test_frames_pass_and_broken_ones_do_not() -> None:
    stream = io.BytesIO()
    write_frame(stream, {"verb": "x"}, b"abc", b"", b"de")
    whole = stream.getvalue()
    assert read_frame(io.BytesIO(whole), 5) == ({"verb": "x"}, bytearray(b"abcde"))
    for broken in (whole[:-1], whole[:3], b"", b"\xff" * 40, whole.replace(b'{"verb', b'["verb')):
        with pytest.raises(BrokenFrameError):
            read_frame(io.BytesIO(broken), 5)
    with pytest.raises(BrokenFrameError):
        read_frame(io.BytesIO(whole), 4)


def test_an_answer_that_is_too_long_ends_the_child() -> None:
    child = ChildProcess(DecodeLimits())
    request = {"verb": "decode", "format": "JPEG", "side_px": 64, "thumbnails": False}
    with pytest.raises(ChildEndedError) as caught:
        child.ask(request, SOUND, max_body_bytes=100)
    assert caught.value.code == "decoder-died"
    child.kill()
