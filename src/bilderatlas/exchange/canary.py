"""The canary: what an extractor makes of eight published pictures, and on which machine."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from bilderatlas import __version__
from bilderatlas.arrays import Pixels
from bilderatlas.errors import BilderatlasError
from bilderatlas.exchange.format import Canary, CanaryPicture, Environment
from bilderatlas.extractors.base import Extractor, ImageRows
from bilderatlas.images.scaling import scaled

_LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "pillow",
    "onnxruntime",
    "tokenizers",
    "pyarrow",
    "torch",
    "torchvision",
    "timm",
    "open_clip_torch",
)
_NO_LAB = ("torch", "torchvision", "timm", "open_clip_torch")


def pixels_sha256(pixels: Pixels) -> str:
    """Return the hash of the RGB bytes of `(h, w, 3)`, row by row."""
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def make_canary(
    extractor: Extractor,
    extract: Callable[[Sequence[Pixels]], list[ImageRows]] | None = None,
) -> tuple[Canary | None, str]:
    """Embed the canary pictures, or say in a sentence why that cannot be done here.

    `extract` stands in for the extractor's own batch method where vectors are made by others.
    """
    from bilderatlas.extractors.canaries import canary_pictures

    readiness = extractor.readiness()
    if extract is None and readiness.state != "ready":
        return None, f"The extractor could not run where this was exported. {readiness.sentence}"
    pictures = canary_pictures()
    images = [scaled(picture, extractor.card.side_px) for picture in pictures]
    try:
        rows = (extract or extractor.extract_batch)(images)
    except BilderatlasError as error:
        return None, f"The extractor could not embed the canary pictures: {error}"
    if not all(np.isfinite(np.asarray(found.vectors, np.float32)).all() for found in rows):
        return None, "The extractor gave numbers that are not finite for a canary picture."
    return Canary(
        pictures=tuple(
            CanaryPicture(picture_sha256=pixels_sha256(picture), vectors=_numbers(found))
            for picture, found in zip(pictures, rows, strict=True)
        )
    ), ""


def _numbers(rows: ImageRows) -> tuple[tuple[float, ...], ...]:
    """Return float32 rows as the shortest decimals that give them back."""
    vectors = np.asarray(rows.vectors, np.float32)
    return tuple(tuple(float(str(value)) for value in row) for row in vectors)


def environment_of(extractor: Extractor | None, computed: Sequence[str] = ()) -> Environment:
    """Return the libraries of this machine that have a hand in an embedding.

    `computed` says how the stored rows were made (`bf16 on cpu`), several ways joined by `+`.
    """
    software = {"python": platform.python_version(), "bilderatlas": __version__}
    needs_lab = extractor is not None and extractor.card.weights_sha256 is not None
    for name in _LIBRARIES:
        if name in _NO_LAB and not needs_lab:
            continue
        try:
            software[name] = version(name)
        except PackageNotFoundError:
            continue
    pairs = [one.partition(" on ") for one in computed] or [("fp32", "", "cpu")]
    return Environment(
        software=software,
        platform=f"{platform.system()} {platform.machine()}",
        device="+".join(sorted({device for _, _, device in pairs})),
        precision="+".join(sorted({precision for precision, _, _ in pairs})),
    )
