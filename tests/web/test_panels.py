"""Panels on the site: forms without scripts, answers for islands, what is taken along."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.api.exports import export_hits
from bilderatlas.search.hits import Hits, StopLine
from bilderatlas.web.security import Access
from tests.web.conftest import Site, Visitor, client_of, run_site

BOARD = {"X-Part": "board", "Accept": "application/json"}


@pytest.fixture
def own(library: ba.Library, tmp_path: Path) -> Iterator[ba.Library]:
    """Return a copy of the library: what is done to its panels is nobody else's."""
    library.backup(tmp_path / "copy")
    ba.restore(tmp_path / "copy", tmp_path / "own")
    with ba.open(tmp_path / "own") as opened:
        yield opened


@pytest.fixture
def desk(own: ba.Library) -> TestClient:
    return client_of(own, Access.local(8642))


def order(library: ba.Library, panel_id: str) -> list[str]:
    return [item.image_id for item in library.panels.store.get(panel_id).items]


def test_a_panel_is_compiled_by_forms_alone(desk: TestClient, own: ba.Library) -> None:
    assert "No panel has been begun yet." in desk.get("/panels").text
    made = desk.post("/panels", data={"name": "Fields"})
    assert made.status_code == 303
    url = made.headers["location"]
    assert "Nothing hangs here yet." in desk.get(url).text
    panel_id = url.rpartition("/")[2]

    form = desk.get(
        "/panels/put?work=fields/red.png&work=fields/blue.png&work=fields/x&back=/c/fields"
    )
    assert "Put 2 works on a panel" in form.text and "1 of them is not here" in form.text
    put = desk.post(
        "/panels/put",
        data={
            "work": ["fields/red.png", "fields/blue.png", "fields/deep/grün & #1.png"],
            "panel": panel_id,
            "note": "found",
            "back": "/c/fields?k=3",
        },
    )
    assert (put.status_code, put.headers["location"]) == (303, "/c/fields?k=3")
    items = own.panels.store.get(panel_id).items
    act = f"{url}/"
    moved = desk.post(f"{act}move", data={"item": items[2].item_id, "to": "earlier"})
    assert moved.headers["location"] == f"{url}#sheet"
    assert order(own, panel_id) == ["red.png", "deep/grün & #1.png", "blue.png"]
    desk.post(f"{act}move", data={"item": items[0].item_id, "to": "3"})
    assert order(own, panel_id)[2] == "red.png"
    desk.post(f"{act}move", data={"item": items[0].item_id, "to": "start"})
    desk.post(f"{act}note", data={"item": items[1].item_id, "note": "the sky", "was": "found"})
    desk.post(
        f"{act}describe", data={"name": "Monochromes", "note": "a\r\nb", "was_name": "Fields"}
    )
    desk.post(f"{act}remove", data={"item": items[2].item_id})
    page = desk.get(url).text
    assert "Monochromes" in page and "the sky" in page and "a<br>b" in page
    assert order(own, panel_id) == ["red.png", "blue.png"]
    assert f"/c/fields?like=panel:{panel_id}" in page
    assert f"/c/fields?within=panel:{panel_id}" in page
    desk.post(f"{act}undo", data={"version": ""})
    assert len(order(own, panel_id)) == 3
    desk.post(f"{act}redo", data={})
    assert desk.post(f"{act}put-away").headers["location"] == "/panels"
    assert "put away</summary>" in desk.get("/panels").text
    assert "Monochromes" in [one["name"] for one in desk.get("/panels.json").json()["removed"]]
    desk.post(f"{act}bring-back")
    listed = desk.get("/panels.json").json()
    assert [one["name"] for one in listed["panels"]] == ["Monochromes"]
    assert desk.get(f"{url}.json").json()["works"][1]["note"] == "the sky"


def test_conflicts_are_told_and_change_nothing(desk: TestClient, own: ba.Library) -> None:
    panel = own.panels.create("One", works=["fields/red.png"])
    act = f"/panels/{panel.id}/"
    item = panel.items[0].item_id
    desk.post(f"{act}note", data={"item": item, "note": "hers", "was": ""})
    refused = desk.post(f"{act}note", data={"item": item, "note": "his", "was": ""}, headers=BOARD)
    assert refused.status_code == 409
    assert "“hers”" in refused.json()["error"]["message"]
    refused = desk.post(f"{act}undo", data={"version": "1"})
    assert refused.status_code == 409 and f"/panels/{panel.id}" in refused.text
    board = desk.post(f"{act}undo", data={"version": "2"}, headers=BOARD)
    assert board.status_code == 200 and board.text.lstrip().startswith('<div class="board"')
    for path, data, status in (
        (f"{act}dance", {}, 404),
        ("/panels/gone/undo", {}, 404),
        ("/panels", {"name": " "}, 400),
        ("/panels", {"name": "one"}, 409),
        ("/panels/put", {"panel": panel.id}, 400),
        ("/panels/put", {"work": "fields/red.png"}, 400),
        ("/panels/put", {"work": "fields/rde.png", "panel": panel.id}, 404),
        (f"{act}move", {"item": item, "to": "away"}, 400),
        (f"{act}move", {"item": "gone", "to": "end"}, 409),
    ):
        assert desk.post(path, data=data).status_code == status, path
    put = {"work": "fields/red.png", "panel": panel.id, "back": "//evil.example"}
    assert desk.post("/panels/put", data=put).headers["location"] == f"/panels/{panel.id}"
    assert len(own.panels["One"]) == 1


def test_works_and_their_note_come_onto_a_new_panel_at_once(
    desk: TestClient, own: ba.Library
) -> None:
    form = {"work": ["fields/red.png", "fields/blue.png"], "name": "Both", "note": "found"}
    put = desk.post("/panels/put", data=form, headers={"Accept": "application/json"}).json()
    assert put["added"] == 2
    panel = own.panels.store.get(put["panel"]["id"])
    assert [item.note for item in panel.items] == ["found", "found"]
    assert (panel.info.note, panel.version, panel.undoable) == ("", 1, "")
    many = {"work": ["fields/red.png"] * 1001}
    for url in ("/panels", f"/panels/{panel.id}/add"):
        assert desk.post(url, data=many | {"name": "Many"}).status_code == 400


def test_works_looked_at_are_marked(desk: TestClient, own: ba.Library) -> None:
    asked = {"collection": "fields", "image_id": "red.png"}
    assert desk.post("/seen", data=asked).status_code == 204
    assert own.panels.seen_ids("fields") == {"red.png"}
    assert desk.post("/seen", data={"collection": "nope", "image_id": "x"}).status_code == 400


def test_a_search_is_taken_along(desk: TestClient, own: ba.Library) -> None:
    state = "like=red.png&by=raw_32.pixels"
    table = desk.get(f"/c/fields/export.csv?{state}")
    assert table.headers["content-disposition"].startswith(
        'attachment; filename="fields-search.csv"'
    )
    assert "orange.png" in table.text.split("\r\n")[1]
    found = desk.get(f"/c/fields/export.json?{state}").json()
    assert found["query"]["parts"][0]["value"] == "red.png"
    assert found["works"][0]["page"].startswith("http://127.0.0.1:8642/c/fields/i/")
    text = desk.get(f"/c/fields/export.txt?{state}").text
    assert "like red.png" in text and "&v=" in text
    assert desk.get(f"/c/fields/export.bib?{state}").text.startswith("@misc{search-")
    chosen = desk.get(f"/c/fields/export.csv?{state}&id=fields/blue.png&id=fields/gone.png")
    assert [line.split(",")[2] for line in chosen.text.split("\r\n")[1:-1]] == ["blue.png"]
    content = desk.get(f"/c/fields/export.zip?{state}").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert "left-out.csv" in archive.namelist()
        assert not any(name.startswith("pictures/") for name in archive.namelist())
    assert desk.get(f"/c/fields/export.doc?{state}").status_code == 404
    assert desk.get("/c/nope/export.csv").status_code == 404
    assert desk.get("/c/fields/export.csv?like=nope.png").status_code == 400


def test_what_the_page_shows_is_taken_along(own: ba.Library) -> None:
    found = own["fields"].search(like="red.png", extractor="raw_32.pixels")
    line = StopLine(2, 0.5, 0.1, 0.0, 0.1, "")

    def ids_taken(hits: Hits) -> list[str]:
        made = export_hits(own, hits, page_of=lambda _name, image_id: image_id)
        return [work.image_id for work in made.works]

    everything = [hit.image_id for hit in found]
    assert len(everything) > 2
    assert ids_taken(replace(found, stop=line)) == everything[:2]
    for shown in (replace(line, n_better=0), None):  # nothing above the line: all are shown
        assert ids_taken(replace(found, stop=shown)) == everything


def test_works_chosen_are_cited_as_chosen(desk: TestClient) -> None:
    chosen = desk.get("/c/fields/export.txt?id=fields/red.png&id=fields/blue.png").text
    assert "2 works chosen from works in" in chosen
    assert "chosen" not in desk.get("/c/fields/export.txt").text


def test_a_panel_is_taken_along(desk: TestClient, own: ba.Library) -> None:
    panel = own.panels.create("Köpfe/“1”", works=["fields/red.png"])
    for kind in ("csv", "json", "zip", "txt", "bib"):
        made = desk.get(f"/panels/{panel.id}/export.{kind}")
        assert made.status_code == 200 and made.content
    assert desk.get(f"/panels/{panel.id}/export.exe").status_code == 404
    named = desk.get(f"/panels/{panel.id}/export.zip").headers["content-disposition"]
    assert named == "attachment; filename=\"Kopfe-1.zip\"; filename*=UTF-8''K%C3%B6pfe%201.zip"


def test_strangers_have_no_panels(own: ba.Library) -> None:
    panel = own.panels.create("Mine", works=["fields/red.png"])
    stranger = client_of(own, Access.public())
    for path in ("/panels", f"/panels/{panel.id}", f"/panels/{panel.id}/export.csv", "/panels/put"):
        assert stranger.get(path).status_code == 404
    assert stranger.post("/panels", data={"name": "x"}).status_code in {403, 404, 405}
    assert stranger.post("/seen", data={}).status_code in {403, 404, 405}
    asked = "like=red.png&by=raw_32.pixels"
    plain = stranger.get(f"/c/fields.json?{asked}").json()
    own.panels.mark_seen("fields", ["orange.png"])
    own.panels.add(panel.id, ["fields/blue.png"])
    hidden = stranger.get(f"/c/fields.json?{asked}&hide=kept&hide=seen").json()
    assert [hit["image_id"] for hit in hidden["hits"]] == [hit["image_id"] for hit in plain["hits"]]
    for within in (f"{asked}&within=panel:{panel.id}", f"like=panel:{panel.id}"):
        refused = stranger.get(f"/c/fields.json?{within}")
        assert refused.status_code == 400 and "owner's" in refused.text
    table = stranger.get(f"/c/fields/export.csv?{asked}")
    assert table.status_code == 200
    assert str(own.root) not in table.text


def test_strangers_learn_no_name_of_a_panel(own: ba.Library) -> None:
    panel = own.panels.create("Secret of Anna", works=["fields/red.png"])
    owner, stranger = client_of(own, Access.local(8642)), client_of(own, Access.public())
    spelled = f"panel:{panel.id}"
    for path in (
        f"/c/fields?like={spelled}",
        f"/c/fields?like=red.png&unlike={spelled}",
        f"/c/fields?like=red.png&within={spelled}",
        f"/c/fields?within={spelled}",
        f"/c/fields/rankings?like={spelled}",
    ):
        assert "Secret of Anna" in owner.get(path).text
        for twin in (path, path.replace("?", ".json?")):
            assert "Secret" not in stranger.get(twin).text


def test_hostile_words_stay_words(desk: TestClient, own: ba.Library) -> None:
    nasty = "<script>alert(1)</script>\"'{{7*7}}"
    panel = own.panels.create(nasty, note=nasty, works=["fields/red.png"])
    own.panels.set_note(panel.id, nasty, work="fields/red.png")
    for path in (
        f"/panels/{panel.id}",
        "/panels",
        "/panels/put?work=fields/red.png&back=javascript:alert(1)",
    ):
        text = desk.get(path).text
        assert "<script>alert" not in text
        assert "49" not in re.sub(r"[0-9a-f]{12}", "", text.partition("<main")[2][:400])
        assert '="javascript:' not in text


@pytest.fixture
def own_site(own: ba.Library) -> Iterator[Site]:
    yield from run_site(own)


def sheet(visitor: Visitor) -> list[str]:
    return visitor.page.eval_on_selector_all(  # type: ignore[no-any-return]
        "li.pinned .title", "all => all.map(one => one.textContent)"
    )


def test_a_sheet_is_ordered_by_pointer_and_by_keys(
    browser: object, own_site: Site, own: ba.Library
) -> None:
    works = ["fields/red.png", "fields/blue.png", "fields/teal.png"]
    panel = own.panels.create("Order", works=works)
    visitor = Visitor(browser, own_site, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]
    page = visitor.go(f"/panels/{panel.id}")
    red, blue, teal = "A red field", "A blue field", "A teal field"
    assert sheet(visitor) == [red, blue, teal]

    def settled(*titles: str) -> None:
        page.wait_for_function(
            "wanted => !document.querySelector('panel-board[aria-busy]') && JSON.stringify("
            "[...document.querySelectorAll('li.pinned .title')].map(one => one.textContent))"
            " === wanted",
            arg="[" + ",".join(f'"{title}"' for title in titles) + "]",
        )

    start = page.locator("li.pinned").nth(2).locator(".pic").bounding_box()
    first = page.locator("li.pinned").nth(0).locator(".pic").bounding_box()
    assert start is not None and first is not None
    page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(first["x"] + 30, first["y"] + 30, steps=5)
    assert page.locator(".drop-mark").count() == 1
    page.mouse.move(first["x"] + 4, first["y"] + 20, steps=3)
    page.mouse.up()
    settled(teal, red, blue)
    assert page.locator(".drop-mark").count() == 0

    page.locator("li.pinned .pic").nth(0).focus()
    page.keyboard.press("Shift+ArrowRight")
    settled(red, teal, blue)
    assert "teal" in page.evaluate("document.activeElement.querySelector('img').alt")
    page.keyboard.press("Delete")
    settled(red, blue)
    page.keyboard.press("Control+z")
    settled(red, teal, blue)
    page.keyboard.press("Control+z")
    settled(teal, red, blue)
    page.keyboard.press("Control+Shift+z")
    settled(red, teal, blue)
    own.panels.store.remove(panel.id, [panel.items[1].item_id])  # somebody else
    page.keyboard.press("Control+z")
    settled(red, teal)  # told, not undone over their heads
    assert "changed since" in page.locator(".toast").inner_text()
    page.locator("li.pinned").nth(0).hover()
    page.locator("li.pinned summary").nth(0).click()
    page.locator("li.pinned textarea").nth(0).fill("the first")
    page.locator("li.pinned .noting button").nth(0).click()
    page.wait_for_selector(".pin-note")
    assert own.panels["Order"].items[0].note == "the first"
    visitor.check()
    visitor.context.close()


def test_chosen_works_are_put_on_a_panel_where_one_is(
    browser: object, own_site: Site, own: ba.Library
) -> None:
    visitor = Visitor(browser, own_site, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]
    page = visitor.go("/c/fields?like=red.png&by=raw_32.pixels")
    for place in (0, 1):
        page.locator("li.work .pic").nth(place).click(modifiers=["Control"])
    page.get_by_role("button", name="Put on a panel").click()
    page.locator("dialog.put #put-name").fill("Chosen")
    page.locator("dialog.put textarea").fill("both")
    page.get_by_role("button", name="Put there").click()
    page.wait_for_selector("dialog.put", state="detached")
    assert "2 works are on “Chosen” now." in page.locator(".toast").inner_text()
    assert [item.note for item in own.panels["Chosen"].items] == ["both", "both"]

    visitor.go("/c/fields/i/white.png")
    page.get_by_role("link", name="Put on a panel").click()
    page.locator("dialog.put #put-name").fill("chosen")
    page.get_by_role("button", name="Put there").click()
    assert "already" in page.locator("dialog.put .fault").inner_text()
    page.locator("dialog.put #put-name").fill("")
    page.get_by_role("button", name="Put there").click()
    page.wait_for_selector("dialog.put", state="detached")
    assert len(own.panels["Chosen"]) == 3
    with page.expect_response("**/seen"):
        visitor.go("/c/fields/i/teal.png")
    assert "teal.png" in own.panels.seen_ids("fields")
    visitor.check()
    visitor.context.close()


def test_what_is_being_written_is_not_lost(
    browser: object, own_site: Site, own: ba.Library
) -> None:
    panel = own.panels.create("Notes", works=["fields/red.png", "fields/blue.png"])
    visitor = Visitor(browser, own_site, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]
    page = visitor.go(f"/panels/{panel.id}")
    first = page.locator("li.pinned").nth(0)
    first.hover()
    first.locator("summary").click()
    first.locator("textarea").fill("half a thought")
    own.panels.store.set_item_note(panel.id, panel.items[0].item_id, "hers")
    page.locator("li.pinned").nth(1).hover()
    page.locator("li.pinned").nth(1).locator("button[value=earlier]").click()
    page.wait_for_function(
        "() => document.querySelectorAll('li.pinned .title')[0].textContent === 'A blue field'"
    )
    red = page.locator("li.pinned").nth(1)
    assert red.locator("textarea").input_value() == "half a thought"
    red.locator(".noting button").click()
    page.wait_for_selector(".noting .fault")
    assert "“hers”" in red.locator(".fault").inner_text()
    assert red.locator("textarea").input_value() == "half a thought"
    assert own.panels["Notes"].items[1].note == "hers"
    visitor.check()
    visitor.context.close()


def test_a_long_panel_has_parts(
    desk: TestClient, own: ba.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bilderatlas.web.pages.panels.PAGE_ITEMS", 2)
    works = [f"fields/red.png@0,0,0.{n},0.5" for n in range(2, 7)]
    panel = own.panels.create("Long", works=works)
    text = desk.get(f"/panels/{panel.id}?from=3").text
    shown = re.findall(r'data-item="([0-9a-f]+)"', text)
    assert shown == [item.item_id for item in panel.items[2:4]]
    assert f'data-next="{panel.items[4].item_id}"' in text
    assert f"/panels/{panel.id}?from=4" in text
    assert len(desk.get(f"/panels/{panel.id}.json").json()["works"]) == 5
    for odd in ("-1", "x", "99999999", "٣"):
        assert desk.get(f"/panels/{panel.id}", params={"from": odd}).status_code == 200
