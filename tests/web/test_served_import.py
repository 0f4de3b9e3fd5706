"""From one library into another over HTTP: whole, resumed, of one version, and from bad servers."""

from __future__ import annotations

import base64
import copy
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bilderatlas.api as ba
from bilderatlas.errors import (
    BilderatlasError,
    ConflictError,
    DiskFullError,
    NetworkError,
    PackageError,
)
from bilderatlas.exchange import served, spool
from bilderatlas.exchange.base import ImportOptions, open_features
from bilderatlas.exchange.served import ServedFeatures
from bilderatlas.exchange.take_in import ImportReport, import_features
from bilderatlas.network.addresses import host_entry
from bilderatlas.web.security import Access
from tests.network.servers import Asked, asking, reply
from tests.web.conftest import WORKS, Site, client_of
from tests.web.test_embeddings import add, growing

__all__ = ["growing"]

MODEL = "raw_32.pixels"
URL = "http://museum.test/c/g"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[ba.Library]:
    """Return the library that imports."""
    made = ba.create(tmp_path / "other")
    yield made
    made.close()


@pytest.mark.parametrize("model_id", [MODEL, "palette_lab.pixels"])
@pytest.mark.parametrize("suffix", ["", ".json", "/embeddings", "/embeddings.json"])
def test_a_space_comes_over_whole(
    site: Site,
    library: ba.Library,
    other: ba.Library,
    model_id: str,
    suffix: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(served, "PAGE_ITEMS", 3)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *a, **k: tmp_path / "cache")
    options = ImportOptions(
        extractor=model_id,
        token=site.access.bearer or "",
        allow=frozenset({host_entry(site.url)}),
    )
    with open_features(f"{site.url}/c/fields{suffix}", options) as features:
        report = import_features(other.store, features, "copy")
    assert (report.items, report.failed) == (len(WORKS) + 1, 1)
    theirs = library["fields"].store.space(model_id).snapshot()
    ours = other["copy"].store.space(model_id).snapshot()
    for image_id in library["fields"].store.columns.image_ids:
        expected = theirs.vectors_at(theirs.rows_of(image_id))
        assert ours.vectors_at(ours.rows_of(image_id)).tobytes() == expected.tobytes()
        there, here = library["fields"].record(image_id), other["copy"].record(image_id)
        assert (here.content_sha256, here.size_wh) == (there.content_sha256, there.size_wh)
        assert here.record.title == there.record.title
    card = json.loads(json.dumps(library["fields"].store.space(model_id).card_json))
    copied = json.loads(json.dumps(other["copy"].store.space(model_id).card_json))
    assert copied == card | {"taken_from": f"{site.url}/c/fields#{model_id}"}
    assert not list((tmp_path / "cache" / "served").iterdir()), "the spool is gone"


def test_a_private_library_says_what_is_missing(site: Site) -> None:
    allow = frozenset({host_entry(site.url)})
    with pytest.raises(NetworkError, match="--token"):
        open_features(f"{site.url}/c/fields", ImportOptions(allow=allow))


def test_a_host_that_nobody_named_is_not_asked(site: Site) -> None:
    with pytest.raises(NetworkError) as refused:
        open_features(f"{site.url}/c/fields", ImportOptions())
    assert refused.value.reason_code == "forbidden-address"


Change = Callable[[dict[str, Any], int], Any]


def relaying(library: ba.Library, change: Change) -> Callable[[Asked, socket.socket], None]:
    """Return a server that answers as the real site does, but for a `change` of each answer."""
    client = client_of(library, Access.public())
    calls = 0

    def behave(asked: Asked, connection: socket.socket) -> None:
        nonlocal calls
        calls += 1
        answer = client.get(asked.path)
        content: Any = answer.json()
        if answer.status_code == 200:
            content = change(copy.deepcopy(content), calls)
        if isinstance(content, int):
            reply(connection, b"{}", f"{content} Status")
        elif isinstance(content, bytes):
            connection.sendall(content)
        else:
            reply(connection, json.dumps(content).encode(), f"{answer.status_code} Status")

    return behave


def same(answer: dict[str, Any], call: int) -> Any:
    return answer


def fetched(
    library: ba.Library, other: ba.Library, spools: Path, change: Change, **options: Any
) -> tuple[ImportReport, list[str]]:
    """Import `g` from a relaying server; return the report and what was asked."""
    with asking(relaying(library, change)) as (server, client):
        try:
            given = ImportOptions(**options)
            with ServedFeatures(
                URL, given, client=client, spools=spools, wait=lambda seconds: None
            ) as features:
                return import_features(other.store, features, "copy"), [
                    asked.path for asked in server.asked
                ]
        finally:
            fetched.asked = [asked.path for asked in server.asked]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "PAGE_ITEMS", 1)


def test_rights_come_along(growing: ba.Library, other: ba.Library, tmp_path: Path) -> None:
    fetched(growing, other, tmp_path, same)
    assert other["copy"].record("w1").record.rights == "CC-BY 1"
    assert other["copy"].record("w1").record.image_url == "https://museum.example/1.jpg"


def test_what_broke_off_is_taken_up_at_the_same_page(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    for number in (2, 3, 4):
        add(growing, number)

    def breaks(answer: dict[str, Any], call: int) -> Any:
        return answer if call <= 3 else b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{"

    with pytest.raises(NetworkError) as broken:
        fetched(growing, other, tmp_path, breaks)
    assert broken.value.reason_code == "cut-off"
    assert other.collections() == [], "nothing is there before all is here"
    report, asked = fetched(growing, other, tmp_path, same)
    assert report.items == 5
    assert len(asked) == 1 + 3, "the facts once more, and the three pages that were missing"
    assert "after=" in asked[1]


def test_passing_trouble_is_waited_out(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    def troubled(answer: dict[str, Any], call: int) -> Any:
        return {2: 503, 3: 429}.get(call, answer)

    report, asked = fetched(growing, other, tmp_path, troubled)
    assert report.items == 2 and len(asked) == 5


def test_a_collection_that_changes_midway_is_read_anew(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    def grows(answer: dict[str, Any], call: int) -> Any:
        if call == 2:
            add(growing, 2)
        return answer

    report, _ = fetched(growing, other, tmp_path, grows)
    assert report.items == 3
    assert other["copy"].store.n_images == 3
    assert any("everything was fetched again" in note for note in report.notes)


def test_a_collection_that_changes_all_the_time_is_refused(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    number = iter(range(2, 100))

    def restless(answer: dict[str, Any], call: int) -> Any:
        add(growing, next(number))
        return answer

    with pytest.raises(PackageError) as refused:
        fetched(growing, other, tmp_path, restless)
    assert refused.value.reason_code == "changing"
    assert other.collections() == []


def test_the_same_version_of_a_collection_made_anew_is_another_state(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    def remade(answer: dict[str, Any], call: int) -> Any:
        if call > 2:
            answer["collection"]["created_at"] = "another day"
        return answer

    report, _ = fetched(growing, other, tmp_path, remade)
    assert report.items == 2 and any("fetched again" in note for note in report.notes)


def in_item(**values: Any) -> Change:
    def change(answer: dict[str, Any], call: int) -> Any:
        for item in answer["items"]:
            item.update(values)
        return answer

    return change


def in_answer(**values: Any) -> Change:
    return lambda answer, call: answer | values


def in_card(**values: Any) -> Change:
    return lambda answer, call: answer | {"card": answer["card"] | values}


LONG = base64.b64encode(bytes(3073)).decode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda answer, call: [], "not-ours"),
        (lambda answer, call: {}, "not-ours"),
        (lambda answer, call: "text", "not-ours"),
        (lambda answer, call: 404, "status"),
        (lambda answer, call: 500, "status"),
        (lambda answer, call: b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", "not-json"),
        (in_answer(format="else"), "not-ours"),
        (in_answer(format_version=2), "newer-version"),
        (in_answer(items={}), "damaged"),
        (in_answer(items=None), "damaged"),
        (in_answer(items=["text"]), "damaged"),
        (in_answer(items=[{}]), "damaged"),
        (in_answer(card=[]), "damaged"),
        (in_answer(card={}), "card"),
        (in_answer(collection=None), "not-ours"),
        (in_answer(collection={"version": "x"}), "answer"),
        (in_answer(n_items=-1), "answer"),
        (in_answer(n_items="many"), "answer"),
        (in_answer(after="1"), "loop"),
        (in_answer(after=7), "loop"),
        (in_answer(after="x"), "loop"),
        (in_card(dim=0), "card"),
        (in_card(dim=1 << 40), "card"),
        (in_card(dim="3072"), "card"),
        (in_card(dim=3072.0), "card"),
        (in_card(many_rows="yes"), "card"),
        (in_card(version="1"), "card"),
        (in_card(languages="en"), "card"),
        (in_card(dtype="object"), "card"),
        (in_card(metrics=["cosine"]), "card"),
        (in_card(metrics=[]), "card"),
        (in_card(model_id="../../etc"), "card"),
        (in_card(preprocessing="none"), "card"),
        (in_card(side_px=0), "card"),
        (in_card(judges_by=7), "card"),
        (in_item(image_id=7), "damaged"),
        (in_item(image_id=""), "usage"),
        (in_item(image_id="\0"), "usage"),
        (in_item(image_id="twice"), "duplicate-id"),
        (in_item(sha256="short"), "damaged"),
        (in_item(sha256=7), "damaged"),
        (in_item(n_rows=-1), "answer"),
        (in_item(n_rows=2), "damaged"),
        (in_item(n_rows=True), "answer"),
        (in_item(vectors="no base64!"), "damaged"),
        (in_item(vectors=7), "damaged"),
        (in_item(vectors=LONG), "damaged"),
        (in_item(vectors=""), "damaged"),
        (in_item(geometry="AAAA"), "damaged"),
        (in_item(status="failed"), "damaged"),
        (in_item(record=[]), "damaged"),
        (in_item(record={"year_begin": "x"}), "damaged"),
    ],
)
def test_servers_that_lie(
    growing: ba.Library, other: ba.Library, tmp_path: Path, change: Change, reason: str
) -> None:
    with pytest.raises(BilderatlasError) as refused:
        fetched(growing, other, tmp_path / "spool", change)
    assert getattr(refused.value, "reason_code", refused.value.code) == reason
    assert "Traceback" not in str(refused.value)
    assert other.collections() == [], "nothing changed"
    assert len(fetched.asked) < 20  # type: ignore[attr-defined]


def test_pages_without_end(growing: ba.Library, other: ba.Library, tmp_path: Path) -> None:
    def endless(answer: dict[str, Any], call: int) -> Any:
        answer["items"] = [answer["items"][0] | {"image_id": f"n{call}"}] if call > 1 else []
        return answer | {"after": str(10**12 + call)}

    def real_first(answer: dict[str, Any], call: int) -> Any:
        answer["items"] = answer["items"] or [ITEM]
        return endless(answer, call)

    ITEM = {
        "image_id": "x",
        "status": "ok",
        "n_rows": 1,
        "vectors": base64.b64encode(np.zeros(3072, np.uint8).tobytes()).decode(),
        "record": {},
    }
    with pytest.raises(PackageError, match="more than the 2 items"):
        fetched(growing, other, tmp_path, real_first)


def test_what_may_be_missing_in_an_item(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    def sparse(answer: dict[str, Any], call: int) -> Any:
        for item in answer["items"]:
            for name in ("sha256", "size_wh", "rights", "source_url", "record", "page_url"):
                item.pop(name)
        return answer

    report, _ = fetched(growing, other, tmp_path, sparse)
    assert report.vectors == 2
    assert other["copy"].record("w0").content_sha256 is None


@pytest.mark.parametrize(
    ("address", "is_served"),
    [
        ("http://127.0.0.1:8765/c/rijks", True),
        ("https://museum.example/atlas/c/rijks/embeddings?model_id=a.b", True),
        ("http://127.0.0.1:8765/", False),
        ("http://127.0.0.1:8765/c/", False),
        ("./c/rijks", False),
        ("http://[broken/c/rijks", False),
    ],
)
def test_which_addresses_are_recognised(address: str, is_served: bool) -> None:
    assert served.ServedImporter().recognises(address) is is_served


def test_the_host_that_is_typed_is_asked(
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from bilderatlas.cli.main import run

    monkeypatch.setattr("platformdirs.user_cache_path", lambda *a, **k: tmp_path / "cache")
    told = ["--extractor", MODEL, "--library", str(tmp_path / "made"), "--json"]
    command = ["features", "import", f"{site.url}/c/fields", "-c", "copy", *told]
    assert run(command) == 1
    assert "--show-token" in capsys.readouterr().err
    assert not (tmp_path / "made").exists(), "what cannot be used makes no library"
    assert run([*command, "--token", site.access.bearer or ""]) == 0
    assert json.loads(capsys.readouterr().out)["vectors"] == len(WORKS)


def with_records(n_bytes: int) -> Change:
    return in_item(record={"title": "x" * n_bytes})


def test_records_larger_than_any_are_refused_before_they_fill_the_disk(
    growing: ba.Library, other: ba.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "MAX_BESIDE_BYTES", 100_000)
    with pytest.raises(NetworkError) as refused:  # one page
        fetched(growing, other, tmp_path / "page", with_records(300_000))
    assert refused.value.reason_code == "too-large"

    def padded(answer: dict[str, Any], call: int) -> Any:
        return answer | {"padding": "x" * (110_000 if call > 1 else 0)}

    with pytest.raises(PackageError, match="cannot have so many") as too_many:  # all pages
        fetched(growing, other, tmp_path / "all", padded)
    assert too_many.value.reason_code == "damaged"
    kept = sum(path.stat().st_size for path in (tmp_path / "all").rglob("page-*"))
    assert 0 < kept < 200_000
    assert other.collections() == []


def test_a_server_that_says_that_it_has_more_than_the_disk_holds(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    with pytest.raises(DiskFullError, match="Free some space"):
        fetched(growing, other, tmp_path, in_answer(n_items=(1 << 53) - 1))
    assert len(fetched.asked) == 1  # type: ignore[attr-defined]
    assert not list(tmp_path.rglob("page-*"))


def test_what_is_free_is_not_used_up(
    growing: ba.Library, other: ba.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "DISK_RESERVE_BYTES", 1 << 60)
    with pytest.raises(DiskFullError, match="left alone"):
        fetched(growing, other, tmp_path, same)
    assert other.collections() == []


def test_lists_in_lists_are_not_parsed(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    body = b"[" + b"[]," * 1_000_000 + b"0]"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    with pytest.raises(NetworkError) as refused:
        fetched(growing, other, tmp_path, lambda answer, call: head + body)
    assert refused.value.reason_code == "too-large"


def test_two_imports_of_one_address_keep_apart(
    growing: ba.Library, other: ba.Library, tmp_path: Path
) -> None:
    add(growing, 2)
    with asking(relaying(growing, same)) as (_, client):

        def opened() -> ServedFeatures:
            return ServedFeatures(URL, ImportOptions(), client=client, spools=tmp_path)

        with opened() as first, opened() as second:
            assert first.check() is False
            with pytest.raises(ConflictError):
                second.check()
            assert import_features(other.store, first, "copy").items == 3
        with opened() as third:
            assert import_features(other.store, third, "again").items == 3
    assert not list((tmp_path / "served").iterdir())
