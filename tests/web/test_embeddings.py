"""Embeddings handed out: walked, asked for by name, in every mode, and to nobody else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.records import Record
from bilderatlas.store.images import NewImage
from bilderatlas.web.security import Access
from tests.web.conftest import WORKS, client_of

HERE = "/c/fields/embeddings.json"
MODEL = "raw_32.pixels"


def vectors_in(answer: dict[str, Any], item: dict[str, Any]) -> np.ndarray[Any, Any]:
    dtype = {"f16": "<f2", "f32": "<f4", "u8": "u1"}[answer["dtype"]]
    rows = np.frombuffer(base64.b64decode(item["vectors"]), dtype)
    return rows.reshape(item["n_rows"], answer["dim"])


def walked(client: TestClient, model_id: str, limit: int) -> Iterator[tuple[dict[str, Any], Any]]:
    url = f"{HERE}?model_id={model_id}&limit={limit}"
    while url:
        answer = client.get(url).json()
        assert len(answer["items"]) <= limit
        for item in answer["items"]:
            yield item, answer
        url = answer["next"]


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
@pytest.mark.parametrize("model_id", ["raw_32.pixels", "palette_lab.pixels"])
def test_a_space_is_walked_from_end_to_end(
    client: TestClient, library: ba.Library, model_id: str, limit: int
) -> None:
    view = library["fields"].store.space(model_id).snapshot()
    seen = []
    for item, answer in walked(client, model_id, limit):
        seen.append(item["image_id"])
        stored = library["fields"].record(item["image_id"])
        assert item["sha256"] == stored.content_sha256
        assert answer["collection"]["version"] == view.version
        assert answer["card"]["model_id"] == model_id and answer["n_items"] == len(WORKS) + 1
        expected = view.vectors_at(view.rows_of(item["image_id"]))
        assert vectors_in(answer, item).tobytes() == expected.tobytes(), "identical to the bit"
        assert "image_path" not in item["record"], "a path of this machine is nobody's business"
        if item["image_id"] == "torn.png":
            assert (item["status"], item["stage"]) == ("failed", "decode") and item["reason"]
        else:
            assert item["status"] == "ok"
    assert len(seen) == len(set(seen)) == len(WORKS) + 1


def test_works_are_asked_for_by_name(client: TestClient, library: ba.Library) -> None:
    records = [library["fields"].record(one) for one in library["fields"].store.columns.image_ids]
    known = [one for one in records if one.content_sha256]
    question = {
        "model_id": MODEL,
        "image_ids": [known[0].image_id, "nobody's", known[0].image_id],
        "sha256": [known[1].content_sha256, "0" * 64, known[0].content_sha256],
        "source_urls": ["https://nowhere.example/"],
    }
    answer = client.post(HERE, json=question).json()
    assert {item["image_id"] for item in answer["items"]} == {one.image_id for one in known[:2]}
    assert len(answer["items"]) == 2, "each once, however it was named"
    assert answer["not_found"] == ["nobody's", "0" * 64, "https://nowhere.example/"]
    assert answer["left_out"] == [] and answer["next"] is None
    view = library["fields"].store.space(MODEL).snapshot()
    for item in answer["items"]:
        expected = view.vectors_at(view.rows_of(item["image_id"]))
        assert vectors_in(answer, item).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({}, 400),
        ([], 400),
        ("text", 400),
        ({"image_ids": "red"}, 400),
        ({"image_ids": [1]}, 400),
        ({"image_ids": [None]}, 400),
        ({"image_ids": ["x"] * 1001}, 400),
        ({"image_ids": ["x"] * 600, "sha256": ["y"] * 600}, 400),
        ({"image_ids": ["x"], "model_id": 7}, 400),
        ({"image_ids": ["x"], "version": "7"}, 400),
        ({"image_ids": ["x"], "version": True}, 400),
        ({"image_ids": ["x"], "where": "1=1"}, 400),
        ({"image_ids": ["x"], "model_id": "nothing.here"}, 404),
        ({"image_ids": ["x"], "version": 1_000_000}, 409),
        ({"image_ids": ["\0", "\ud800", "' OR 1=1 --", "%", "x" * 5000]}, 200),
        ({"source_urls": ["\0", "\ud800", "' OR 1=1 --", "%"], "sha256": ["\0"]}, 200),
    ],
)
def test_questions_that_are_no_questions(client: TestClient, question: Any, status: int) -> None:
    answer = client.post(
        HERE, content=json.dumps(question), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status, answer.text
    if status == 200:
        assert answer.json()["items"] == [] and len(answer.json()["not_found"]) >= 4
    else:
        assert answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'"' + b"x" * (5 << 20)])
def test_bodies_that_are_no_json(client: TestClient, body: bytes) -> None:
    assert client.post(HERE, content=body).status_code == 400


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ("limit=0", 400),
        ("limit=1001", 400),
        ("limit=-1", 400),
        ("limit=x", 400),
        ("limit=٣", 400),
        ("after=x", 400),
        ("after=" + "9" * 30, 400),
        ("after=" + "9" * 18, 200),
        ("model_id=nothing.here", 404),
        ("version=999999", 409),
    ],
)
def test_listings_that_are_none(client: TestClient, params: str, status: int) -> None:
    assert client.get(f"{HERE}?{params}").status_code == status


def test_collections_that_are_not_there(client: TestClient) -> None:
    assert client.get("/c/nothing/embeddings.json").status_code == 404
    assert client.get("/c/nothing/embeddings").status_code == 404


def test_a_page_for_people(client: TestClient) -> None:
    text = client.get(f"/c/fields/embeddings?model_id={MODEL}").text
    assert "bilderatlas features import" in text and MODEL in text
    assert "rights not stated" in text


def test_programs_may_ask_a_public_site_without_being_a_browser(library: ba.Library) -> None:
    public = client_of(library, Access.public())
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": ""}):
        answer = public.post(HERE, json={"sha256": ["0" * 64]}, headers=headers)
        assert answer.status_code == 200
    assert public.get(HERE).status_code == 200
    for path in ("/c/fields/embeddings", "/c/fields.json", "/c/fields/embeddings.json/x"):
        assert public.post(path, json={}).status_code == 403


def test_a_local_site_answers_its_owner_only(library: ba.Library) -> None:
    access = Access.local(8642)
    stranger = TestClient(client_of(library, access).app, base_url="http://127.0.0.1:8642")
    question = {"sha256": ["0" * 64]}
    assert stranger.get(HERE).status_code == 403
    assert stranger.post(HERE, json=question).status_code == 403
    bearer = {"Authorization": f"Bearer {access.bearer}"}
    assert stranger.post(HERE, json=question, headers=bearer).status_code == 200, "a program"
    stranger.cookies.set(access.cookie_name, access.session)
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert stranger.post(HERE, json=question, headers=cross).status_code == 403


@pytest.fixture
def growing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library whose collection is about to change: two works with addresses and rights."""
    made = ba.create(tmp_path_factory.mktemp("growing"))
    made.store.create_collection("g", source_kind="table", source_address="x")
    add(made, 0)
    add(made, 1)
    yield made
    made.close()


def add(library: ba.Library, number: int) -> None:
    from bilderatlas.extractors.base import EXTRACTORS, ImageRows

    store = library.store.get_collection("g")
    url = f"https://museum.example/{number}.jpg"
    record = Record(f"w{number}", image_url=url, rights=f"CC-BY {number}")
    sha256 = hashlib.sha256(bytes([number])).hexdigest()
    card = EXTRACTORS.get(MODEL).card
    rows = ImageRows(np.full((1, card.dim), number, np.uint8))
    with store.writer() as writer:
        writer.ensure_space(card)
        writer.commit_batch(
            [NewImage(record, sha256, None, (9, 9))], {MODEL: [(f"w{number}", rows)]}
        )


def test_addresses_and_rights(growing: ba.Library) -> None:
    client = client_of(growing, Access.public())
    question = {"source_urls": ["https://museum.example/1.jpg"]}
    (item,) = client.post("/c/g/embeddings.json", json=question).json()["items"]
    assert (item["image_id"], item["rights"]) == ("w1", "CC-BY 1")
    assert item["source_url"] == "https://museum.example/1.jpg"


def test_a_picture_that_many_images_have_is_answered_in_part(growing: ba.Library) -> None:
    """One hash may stand for a million images; an answer holds a thousand, and hides no name."""
    store = growing.store.get_collection("g")
    placeholder, url = hashlib.sha256(b"placeholder").hexdigest(), "https://museum.example/none.jpg"
    copies = [Record(f"copy-{number}", image_url=url) for number in range(2100)]
    with store.writer() as writer:
        writer.commit_batch([NewImage(one, placeholder, None, (9, 9)) for one in copies], {})
    client = client_of(growing, Access.public())
    single = hashlib.sha256(bytes([1])).hexdigest()
    for question in (
        {"sha256": [placeholder, single, "0" * 64]},
        {"source_urls": [url, "https://museum.example/1.jpg", "https://museum.example/x.jpg"]},
    ):
        answer = client.post("/c/g/embeddings.json", json=question).json()
        given = {item["image_id"] for item in answer["items"]}
        assert len(given) == len(answer["items"]) == 1000
        assert "w1" in given | set(answer["left_out"])
        assert 0 < len(answer["left_out"]) <= 1000 and not given & set(answer["left_out"])
        assert len(answer["not_found"]) == 1


def test_pages_of_two_versions_are_never_mixed(growing: ba.Library) -> None:
    client = client_of(growing, Access.public())
    first = client.get("/c/g/embeddings.json?limit=1").json()
    add(growing, 2)
    second = client.get(first["next"])
    assert second.status_code == 409
    assert "has changed" in second.json()["error"]["message"]
    assert len(client.get("/c/g/embeddings.json").json()["items"]) == 3
