"""Every route × method × kind of caller: default deny."""

from __future__ import annotations

import itertools

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.web.app import create_app
from bilderatlas.web.security import HEADERS, Access, Mode

ROUTES = {  # a path on each route, and the methods that it knows
    "/": "GET",
    "/index.json": "GET",
    "/c/fields": "GET",
    "/c/fields.json": "GET",
    "/c/fields/i/red.png": "GET",
    "/c/fields/i/red.png.json": "GET",
    "/c/fields/thumb/64/x/red.png": "GET",
    "/c/fields/original/red.png": "GET",
    "/c/fields/compare?a=red.png&b=blue.png": "GET",
    "/c/fields/compare.json?a=red.png&b=blue.png": "GET",
    "/c/fields/rankings?like=red.png": "GET",
    "/c/fields/rankings.json?like=red.png": "GET",
    "/c/fields/export.csv": "GET",
    "/c/fields/tiles/x/none": "GET",
    "/c/fields/tile/x/0/0/0/none": "GET",
    "/c/fields/embeddings": "GET",
    "/c/fields/embeddings.json": "GET POST",
    "/about/criteria": "GET",
    "/about/criteria.json": "GET",
    "/about/criteria/raw_32.pixels": "GET",
    "/about/criteria/raw_32.pixels.json": "GET",
    "/c/fields/criteria/raw_32.pixels": "GET",
    "/c/fields/criteria/raw_32.pixels.json": "GET",
    "/c/fields/criteria/none/test": "POST",
    "/add": "GET POST",
    "/add.json": "GET",
    "/c/fields/source": "GET",
    "/c/fields/source.json": "GET",
    "/c/none/index": "POST",
    "/c/fields/failures": "GET",
    "/c/fields/failures.json": "GET",
    "/c/fields/failures/retry": "POST",
    "/c/fields/remove": "GET POST",
    "/c/fields/remove.json": "GET",
    "/jobs/events": "GET",
    "/jobs": "GET",
    "/jobs.json": "GET",
    "/jobs/none": "GET",
    "/jobs/none.json": "GET",
    "/jobs/none/events": "GET",
    "/jobs/none/cancel": "POST",
    "/panels": "GET POST",
    "/panels.json": "GET",
    "/panels/put": "GET POST",
    "/panels/put.json": "GET",
    "/panels/none": "GET",
    "/panels/none.json": "GET",
    "/panels/none/export.csv": "GET",
    "/panels/none/undo": "POST",
    "/seen": "POST",
    "/uploads": "GET POST",
    "/uploads.json": "GET",
    "/uploads/forget": "POST",
    f"/uploads/{'0' * 64}/forget": "POST",
    f"/uploads/{'0' * 64}.webp": "GET",
    "/static/THIRD-PARTY.txt": "GET",
}
ASK_FOR_NOTHING = {"/uploads/forget"}  # forms without fields
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
OWN = "http://127.0.0.1:8642"


def site_client(library: ba.Library, access: Access) -> TestClient:
    return TestClient(
        create_app(library, access),
        base_url=OWN,
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def test_the_table_names_every_route(library: ba.Library) -> None:
    app = create_app(library, Access.local(8642))._app._app
    for route in app.routes:  # type: ignore[attr-defined]
        known = [
            path
            for path, method in ROUTES.items()
            if route.path_regex.fullmatch(path.partition("?")[0])
            and route.methods & set(method.split())
        ]
        assert known, f"{route.path} is not in the table"


@pytest.mark.parametrize(("path", "method"), list(itertools.product(ROUTES, METHODS)))
def test_strangers_get_nothing(library: ba.Library, path: str, method: str) -> None:
    answer = site_client(library, Access.local(8642)).request(method, path)
    expected = path.startswith("/static/") and method in {"GET", "HEAD"}
    assert (answer.status_code < 400) is expected
    if path.startswith("/static/") and method not in {"GET", "HEAD"}:
        assert answer.status_code in {403, 405}
    elif not expected:
        assert answer.status_code == 403
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize(("path", "method"), list(itertools.product(ROUTES, METHODS)))
def test_the_owner_gets_what_there_is(library: ba.Library, path: str, method: str) -> None:
    access = Access.local(8642)
    client = site_client(library, access)
    client.cookies.set(access.cookie_name, access.session)
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = client.request(method, path, headers=headers)
    allowed = ROUTES[path].split()
    known = method in allowed or (method == "HEAD" and "GET" in allowed)
    absent = "none" in path or "0000" in path or path == "/jobs/events"  # of which job?
    if not known:
        assert answer.status_code in {404, 405}
    elif absent:
        assert answer.status_code == 404
    elif method == "POST":
        wanted = 303 if path in ASK_FOR_NOTHING else 400  # no file, no question
        assert answer.status_code == wanted
    else:
        assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("path", ROUTES)
def test_other_sites_cannot_act_for_the_owner(library: ba.Library, path: str) -> None:
    access = Access.local(8642)
    client = site_client(library, access)
    client.cookies.set(access.cookie_name, access.session)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": OWN},
        {"Origin": "http://evil.example"},
        {},
    ):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.request(method, path, headers=headers).status_code == 403


@pytest.mark.parametrize(("path", "method"), list(itertools.product(ROUTES, METHODS)))
def test_public_mode_reads_only(library: ba.Library, path: str, method: str) -> None:
    access = Access.public()
    assert access.mode is Mode.PUBLIC
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = site_client(library, access).request(method, path, headers=headers)
    reading = method in {"GET", "HEAD"} and "GET" in ROUTES[path].split()
    pages = ("source", "failures", "remove")  # of a collection, for its keeper
    kept = tuple(f"/{page}{suffix}" for page in pages for suffix in ("", ".json"))
    hidden = path.startswith(("/jobs", "/uploads", "/add", "/panels")) or path.endswith(kept)
    hidden = hidden or "none" in path
    assert (answer.status_code == 200) is (reading and not hidden)


def test_a_public_page_offers_nothing_that_is_refused(library: ba.Library) -> None:
    client = site_client(library, Access.public())
    criterion = "/c/fields/criteria/raw_32.pixels"
    for path in ("/", "/c/fields?like=red.png", "/c/fields/i/red.png", criterion):
        text = client.get(path).text
        for refused in ("/jobs", "/uploads", "/panels", 'method="post"'):
            assert refused not in text, f"{path} offers {refused}"


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
def test_refusals_are_rendered_as_asked(library: ba.Library, accept: str) -> None:
    client = site_client(library, Access.local(8642))
    answer = client.get("/c/fields", headers={"Accept": accept})
    if accept == "application/json":
        assert answer.json()["error"]["code"] == "forbidden"
    else:
        assert "bilderatlas serve" in answer.text


def test_a_public_server_decodes_few_pictures_for_one_question(library: ba.Library) -> None:
    parts = [f"like=red.png@0,0,0.{n},0.5" for n in range(5, 9)]
    three, four = (f"/c/fields?{'&'.join(parts[:n])}" for n in (3, 4))
    public = site_client(library, Access.public())
    assert public.get(three).status_code == 200
    refused = public.get(four.replace("?", ".json?"))
    assert refused.status_code == 400
    assert "at most 3 in one question" in refused.json()["error"]["message"]
    assert "at most 3 in one question" in public.get(four).text
    work = "/c/fields/i/orange.png?"
    assert "Why it was found" in public.get(three.replace("/c/fields?", work)).text
    assert "Why it was found" not in public.get(four.replace("/c/fields?", work)).text
    access = Access.local(8642)
    headers = {"Authorization": f"Bearer {access.bearer}"}
    assert site_client(library, access).get(four, headers=headers).status_code == 200
