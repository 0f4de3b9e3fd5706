"""Packages written the way a stranger would: item by item, not through a library."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw

from bilderatlas.arrays import Pixels
from bilderatlas.exchange.canary import environment_of, make_canary
from bilderatlas.exchange.format import Manifest
from bilderatlas.exchange.manifest import model_of, preprocessing_of, vectors_of
from bilderatlas.exchange.parts import ITEM_FIELDS, vector_column
from bilderatlas.exchange.write import Identity, PackageWriter
from bilderatlas.extractors.base import Card, Extractor, ImageRows
from bilderatlas.images.scaling import scaled
from bilderatlas.store.segments import DTYPES


@dataclass(frozen=True)
class Work:
    """A picture with its bytes."""

    image_id: str
    png: bytes
    pixels: Pixels

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.png).hexdigest()


def paint(seed: int) -> Work:
    """Paint coloured shapes on a gradient; no two are alike, none is symmetric."""
    random = np.random.default_rng(seed)
    width, height = int(random.integers(90, 200)), int(random.integers(90, 200))
    ramp = np.linspace(0, 1, width)[None, :, None] * random.integers(40, 200, 3)
    ground = np.clip(ramp + np.linspace(0, 60, height)[:, None, None], 0, 255).astype(np.uint8)
    image = Image.fromarray(ground)
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(6, 70, 2)
        colour = tuple(random.integers(0, 256, 3).tolist())
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((int(x), int(y), int(x + w), int(y + h)), fill=colour)
    noise = random.integers(-12, 12, (height, width, 3))
    pixels = np.clip(np.asarray(image).astype(int) + noise, 0, 255).astype(np.uint8)
    saved = io.BytesIO()
    Image.fromarray(pixels).save(saved, "PNG")
    return Work(f"work-{seed:03d}", saved.getvalue(), pixels)


def write_package(
    folder: Path,
    extractor: Extractor,
    works: Sequence[Work],
    *,
    extract: Callable[[Sequence[Pixels]], list[ImageRows]] | None = None,
    change: Callable[[np.ndarray], np.ndarray] = lambda vectors: vectors,
    ids: Sequence[str] | None = None,
    n_parts: int = 2,
    dtype: str | None = None,
    canary: bool = True,
) -> Manifest:
    """Write a package of one row a work; `extract` makes the vectors, `change` spoils them."""
    card: Card = replace(extractor.card, dtype=dtype or extractor.card.dtype)
    run = extract or extractor.extract_batch
    rows = run([scaled(work.pixels, card.side_px) for work in works])
    with np.errstate(over="ignore"):
        vectors = change(np.concatenate([row.vectors for row in rows])).astype(DTYPES[card.dtype])
    spec = vectors_of(replace(card, dim=vectors.shape[1]), count=0, geometry=False)
    writer = PackageWriter(folder, model_of(card), preprocessing_of(card), spec)
    made, why = make_canary(extractor, run) if canary else (None, "It flew away.")
    with writer:
        for share in np.array_split(np.arange(len(works)), n_parts):
            chosen = [works[place] for place in share]
            names = [(ids or [w.image_id for w in works])[place] for place in share]
            table: dict[str, list[Any]] = {
                field.name: [None] * len(chosen) for field in ITEM_FIELDS
            }
            table["item_id"], table["status"] = names, ["ok"] * len(chosen)
            table["image_sha256"] = [work.sha256 for work in chosen]
            table["record"] = [f'{{"title": "Work {name}"}}' for name in names]
            ones = np.ones(len(chosen), np.int64)
            columns = [pa.array(table[field.name], field.type) for field in ITEM_FIELDS]
            columns.append(vector_column(vectors[share], ones, spec, ones.astype(bool)))
            batch = pa.RecordBatch.from_arrays(columns, schema=writer.schema)
            writer.add(batch, n_vectors=len(chosen), n_failed=0)
            writer._end_part()
        return writer.finish(
            Identity("Test"), environment_of(extractor), made, no_canary_because=why
        )
