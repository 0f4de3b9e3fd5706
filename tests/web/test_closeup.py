"""Works up close: tiles by address, zoom and details in Chromium, two works compared."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page
from starlette.testclient import TestClient

import bilderatlas.api as ba
from bilderatlas.api.tiles import Tiles
from bilderatlas.errors import ImageError, NotFoundError
from bilderatlas.images.tiles import Pyramid
from bilderatlas.indexing import IndexOptions
from bilderatlas.search.query import parse_part
from bilderatlas.store.tiles import TileStore
from bilderatlas.web import urls
from bilderatlas.web.security import Access
from tests.search.test_details_verify import scene
from tests.web.conftest import Site, Visitor, client_of, run_site
from tests.web.reading import Document

LARGE_WH = (2600, 1700)
EXTRACTORS = ("raw_32.pixels", "details_sift.pixels")
INLINE_STYLE = "Applying inline style violates"  # the one that OpenSeadragon sets, and does without


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of pictures: a large one, a small one, its mirror image, another one."""
    folder = tmp_path_factory.mktemp("sights")
    small = Image.fromarray(scene(1))
    Image.fromarray(scene(4)).resize(LARGE_WH).save(folder / "large.jpg", quality=90)
    small.save(folder / "small.png")
    small.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "mirrored.png")
    Image.fromarray(scene(2)).save(folder / "other.tif")
    Image.fromarray(scene(3)).save(folder / "odd #1 @0.1,0.2,0.3,0.4^2.png")
    (folder / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return folder


@pytest.fixture(scope="module")
def sights(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ba.Library]:
    """Return a library with the collection `sights`."""
    made = ba.create(tmp_path_factory.mktemp("sights-library"))
    ba.index(made, str(source), "sights", options=IndexOptions(extractors=EXTRACTORS, workers=1))
    yield made
    made.close()


@pytest.fixture(scope="module")
def local(sights: ba.Library) -> TestClient:
    """Return a client of the local site."""
    return client_of(sights, Access.local())


@pytest.fixture(scope="module")
def sights_site(sights: ba.Library) -> Iterator[Site]:
    """Return the site, running."""
    yield from run_site(sights)


@pytest.fixture
def viewer(browser: Browser, sights_site: Site) -> Iterator[Visitor]:
    """Return somebody who looks; the one inline style of OpenSeadragon may be reported."""
    one = Visitor(browser, sights_site, viewport={"width": 1280, "height": 900})
    yield one
    one.complaints = [text for text in one.complaints if not text.startswith(INLINE_STYLE)]
    one.check()
    one.context.close()


def work(image_id: str, **params: str) -> str:
    return urls.work("sights", image_id, list(params.items()))


def zoom_of(client: TestClient, image_id: str) -> dict[str, str]:
    (island,) = Document(client.get(work(image_id)).text).all("deep-zoom")
    return dict(island.attributes)


# ---- tiles ----


def test_large_pictures_come_in_tiles_that_never_change(local: TestClient) -> None:
    address = zoom_of(local, "large.jpg")["data-tiles"]
    answer = local.get(address)
    assert "immutable" in answer.headers["cache-control"]
    told = answer.json()
    pyramid = Pyramid.of(LARGE_WH)
    assert (told["width"], told["height"], told["n_levels"]) == (*LARGE_WH, pyramid.n_levels)
    whole = Image.new("RGB", LARGE_WH)
    level = pyramid.n_levels - 1
    for column in range(pyramid.grid(level)[0]):
        for row in range(pyramid.grid(level)[1]):
            places = {"level": level, "column": column, "row": row}
            tile = local.get(told["tile"].format(**places))
            assert tile.headers["content-type"] == "image/jpeg"
            assert "immutable" in tile.headers["cache-control"]
            whole.paste(Image.open(io.BytesIO(tile.content)), pyramid.box(level, column, row)[:2])
    wanted = np.asarray(Image.fromarray(scene(4)).resize(LARGE_WH), np.int16)
    assert np.abs(np.asarray(whole, np.int16) - wanted).mean() < 3
    for wrong in ((level, 99, 0), (level + 1, 0, 0)):
        place = dict(zip(("level", "column", "row"), wrong, strict=True))
        assert local.get(told["tile"].format(**place)).status_code == 404


def test_an_old_address_names_no_picture(local: TestClient) -> None:
    address = zoom_of(local, "large.jpg")["data-tiles"]
    version = address.split("/")[4]
    for wrong in ("0" * 16 + "-1", version[:-1] + "9", "-"):
        assert local.get(address.replace(version, wrong)).status_code == 404
    assert local.get(urls.tiles("sights", "torn.png", "--1")).status_code == 404


def test_small_pictures_come_whole_unless_browsers_cannot_show_them(local: TestClient) -> None:
    small = zoom_of(local, "small.png")
    assert small["data-image"] == urls.original("sights", "small.png")
    assert "data-tiles" not in small
    other = local.get(zoom_of(local, "other.tif")["data-tiles"]).json()
    assert (other["width"], other["height"]) == (480, 360) and other["n_levels"] == 1
    tile = local.get(other["tile"].format(level=0, column=0, row=0))
    assert Image.open(io.BytesIO(tile.content)).size == (480, 360)
    assert Document(local.get(work("torn.png")).text).all("deep-zoom") == []


def test_many_at_once_cut_a_picture_once(
    sights: ba.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    put = TileStore.put

    def noted(store: TileStore, sha256: str, tiles: list[bytes]) -> None:
        written.append(sha256)
        put(store, sha256, tiles)

    monkeypatch.setattr(TileStore, "put", noted)
    tiles = Tiles(sights)
    for path in (sights.root / "tiles").rglob("*.tiles"):
        path.unlink()
    found: list[bytes] = []
    threads = [
        threading.Thread(
            target=lambda row: found.append(tiles.tile(sights["sights"], "large.jpg", 0, 0, row)),
            args=(0,),
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(written) == 1 and len(found) == 6 and len(set(found)) == 1


def test_a_source_that_shows_another_picture_by_now_is_not_cut(
    source: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "one.jpg").write_bytes((source / "large.jpg").read_bytes())
    with ba.create(tmp_path / "library") as library:
        ba.index(library, str(folder), "one", options=IndexOptions(extractors=EXTRACTORS[:1]))
        Image.fromarray(scene(9)).resize(LARGE_WH).save(folder / "one.jpg")
        tiles = Tiles(library)
        with pytest.raises(NotFoundError, match="another one than when it was indexed"):
            tiles.prepare(library["one"], "one.jpg")
        (folder / "one.jpg").unlink()
        with pytest.raises((ImageError, NotFoundError)):
            tiles.prepare(library["one"], "one.jpg")


def test_a_stranger_learns_no_path_when_a_picture_is_gone(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "one.jpg").write_bytes((source / "large.jpg").read_bytes())
    with ba.create(tmp_path / "library") as library:
        ba.index(library, str(folder), "one", options=IndexOptions(extractors=EXTRACTORS[:1]))
        (folder / "one.jpg").unlink()
        public = client_of(library, Access.public())
        page = Document(public.get(urls.work("one", "one.jpg")).text)
        for address in (page.one("deep-zoom").get("data-tiles"), urls.original("one", "one.jpg")):
            answer = public.get(address)
            assert answer.status_code == 404
            assert answer.headers["cache-control"] == "private, no-cache"
            assert str(tmp_path) not in answer.text and "pictures/" not in answer.text


def test_tiles_go_when_their_picture_does(source: Path, tmp_path: Path) -> None:
    with ba.create(tmp_path / "library") as library:
        ba.index(library, str(source), "one", options=IndexOptions(extractors=EXTRACTORS[:1]))
        tiles = Tiles(library)
        tiles.prepare(library["one"], "large.jpg")
        sha256 = hashlib.sha256((source / "large.jpg").read_bytes()).hexdigest()
        assert [path.name for path in library.root.rglob("*.tiles")] == [f"{sha256}-1.tiles"]
        assert tiles.sweep() == 0
        library["one"].remove(["large.jpg"])
        Tiles(library)  # as at the next start
        assert list(library.root.rglob("*.tiles")) == []


# ---- zoom and details ----


def ink(page: Page) -> int:
    """Return how many colours the canvas shows; 1 where nothing is drawn."""
    seen: int = page.evaluate(
        """() => {
          const canvas = document.querySelector('.zoom canvas');
          const context = canvas.getContext('2d');
          const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
          const colours = new Set();
          for (let i = 0; i < data.length; i += 404) {
            colours.add(data.slice(i, i + 3).join());
          }
          return colours.size;
        }"""
    )
    return seen


@pytest.mark.parametrize("image_id", ["large.jpg", "small.png", "other.tif"])
def test_a_picture_is_looked_at_closely_and_let_go(viewer: Visitor, image_id: str) -> None:
    page = viewer.go(work(image_id))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Look closely").click()
    page.wait_for_selector(".stage.zoomed .zoom canvas")
    page.wait_for_timeout(400)
    assert ink(page) > 50
    assert any("/tile/" in url for url in asked) == (image_id != "small.png")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "Arrow keys move it" in label
    page.keyboard.press("+")
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Whole").click()
    page.get_by_role("button", name="Look closely").click()
    assert page.locator(".zoom").count() == 0
    assert page.locator(".whole img").is_visible()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Look closely"


def test_the_first_page_does_not_load_the_zoom(viewer: Visitor) -> None:
    asked: list[str] = []
    viewer.context.on("request", lambda request: asked.append(request.url))
    viewer.go(work("small.png"))
    assert not any("/zoom-" in url for url in asked)


def asked_region(address: str, name: str) -> list[float]:
    part = parse_part(parse_qs(urlsplit(address).query)[name][-1])
    assert part.region is not None
    return [part.region.x, part.region.y, part.region.w, part.region.h]


def test_a_detail_is_drawn_by_keys_alone_and_asked_for(viewer: Visitor) -> None:
    page = viewer.go(work("small.png", like="other.tif"))
    button = page.get_by_role("button", name="Draw a detail")
    button.focus()
    page.keyboard.press("Enter")
    assert "Arrow keys move it" in page.evaluate("document.activeElement.ariaLabel")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert page.locator(".region-acts output").inner_text() == (
        "37 % from the left, 34 % from above, 31 % wide, 29 % high"
    )
    less = page.get_by_role("link", name="− Less like this detail").get_attribute("href") or ""
    assert asked_region(less, "unlike") == pytest.approx([0.37, 0.34, 0.31, 0.29], abs=2e-4)
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/sights?**")
    assert parse_qs(urlsplit(page.url).query)["like"][0] == "other.tif"
    assert asked_region(page.url, "like") == pytest.approx([0.37, 0.34, 0.31, 0.29], abs=2e-4)
    page.go_back()
    page.get_by_role("button", name="Draw a detail").click()
    page.keyboard.press("Escape")
    assert page.locator(".drawing").count() == 0
    assert page.evaluate("document.activeElement.textContent.trim()") == "Draw a detail"


@pytest.mark.parametrize("zoomed", [False, True])
def test_a_detail_is_drawn_by_pointer(viewer: Visitor, zoomed: bool) -> None:
    page = viewer.go(work("large.jpg"))
    frame = page.locator(".whole img").bounding_box()
    assert frame
    if zoomed:
        page.get_by_role("button", name="Look closely").click()
        page.wait_for_selector(".stage.zoomed .zoom canvas")
        page.wait_for_timeout(600)
    page.get_by_role("button", name="Draw a detail").click()
    left, top = frame["x"] + 0.2 * frame["width"], frame["y"] + 0.1 * frame["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 0.1 * frame["width"], top + 0.2 * frame["height"], steps=4)
    page.mouse.up()
    box = page.locator(".region").bounding_box()
    assert box and box["x"] == pytest.approx(left, abs=4) and box["y"] == pytest.approx(top, abs=4)
    assert box["width"] == pytest.approx(0.1 * frame["width"], abs=6)
    more = page.locator(".region-acts a.plus").get_attribute("href") or ""
    if not zoomed:
        assert asked_region(more, "like") == pytest.approx([0.2, 0.1, 0.1, 0.2], abs=0.01)
    page.mouse.move(left + 20, top + 20)
    page.mouse.down()
    page.mouse.move(left + 60, top + 20, steps=3)
    page.mouse.up()
    moved = page.locator(".region").bounding_box()
    assert moved and moved["x"] == pytest.approx(box["x"] + 40, abs=2)
    assert moved["width"] == pytest.approx(box["width"], abs=1)


def test_details_of_works_with_odd_names_can_be_asked(local: TestClient) -> None:
    name = "odd #1 @0.1,0.2,0.3,0.4^2.png"
    (island,) = Document(local.get(work(name)).text).all("region-draw")
    for side, param in (("more", "like"), ("less", "unlike")):
        address = island.get(f"data-{side}")
        assert f"@{island.get('data-any-region')}" in address
        part = parse_part(parse_qs(urlsplit(address).query)[param][0])
        assert part.value == name
        answer = local.get(address.replace(island.get("data-any-region"), "0.2,0.2,0.5,0.5"))
        assert answer.status_code == 200
        assert "No answer" not in answer.text or side == "less"


def test_a_work_is_cited_by_its_record(local: TestClient) -> None:
    document = Document(local.get(work("small.png")).text)
    assert "small" in document.one("p", class_="citation").text
    assert local.get(urls.work("sights", "small.png", json=True)).json()["citation"]["bibtex"]


# ---- two works ----


def compare(a: str, b: str = "") -> str:
    return urls.compare("sights", [("a", a), *([("b", b)] if b else [])])


def test_what_agrees_is_drawn_without_scripts(local: TestClient) -> None:
    answer = local.get(compare("small.png", "mirrored.png"))
    document = Document(answer.text)
    assert document.problems == [] and answer.status_code == 200
    assert document.says("Same work: mirrored.")
    assert document.says("points agree; the outlines show where.")
    svgs = document.all("svg", class_="agreeing")
    assert len(svgs) == 2 and len(document.all("path")) > 80
    assert document.says("of 4, closer than") or document.says("The nearest of 4 neighbours.")
    twin = local.get(urls.compare("sights", [("a", "small.png"), ("b", "mirrored.png")], json=True))
    assert twin.json()["agreement"]["match"]["mirrored"] is True
    assert [one["image_id"] for one in twin.json()["works"]] == ["small.png", "mirrored.png"]


def test_works_that_share_nothing_say_so(local: TestClient) -> None:
    document = Document(local.get(compare("small.png", "other.tif")).text)
    assert document.says("No more details agree than chance would give.")
    assert document.all("svg", class_="agreeing") == []
    torn = Document(local.get(compare("small.png", "torn.png")).text)
    assert torn.says("There is no picture of this work.")


def test_the_other_work_is_chosen_from_the_neighbours(local: TestClient) -> None:
    document = Document(local.get(compare("small.png")).text)
    assert document.says("Compare this work with which other?")
    links = [
        one.get("href") for one in document.all("a") if "compare?a=small.png&b=" in one.get("href")
    ]
    assert links and all(local.get(link).status_code == 200 for link in links)
    nothing = Document(local.get("/c/sights/compare").text)
    assert nothing.says("Two works can be laid side by side.")
    for wrong in ("none.png", "nowhere/none.png", "upload:" + "0" * 64):
        assert local.get(compare("small.png", wrong)).status_code in {400, 404}


def test_two_works_are_laid_over_each_other_and_seen_by_turns(viewer: Visitor) -> None:
    page = viewer.go(compare("small.png", "mirrored.png"))
    upper, lower = page.locator(".side-b .whole"), page.locator(".side-a .whole")
    page.get_by_role("button", name="Lines").click()
    assert page.locator(".lines line").count() > 40
    page.get_by_role("button", name="Laid over").click()
    boxes = [one.bounding_box() for one in (upper, lower)]
    for name in ("x", "y", "width", "height"):  # fitted by what agrees, hence mirrored
        assert boxes[0] and boxes[1] and boxes[0][name] == pytest.approx(boxes[1][name], abs=4)
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    assert upper.evaluate("(e) => e.style.opacity") == "1"
    page.get_by_role("button", name="By turns").click()
    upper.wait_for(state="visible")
    upper.wait_for(state="hidden")
    page.get_by_role("button", name="Stop").click()
    before = upper.is_visible()
    page.get_by_role("button", name="Show the other").click()
    assert upper.is_visible() is not before and lower.is_visible() is before
    assert "view=turns" in page.url
    page.reload()
    assert page.locator("picture-compare").get_attribute("data-view") == "turns"


def test_two_works_are_looked_at_closely_together(viewer: Visitor) -> None:
    page = viewer.go(compare("small.png", "large.jpg"))
    page.get_by_role("button", name="Look closely").click()
    page.wait_for_selector(".side-b .stage.zoomed canvas")
    page.wait_for_timeout(500)
    before = page.locator(".side-b .zoom").screenshot()
    page.locator(".side-a .zoom [role=application]").focus()
    for _ in range(4):
        page.keyboard.press("+")
    page.wait_for_timeout(900)
    assert page.locator(".side-b .zoom").screenshot() != before  # it goes along
    page.get_by_role("button", name="Laid over").click()
    assert page.locator(".zoom").count() == 0


def test_nothing_flickers_where_motion_is_not_wanted(browser: Browser, sights_site: Site) -> None:
    still = Visitor(browser, sights_site, reduced_motion="reduce")
    page = still.go(compare("small.png", "mirrored.png") + "&view=turns")
    page.wait_for_timeout(1600)
    assert not page.locator(".side-b .whole").is_visible()
    page.get_by_role("button", name="Show the other").click()
    assert page.locator(".side-b .whole").is_visible()
    still.check()
    still.context.close()


def test_the_second_can_be_mirrored(viewer: Visitor) -> None:
    page = viewer.go(compare("small.png", "other.tif"))
    page.get_by_role("button", name="Mirror the second").click()
    assert page.locator(".side-b .whole").evaluate("(e) => e.style.transform") == "scaleX(-1)"
    assert "flip=1" in page.url
