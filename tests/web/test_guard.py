"""The guard: who is let through, request by request."""

from __future__ import annotations

import itertools

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from bilderatlas.errors import BilderatlasError, UsageError
from bilderatlas.web.security import (
    HEADERS,
    Access,
    Guard,
    Mode,
    check_binding,
    host_name,
    is_loopback,
    parse_mode,
    url_host,
)

OWN = "http://127.0.0.1:8642"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("behind the guard")(scope, receive, send)


def refuse(scope: Scope, error: BilderatlasError) -> PlainTextResponse:
    return PlainTextResponse(str(error), error.http_status)


def client_for(access: Access) -> TestClient:
    return TestClient(Guard(behind, access, refuse), base_url=OWN, follow_redirects=False)


@pytest.fixture
def local() -> TestClient:
    """Return a client that has opened the link."""
    access = Access.local(8642)
    client = client_for(access)
    assert client.get(f"/?token={access.link_token}").status_code == 303
    return client


def test_the_link_opens_once_and_leaves_a_strict_cookie() -> None:
    access = Access.local(8642)
    client, token = client_for(access), access.link_token
    answer = client.get(f"/c/x?k=5&token={token}&like=a")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/c/x?k=5&like=a"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert str(token) not in cookie
    assert client.get("/c/x").text == "behind the guard"
    assert client.get(f"/?token={token}").headers["location"] == "/"  # known: only cleaned
    assert client_for(access).get(f"/?token={token}").status_code == 403  # somebody else: spent


@pytest.mark.parametrize("token", ["", "wrong", "%00", "é", "a" * 10_000])
def test_wrong_tokens_open_nothing(token: str) -> None:
    client = client_for(Access.local(8642))
    assert client.get("/", params={"token": token}).status_code == 403


def test_a_redirect_never_leaves_the_site() -> None:
    access = Access.local(8642)
    answer = client_for(access).get(f"{OWN}//evil.example/%2e?token={access.link_token}")
    assert answer.headers["location"].startswith("/evil.example/")


def test_a_head_request_does_not_spend_the_link() -> None:
    access = Access.local(8642)
    client = client_for(access)
    assert client.head(f"/?token={access.link_token}").status_code == 403
    assert client.get(f"/?token={access.link_token}").status_code == 303


def test_a_program_sends_the_token_as_bearer() -> None:
    access = Access.local(8642)
    client = client_for(access)
    headers = {"Authorization": f"Bearer {access.bearer}"}
    assert client.get("/", headers=headers).status_code == 200
    assert client.post("/uploads", headers=headers).status_code == 200
    assert client.get("/", headers={"Authorization": "Bearer x"}).status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "0.0.0.0", "localhost.evil", "[::2]", "10.0.0.1"],
)
def test_foreign_names_get_nothing(local: TestClient, host: str) -> None:
    assert local.get("/", headers={"Host": f"{host}:8642"}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8642", "localhost:8642", "LOCALHOST", "[::1]:8642"])
def test_own_names_are_answered(local: TestClient, host: str) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in local.cookies.items())
    answer = local.get("/", headers={"Host": host, "Cookie": cookie})
    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.2", "::1", "[::1]", "0:0:0:0:0:0:0:1", "localhost"])
def test_the_bound_host_is_one_of_the_names(host: str) -> None:
    access = Access.local(8642, [url_host(host)])
    headers = {"Host": f"{url_host(host)}:8642", "Authorization": f"Bearer {access.bearer}"}
    assert client_for(access).get("/", headers=headers).status_code == 200


def test_the_link_is_no_lasting_secret() -> None:
    access = Access.local(8642)
    link = str(access.link_token)
    assert access.bearer and access.bearer != link
    for _ in ("before it was used", "and after"):
        headers = {"Authorization": f"Bearer {link}"}
        assert client_for(access).get("/", headers=headers).status_code == 403
        client_for(access).get(f"/?token={link}")


@pytest.mark.parametrize(
    "others",
    ['x={"a":1}', "bare", "a=1; bare; =; b", 'q="open', "bilderatlas-9999=abc", "é=ü", ";;"],
)
def test_cookies_of_other_programs_do_not_hide_ours(others: str) -> None:
    access = Access.local(8642)
    ours = f"{access.cookie_name}={access.session}"
    client = client_for(access)
    for text in (f"{others}; {ours}", f"{ours}; {others}", f"{others};{ours}"):
        headers = {"Cookie": text.encode()}
        assert client.get("/", headers=headers).status_code == 200, text
    assert client.get("/", headers={"Cookie": others.encode()}).status_code == 403
    wrong = f"{access.cookie_name}=x{access.session}"
    assert client.get("/", headers={"Cookie": wrong}).status_code == 403


SITES = (None, "same-origin", "none", "same-site", "cross-site", "nonsense")
ORIGINS = (None, OWN, "null", "http://evil.example", "https://127.0.0.1:8642", f"{OWN}0")


@pytest.mark.parametrize(("site", "origin"), list(itertools.product(SITES, ORIGINS)))
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_unsafe_methods_come_from_our_pages_only(
    local: TestClient, method: str, site: str | None, origin: str | None
) -> None:
    headers = {"Sec-Fetch-Site": site, "Origin": origin}
    given = {name: value for name, value in headers.items() if value is not None}
    expected = site in {"same-origin", "none"} or (site is None and origin == OWN)
    answer = local.request(method, "/uploads", headers=given)
    assert (answer.status_code == 200) is expected


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/uploads", "/jobs/x/cancel", "/c/x"])
def test_public_mode_is_read_only(method: str, path: str) -> None:
    client = client_for(Access.public())
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": OWN}
    assert client.request(method, path, headers=headers).status_code == 403
    assert client.get("/c/x").status_code == 200


@pytest.mark.parametrize("path", ["/jobs", "/jobs.json", "/jobs/x", "/jobs/x/events"])
def test_public_mode_shows_no_jobs(path: str) -> None:
    assert client_for(Access.public()).get(path).status_code == 403


def test_public_mode_answers_to_named_hosts_only() -> None:
    client = client_for(Access.public(["Atlas.example:443"]))
    assert client.get("/", headers={"Host": "atlas.example"}).status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("access", [Access.local(8642), Access.public()])
def test_every_answer_carries_the_headers(access: Access) -> None:
    answers = [client_for(access).get("/"), client_for(access).post("/", headers={"Host": "x"})]
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_two_hosts_are_refused(local: TestClient) -> None:
    request = local.build_request("GET", "/")
    request.headers = type(request.headers)([("Host", "localhost"), ("Host", "evil.example")])
    assert local.send(request).status_code == 400


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.4", "example.org", "127.0.0.1.nip.io"]
)
def test_local_mode_refuses_open_addresses(host: str) -> None:
    with pytest.raises(UsageError, match="local mode"):
        check_binding(Mode.LOCAL, host)
    check_binding(Mode.PUBLIC, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)
    check_binding(Mode.LOCAL, host)


def test_modes() -> None:
    assert parse_mode("local") is Mode.LOCAL
    with pytest.raises(UsageError, match="logins"):
        parse_mode("team")
    with pytest.raises(UsageError, match="no mode called 'x'"):
        parse_mode("x")


def test_host_names() -> None:
    assert [host_name(h) for h in ("a:1", "[::1]:80", "A", "")] == ["a", "[::1]", "a", ""]
