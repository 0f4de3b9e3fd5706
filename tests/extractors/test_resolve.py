"""From a name to an extractor: built in, in int8, or not there at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.errors import ConflictError, UnknownNameError, UsageError
from bilderatlas.extractors import EXTRACTORS
from bilderatlas.extractors.brought import KEPT_FILE
from bilderatlas.extractors.resolve import all_extractors, get_extractor, known_names
from bilderatlas.extractors.runtimes.lock import LOCK_FILE, changing


def test_built_in_ones_are_the_registered_objects() -> None:
    for name in EXTRACTORS.names():
        assert get_extractor(name) is EXTRACTORS.get(name)
    assert known_names()[: len(EXTRACTORS.names())] == EXTRACTORS.names()
    assert [one.card.model_id for one in all_extractors()] == known_names()


def test_int8_is_another_name_and_the_same_object_each_time() -> None:
    plain, rounded = (get_extractor(f"clip_vit_b32.openai{end}") for end in ("", "~int8"))
    assert rounded.card.model_id == "clip_vit_b32.openai~int8"
    assert plain.card.model_id == "clip_vit_b32.openai"
    assert get_extractor("clip_vit_b32.openai~int8") is rounded
    assert "clip_vit_b32.openai~int8" not in known_names()  # never offered by itself
    with pytest.raises(UsageError, match="no weights that could be rounded"):
        get_extractor("clip_vit_b32.openai~int8~int8")


@pytest.mark.parametrize("name", ["clip_vit_b23.openai", "clip_vit_b23.openai~int8", ""])
def test_a_name_that_there_is_not(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        get_extractor(name)
    assert "onnx:FILE" in str(caught.value)
    if name:
        assert "'clip_vit_b32.openai'" in str(caught.value)


def test_a_damaged_card_hides_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILDERATLAS_MODELS", str(tmp_path))
    folder = tmp_path / "mine.weights"
    folder.mkdir()
    (folder / KEPT_FILE).write_text("{")
    assert [one.card.model_id for one in all_extractors()] == EXTRACTORS.names()
    with pytest.raises(UsageError, match="cannot be read"):
        get_extractor("mine.weights")


def test_one_at_a_time_changes_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with (
        changing(folder),
        pytest.raises(ConflictError, match="another process"),
        changing(folder),
    ):
        pass
    assert not (folder / LOCK_FILE).exists()
    with changing(folder):
        assert (folder / LOCK_FILE).exists()
