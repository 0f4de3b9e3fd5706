"""Small files by content hash: whole or absent, and nothing a stranger says becomes a path."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import Any

import pytest

from bilderatlas.errors import NotFoundError, UsageError
from bilderatlas.store.library import LibraryStore
from bilderatlas.store.space_writer import SpaceWriter
from bilderatlas.store.thumbnails import ThumbnailStore
from tests.store.building import commit, filled, sha256_of, thumbnail_names

BAD_NAMES = ["", "..", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "g" * 64]


def test_thumbnails(library: LibraryStore) -> None:
    sha256 = sha256_of("a")
    assert library.thumbnails.path(sha256, 64) is None
    library.thumbnails.put(sha256, {64: b"small", 256: b"large"})
    library.thumbnails.put(sha256, {64: b"SMALL"})
    small = library.thumbnails.path(sha256, 64)
    assert small is not None
    assert small.read_bytes() == b"SMALL"
    assert thumbnail_names(library) == [f"{sha256}-256.webp", f"{sha256}-64.webp"]
    library.thumbnails.remove(sha256)
    assert library.thumbnails.path(sha256, 256) is None


def test_thumbnails_stay_while_one_image_shows_them(library: LibraryStore) -> None:
    one, two = filled(library, "one"), filled(library, "two")
    with one.writer() as writer:
        writer.retire(["w0"])
    assert library.thumbnails.path(sha256_of("w0"), 64) is not None
    with two.writer() as writer:
        commit(writer, ["w0"], [], content=1)
    assert library.thumbnails.path(sha256_of("w0"), 64) is None
    assert library.thumbnails.path(sha256_of("w0", 1), 64) is not None


@pytest.mark.parametrize("how", ["retired", "changed", "collection"])
def test_a_commit_during_a_removal_keeps_its_thumbnails(
    library: LibraryStore, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Another collection commits the picture when it was found unused, before it is removed."""
    one = filled(library, "one")
    two = library.create_collection("two", source_kind="folder", source_address="/two")
    remove = ThumbnailStore.remove

    def commit_to_two() -> None:
        with two.writer() as writer:
            commit(writer, ["w0"], [])

    committing = threading.Thread(target=commit_to_two)

    def remove_late(thumbnails: ThumbnailStore, sha256: str) -> None:
        if sha256 == sha256_of("w0"):
            committing.start()
            committing.join(0.5)
        remove(thumbnails, sha256)

    monkeypatch.setattr(ThumbnailStore, "remove", remove_late)
    if how == "collection":
        library.remove_collection("one")
    else:
        with one.writer() as writer:
            writer.retire(["w0"]) if how == "retired" else commit(writer, ["w0"], [], content=1)
    committing.join()
    assert two.check() == []
    assert library.thumbnails.path(sha256_of("w0"), 64) is not None
    with two.writer() as writer:  # what nobody shows any longer is gone all the same
        monkeypatch.undo()
        writer.retire(["w0"])
    assert library.thumbnails.path(sha256_of("w0"), 64) is None


def test_a_removal_during_a_commit_takes_no_thumbnails(
    library: LibraryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The only other image with this picture is removed after the put and before the commit."""
    one, two = filled(library, "one"), filled(library, "two", n=0)
    write = SpaceWriter.write

    def write_late(space: SpaceWriter, part: Any) -> Any:
        assert library.thumbnails.path(sha256_of("w0"), 64) is not None
        with one.writer() as writer:
            writer.retire(["w0"])
        assert library.thumbnails.path(sha256_of("w0"), 64) is None
        return write(space, part)

    with two.writer() as writer:
        monkeypatch.setattr(SpaceWriter, "write", write_late)
        commit(writer, ["w0"], ["colour.test"])
        monkeypatch.undo()
    assert two.check() == []
    assert library.thumbnails.path(sha256_of("w0"), 64) is not None


def test_many_thumbnails_are_removed_in_turns(library: LibraryStore) -> None:
    contents = [sha256_of(str(number)) for number in range(1101)]
    for sha256 in contents:
        library.thumbnails.put(sha256, {64: b"small"})
    asked: list[int] = []

    def shown(part: list[str]) -> set[str]:
        asked.append(len(part))
        return set(part) & set(contents[:3])

    library.thumbnails.remove_unused(contents * 2, shown)
    assert asked == [500, 500, 101]
    assert thumbnail_names(library) == sorted(f"{sha256}-64.webp" for sha256 in contents[:3])


def test_uploads(library: LibraryStore) -> None:
    sha256 = library.uploads.put(b"picture", ".png")
    assert sha256 == hashlib.sha256(b"picture").hexdigest()
    assert library.uploads.put(b"picture") == sha256
    assert library.uploads.get(sha256) == b"picture"
    path = library.uploads.find_path(sha256)
    assert path is not None
    assert (path.suffix, os.access(path, os.X_OK) and os.geteuid() != 0) == (".png", False)
    assert not path.stat().st_mode & 0o111
    path.write_bytes(b"another")
    with pytest.raises(NotFoundError, match="Bring the picture again"):
        library.uploads.get(sha256)
    library.uploads.remove(sha256)
    library.uploads.remove(sha256)
    with pytest.raises(NotFoundError):
        library.uploads.get(sha256)


def test_uploads_expire(library: LibraryStore) -> None:
    old, new = library.uploads.put(b"old"), library.uploads.put(b"new")
    path = library.uploads.find_path(old)
    assert path is not None
    long_ago = time.time() - 5000
    os.utime(path, (long_ago, long_ago))
    renewed = library.uploads.put(b"renewed")
    assert library.uploads.sweep(4000) == 1
    assert library.uploads.find_path(old) is None
    assert library.uploads.get(new) + library.uploads.get(renewed) == b"newrenewed"


@pytest.mark.parametrize("name", BAD_NAMES)
def test_only_hashes_are_looked_up(library: LibraryStore, name: str) -> None:
    for ask in (
        lambda: library.uploads.get(name),
        lambda: library.uploads.remove(name),
        lambda: library.thumbnails.path(name, 64),
        lambda: library.thumbnails.put(name, {64: b"x"}),
        lambda: library.thumbnails.remove(name),
    ):
        with pytest.raises(UsageError, match="SHA-256"):
            ask()


@pytest.mark.parametrize("suffix", ["png", "/../x", ".a/b", ".PNG", ".", "." + "a" * 9, ".a\n"])
def test_only_plain_suffixes_are_kept(library: LibraryStore, suffix: str) -> None:
    with pytest.raises(UsageError):
        library.uploads.put(b"x", suffix)
