"""Which addresses are asked: a table, a resolver that lies, and a canary that nobody may touch."""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.errors import NetworkError, UsageError
from bilderatlas.network.addresses import Allowed, host_entry, is_public, read_url, shown
from bilderatlas.network.client import Client, fetch
from tests.network.servers import PUBLIC, reply, serving

_FORBIDDEN = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.0.0.2 127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.253 169.254.169.254 169.254.170.2
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1
192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254
::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::8.8.8.8 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1
2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
2002:7f00:1::1 2002:a9fe:a9fe::1 2002:808:808::1 2620:4f:8000::1 3fff::1 3fff:fff::1 5f00::1
fc00::1 fd00::1 fd00:ec2::254 fd12:3456:789a::1 fe80::1 febf::1 fec0::1 feff::1 ff01::1 ff02::1
ff0e::1 4000::1 9000::1
"""
_PUBLIC = """
1.1.1.1 8.8.8.8 9.9.9.9 11.0.0.1 93.184.215.14 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
168.63.129.15 169.253.255.255 169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1 192.88.98.1
192.167.1.1 198.17.0.1 198.20.0.1 203.0.112.1 223.255.255.255
2001:200::1 2001:4860:4860::8888 2003::1 2400:cb00::1 2606:4700::1111 2a00:1450::1 3ffe::1
"""
_URLS = """
http://localhost/ http://LOCALHOST/ http://localhost./ http://a.localhost/ http://printer.local/
http://metadata.google.internal/ http://intranet/ http://router.lan/ http://box.home.arpa/
http://localhost.localdomain/ http://museum/ https://localhost:443/
http://127.1/ http://127.0.1/ http://2130706433/ http://0x7f000001/ http://0x7f.1/ http://0177.0.0.1/
http://017700000001/ http://127.0.0.1./ http://0/ http://0x0/ http://00000.0/ http://1.2.3.4.5/
http://256.256.256.256/ http://0x7f.0.0.0x1/ http://127.0.0.0x1/ http://169.254.43518/
http://[::1]/ http://[::]/ http://[::ffff:127.0.0.1]/ http://[fe80::1%25eth0]/ http://[::1%25lo]/
http://[::ffff:7f00:1]/ http://[0:0:0:0:0:0:0:1]/ http://[fd00:ec2::254]/latest/meta-data/
http://127.0.0.1:80/ http://127.0.0.1/ https://169.254.169.254/ http://[64:ff9b::7f00:1]/
http://8.8.8.8:22/ http://8.8.8.8:8080/ http://museum.example:6379/ https://museum.example:25/
http://museum.example:0/ http://museum.example:65536/ http://museum.example:-1/
http://user@museum.example/ http://user:word@museum.example/ http://127.0.0.1@museum.example/
http://museum.example@127.0.0.1/ http://museum.example%40127.0.0.1/ http://@museum.example/
http://museum.example\\@127.0.0.1/ http://127.0.0.1\\.museum.example/
file:///etc/passwd file://museum.example/etc/passwd ftp://museum.example/ gopher://127.0.0.1:6379/
dict://127.0.0.1/ ldap://museum.example/ data:text/plain,hi javascript:alert(1) jar:http://x!/ ws://a.b/
//museum.example/ /etc/passwd museum.example http: http:// http:/// http://?x http://#x https://:443/
http:museum.example http:/museum.example HTTP:///x
http://①②⑦.⓪.⓪.①/ http://127。0。0。1/ http://ⓛocalhost/ http://museum..example/ http://.museum.example/
http://-museum.example/ http://museum!.example/ http://mus$eum.example/ http://[not-an-address]/
http://[::1/ http://::1/ http://[1.2.3.4]/ http://[v1.fe]/
"""
FORBIDDEN_ADDRESSES = _FORBIDDEN.split()
PUBLIC_ADDRESSES = _PUBLIC.split()
FORBIDDEN_URLS = [
    *_URLS.split(),
    "",
    " ",
    "http://museum.example/a b",
    " http://museum.example/",
    "http://museum.example/\n",
    "http://museum.example\r\nHost: x/",
    "http://museum.example/\x00",
    "http://" + "a" * 300 + ".example/",
    "http://museum.example/" + "a" * 9000,
]


def test_the_table_is_long_enough() -> None:
    assert len(FORBIDDEN_URLS) + len(FORBIDDEN_ADDRESSES) >= 120
    assert len(set(FORBIDDEN_URLS)) == len(FORBIDDEN_URLS)


@pytest.mark.parametrize("address", FORBIDDEN_ADDRESSES)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=6))
def test_only_global_unicast_is_public(address: ipaddress.IPv6Address) -> None:
    assert not is_public(address) or (int(address) >> 125 == 1 and address.is_global)


@given(st.ip_addresses(v=4))
def test_never_laxer_than_the_standard_library(address: ipaddress.IPv4Address) -> None:
    assert not is_public(address) or not (address.is_private or address.is_multicast)


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """Return a listener on loopback; whoever connects to it is caught."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def connected(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


_watchers: list[list[object]] = []


def _note_connections(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        for seen in _watchers:
            seen.append(arguments[1])


sys.addaudithook(_note_connections)


@pytest.fixture
def connections() -> Iterator[list[object]]:
    """Return every address that this process connects to while the test runs."""
    seen: list[object] = []
    _watchers.append(seen)
    yield seen
    _watchers.remove(seen)


@pytest.mark.parametrize("url", FORBIDDEN_URLS)
def test_forbidden_urls_are_refused_without_a_connection(
    url: str, connections: list[object]
) -> None:
    def loopback(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with Client(resolve=loopback) as client, pytest.raises(NetworkError) as refused:
        fetch(url, max_bytes=10, client=client)
    assert refused.value.reason_code in {"address", "forbidden-address"}
    assert connections == []


@pytest.mark.parametrize("address", FORBIDDEN_ADDRESSES)
def test_names_that_lead_to_forbidden_addresses(
    address: str, connections: list[object], canary: socket.socket
) -> None:
    def lying(host: str, port: int) -> list[str]:
        return [PUBLIC, address]

    with Client(resolve=lying) as client, pytest.raises(NetworkError) as refused:
        fetch("http://museum.example/", max_bytes=10, client=client)
    assert refused.value.reason_code == "forbidden-address"
    assert connections == [] and not connected(canary)


def test_a_resolver_that_changes_its_mind_changes_nothing(connections: list[object]) -> None:
    """Public when asked first, loopback from then on: it is asked once for each connection."""
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])

    def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    with serving(lambda asked, connection: reply(connection, b"picture")) as server:
        with Client(resolve=rebinding, connect=server.connect) as client:
            assert fetch("http://museum.example/", max_bytes=10, client=client) == b"picture"
            with pytest.raises(NetworkError) as refused:
                fetch("http://museum.example/", max_bytes=10, client=client)
        assert refused.value.reason_code == "forbidden-address"
        assert server.addresses == [(PUBLIC, 80)]
        assert server.asked[0].headers["host"] == "museum.example"


def test_the_next_address_is_tried_when_the_first_does_not_answer() -> None:
    with serving(lambda asked, connection: reply(connection, b"picture")) as server:

        def connect(address: str, port: int, timeout_s: float) -> socket.socket:
            if address == "8.8.8.8":
                raise ConnectionRefusedError("refused")
            return server.connect(address, port, timeout_s)

        def two(host: str, port: int) -> list[str]:
            return ["8.8.8.8", PUBLIC]

        with Client(resolve=two, connect=connect) as client:
            assert fetch("http://museum.example/", max_bytes=10, client=client) == b"picture"


def test_a_name_without_address() -> None:
    with Client(resolve=lambda host, port: []) as client, pytest.raises(NetworkError) as refused:
        fetch("http://museum.example/", max_bytes=10, client=client)
    assert refused.value.reason_code == "name" and refused.value.may_pass


def test_what_the_operator_named_is_asked_and_nothing_else() -> None:
    with serving(lambda asked, connection: reply(connection, b"own")) as server:
        here = f"127.0.0.1:{server.port}"
        for named in (here, "127.0.0.0/8"):
            assert fetch(f"http://{here}/", max_bytes=10, allow=frozenset({named})) == b"own"
        for named in ("127.0.0.1", "127.0.0.1:1", "10.0.0.0/8", "::1/128", "museum.example"):
            with pytest.raises(NetworkError):
                fetch(f"http://{here}/", max_bytes=10, allow=frozenset({named}))
        with Client(
            allow=frozenset({f"printer.local:{server.port}"}),
            resolve=lambda host, port: ["127.0.0.1"],
        ) as client:
            url = f"http://printer.local:{server.port}/"
            assert fetch(url, max_bytes=10, client=client) == b"own"
        assert server.n_connections == 3


@pytest.mark.parametrize(
    "entry", ["10.1.2.3/8", "a b", "user@host", "host/path", "", "http://host", "[::1", "a:b"]
)
def test_entries_that_cannot_be_read(entry: str) -> None:
    with pytest.raises(UsageError):
        Allowed.parse([entry])


def test_spelling_of_hosts() -> None:
    assert host_entry("http://[::1]:8765/c/x") == "[::1]:8765"
    assert host_entry("https://Museum.Example/x") == "museum.example:443"
    assert Allowed.parse(["[::1]:8765"]).has_host("::1", 8765)
    assert Allowed.parse(["Museum.example"]).has_host("museum.example", 443)
    assert not Allowed.parse(["museum.example"]).has_host("museum.example", 22)


def test_messages_hold_no_secrets() -> None:
    secret = "http://me:hush@museum.example/a?token=abc#part"
    assert shown(secret) == "http://museum.example/a"
    with pytest.raises(NetworkError) as refused:
        read_url(secret)
    assert "hush" not in str(refused.value) and "abc" not in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://museum.example/{text}"):
        try:
            assert read_url(url).host
        except NetworkError as error:
            assert error.reason_code == "address"
