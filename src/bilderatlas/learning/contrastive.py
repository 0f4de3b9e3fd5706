"""Trains `museum_clip.synthetic`: pictures and words of the synthetic museum in one space."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from bilderatlas.evaluation.metrics import average_precision
from bilderatlas.extractors.museum_clip import token_ids
from bilderatlas.learning.checkpoints import load_checkpoint, save_checkpoint
from bilderatlas.learning.losses import ranking_loss, truth_loss
from bilderatlas.learning.painted import PaintedSet
from bilderatlas.learning.samplers import Facts, StatementSampler, say
from bilderatlas.learning.tokens import write_tokenizer
from bilderatlas.museum import PAINTER_VERSION
from bilderatlas.museum.prompts import choose_prompts
from bilderatlas.museum.statements import ATOMS, atoms_of, matrix_of, truth_of_statements
from bilderatlas.museum.wording import word

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from torch import Tensor

    from bilderatlas.extractors.museum_clip_towers import Towers

MIN_WORKS = 100
MEAN, DEVIATION = 127.5, 64.0
"""Pictures are brought to about −2 to 2 before the first convolution."""


@dataclass(frozen=True)
class Recipe:
    """All that decides how a training goes, but for the threads that share its batches.

    Attributes:
        seed: Of the museum that is painted, and of all chance in the training.
        works: How many works are painted; the last `watched` of them are kept out and watched.
        watched: How many works measure the progress of each epoch.
        epochs: How often each work is seen.
        batch: Pictures a step.
        texts_a_picture: Statements drawn for each picture of a batch.
        crop_px: Side of the square that is cut from a picture of 128 px, another each time.
        small_px: Side to which these squares are reduced in the first epochs.
        small_epochs: How many epochs that are.
        peak_rate: The highest learning rate.
        decay: Weight decay.
        vocabulary: Word pieces at most.
        bf16: Whether the towers compute in bfloat16.
    """

    seed: int = 2026
    works: int = 20_000
    watched: int = 500
    epochs: int = 16
    batch: int = 64
    texts_a_picture: float = 2.5
    crop_px: int = 112
    small_px: int = 80
    small_epochs: int = 10
    peak_rate: float = 2e-3
    decay: float = 0.05
    vocabulary: int = 2000
    bf16: bool = True

    @classmethod
    def sized(cls, works: int, seed: int, epochs: int) -> Recipe:
        """Return the usual recipe for another number of works or epochs.

        A tenth of the works at most is watched, and the last third of the epochs sees large.
        """
        usual = cls()
        share = usual.small_epochs / usual.epochs
        return cls(
            seed=seed,
            works=works,
            watched=min(usual.watched, works // 10),
            epochs=epochs,
            small_epochs=round(share * epochs),
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is known of the painted works.

    Attributes:
        pictures: `(n, 128, 128, 3)` uint8.
        atoms: What is true of each, `(n, len(ATOMS))`.
        sampler: Draws statements about the works that are learned from.
        painted: The works themselves.
    """

    painted: PaintedSet
    atoms: npt.NDArray[np.float32]
    sampler: StatementSampler
    n_learned: int

    @classmethod
    def of(cls, painted: PaintedSet, watched: int) -> Lesson:
        """Keep the last `watched` works out of what is learned."""
        sets = [
            atoms_of(work, palette)
            for work, palette in zip(painted.works, painted.palettes, strict=True)
        ]
        n_learned = len(sets) - watched
        facts = [
            Facts.of(work, atoms)
            for work, atoms in zip(painted.works[:n_learned], sets[:n_learned], strict=True)
        ]
        return cls(painted, matrix_of(sets), StatementSampler(facts), n_learned)


def train_contrastive(
    painted: PaintedSet,
    recipe: Recipe,
    folder: Path,
    threads: int = 1,
    progress: Callable[[dict[str, Any]], None] = lambda line: None,
) -> Towers:
    """Train, writing a checkpoint and a line of `training.jsonl` after each epoch.

    Called again with the same recipe and folder it goes on after the last finished epoch.

    Args:
        painted: `recipe.works` works of museum `recipe.seed`.
        recipe: How.
        folder: Receives `checkpoint.safetensors`, `tokenizer.json` and `training.jsonl`.
        threads: How many share each batch; the result depends on it slightly.
        progress: Called with each new line of the log.

    Returns:
        The trained towers, in evaluation mode.

    Raises:
        ConflictError: The folder holds a training by another recipe.
    """
    import torch

    from bilderatlas.extractors.museum_clip_towers import Shape, Towers

    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    lesson = Lesson.of(painted, recipe.watched)
    tokenizer = _tokenizer(folder / "tokenizer.json", lesson.sampler, recipe)
    torch.manual_seed(recipe.seed)
    towers = Towers(Shape(vocabulary=recipe.vocabulary), len(ATOMS))
    towers.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(
        _groups(towers, recipe.decay), lr=recipe.peak_rate, betas=(0.9, 0.98)
    )
    done = 0
    expected = {"recipe": asdict(recipe), "painter_version": PAINTER_VERSION}
    checkpoint = folder / "checkpoint.safetensors"
    if checkpoint.exists():
        done = int(load_checkpoint(checkpoint, towers, optimiser, expected)["epochs_done"])
    log = folder / "training.jsonl"
    _cut_log(log, done)
    for epoch in range(done, recipe.epochs):
        started = time.perf_counter()
        losses = _one_epoch(towers, optimiser, lesson, tokenizer, recipe, epoch, threads)
        line = {"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 4)}
        line |= watch(towers, tokenizer, lesson)
        line["threads"] = threads
        line["seconds"] = round(time.perf_counter() - started, 1)
        save_checkpoint(checkpoint, towers, optimiser, expected | {"epochs_done": epoch + 1})
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        progress(line)
    towers.eval()
    return towers


def _groups(towers: Towers, decay: float) -> list[dict[str, Any]]:
    """Return the parameters in two groups: only matrices and kernels decay."""
    heavy = [p for p in towers.parameters() if p.ndim >= 2]
    light = [p for p in towers.parameters() if p.ndim < 2]
    return [{"params": heavy, "weight_decay": decay}, {"params": light, "weight_decay": 0.0}]


def _cut_log(log: Path, n_lines: int) -> None:
    """Keep the lines of finished epochs: a kill may fall between checkpoint and log."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    log.write_text("".join(line + "\n" for line in lines[:n_lines]), encoding="utf-8")


def _tokenizer(path: Path, sampler: StatementSampler, recipe: Recipe) -> Tokenizer:
    from tokenizers import Tokenizer

    if not path.exists():
        rng = np.random.default_rng([recipe.seed, 0])
        places = rng.integers(len(sampler.facts), size=20 * recipe.vocabulary).tolist()
        texts = (say(sampler.draw(place, rng), rng) for place in places)
        write_tokenizer(texts, recipe.vocabulary, path)
    return Tokenizer.from_str(path.read_text(encoding="utf-8"))


def rate_at(step: int, n_steps: int, peak: float) -> float:
    """Return the learning rate: up over the first 3 %, then down along half a cosine."""
    warm = max(1, round(0.03 * n_steps))
    if step < warm:
        return peak * (step + 1) / warm
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, n_steps - warm)))


def _one_epoch(
    towers: Towers,
    optimiser: torch.optim.Optimizer,
    lesson: Lesson,
    tokenizer: Tokenizer,
    recipe: Recipe,
    epoch: int,
    threads: int,
) -> list[float]:
    """Learn from every work once; each thread takes its share of a batch on a copy of its own."""
    import torch

    towers.train()
    copies = [towers, *(copy.deepcopy(towers) for _ in range(threads - 1))]
    losses = []
    n_steps = lesson.n_learned // recipe.batch
    order = np.random.default_rng([recipe.seed, 1, epoch])
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for step, places in enumerate(_batches(lesson.n_learned, recipe.batch, order)):
            chance = [
                np.random.default_rng([recipe.seed, 2, epoch, step, t]) for t in range(threads)
            ]
            shares = np.array_split(places, threads)

            def learn(t: int, shares: Any = shares, chance: Any = chance) -> float:
                batch = _batch(
                    lesson, tokenizer, recipe, side_at(epoch, recipe), shares[t], chance[t]
                )
                loss = _loss(copies[t], *batch, recipe.bf16)
                copies[t].zero_grad()
                loss.backward()
                return float(loss.detach())

            losses.append(float(np.mean(list(pool.map(learn, range(threads))))))
            _gather(copies)
            for group in optimiser.param_groups:
                group["lr"] = rate_at(
                    epoch * n_steps + step, recipe.epochs * n_steps, recipe.peak_rate
                )
            torch.nn.utils.clip_grad_norm_(towers.parameters(), 5.0)
            optimiser.step()
            _spread(copies)
    return losses


def _batch(
    lesson: Lesson,
    tokenizer: Tokenizer,
    recipe: Recipe,
    side_px: int,
    places: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return pictures, texts about them, which is true of which, and the works' atoms."""
    import torch

    squares = cut(lesson.painted.pictures, places, recipe.crop_px, rng)
    drawn = rng.choice(places, round(recipe.texts_a_picture * len(places)))
    statements = [lesson.sampler.draw(int(place), rng) for place in drawn]
    ids = token_ids(tokenizer, [say(each, rng) for each in statements])
    truth = truth_of_statements(statements, lesson.atoms[places]).astype(np.float32)
    return (
        torch.from_numpy(scaled(squares, side_px, rng)),
        torch.from_numpy(ids),
        torch.from_numpy(truth),
        torch.from_numpy(lesson.atoms[places]),
    )


def _gather(copies: list[Towers]) -> None:
    """Give the first copy the mean gradient of all."""
    for parameter, *others in zip(*(each.parameters() for each in copies), strict=True):
        for other in others:
            parameter.grad += other.grad
        parameter.grad /= len(copies)


def _spread(copies: list[Towers]) -> None:
    """Give all copies the parameters of the first."""
    for parameter, *others in zip(*(each.parameters() for each in copies), strict=True):
        for other in others:
            other.data.copy_(parameter.data)


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the places of full batches in a new order; what does not fill one waits."""
    order = rng.permutation(n)
    for start in range(0, n - size + 1, size):
        yield np.sort(order[start : start + size])


def side_at(epoch: int, recipe: Recipe) -> int:
    """Return the side at which pictures are seen: small in the first epochs, which is quick."""
    return recipe.small_px if epoch < recipe.small_epochs else recipe.crop_px


def cut(
    pictures: npt.NDArray[np.uint8],
    places: npt.NDArray[np.int64],
    side_px: int,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint8]:
    """Return a square cut from each picture, half of them mirrored: `(n, side_px, side_px, 3)`."""
    room = pictures.shape[1] - side_px
    squares = np.empty((len(places), side_px, side_px, 3), np.uint8)
    for row, place in zip(squares, places, strict=True):
        top, left = rng.integers(room + 1, size=2)
        square = pictures[place, top : top + side_px, left : left + side_px]
        row[:] = square[:, ::-1] if rng.random() < 0.5 else square
    return squares


def scaled(
    squares: npt.NDArray[np.uint8], side_px: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Bring squares to a side and to the tower's numbers, light and contrast a little moved.

    Hues stay: the words for colours must remain true.

    Returns:
        `(n, 3, side_px, side_px)` float32, in memory as `(n, h, w, 3)`.
    """
    if squares.shape[1] != side_px:
        shape = (side_px, side_px)
        resized = [cv2.resize(square, shape, interpolation=cv2.INTER_AREA) for square in squares]
        squares = np.asarray(resized, np.uint8)
    contrast = rng.uniform(0.95, 1.05, (len(squares), 1, 1, 1)).astype(np.float32)
    light = rng.uniform(-5, 5, (len(squares), 1, 1, 1)).astype(np.float32)
    numbers = ((squares - np.float32(MEAN)) * contrast + light) / np.float32(DEVIATION)
    return np.asarray(numbers.transpose(0, 3, 1, 2), np.float32)


def _loss(
    towers: Towers, pictures: Tensor, ids: Tensor, truth: Tensor, atoms: Tensor, bf16: bool
) -> Tensor:
    import torch
    from torch.nn import functional

    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        seen, said = towers.image(pictures), towers.text(ids)
    scale = towers.scale.clamp(max=4.0).exp()
    present = atoms.sum(dim=0) > 0
    named = functional.normalize(towers.atoms[present], dim=1)
    loss = torch.zeros(())
    for rows, true in ((said, truth), (named, atoms.T[present])):
        logits = scale * (rows @ seen.T)
        loss = loss + truth_loss(logits + towers.bias, true) / 10 + ranking_loss(logits, true)
    return loss


def watch(towers: Towers, tokenizer: Tokenizer, lesson: Lesson) -> dict[str, float]:
    """Return the mean AP of English prompts over the works kept out, in all and by kind."""
    kept = slice(lesson.n_learned, len(lesson.atoms))
    atoms = lesson.atoms[kept]
    prompts = choose_prompts(lesson.painted.works[kept], atoms)
    if not prompts:
        return {}
    statements = [prompt.statement for prompt in prompts]
    said = embed_texts(towers, tokenizer, [word(statement, "en") for statement in statements])
    seen = embed_pictures(towers, lesson.painted.pictures[kept])
    truth = truth_of_statements(statements, atoms)
    precisions = [average_precision(*pair) for pair in zip(said @ seen.T, truth, strict=True)]
    kinds = {prompt.kind: [] for prompt in prompts}  # type: dict[str, list[float]]
    for prompt, precision in zip(prompts, precisions, strict=True):
        kinds[prompt.kind].append(precision)
    means = {f"AP {kind}": round(float(np.mean(values)), 4) for kind, values in kinds.items()}
    return {"AP": round(float(np.mean(precisions)), 4), **means}


def embed_texts(towers: Towers, tokenizer: Tokenizer, texts: list[str]) -> npt.NDArray[np.float32]:
    """Embed texts with the towers as they are: `(n, dim)`."""
    import torch

    towers.eval()
    with torch.inference_mode():
        return np.asarray(towers.text(torch.from_numpy(token_ids(tokenizer, texts))).numpy())


def embed_pictures(
    towers: Towers, pictures: npt.NDArray[np.uint8], batch: int = 100
) -> npt.NDArray[np.float32]:
    """Embed whole pictures `(n, side, side, 3)` uint8 with the towers as they are: `(n, dim)`."""
    import torch

    towers.eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(pictures), batch):
            scaled = (pictures[start : start + batch].astype(np.float32) - MEAN) / DEVIATION
            rows.append(towers.image(torch.from_numpy(scaled.transpose(0, 3, 1, 2))).numpy())
    return np.concatenate(rows)
