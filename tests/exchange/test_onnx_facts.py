"""A package names the ONNX file that its vectors came from, where record.json knows it."""

from __future__ import annotations

from pathlib import Path

import bilderatlas.api as ba
from bilderatlas.api.features import export_features
from bilderatlas.checksums import file_sha256
from bilderatlas.extractors.museum_clip import MuseumClip
from bilderatlas.indexing import IndexOptions
from tests.exchange.packages import paint

NEURAL, PLAIN = "museum_clip.synthetic", "raw_32.pixels"


def test_the_network_is_named_by_its_checksum(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for seed in range(2):
        (pictures / f"{seed}.png").write_bytes(paint(seed).png)
    with ba.create(tmp_path / "library") as library:
        options = IndexOptions(extractors=(NEURAL, PLAIN), workers=1)
        ba.index(library, str(pictures), "some", options=options)
        neural = export_features(library, "some", NEURAL, tmp_path / "neural").manifest.model
        plain = export_features(library, "some", PLAIN, tmp_path / "plain").manifest.model
    assert neural.onnx_sha256 == file_sha256(MuseumClip().folder / "image.onnx")
    assert plain.onnx_sha256 is None
