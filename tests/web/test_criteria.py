"""The pages of criteria: what they show, what they test, and what they say when they cannot."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.api.features import ImportOptions, take_in_features
from bilderatlas.api.invariance import MADE_ELSEWHERE
from bilderatlas.api.reduce import reduce
from bilderatlas.errors import QueryError
from bilderatlas.extractors import EXTRACTORS as REGISTERED
from bilderatlas.indexing import IndexOptions
from bilderatlas.jobs import JobState
from bilderatlas.store.schema import spaces
from bilderatlas.web.pages.facts import Facts
from bilderatlas.web.security import Access
from tests.web.conftest import (
    EXTRACTORS,
    TESTED,
    WORKS,
    Site,
    Visitor,
    client_of,
    draw,
    run_site,
)
from tests.web.reading import Document

UNTESTED = EXTRACTORS[0]
HERE = "/c/fields/criteria"
KNOWS = "This model knows coloured fields only."


@pytest.fixture
def own_library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library of this test's own: six fields under two criteria, nothing tested."""
    source = tmp_path_factory.mktemp("fields")
    for name, *_, colour, size in WORKS:
        draw(source / name, colour, size)
    with ba.create(tmp_path_factory.mktemp("own")) as made:
        options = IndexOptions(extractors=EXTRACTORS, workers=1)
        ba.index(made, str(source), "fields", options=options)
        yield made


def change_cards(library: ba.Library, **values: object) -> None:
    """Change what the cards of all spaces say, as another version would have stored them."""
    with library.store.database.begin() as connection:
        for row in connection.execute(select(spaces)).all():
            card = {**json.loads(row.card_json), **values}
            mine = spaces.c.id == row.id
            connection.execute(update(spaces).where(mine).values(card_json=json.dumps(card)))


def read(client: TestClient, path: str) -> Document:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text[:400]
    document = Document(answer.text)
    assert document.problems == []
    return document


def test_works_and_their_neighbours_side_by_side(client: TestClient) -> None:
    document = read(client, f"{HERE}/{TESTED}")
    card = REGISTERED.get(TESTED).card
    assert document.says(card.sees) and document.says(f"judged by {card.judges_by}")
    table = document.all("table", class_="neighbours-table")[0]
    assert table is not None
    twin = client.get(f"{HERE}/{TESTED}.json").json()
    assert len(twin["examples"]) == 5
    for example in twin["examples"]:
        assert set(example["neighbours"]) == set(EXTRACTORS)
        for model_id, hits in example["neighbours"].items():
            params = {"like": example["image_id"], "by": model_id}
            answer = client.get("/c/fields.json", params=params).json()
            wanted = [hit["image_id"] for hit in answer["hits"]][: len(hits)]
            assert [hit["image_id"] for hit in hits] == wanted and hits
    # the criterion of the page comes first; every picture remembers the question it answers
    headings = [one.text.strip() for one in document.all("th", scope="col")]
    assert headings[1:3] == [card.judges_by, REGISTERED.get(UNTESTED).card.judges_by]
    pictures = [one.get("href") for one in document.all("a", class_="pic") if "li" in one.path]
    assert len(pictures) == 5 * 2 * 5  # five other works under two criteria
    assert all("like=" in one and "by=" in one for one in pictures)
    assert "Why it was found" in client.get(pictures[0]).text
    searches = [one.get("href") for one in document.all("a", class_="all")]
    assert len(searches) == 10 and all(client.get(one).status_code == 200 for one in searches)


def test_other_works_by_another_seed(client: TestClient) -> None:
    def shown(seed: int) -> list[str]:
        twin = client.get(f"{HERE}/{TESTED}.json?seed={seed}").json()
        return [example["image_id"] for example in twin["examples"]]

    assert shown(0) == shown(0)
    assert len({tuple(shown(seed)) for seed in range(5)}) > 1
    document = read(client, f"{HERE}/{TESTED}?seed=4")
    assert document.one("a", class_="act").get("href") == f"{HERE}/{TESTED}?seed=5#alike"
    last = read(client, f"{HERE}/{TESTED}?seed=999")
    assert last.one("a", class_="act").get("href") == f"{HERE}/{TESTED}#alike"
    for wrong in ("-1", "1000", "x", "9" * 5000):
        answer = client.get(f"{HERE}/{TESTED}.json", params={"seed": wrong})
        assert answer.status_code == 400
        assert "from 0 to 999" in answer.json()["error"]["message"]


def test_what_was_measured_in_sentences_and_numbers(client: TestClient) -> None:
    document = read(client, f"{HERE}/{TESTED}")
    twin = client.get(f"{HERE}/{TESTED}.json").json()["invariances"]
    said = {one["transformation"]: one["sentence"] for one in twin["effects"]}
    assert said["mirrored"].startswith("Mirrored, a work keeps ")
    assert all(document.says(sentence) for sentence in said.values())
    assert document.says(twin["summary"]) and document.says("6 works are few")
    version = twin["collection_version"]
    assert document.says(f"Measured on 6 works of 6, chosen by lot, at version {version}")
    rows = [one for one in document.all("th", scope="row") if "tbody" in one.path]
    assert len(rows) == 5 + 1 + len(said)  # the examples, no change, the changes
    boxes = document.all("svg", class_="boxes")
    assert len(boxes) == sum(one["n_works"] > 0 for one in twin["effects"])
    assert document.says("Test it again")


def test_what_was_not_measured_can_be(own_library: ba.Library) -> None:
    client = client_of(own_library, Access.local())
    path = f"{HERE}/{UNTESTED}"
    document = read(client, path)
    assert document.says("Nobody has tested this on Fields yet")
    assert client.get(f"{path}.json").json()["invariances"] is None
    form = document.one("form", class_="start-test")
    answer = client.post(form.get("action"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}#notices")
    client.post(form.get("action"))
    [job] = own_library.jobs.list()  # asked twice, done once
    waiting = read(client, path)
    assert waiting.all("form", class_="start-test") == []
    assert waiting.one("job-progress").get("data-json") == f"/jobs/{job.id}.json"
    assert client.get(f"{path}.json").json()["job"]["id"] == job.id
    assert read(client, "/jobs").says(f"Testing {UNTESTED} on fields")
    assert own_library.run_jobs() == 1
    assert own_library.jobs.get(job.id).state is JobState.DONE
    done = read(client, path)
    assert done.says("Mirrored, a work keeps") and done.all("job-progress") == []
    public = read(client_of(own_library, Access.public()), path)
    assert public.says("Mirrored, a work keeps") and public.all("form") == []


def test_a_measurement_of_an_older_version_says_so(
    own_library: ba.Library, tmp_path_factory: pytest.TempPathFactory
) -> None:
    client = client_of(own_library, Access.local())
    client.post(f"{HERE}/{UNTESTED}/test")
    own_library.run_jobs()
    measured_at = own_library["fields"].info.version
    own_library["fields"].remove(["red.png"])
    document = read(client, f"{HERE}/{UNTESTED}")
    now = own_library["fields"].info.version
    assert document.says(
        f"Measured at version {measured_at}; the collection is now at version {now}."
    )


def test_what_a_model_does_not_know_is_said_wherever_it_is_chosen(
    own_library: ba.Library,
) -> None:
    change_cards(own_library, knows_only=KNOWS)
    client = client_of(own_library, Access.local())
    for path in (
        "/c/fields",
        "/c/fields?like=red.png",
        f"{HERE}/{UNTESTED}",
        "/about/criteria",
        f"/about/criteria/{UNTESTED}",
    ):
        assert read(client, path).says(KNOWS), path
    chosen = read(client, "/c/fields?like=red.png")
    choices = [one.text for one in chosen.all("a") if "knows" in one.text]
    assert len(choices) == len(EXTRACTORS)  # in the sentence, beside each criterion


def test_an_extractor_that_cannot_run_here_is_not_tested(own_library: ba.Library) -> None:
    change_cards(own_library, version=0)
    client = client_of(own_library, Access.local())
    document = read(client, f"{HERE}/{UNTESTED}")
    assert document.says("Index the collection again.") and document.all("form") == []
    assert document.all("table", class_="neighbours-table")  # what is indexed can be compared
    refused = client.post(f"{HERE}/{UNTESTED}/test")
    assert refused.status_code == 503 and "another version" in refused.text
    assert own_library.jobs.list() == []


def test_cards_of_older_libraries_lack_fields(own_library: ba.Library) -> None:
    old = ("model_id", "judges_by", "sees", "dim", "metrics", "side_px", "version", "many_rows")
    with own_library.store.database.begin() as connection:
        for row in connection.execute(select(spaces)).all():
            card = json.loads(row.card_json)
            kept = json.dumps({name: card[name] for name in old})
            mine = spaces.c.id == row.id
            connection.execute(update(spaces).where(mine).values(card_json=kept))
    client = client_of(own_library, Access.local())
    for path in (f"{HERE}/{UNTESTED}", f"/about/criteria/{UNTESTED}", "/about/criteria"):
        assert read(client, path).says(REGISTERED.get(UNTESTED).card.sees)


def test_addresses_that_are_not_there(client: TestClient) -> None:
    for path in (
        f"{HERE}/raw_23.pixels",
        "/c/none/criteria/raw_32.pixels",
        "/about/criteria/raw_23",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
    assert "raw_32.pixels" in client.get(f"{HERE}/raw_23.pixels").text
    assert client.post(f"{HERE}/raw_23.pixels/test").status_code == 404


def test_every_registered_extractor_has_a_card(client: TestClient) -> None:
    twin = client.get("/about/criteria.json").json()["criteria"]
    assert {one["card"]["model_id"] for one in twin} == set(REGISTERED.names())
    for name in REGISTERED.names():
        document = read(client, f"/about/criteria/{name}")
        assert document.says(REGISTERED.get(name).card.sees)
        found = client.get(f"/about/criteria/{name}.json").json()
        assert found["card"]["model_id"] == name
        assert set(found["invariances"]) == ({"fields"} if name == TESTED else set())
        if name not in EXTRACTORS:
            assert document.says(f"--extractor {name}")


def test_facts_in_words() -> None:
    card = asdict(REGISTERED.get(UNTESTED).card) | {
        "embeds_text": True,
        "languages": ("en", "de", "xx"),
        "weights": (
            {"name": "a.safetensors", "sha256": "ab", "revision": None, "origin": "recorded"},
        ),
        "training_data": "drawn fields",
    }
    facts = Facts(card)
    rows = dict(facts.rows)
    assert rows["Finds by words"] == "yes, in English, German and xx"
    assert rows["Learned from"] == "drawn fields" and "Pooled by" not in rows
    assert facts.weights == [
        [
            ("File", "a.safetensors"),
            ("SHA-256", "ab"),
            ("Checksum", "recorded at the first fetch"),
        ]
    ]
    assert Facts({**card, "languages": ["x"] * 40}).rows[3][1] == "yes, in 40 languages"
    assert (
        "one for each detail"
        in dict(Facts(REGISTERED.get("details_sift.pixels").card.to_json()).rows)["One work is"]
    )


@pytest.fixture
def own_site(own_library: ba.Library) -> Iterator[Site]:
    yield from run_site(own_library)


def test_a_test_is_started_and_followed(
    browser: Browser, own_site: Site, own_library: ba.Library
) -> None:
    visitor = Visitor(browser, own_site)
    page = visitor.go(f"{HERE}/{UNTESTED}")
    page.get_by_role("button", name="Test it").click()
    expect(page.locator("job-progress")).to_contain_text("waiting")
    assert own_library.run_jobs() == 1
    expect(page.get_by_text("Mirrored, a work keeps")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("button", name="Test it again")).to_be_visible()
    page.get_by_text("The numbers", exact=True).click()
    expect(page.get_by_role("cell", name="Left and right are exchanged.")).to_be_hidden()
    expect(page.get_by_role("rowheader", name="Left and right are exchanged.")).to_be_visible()
    visitor.check()
    visitor.context.close()


def test_without_scripts(plain_visitor: Visitor) -> None:
    page = plain_visitor.go("/c/fields?like=red.png")
    page.get_by_role("link", name="How this works").click()
    expect(page.get_by_role("heading", name="What it calls alike")).to_be_visible()
    page.locator(".word summary").last.click()
    page.locator(".choices a", has_text="palette").click()
    expect(page.get_by_text("Mirrored, a work keeps")).to_be_visible()
    page.get_by_text("Facts: weights").click()
    expect(page.get_by_text("Published in")).to_be_visible()
    page.get_by_role("link", name="Choose others").click()
    expect(page.get_by_role("link", name="Choose others")).to_have_attribute(
        "href", f"{HERE}/{TESTED}?seed=2#alike"
    )
    page.locator(".near a.pic").first.click()
    expect(page.get_by_text("Why it was found")).to_be_visible()


def test_a_reduced_criterion_is_told_from_the_whole_one(own_library: ba.Library) -> None:
    reduce(own_library, "fields", UNTESTED, 3)
    words = f"{REGISTERED.get(UNTESTED).card.judges_by}, reduced to 3 numbers"
    client = client_of(own_library, Access.local())
    for path in ("/c/fields?like=red.png", f"{HERE}/{UNTESTED}", "/about/criteria", "/"):
        assert read(client, path).says(words), path
    columns = read(client, f"{HERE}/{UNTESTED}").all("th", scope="col")
    headings = [one.text.strip() for one in columns]
    assert len(headings) == 2 + len(EXTRACTORS) and len(set(headings)) == len(headings)


def test_works_without_pictures_made_by_a_model_that_is_not_here(
    own_library: ba.Library, tmp_path: Path
) -> None:
    np.save(tmp_path / "v.npy", np.random.default_rng(1).normal(size=(8, 4)).astype("float32"))
    rows = "".join(f"n{one},Work number {one}\n" for one in range(8))
    (tmp_path / "ids.csv").write_text(f"id,title\n{rows}", "utf-8")
    options = ImportOptions(extractor="own.model", table=tmp_path / "ids.csv")
    for name, title in (("mine", ""), ("yours", "Mine")):
        address = str(tmp_path / "v.npy")
        take_in_features(own_library, address, name, options=options, title=title)
    client = client_of(own_library, Access.local())
    document = read(client, "/c/mine/criteria/own.model")
    assert document.says(MADE_ELSEWHERE) and not document.says("There is no extractor")
    boxes = [one.text for one in document.all("span", class_="nopicture")]
    assert sum("Work number" in one for one in boxes) > len(boxes) / 2  # the others have a label
    for path in ("/", "/about/criteria", "/c/mine"):
        shown = read(client, path)
        assert shown.says("Mine (mine)") and shown.says("Mine (yours)"), path
    draw(tmp_path / "x.png", (200, 30, 30), (40, 40))
    upload = own_library.add_upload((tmp_path / "x.png").read_bytes())
    with pytest.raises(QueryError, match="Search by works of the collection itself"):
        own_library["mine"].search(like=[upload.value])
