"""Pictures that are brought along: taken, refused, part of the question."""

from __future__ import annotations

import hashlib
import io
import os
import time
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.web import app as web_app
from bilderatlas.web.security import Access
from tests.web.conftest import client_of
from tests.web.reading import Document


def encoded(colour: tuple[int, int, int] = (225, 40, 35), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, kind)
    return file.getvalue()


def test_a_form_leads_to_the_question_with_the_picture(client: TestClient) -> None:
    files = {"picture": ("a.png", encoded(), "image/png")}
    fields = {"collection": "fields", "where": "year is not null", "sign": "like"}
    answer = client.post("/uploads", data=fields, files=files)
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert target.startswith("/c/fields?like=upload:") and "where=" in target
    page = Document(client.get(target).text)
    assert page.all("cite", class_="title")[0].text == "A red field"
    [tile] = page.all("img", class_="free")
    thumbnail = client.get(tile.get("src"))
    assert Image.open(io.BytesIO(thumbnail.content)).format == "WEBP"


@pytest.mark.parametrize(("sign", "name"), [("like", "like"), ("unlike", "unlike")])
def test_a_program_gets_json(client: TestClient, sign: str, name: str) -> None:
    answer = client.post(
        "/uploads",
        data={"collection": "fields", "sign": sign},
        files={"picture": ("a.jpg", encoded(kind="JPEG"), "image/jpeg")},
        headers={"Accept": "application/json"},
    )
    found = answer.json()
    assert answer.status_code == 201
    assert found["url"] == f"/c/fields?{name}={found['part']}"
    assert found["size_wh"] == [64, 48]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"words", 422),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 422),
        (encoded()[:60], 422),
    ],
)
def test_what_is_no_picture_is_refused_in_words(
    client: TestClient, data: bytes, status: int
) -> None:
    files = {"picture": ("a.png", data, "image/png")}
    answer = client.post("/uploads", data={"collection": "fields"}, files=files)
    assert answer.status_code == status
    assert Document(answer.text).one("main").text.strip()


def test_a_refused_picture_leads_back_to_the_question(client: TestClient) -> None:
    files = {"picture": ("a.jpg", b"<!doctype html><html>no picture</html>", "image/jpeg")}
    fields = {
        "collection": "fields",
        "like": "red.png",
        "where": "year > 1",
        "next": "//evil.example",
    }
    answer = client.post("/uploads", data={**fields, "sign": "like"}, files=files)
    assert answer.status_code == 422
    [back] = [a for a in Document(answer.text).all("a") if a.text == "Back to the question"]
    assert back.get("href") == "/c/fields?like=red.png&where=year+%3E+1"
    assert client.get(back.get("href")).status_code == 200
    lost = client.post("/uploads", data={"collection": "//evil.example"}, files=files)
    assert Document(lost.text).says("To the collections")
    assert "evil" not in lost.text


@pytest.mark.parametrize("fields", [{}, {"collection": "none"}, {"collection": "../x"}])
def test_a_form_names_its_collection(client: TestClient, fields: dict[str, str]) -> None:
    files = {"picture": ("a.png", encoded(), "image/png")}
    assert client.post("/uploads", data=fields, files=files).status_code == 400


def test_a_file_that_is_too_large_is_not_read_to_its_end(
    library: ba.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "MAX_BYTES", 100_000)
    monkeypatch.setattr(web_app, "FORM_OVERHEAD_BYTES", 0)
    files = {"picture": ("a.png", b"\x89PNG" + bytes(200_000), "image/png")}
    answer = client_of(library, Access.local()).post(
        "/uploads", data={"collection": "fields"}, files=files
    )
    assert answer.status_code == 400
    assert "larger than" in Document(answer.text).one("main").text


def browser_of(library: ba.Library, access: Access) -> TestClient:
    """Return another browser of the same server's owner: it has its own cookies."""
    return client_of(library, access)


def bring(client: TestClient, *colours: tuple[int, int, int]) -> list[str]:
    """Bring pictures of one colour each, and return their hashes."""
    files = [("picture", (f"{n}.png", encoded(one), "image/png")) for n, one in enumerate(colours)]
    accept = {"Accept": "application/json"}
    answer = client.post("/uploads", data={"keep": "1"}, files=files, headers=accept)
    assert answer.status_code == 201, answer.text
    return [one["sha256"] for one in answer.json()["uploads"]]


@pytest.fixture
def access() -> Access:
    return Access.local(8642)


def test_the_cookie_is_random_strict_and_of_this_browser_only(
    library: ba.Library, access: Access
) -> None:
    one, other = browser_of(library, access), browser_of(library, access)
    assert "set-cookie" not in one.get("/uploads").headers  # who brings nothing gets no cookie
    secrets = []
    for client in (one, other):
        files = {"picture": ("a.png", encoded((9, 9, 9)), "image/png")}
        header = client.post("/uploads", data={"keep": "1"}, files=files).headers["set-cookie"]
        [(name, cookie)] = SimpleCookie(header).items()
        assert name == "bilderatlas-8642-visitor" and len(cookie.value) == 43
        assert cookie["httponly"] and cookie["samesite"] == "Strict" and cookie["path"] == "/"
        assert cookie["max-age"] == str(7 * 24 * 3600)
        secrets.append(cookie.value)
    assert secrets[0] != secrets[1]
    named = [path.name for path in (library.root / "uploads" / "owners").iterdir()]
    assert not set(secrets) & set(named)  # a reader of the disk could pose as nobody
    assert hashlib.sha256(secrets[0].encode()).hexdigest() in named


def test_another_browser_can_neither_use_nor_see_a_picture(
    library: ba.Library, access: Access
) -> None:
    owner, stranger = browser_of(library, access), browser_of(library, access)
    [sha256] = bring(owner, (220, 30, 30))
    [own] = bring(stranger, (30, 40, 220))  # with a cookie, too
    for client, status in ((owner, 200), (stranger, 404)):
        assert client.get(f"/uploads/{sha256}.webp").status_code == status
        found = client.get(f"/c/fields.json?like=upload:{sha256}").json()
        assert ("hits" in found and not found.get("inactive")) is (status == 200)
        listed = [row["sha256"] for row in client.get("/uploads.json").json()["uploads"]]
        assert (sha256 in listed) is (status == 200)
    page = Document(stranger.get(f"/c/fields?like=upload:{sha256}").text)
    assert page.says("for the browser that brought it only")
    assert not page.all("cite", class_="title")
    assert stranger.post(f"/uploads/{sha256}/forget").status_code == 404
    assert owner.get(f"/uploads/{sha256}.webp").status_code == 200
    assert stranger.get(f"/uploads/{own}.webp").status_code == 200
    public = client_of(library, Access.public())
    assert public.get(f"/c/fields?like=upload:{sha256}").status_code == 400
    assert public.get("/uploads").status_code == 404


@pytest.mark.parametrize("secret", ["", "x", "../" * 14 + "x", "a" * 43, '"quoted"', "é" * 43])
def test_a_made_up_cookie_owns_nothing(library: ba.Library, access: Access, secret: str) -> None:
    [sha256] = bring(browser_of(library, access), (1, 2, 3))
    forger = browser_of(library, access)
    cookie = f"bilderatlas-8642-visitor={secret}".encode()
    assert forger.get(f"/uploads/{sha256}.webp", headers={"Cookie": cookie}).status_code == 404
    assert forger.get("/uploads.json", headers={"Cookie": cookie}).json()["uploads"] == []


def test_two_browsers_share_bytes_and_nothing_else(library: ba.Library, access: Access) -> None:
    one, other = browser_of(library, access), browser_of(library, access)
    [sha256] = bring(one, (44, 55, 66))
    assert bring(other, (44, 55, 66)) == [sha256]
    assert one.post(f"/uploads/{sha256}/forget").headers["location"] == "/uploads"
    assert one.get(f"/uploads/{sha256}.webp").status_code == 404
    assert other.get(f"/uploads/{sha256}.webp").status_code == 200
    assert other.post("/uploads/forget").status_code == 303
    assert other.get(f"/uploads/{sha256}.webp").status_code == 404
    assert library.store.uploads.find_path(sha256) is None


def test_an_upload_expires(library: ba.Library, access: Access) -> None:
    client = browser_of(library, access)
    [sha256] = bring(client, (77, 66, 55))
    assert Document(client.get("/uploads").text).says("kept until")
    [claim] = (library.root / "uploads" / "owners").glob(f"*/{sha256}.json")
    past = time.time() - 7 * 24 * 3600 - 1
    os.utime(claim, (past, past))
    assert client.get(f"/uploads/{sha256}.webp").status_code == 404
    page = Document(client.get(f"/c/fields?like=upload:{sha256}").text)
    assert page.says("kept for seven days")
    bring(client, (78, 66, 55))
    assert not claim.exists()  # swept when the next one came


def test_several_at_once_are_one_question(client: TestClient) -> None:
    files = [("picture", (f"{n}.png", encoded((n, n, n)), "image/png")) for n in (10, 200)]
    fields = {"collection": "fields", "unlike": "red.png", "sign": "like"}
    target = client.post("/uploads", data=fields, files=files).headers["location"]
    assert target.count("like=upload:") == 2 and "unlike=red.png" in target


def test_of_several_the_good_ones_are_taken_and_the_others_named(client: TestClient) -> None:
    files = [
        ("picture", ("good.png", encoded((12, 12, 12)), "image/png")),
        ("picture", ("bad.png", b"no picture", "image/png")),
    ]
    fields = {"collection": "fields", "sign": "like"}
    answer = client.post("/uploads", data=fields, files=files)
    assert answer.status_code == 422
    document = Document(answer.text)
    assert document.says("1 picture was taken in.") and document.says("bad.png: ")
    assert not document.says("good.png: ")
    [on] = [a for a in document.all("a") if a.text == "Search with what was taken in"]
    assert on.get("href").count("upload:") == 1
    assert client.get(on.get("href")).status_code == 200
    accept = {"Accept": "application/json"}
    found = client.post("/uploads", data=fields, files=files, headers=accept).json()
    assert [one["name"] for one in found["uploads"]] == ["good.png"]
    assert [one["name"] for one in found["refused"]] == ["bad.png"]


def test_place_and_camera_are_gone(library: ba.Library, access: Access) -> None:
    picture = Image.new("RGB", (60, 40), (90, 120, 30))
    exif = picture.getexif()
    exif[0x010F], exif[0x013B] = "SECRET-CAMERA", "SECRET-NAME"
    exif[0x0112] = 6  # to be turned by a quarter
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 22.0, 1.0), 3: "E", 4: (4.0, 53.0, 1.0)})
    file = io.BytesIO()
    picture.save(file, "JPEG", exif=exif, comment=b"SECRET-COMMENT")
    assert b"SECRET-CAMERA" in file.getvalue() and Image.open(file).getexif().get_ifd(0x8825)
    client = browser_of(library, access)
    files = {"picture": ("a.jpg", file.getvalue(), "image/jpeg")}
    accept = {"Accept": "application/json"}
    found = client.post("/uploads", data={"keep": "1"}, files=files, headers=accept).json()
    assert found["size_wh"] == [40, 60]
    kept = library.store.uploads.get(found["sha256"])
    assert b"SECRET" not in kept and b"Exif" not in kept
    with Image.open(io.BytesIO(kept)) as opened:
        assert not opened.getexif() and not opened.info.get("comment")
    shown = client.get(f"/uploads/{found['sha256']}.webp").content
    assert b"EXIF" not in shown and b"SECRET" not in shown


def test_the_name_of_a_file_is_text_and_no_path(library: ba.Library, access: Access) -> None:
    client = browser_of(library, access)
    name = "../../<script>alert(1)</script>\u202e.png"
    files = {"picture": (name, encoded((3, 5, 7)), "image/png")}
    client.post("/uploads", data={"keep": "1"}, files=files)
    document = Document(client.get("/uploads").text)
    assert document.problems == [] and document.says("<script>alert(1)</script>")
    assert not [one for one in document.all("script") if not one.get("src")]
    inside = library.root / "uploads"
    assert all(path.resolve().is_relative_to(inside) for path in inside.rglob("*"))
    assert not Path(library.root.parent / "alert(1)").exists()
