"""Pictures and texts by which two runs of a model are told to be the same space.

The eight pictures were painted by our own museum (`paint_work(7, i)` of its version 2 for i = 19,
0, 22, 7, 9, 71, 16, 64) and chosen for their difference: colour and grey, oil, prints, chalk,
upright and lying; the fifth is cut to a wide strip (height 0.35 to 0.85), the sixth to a tall one
(width 0.25 to 0.75). They were scaled to a long side of 256 px (Lanczos) and saved as PNG (RGB,
optimised). They are files so that a change of the painter never moves them.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from bilderatlas.arrays import Pixels

CANARIES: tuple[tuple[str, str], ...] = (
    ("1-portrait-oil.png", "51984dc8d0079900f5e56a89d740b634331d206288ffaa11693a80a329c245b0"),
    (
        "2-landscape-grisaille.png",
        "3cc59b33369ff231ee0ef96ec742aa3216d70308efc7a4faaa8e64b59a2c8b6d",
    ),
    ("3-battle-woodcut.png", "9dbd2aa7e23e498cd1c4dbf1199683fddd43b1d27497117ded3e4cdb984d67c6"),
    ("4-reading-chalk.png", "8cd0419545b0ef2832bb3b5fd1e1903ca16c291590253943726bf3739a8fef41"),
    (
        "5-wave-colour-woodcut-wide.png",
        "4f99b7500efccbba67579e00e86340feefd7be2b6403793d6c4fedd9cb773caa",
    ),
    (
        "6-portrait-colour-woodcut-tall.png",
        "6fdb8e1687bdf6c797569136bd0278776ffd11af3f74580c3a5050e40d84945f",
    ),
    ("7-still-life-oil.png", "ac986fcbce0a5aabbc31173711d0f38c531da89d6014f238f3e3ed93645ddc3b"),
    ("8-abstract-oil.png", "5b72cf464d7cee5dfd9c6196502158d9b7e9084bf8111f03d761fcf47cf9202e"),
)
"""Name and sha256 of each picture in `canaries/`."""

TEXTS = (
    "a man with a turban",
    "a ship in a storm",
    "still life with fruit and a skull",
    "a landscape, but without people",
    "Bildnis einer jungen Frau",
    "une nature morte aux fleurs",
    "een winterlandschap",
    "a red and blue abstract painting",
)


@cache
def canary_pictures() -> tuple[Pixels, ...]:
    """Return the eight pictures, `(h, w, 3)` uint8, read-only."""
    pictures = []
    for name, _ in CANARIES:
        path = resources.files("bilderatlas.extractors").joinpath("canaries", name)
        with path.open("rb") as opened, Image.open(opened) as image:
            pixels = np.array(image.convert("RGB"), dtype=np.uint8)
        pixels.flags.writeable = False
        pictures.append(pixels)
    return tuple(pictures)


def canary_texts() -> tuple[str, ...]:
    """Return the eight texts: four languages, a negation, long and short ones."""
    return TEXTS


def canaries_sha256(tower: str) -> str:
    """Return one sha256 for the canaries of a tower: it changes when any of them does."""
    if tower == "text":
        return hashlib.sha256("\n".join(TEXTS).encode()).hexdigest()
    return hashlib.sha256("\n".join(sha256 for _, sha256 in CANARIES).encode()).hexdigest()
