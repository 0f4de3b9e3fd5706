"""Which addresses may be asked: public ones, and those that the operator named.

The tables of the standard library differ between versions of Python and let metadata services
through; the nets that are refused are therefore listed here (IANA's special-purpose registries,
RFC 6890, and the metadata services of the large clouds that lie outside of them).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import httpx

from bilderatlas.errors import NetworkError, UsageError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL_CHARACTERS = 8_192

DENIED_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's wire server, public in form only
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata service
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT relays
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # all that is public at all lies in here
DENIED_V6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments, with Teredo, ORCHID and benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "localdomain")
_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)\Z")
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?\Z")


def is_public(address: IpAddress) -> bool:
    """Tell whether `address` is one of the public internet.

    An IPv4 address that is wrapped in an IPv6 one (mapped, 6to4, NAT64, Teredo) is not.

    >>> [is_public(ipaddress.ip_address(a)) for a in ("8.8.8.8", "127.8.8.8", "::ffff:8.8.8.8")]
    [True, False, False]
    """
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in DENIED_V4)
    if address.scope_id is not None or address not in GLOBAL_V6:
        return False
    return not any(address in net for net in DENIED_V6)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the operator named besides the public internet.

    Attributes:
        hosts: `host` (at the usual ports) or `host:port`; at whatever address it has.
        networks: Networks; at every port.
    """

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[IpNetwork, ...] = ()

    @classmethod
    def parse(cls, named: Iterable[str]) -> Allowed:
        """Read `museum.example`, `127.0.0.1:8765`, `[::1]:8765`, `10.1.0.0/16`.

        Raises:
            UsageError: for an entry that is none of these.
        """
        hosts, networks = set(), []
        for entry in sorted(named):
            if "/" in entry:
                networks.append(_read_network(entry))
            else:
                hosts.add(_read_host(entry))
        return cls(frozenset(hosts), tuple(networks))

    def has_host(self, host: str, port: int) -> bool:
        """Tell whether the operator named this host at this port."""
        if (host, port) in self.hosts:
            return True
        return (host, None) in self.hosts and port in DEFAULT_PORTS.values()

    def has_address(self, address: IpAddress) -> bool:
        """Tell whether `address` lies in a network that the operator named."""
        return any(address.version == net.version and address in net for net in self.networks)


def host_entry(url: str) -> str:
    """Return the entry for `allow` that names the host and port of `url`, and nothing else.

    >>> host_entry("http://127.0.0.1:8765/c/rijks")
    '127.0.0.1:8765'

    Raises:
        NetworkError: when `url` is not an address of the web.
    """
    parsed = read_url(url)
    host = ascii_host(parsed)
    return f"{f'[{host}]' if ':' in host else host}:{port_of(parsed)}"


def read_url(url: str | httpx.URL) -> httpx.URL:
    """Read an address of the web: http or https, a host, no user name.

    Raises:
        NetworkError: `address`, with what was expected.
    """
    if isinstance(url, str) and len(url) > MAX_URL_CHARACTERS:
        raise _unreadable(f"{url[:60]}…", f"it has more than {MAX_URL_CHARACTERS} characters")
    if isinstance(url, str) and any(ord(c) <= 32 or c in "\\\x7f" for c in url):
        raise _unreadable(shown(url), "it has blanks, control characters or backslashes in it")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise _unreadable(shown(str(url)), "it cannot be read") from error
    if parsed.scheme not in DEFAULT_PORTS:
        raise _unreadable(shown(parsed), "it does not begin with http:// or https://")
    if parsed.userinfo:
        raise _unreadable(shown(parsed), "it carries a user name or password")
    if not parsed.host:
        raise _unreadable(shown(parsed), "it names no host")
    if parsed.port is not None and not 0 < parsed.port < 65_536:
        raise _unreadable(shown(parsed), "it has an impossible port")
    return parsed


def ascii_host(url: httpx.URL) -> str:
    """Return the host as it is resolved: lower case, a name in other scripts in its ASCII form."""
    return url.raw_host.decode("ascii")


def port_of(url: httpx.URL) -> int:
    """Return the port that `url` means."""
    return url.port or DEFAULT_PORTS[url.scheme]


def shown(url: str | httpx.URL) -> str:
    """Return an address for messages and logs: without user name, question and fragment."""
    try:
        parsed = httpx.URL(url)
        host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
        text = f"{parsed.scheme}://{host}{f':{parsed.port}' if parsed.port else ''}{parsed.path}"
    except (httpx.InvalidURL, ValueError, TypeError):
        text = str(url).split("?", 1)[0].split("#", 1)[0].rsplit("@", 1)[-1]
    return _printable(text)


def _printable(text: str) -> str:
    printable = "".join(c if c.isprintable() else "�" for c in text)
    return printable if len(printable) <= 200 else f"{printable[:199]}…"


def check_host(host: str, port: int, allowed: Allowed) -> IpAddress | None:
    """Check what can be checked before a name is resolved.

    Args:
        host: A name, or an address without brackets.
        port: Where it would be asked.
        allowed: What the operator named.

    Returns:
        The address, when `host` is one; None for a name.

    Raises:
        NetworkError: `forbidden-address` for a local name or a port that is not the web's;
            `address` for a host that is neither a name nor an address.
    """
    address = _as_address(host)
    named = allowed.has_host(host, port)
    in_network = address is not None and allowed.has_address(address)
    if address is None:
        if not named and _is_local_name(host):
            raise _forbidden(host, "it is a name of this machine or of a local network")
    elif not named and not in_network and not is_public(address):
        raise _forbidden(host, "it is not an address of the public internet")
    usual = port in DEFAULT_PORTS.values()
    if not (usual or named or in_network or (address is None and allowed.networks)):
        raise _forbidden(f"{host}:{port}", "only the ports 80 and 443 are asked")
    return address


def check_addresses(
    host: str, port: int, addresses: Sequence[str], allowed: Allowed
) -> list[IpAddress]:
    """Check every address that a name was resolved to; one bad one condemns the name.

    Raises:
        NetworkError: `name` when there is none; `forbidden-address` when one is not public and
            not named by the operator.
    """
    found = [_as_address(address) for address in addresses]
    if not found:
        raise NetworkError("name", f"Cannot reach {host}: its name has no address.", may_pass=True)
    named = allowed.has_host(host, port)
    for address in found:
        if address is None:
            raise _forbidden(host, "its name was resolved to something that is no address")
        if named or allowed.has_address(address):
            continue
        if not is_public(address):
            raise _forbidden(host, f"its name leads to {address}, which is not public")
        if port not in DEFAULT_PORTS.values():
            raise _forbidden(f"{host}:{port}", "only the ports 80 and 443 are asked")
    return [address for address in found if address is not None]


def _as_address(host: str) -> IpAddress | None:
    """Return the address that `host` spells; a number that is none (`127.1`) is refused."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    labels = host.rstrip(".").split(".")
    # RFC 3986 knows no such hosts, but resolvers read them as addresses: 127.1, 0x7f.1, 2130706433
    if _NUMBER.match(labels[-1]) or not _NAME.match(host) or ".." in host or len(host) > 253:
        raise NetworkError(
            "address",
            f"Cannot ask '{_printable(host)}': that is neither the name of a host nor an address. "
            "Write it as in http://museum.example/.",
        )
    return None


def _is_local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return "." not in name or any(
        name == local or name.endswith(f".{local}") for local in LOCAL_NAMES
    )


def _read_network(entry: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(entry, strict=True)
    except ValueError as error:
        raise UsageError(
            f"Cannot allow '{entry}': {error}. Name a network as 10.1.0.0/16."
        ) from error


def _read_host(entry: str) -> tuple[str, int | None]:
    try:
        parsed = httpx.URL(f"//{entry}" if "[" in entry or entry.count(":") < 2 else f"//[{entry}]")
    except httpx.InvalidURL as error:
        raise UsageError(f"Cannot allow '{entry}': it is no host. {error}") from error
    if not parsed.host or parsed.userinfo or parsed.path not in {"", "/"}:
        raise UsageError(f"Cannot allow '{entry}': name a host, as museum.example:8080.")
    host = ascii_host(parsed)
    try:
        _as_address(host)
    except NetworkError as error:
        raise UsageError(f"Cannot allow '{entry}': {error}") from error
    return host, parsed.port


def _unreadable(url: str, why: str) -> NetworkError:
    return NetworkError(
        "address",
        f"Cannot ask '{url}': {why}. Give an address as in https://museum.example/picture.jpg.",
    )


def _forbidden(host: str, why: str) -> NetworkError:
    return NetworkError(
        "forbidden-address",
        f"Cannot ask '{_printable(host)}': {why}. Only public addresses are asked, and those "
        "that the operator of this library names.",
    )
