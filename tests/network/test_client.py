"""Servers that redirect, dawdle, swell and lie."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import threading
import time
import zlib
from pathlib import Path

import pytest

from bilderatlas.errors import NetworkError
from bilderatlas.network.client import Client, Limits, check_status, fetch, get_json
from tests.network.servers import PUBLIC, Asked, Behaviour, Server, asking, public, reply

QUICK = Limits(timeout_s=1.0, connect_timeout_s=1.0, read_timeout_s=0.4)


def refusal(behave: Behaviour, path: str = "/", max_bytes: int = 1000) -> tuple[str, Server]:
    with asking(behave, limits=QUICK) as (server, client), pytest.raises(NetworkError) as refused:
        fetch(server.url(path), max_bytes=max_bytes, client=client)
    return refused.value.reason_code, server


def test_a_question_says_who_asks_and_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    def behave(asked: Asked, connection: socket.socket) -> None:
        reply(connection, b"{}", Set_Cookie="id=1; Path=/")

    with asking(behave) as (server, client):
        get_json(server.url("/a?b=c%20d"), client=client)
        get_json(server.url("/again"), client=client)
    first, second = server.asked
    assert first.line == "GET /a?b=c%20d HTTP/1.1"
    assert first.headers["host"] == "museum.test"
    assert first.headers["user-agent"].startswith("Bilderatlas/")
    assert "cookie" not in second.headers and "referer" not in second.headers


def test_a_chain_of_redirects_is_followed_and_checked() -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        steps = {"/1": "/2", "/2": "//other.test/3", "/3": "../4", "/4": "http://museum.test/5"}
        if asked.path in steps:
            reply(connection, status="302 Found", Location=steps[asked.path], X_Linked_Etag='"f"')
        else:
            reply(connection, b"there")

    with asking(behave) as (server, client):
        headers = {"Authorization": "Bearer secret"}
        with client.asked(server.url("/1"), headers=headers) as answer:
            assert answer.read(10) == b"there"
            assert answer.url == "http://museum.test/5"
            assert [hop["x-linked-etag"] for hop in answer.hops] == ['"f"'] * 4
    hosts = [asked.headers["host"] for asked in server.asked]
    assert hosts == ["museum.test", "museum.test", "other.test", "other.test", "museum.test"]
    told = ["authorization" in asked.headers for asked in server.asked]
    assert told == [True, True, False, False, False], "a secret stays with the host it is for"


def test_endless_redirects() -> None:
    code, server = refusal(
        lambda asked, connection: reply(connection, status="301 Moved", Location=asked.path + "x")
    )
    assert code == "redirects" and len(server.asked) == 5


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "http://169.254.169.254/latest/",
        "http://[::1]/",
        "http://127.0.0.1/",
        "http://localhost/",
        "ftp://museum.test/",
        "http://museum.test:22/",
        "http://user:word@museum.test/",
        "http://[broken",
        "javascript:alert(1)",
    ],
)
def test_redirects_to_where_nobody_may_go(target: str) -> None:
    code, server = refusal(
        lambda asked, connection: reply(connection, status="302 Found", Location=target)
    )
    assert code in {"address", "forbidden-address"}
    assert server.n_connections == 1


def test_what_is_sent_is_not_passed_on() -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        if asked.path == "/moved":
            reply(connection, status="307 Temporary Redirect", Location="/x")
        else:
            reply(connection, asked.body)

    with asking(behave) as (server, client):
        with client.asked(server.url("/echo"), method="POST", body=b"ids") as answer:
            assert answer.read(10) == b"ids"
        with (
            pytest.raises(NetworkError) as refused,
            client.asked(server.url("/moved"), method="POST", body=b"ids"),
        ):
            pass
    assert refused.value.reason_code == "redirects"
    assert len(server.asked) == 2


def test_a_body_that_is_too_long() -> None:
    assert refusal(lambda asked, connection: reply(connection, bytes(1001)))[0] == "too-large"


def test_ten_gigabytes_are_not_waited_for() -> None:
    sent = 0

    def behave(asked: Asked, connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while sent < 10_000_000_000:
            sent += connection.send(bytes(65_536))

    assert refusal(behave, max_bytes=1_000_000)[0] == "too-large"
    assert sent < 100_000_000


def test_a_length_that_lies() -> None:
    def short(asked: Asked, connection: socket.socket) -> None:
        reply(connection, b"12345", Content_Length="50")

    assert refusal(short)[0] == "cut-off"
    with asking(lambda asked, c: reply(c, b"12345", Content_Length="3")) as (server, client):
        assert fetch(server.url(), max_bytes=10, client=client) == b"123"


@pytest.mark.parametrize("wbits", [31, 15])
def test_a_bomb_is_stopped_while_it_swells(wbits: int) -> None:
    pack = zlib.compressobj(9, zlib.DEFLATED, wbits)
    bomb = b"".join(pack.compress(bytes(1 << 20)) for _ in range(100)) + pack.flush()
    name = "gzip" if wbits == 31 else "deflate"
    assert len(bomb) < 200_000
    code, _ = refusal(
        lambda asked, connection: reply(connection, bomb, Content_Encoding=name), max_bytes=200_000
    )
    assert code == "too-large"


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        (gzip.compress(b"{}" * 1000, mtime=0)[:-12], "gzip", "cut-off"),
        (b"no gzip at all", "gzip", "encoding"),
        (b"{}", "br", "encoding"),
        (b"{}", "gzip, gzip", "encoding"),
    ],
    ids=["cut off", "no gzip", "an unknown one", "twice"],
)
def test_packings_that_cannot_be_opened(body: bytes, name: str, code: str) -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        reply(connection, body, Content_Encoding=name)

    assert refusal(behave, max_bytes=10_000)[0] == code


def test_packed_json_is_unpacked() -> None:
    text = json.dumps(["Ä"] * 5000).encode()
    with asking(lambda a, c: reply(c, gzip.compress(text), Content_Encoding="gzip")) as (
        server,
        client,
    ):
        assert get_json(server.url(), client=client) == ["Ä"] * 5000
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def drip(head: bytes, piece: bytes) -> Behaviour:
    """Return a server that sends a little, always in time, and never ends."""

    def behave(asked: Asked, connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(0.05)

    return behave


def test_slow_servers_are_left() -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
    for behave in (drip(body, b"x"), drip(b"HTTP/1.1 200 OK\r\nX-", b"a")):
        assert refusal(behave)[0] == "timeout", "the total counts, however often something comes"


def test_silent_servers_are_left() -> None:
    ended = threading.Event()
    assert refusal(lambda asked, connection: ended.wait(3) and None)[0] == "timeout"


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (b"", {"cut-off"}),
        (b"HTTP/1.1 200 OK\r\nContent-Len", {"cut-off"}),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: a\r\n\r\n", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", {"protocol"}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", {"cut-off"}),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, {"protocol"}),
        (b"HTTP/1.1 999999 Odd\r\n\r\n", {"protocol"}),
    ],
)
def test_what_is_no_http(answer: bytes, codes: set[str]) -> None:
    assert refusal(lambda asked, connection: connection.sendall(answer))[0] in codes


def test_a_server_that_hangs_up_at_once() -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    assert refusal(behave)[0] == "cut-off"


@pytest.mark.parametrize(
    ("status", "may_pass"), [(404, False), (403, False), (410, False), (429, True), (503, True)]
)
def test_statuses(status: int, may_pass: bool) -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        reply(connection, b"<secret page>", f"{status} No", Retry_After="7")

    with asking(behave) as (server, client), pytest.raises(NetworkError) as refused:
        fetch(server.url("/x?token=abc"), max_bytes=100, client=client)
    error = refused.value
    assert (error.reason_code, error.status, error.retry_after_s) == ("status", status, 7.0)
    assert error.may_pass is may_pass
    assert "secret" not in str(error) and "abc" not in str(error), "nothing is echoed"


def test_retry_after_may_be_a_date() -> None:
    def behave(asked: Asked, connection: socket.socket) -> None:
        said = "Wed, 21 Oct 2015 07:28:00 GMT" if asked.path == "/date" else "soon"
        reply(connection, status="503 Later", Retry_After=said)

    with asking(behave) as (server, client):
        for path, expected in (("/date", 0.0), ("/odd", None)):
            with client.asked(server.url(path)) as answer, pytest.raises(NetworkError) as refused:
                check_status(answer)
            assert refused.value.retry_after_s == expected


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe{", b"[" * 100_000])
def test_answers_that_are_no_json(body: bytes) -> None:
    behave: Behaviour = lambda asked, connection: reply(connection, body)  # noqa: E731
    with asking(behave) as (server, client), pytest.raises(NetworkError) as refused:
        get_json(server.url(), client=client)
    assert refused.value.reason_code == "not-json"


def test_a_header_cannot_smuggle_another() -> None:
    with Client(resolve=public) as client, pytest.raises(NetworkError):
        fetch("http://museum.test/", max_bytes=1, headers={"A": "b\r\nC: d"}, client=client)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate with its key, for the name `secure.test`, signed by itself."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    key = path.with_name("key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    name = ["-subj", "/CN=secure.test", "-addext", "subjectAltName=DNS:secure.test"]
    try:
        subprocess.run(
            [*command, *name, "-keyout", key, "-out", path], check=True, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("needs openssl")
    path.write_text(path.read_text() + key.read_text())
    return path


def test_tls_is_for_the_name_though_the_address_is_dialled(certificate: Path) -> None:
    import ssl

    names: list[str] = []
    inner = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inner.load_cert_chain(certificate)
    inner.sni_callback = lambda sock, name, context: names.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                plain, _ = listener.accept()
                with inner.wrap_socket(plain, server_side=True) as secure:
                    asked = secure.recv(65_536)
                    if b"/down" in asked:
                        reply(secure, status="302 Found", Location="http://secure.test/x")  # type: ignore[arg-type]
                    else:
                        reply(secure, b"safe")  # type: ignore[arg-type]
            except ssl.SSLError:
                continue
            except OSError:
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    dialled: list[str] = []

    def connect(address: str, port: int, timeout_s: float) -> socket.socket:
        dialled.append(f"{address}:{port}")
        return socket.create_connection(listener.getsockname(), timeout_s)

    trusting = ssl.create_default_context(cafile=str(certificate))
    try:
        with Client(resolve=public, connect=connect, tls=trusting) as client:
            assert fetch("https://secure.test/", max_bytes=10, client=client) == b"safe"
            with pytest.raises(NetworkError) as lowered:
                fetch("https://secure.test/down", max_bytes=10, client=client)
            with pytest.raises(NetworkError) as misnamed:
                fetch("https://other.test/", max_bytes=10, client=client)
        usual = Client(resolve=public, connect=connect)
        with usual as client, pytest.raises(NetworkError) as untrusted:
            fetch("https://secure.test/", max_bytes=10, client=client)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
    assert lowered.value.reason_code == "downgrade"
    assert misnamed.value.reason_code == untrusted.value.reason_code == "tls"
    assert set(dialled) == {f"{PUBLIC}:443"}
    assert "secure.test" in names and "other.test" in names
