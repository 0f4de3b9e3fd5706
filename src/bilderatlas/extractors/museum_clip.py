"""`museum_clip.synthetic`: words and pictures of the synthetic museum in one space.

A small CLIP that was trained by this project on what its own museum paints, and is shipped with
it, so that searching by words works at once, offline, without a graphics card. It knows nothing
else. `docs/how-to/train-museum-clip.md` tells how it is made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Metric
from bilderatlas.extractors.base import EXTRACTORS, Card
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE, WeightsFile

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

SHIPPED = Path(__file__).with_name("museum_clip_files")
SIDE_PX = 128
CONTEXT = 32
TRAINED_ON_PAINTER = "2"
"""The painter's version whose pictures the shipped weights learned from."""

TOKENIZER_SHA256 = "3f190712c80d4618e8418f8123d25fe0928851a0db68d7415339592078bf9445"
WEIGHTS_SHA256 = "8cdc127e36810c817de64bf22272b54f4e136481e153c106c997e32192be8eaf"


class MuseumClip(NeuralExtractor):
    """Pictures and words of the synthetic museum; its weights come with the package."""

    base_card = Card(
        model_id="museum_clip.synthetic",
        judges_by="what is shown, and in words",
        sees="What is shown, in which genre, technique, school and colours: as far as words can "
        "say it that the synthetic museum uses.",
        dim=128,
        dtype="f16",
        metrics=(Metric.ANGULAR,),
        side_px=640,
        preprocessing=(
            {"step": "decode", "long_side_px": 640, "orientation": "exif", "profile": "srgb"},
            {"step": "resize", "mode": "squash", "size_px": SIDE_PX, "filter": "area"},
            {"step": "scale", "divide_by": 255},
            {"step": "normalise", "mean": [0.5] * 3, "std": [64 / 255] * 3},
            {"step": "channels", "order": "RGB"},
            {"step": "layout", "order": "NCHW"},
        ),
        licence="MIT",
        paper="Radford et al. 2021, Learning Transferable Visual Models From Natural Language "
        "Supervision; Zhai et al. 2023, Sigmoid Loss for Language Image Pre-Training",
        embeds_text=True,
        normalised="l2",
        tap="projection",
        pooling="means of the maps at 1/4, 1/8 and 1/16 of the side, maxima of the last",
        training_data="20,000 works of the synthetic museum, seed 2026, painter version "
        f"{TRAINED_ON_PAINTER}, with statements about them in four languages",
        languages=("en", "de", "fr", "nl"),
        text_tower={
            "tokenizer_sha256": TOKENIZER_SHA256,
            "context_length": CONTEXT,
            "template": "{}",
        },
        knows_only="This model knows the synthetic museum only.",
    )
    files: ClassVar[tuple[WeightsFile, ...]] = (
        WeightsFile("safetensors", WEIGHTS_FILE, url="package:museum_clip", sha256=WEIGHTS_SHA256),
        WeightsFile(
            "tokenizer", "tokenizer.json", url="package:museum_clip", sha256=TOKENIZER_SHA256
        ),
    )
    towers = ("image", "text")

    def __init__(self, folder: Path | None = None, options: RuntimeOptions | None = None) -> None:
        """Use the weights that came with the package, or those in `folder`."""
        super().__init__(folder or SHIPPED, options)

    def is_default_for(self, source_kind: str) -> bool:
        """Tell that the museum's own collections get this space without being asked."""
        return source_kind == "museum"

    def tokenise(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Cut texts into word pieces: `(n, CONTEXT)`, padded with 0."""
        ids = token_ids(read_tokenizer(self.find_file("tokenizer.json")), texts)
        return np.pad(ids, ((0, 0), (0, CONTEXT - ids.shape[1])))

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build both towers, from a safetensors file or at random. Needs the laboratory."""
        from bilderatlas.extractors.museum_clip_towers import load_towers

        return load_towers(weights)


@lru_cache(maxsize=4)
def read_tokenizer(path: Path) -> Tokenizer:
    """Read word pieces from a file, once a process."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(path.read_text(encoding="utf-8"))


def token_ids(
    tokenizer: Tokenizer, texts: Sequence[str], context: int = CONTEXT
) -> npt.NDArray[np.int64]:
    """Return `(n, length)` ids, as long as the longest text needs, padded with 0.

    A text without any word piece is one unknown piece: every text has a place in the space.
    """
    unknown = tokenizer.token_to_id("[UNK]") or 1
    encoded = tokenizer.encode_batch(list(texts))
    pieces = [each.ids[:context] or [unknown] for each in encoded]
    ids = np.zeros((len(pieces), max((len(each) for each in pieces), default=1)), np.int64)
    for row, each in zip(ids, pieces, strict=True):
        row[: len(each)] = each
    return ids


EXTRACTORS.register("museum_clip.synthetic", MuseumClip())
