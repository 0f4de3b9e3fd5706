"""Weights come from a hub that may misbehave: whole, checked and recorded, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bilderatlas.errors import DiskFullError, NetworkError, UnavailableError, WeightsError
from bilderatlas.extractors.runtimes import fetch as fetching
from bilderatlas.extractors.runtimes.fetch import allowed_hosts, fetch
from bilderatlas.extractors.runtimes.weights import WeightsFile, sha256_of
from bilderatlas.settings import read_settings
from tests.extractors.runtimes.hub import COMMIT, Hub, running_hub
from tests.extractors.runtimes.tiny import TinyExtractor, save_weights

pytest.importorskip("torch")
REPO, PATH = "tests/tiny", "model.safetensors"
NAME = f"{REPO}/{PATH}"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub() as running:
        monkeypatch.setenv("BILDERATLAS_HUB", running.url)
        yield running


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return save_weights(tmp_path / "made" / "w.safetensors").read_bytes()


@pytest.fixture
def tiny(tmp_path: Path) -> TinyExtractor:
    return TinyExtractor(tmp_path / "models" / "tiny")


def with_file(tiny: TinyExtractor, **changes: Any) -> TinyExtractor:
    """Return an extractor whose file is declared otherwise."""
    kind = type("Changed", (type(tiny),), {"files": (replace(tiny.files[0], **changes),)})
    return kind(tiny.folder)


def names_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_the_first_fetch_looks_up_and_records(
    hub: Hub, content: bytes, tiny: TinyExtractor
) -> None:
    hub.put(REPO, PATH, content)
    seen: list[tuple[str, int, int | None]] = []
    report = fetch(tiny, lambda *told: seen.append(told))
    (facts,) = report.fetched
    assert facts.origin == "recorded" and facts.revision == COMMIT
    assert facts.sha256 == sha256_of(tiny.folder / "weights.safetensors")
    assert facts.source == f"{hub.url}/{REPO}/resolve/{COMMIT}/{PATH}"
    assert tiny.card.weights_sha256 == facts.sha256
    assert tiny.readiness().state == "ready"
    assert names_in(tiny.folder) == ["record.json", "weights.safetensors"]
    assert seen[-1] == ("weights.safetensors", len(content), len(content))
    assert fetch(tiny).kept == ["weights.safetensors"]


def test_what_was_recorded_is_enforced_from_then_on(
    hub: Hub, content: bytes, tiny: TinyExtractor, tmp_path: Path
) -> None:
    hub.put(REPO, PATH, content)
    first = fetch(tiny).fetched[0]
    (tiny.folder / "weights.safetensors").unlink()
    assert tiny.readiness().state == "to fetch"
    other = save_weights(tmp_path / "other.safetensors", scale=2.0).read_bytes()
    hub.put(REPO, PATH, other)
    hub.commit = "f" * 40
    with pytest.raises(WeightsError) as caught:
        fetch(tiny)
    assert caught.value.reason_code == "wrong-sha256" and first.sha256 in str(caught.value)
    hub.put(REPO, PATH, content)
    assert fetch(tiny).fetched[0] == first  # the same commit, the same day
    assert hub.asked[-2][0] == f"/{REPO}/resolve/{COMMIT}/{PATH}"


def test_a_damaged_file_is_fetched_again(hub: Hub, content: bytes, tiny: TinyExtractor) -> None:
    hub.put(REPO, PATH, content)
    fetch(tiny)
    path = tiny.folder / "weights.safetensors"
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(WeightsError, match="sha256 is"):
        tiny.runtime()
    assert [one.name for one in fetch(tiny).fetched] == ["weights.safetensors"]
    assert path.read_bytes() == content


def test_another_checksum_than_the_hub_announced(
    hub: Hub, content: bytes, tiny: TinyExtractor
) -> None:
    hub.put(REPO, PATH, content)
    hub.announced[NAME] = "0" * 64
    with pytest.raises(WeightsError, match=f"expected {'0' * 64}"):
        fetch(tiny)
    assert names_in(tiny.folder) == []


@pytest.mark.parametrize("changes", [{"sha256": "1" * 64}, {"sha256_prefix": "11111111"}])
def test_another_checksum_than_the_program_expects(
    hub: Hub, content: bytes, tiny: TinyExtractor, changes: dict[str, str]
) -> None:
    hub.put(REPO, PATH, content)
    with pytest.raises(WeightsError, match="11111111"):
        fetch(with_file(tiny, **changes))
    assert names_in(tiny.folder) == []


def test_a_pin_is_told_from_a_record(hub: Hub, content: bytes, tiny: TinyExtractor) -> None:
    hub.put(REPO, PATH, content)
    pinned = with_file(tiny, sha256=hub.announced[NAME], revision=COMMIT)
    assert pinned.card.weights_sha256 == hub.announced[NAME]  # known before it is here
    assert fetch(pinned).fetched[0].origin == "pinned"
    assert not any("/api/" in path for path, _ in hub.asked)


def test_a_download_that_breaks_off_is_continued(
    hub: Hub, content: bytes, tiny: TinyExtractor
) -> None:
    hub.put(REPO, PATH, content)
    hub.cut_after[NAME] = 5000
    fetch(tiny)
    assert (tiny.folder / "weights.safetensors").read_bytes() == content
    assert "bytes=5000-" in [asked for _, asked in hub.asked]


def test_what_the_hub_has_not(hub: Hub, tiny: TinyExtractor) -> None:
    with pytest.raises(NetworkError) as caught:
        fetch(tiny)
    assert caught.value.status == 404
    assert "without the network" in str(caught.value) and "--weights FILE" in str(caught.value)
    assert names_in(tiny.folder) == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (b"", "empty"),
    ],
)
def test_what_is_no_weights_at_all(
    hub: Hub, tiny: TinyExtractor, content: bytes, told: str
) -> None:
    hub.put(REPO, PATH, content)
    with pytest.raises(WeightsError, match=told):
        fetch(tiny)
    assert names_in(tiny.folder) == []


def test_weights_of_another_network(hub: Hub, tiny: TinyExtractor, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"other.weight": torch.zeros(3)}, tmp_path / "o.safetensors")
    hub.put(REPO, PATH, (tmp_path / "o.safetensors").read_bytes())
    with pytest.raises(WeightsError, match=r"image\.conv\.weight"):
        fetch(tiny)
    assert names_in(tiny.folder) == []


def test_a_hub_that_names_no_commit(hub: Hub, content: bytes, tiny: TinyExtractor) -> None:
    hub.put(REPO, PATH, content)
    hub.commit = "../../etc"
    with pytest.raises(NetworkError, match="BILDERATLAS_HUB"):
        fetch(tiny)


def test_no_network_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tiny: TinyExtractor) -> None:
    monkeypatch.setenv("BILDERATLAS_HUB", "http://127.0.0.1:9")
    with pytest.raises(NetworkError):
        fetch(tiny)
    assert names_in(tiny.folder) == []


def test_only_a_named_hub_may_be_private(
    hub: Hub, content: bytes, tiny: TinyExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allowed_hosts(read_settings()) == {hub.url.removeprefix("http://")}
    hub.put(REPO, PATH, content)
    elsewhere = with_file(tiny, url=f"{hub.url}/{REPO}/resolve/main/{PATH}")
    monkeypatch.delenv("BILDERATLAS_HUB")
    assert allowed_hosts(read_settings()) == frozenset()
    with pytest.raises(NetworkError):
        fetch(elsewhere)
    assert hub.asked == []


def test_too_little_space(
    hub: Hub, content: bytes, tiny: TinyExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.put(REPO, PATH, content)
    with pytest.raises(DiskFullError, match="BILDERATLAS_MODELS"):
        fetch(with_file(tiny, size_bytes=10**18))
    assert hub.asked == []


def test_a_pickle_is_converted_once(hub: Hub, tiny: TinyExtractor, tmp_path: Path) -> None:
    import torch

    from tests.extractors.runtimes.tiny import modules

    torch.save({"state_dict": modules().state_dict()}, tmp_path / "tiny.pth")
    content = (tmp_path / "tiny.pth").read_bytes()
    prefix = sha256_of(tmp_path / "tiny.pth")[:8]
    hub.files["tiny.pth"] = content
    old = with_file(
        tiny, role="pickle", name="tiny.pth", url=f"{hub.url}/blobs/tiny.pth", sha256_prefix=prefix
    )
    assert not old.readiness().here  # a pickle is never read where it lies
    facts = fetch(old).fetched[0]
    assert facts.origin == "pinned" and facts.name == "weights.safetensors"
    assert facts.made_from == {"name": "tiny.pth", "sha256": sha256_of(tmp_path / "tiny.pth")}
    assert names_in(old.folder) == ["record.json", "weights.safetensors"]
    assert old.readiness().state == "ready"
    assert fetch(old).kept == ["weights.safetensors"]


def test_a_pickle_without_the_laboratory(
    hub: Hub, tiny: TinyExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bilderatlas.extractors.runtimes import convert_pickle

    monkeypatch.setattr(convert_pickle, "has_torch", lambda: False)
    hub.files["tiny.pth"] = b"PK\x03\x04 pretends to be one"
    old = with_file(tiny, role="pickle", name="tiny.pth", url=f"{hub.url}/blobs/tiny.pth")
    with pytest.raises(UnavailableError, match=r"bilderatlas\[lab\]"):
        fetch(old)
    assert hub.asked == [], "a large file must not come in vain"


def test_a_record_that_cannot_be_read(hub: Hub, content: bytes, tiny: TinyExtractor) -> None:
    hub.put(REPO, PATH, content)
    fetch(tiny)
    record = tiny.folder / "record.json"
    for text in ("{", "[]", json.dumps({"version": 99}), '{"version": 1, "files": {"a": 1}}'):
        record.write_text(text)
        assert tiny.readiness().state == "to fetch"
        assert "record.json" in tiny.readiness().sentence
        with pytest.raises(WeightsError, match=r"record\.json"):
            tiny.runtime()


def test_addresses_are_made_in_one_place() -> None:
    one = WeightsFile("safetensors", "w", repo="a/b", path="c/d.safetensors", revision="r1")
    assert one.source() == "https://huggingface.co/a/b/resolve/r1/c/d.safetensors"
    assert fetching.MAX_BYTES > 1e9
