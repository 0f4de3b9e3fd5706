"""A real training, small: the loss falls, and a run that was killed goes on as if it never was."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.errors import ConflictError, UnavailableError, UsageError
from bilderatlas.learning.contrastive import Recipe, rate_at, train_contrastive
from bilderatlas.learning.painted import PaintedSet
from bilderatlas.learning.publish import command_of
from bilderatlas.museum import plan_work
from bilderatlas.museum.palette import palette_of

torch = pytest.importorskip("torch")

RECIPE = replace(
    Recipe.sized(120, 7, 3),
    batch=16,
    crop_px=32,
    small_px=24,
    vocabulary=300,
    watched=8,
    bf16=False,
)


@pytest.fixture(scope="module")
def painted() -> PaintedSet:
    """Return pictures that are not painted but made: one bright patch a genre, on noise."""
    works = tuple(plan_work(7, index) for index in range(RECIPE.works))
    rng = np.random.default_rng(5)
    pictures = rng.integers(0, 90, (len(works), 48, 48, 3), np.uint8)
    genres = sorted({work.genre for work in works})
    for picture, work in zip(pictures, works, strict=True):
        place = genres.index(work.genre)
        picture[:, 6 * place : 6 * place + 6] = (220, 30 * place, 250 - 30 * place)
    return PaintedSet(works, pictures, tuple(palette_of(picture) for picture in pictures))


def log_of(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def trained(painted, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    train_contrastive(painted, RECIPE, folder)
    return folder


def test_the_loss_falls(trained) -> None:
    losses = [line["loss"] for line in log_of(trained)]
    assert [line["epoch"] for line in log_of(trained)] == [1, 2, 3]
    assert losses[2] < 0.95 * losses[0]


class KilledError(Exception):
    """What ends a run in the middle."""


def test_a_killed_run_goes_on_as_if_it_never_was(painted, trained, tmp_path) -> None:
    def kill(line: dict[str, float]) -> None:
        raise KilledError

    for _ in range(2):  # killed after the first epoch, and again after the second
        with pytest.raises(KilledError):
            train_contrastive(painted, RECIPE, tmp_path, progress=kill)
    towers = train_contrastive(painted, RECIPE, tmp_path)
    whole = train_contrastive(painted, RECIPE, trained)  # nothing left to do: loads it
    pairs = zip(towers.state_dict().items(), whole.state_dict().values(), strict=True)
    for (name, one), other in pairs:
        assert torch.allclose(one.float(), other.float(), atol=2e-3), name
    losses = [[line["loss"] for line in log_of(folder)] for folder in (tmp_path, trained)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_line_of_an_unfinished_epoch_is_cut_from_the_log(painted, trained, tmp_path) -> None:
    shutil.copytree(trained, tmp_path / "copy")
    with (tmp_path / "copy" / "training.jsonl").open("a") as log:
        log.write('{"epoch": 4, "loss"')
    train_contrastive(painted, RECIPE, tmp_path / "copy")
    assert len(log_of(tmp_path / "copy")) == 3


def test_another_recipe_is_refused(painted, trained) -> None:
    with pytest.raises(ConflictError, match="peak_rate"):
        train_contrastive(painted, replace(RECIPE, peak_rate=1.0), trained)


def test_two_threads_share_a_batch(painted, tmp_path) -> None:
    train_contrastive(painted, replace(RECIPE, epochs=1), tmp_path, threads=2)
    (line,) = log_of(tmp_path)
    assert line["threads"] == 2 and np.isfinite(line["loss"])


def test_the_rate_rises_then_falls() -> None:
    rates = [rate_at(step, 100, 1.0) for step in range(100)]
    assert rates[0] < rates[2] == max(rates)
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] < 0.01


def test_too_few_works_are_refused(tmp_path) -> None:
    from bilderatlas.api.training import train_museum_clip

    with pytest.raises(UsageError, match="at least 100"):
        train_museum_clip(tmp_path, Recipe.sized(20, 7, 1))


def test_without_the_laboratory_a_sentence_says_so(tmp_path, monkeypatch) -> None:
    from bilderatlas.api import training

    monkeypatch.setattr(training, "has_torch", lambda: False)
    with pytest.raises(UnavailableError, match="bilderatlas\\[lab\\]"):
        training.train_museum_clip(tmp_path, Recipe.sized(200, 7, 1))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_command_names_all_that_decides_the_weights(threads: int) -> None:
    words = command_of(Recipe.sized(200, 7, 4), threads).split()
    assert words[:3] == ["bilderatlas", "train", "contrastive"]
    given = dict(zip(words[3::2], words[4::2], strict=True))
    assert given == {
        "--works": "200",
        "--seed": "7",
        "--epochs": "4",
        "--threads": str(threads),
        "--out": "DIR",
    }
