"""One process at a time changes a model's folder, even where the lock file comes and goes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bilderatlas.errors import ConflictError
from bilderatlas.extractors.runtimes import lock
from bilderatlas.extractors.runtimes.lock import LOCK_FILE, changing

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the file stays there")


def test_one_at_a_time_and_no_trace(tmp_path: Path) -> None:
    with changing(tmp_path / "m"), pytest.raises(ConflictError), changing(tmp_path / "m"):
        pass
    with changing(tmp_path / "m"):
        pass
    assert list((tmp_path / "m").iterdir()) == []


@pytest.mark.parametrize("another_holds_it", [True, False])
def test_the_file_was_removed_between_opening_and_locking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, another_holds_it: bool
) -> None:
    path, take = tmp_path / LOCK_FILE, lock._lock
    others: list[int] = []

    def late(descriptor: int) -> None:
        if not others:  # at this moment the last holder leaves, and perhaps a new one comes
            path.unlink()
            others.append(os.open(path, os.O_RDWR | os.O_CREAT))
            if another_holds_it:
                take(others[0])
        take(descriptor)

    monkeypatch.setattr(lock, "_lock", late)
    try:
        if another_holds_it:
            with pytest.raises(ConflictError), changing(tmp_path):
                pass
        else:
            with changing(tmp_path):
                assert os.path.samestat(path.stat(), os.fstat(others[0]))
                with pytest.raises(ConflictError), changing(tmp_path):
                    pass
    finally:
        os.close(others[0])
