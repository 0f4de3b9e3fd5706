"""Pictures that are brought along: taken, refused, part of the question."""

from __future__ import annotations

import io

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
