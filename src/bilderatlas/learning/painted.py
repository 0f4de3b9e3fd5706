"""Training pictures of the synthetic museum, painted once and kept small beside their palettes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from bilderatlas.arrays import Pixels
from bilderatlas.errors import ConflictError
from bilderatlas.museum import PAINTER_VERSION, Work, plan_work
from bilderatlas.museum.paint import lay_scene, paint_pixels
from bilderatlas.museum.palette import Swatch, palette_of
from bilderatlas.museum.pool import paint_ahead

SIDE_PX = 128


@dataclass(frozen=True, slots=True)
class PaintedSet:
    """Works 0 to n of one museum: what is known of them, and their pictures as small squares.

    Attributes:
        works: The plans, in order.
        pictures: `(n, SIDE_PX, SIDE_PX, 3)` uint8 sRGB, squeezed to squares; memory-mapped.
        palettes: The dominant colours of each picture.
    """

    works: tuple[Work, ...]
    pictures: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    palettes: tuple[tuple[Swatch, ...], ...]


def paint_small(seed: int, index: int) -> tuple[bytes, tuple[Swatch, ...]]:
    """Return a work squeezed to a square of `SIDE_PX` as RGB bytes, and its palette."""
    work = plan_work(seed, index)
    pixels = paint_pixels(work, lay_scene(work))
    return squeeze(pixels, SIDE_PX).tobytes(), palette_of(pixels)


def squeeze(pixels: Pixels, side_px: int) -> Pixels:
    """Return `pixels` `(h, w, 3)` averaged down to a square, whatever their proportions."""
    return np.asarray(
        cv2.resize(pixels, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8
    )


def paint_set(
    folder: Path,
    seed: int,
    n_works: int,
    processes: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PaintedSet:
    """Return the first `n_works` works of museum `seed`, painting those not yet in `folder`.

    A run cut short goes on where it stopped: a work counts once its palette's line is written,
    which comes after its pixels.

    Raises:
        ConflictError: The folder was painted by another version or another museum.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _claim(folder / "painted.json", seed)
    size = SIDE_PX * SIDE_PX * 3
    lines = _whole_lines(folder / "palettes.jsonl")
    missing = range(len(lines), n_works)
    if missing:
        with (
            (folder / "pictures.u8").open("r+b" if lines else "wb") as pictures,
            (folder / "palettes.jsonl").open("w", encoding="utf-8") as palettes,
        ):
            palettes.writelines(line + "\n" for line in lines)
            pictures.truncate(len(lines) * size)
            pictures.seek(len(lines) * size)
            jobs = [(seed, index) for index in missing]
            for index, (rgb, palette) in zip(
                missing, paint_ahead(paint_small, jobs, processes), strict=True
            ):
                pictures.write(rgb)
                pictures.flush()
                lines.append(json.dumps([asdict(swatch) for swatch in palette]))
                palettes.write(lines[-1] + "\n")
                palettes.flush()
                progress(index + 1, n_works)
    shape = (n_works, SIDE_PX, SIDE_PX, 3)
    return PaintedSet(
        tuple(plan_work(seed, index) for index in range(n_works)),
        np.memmap(folder / "pictures.u8", np.uint8, "r", shape=shape),
        tuple(_palette_from(line) for line in lines[:n_works]),
    )


def _claim(path: Path, seed: int) -> None:
    mine = {"painter_version": PAINTER_VERSION, "seed": seed, "side_px": SIDE_PX}
    if not path.exists():
        path.write_text(json.dumps(mine), encoding="utf-8")
        return
    theirs = json.loads(path.read_text(encoding="utf-8"))
    if theirs != mine:
        raise ConflictError(
            f"Cannot go on painting in {path.parent}: it holds {theirs}, and {mine} was asked "
            "for. Name another folder."
        )


def _whole_lines(path: Path) -> list[str]:
    """Return the complete lines of a file; a line cut by a kill is left out."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return text[: text.rfind("\n") + 1].splitlines()


def _palette_from(line: str) -> tuple[Swatch, ...]:
    return tuple(
        Swatch(one["srgb"], (one["lab"][0], one["lab"][1], one["lab"][2]), one["share"])
        for one in json.loads(line)
    )
