"""Readiness, device and precision are settled before a run touches anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.errors import UnavailableError, UsageError
from bilderatlas.extractors import EXTRACTORS, ImageRows
from bilderatlas.extractors.gate import try_gate
from bilderatlas.extractors.runtimes import RuntimeOptions
from bilderatlas.indexing.prepare import prepare_extractors
from tests.extractors.runtimes.tiny import TinyExtractor, save_weights

RAW = EXTRACTORS.get("raw_32.pixels")
BF16 = RuntimeOptions(precision="bf16")


@pytest.fixture
def tiny(tmp_path: Path) -> TinyExtractor:
    pytest.importorskip("torch")
    extractor = TinyExtractor(tmp_path / "tiny")
    save_weights(extractor.folder / "weights.safetensors")
    return extractor


class Overflowing(TinyExtractor):
    """Goes wrong in half precision, as a channel of outliers does."""

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        rows = super().extract_batch(images)
        if self.options.precision != "bf16":
            return rows
        return [ImageRows(row.vectors[:, ::-1].copy()) for row in rows]


class Blind(TinyExtractor):
    """Sees nothing in any picture."""

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        return [ImageRows(row.vectors[:0]) for row in super().extract_batch(images)]


def test_what_passes_its_gate_computes_in_bf16_and_says_so(tiny: TinyExtractor) -> None:
    (raw, prepared), notes = prepare_extractors([RAW, tiny], "cpu", "bf16")
    assert raw is RAW
    assert isinstance(prepared, TinyExtractor)
    assert prepared.options == RuntimeOptions(precision="bf16", n_threads=1)
    assert not prepared.threads_itself  # shares of a batch run side by side
    assert "'tiny_grid.test' computes in bf16" in notes[0] and "taken over" in notes[1]


def test_what_fails_its_gate_computes_in_fp32_and_says_why(tiny: TinyExtractor) -> None:
    (prepared,), notes = prepare_extractors([Overflowing(tiny.folder)], "cpu", "bf16")
    assert isinstance(prepared, Overflowing) and prepared.options == RuntimeOptions(n_threads=1)
    assert "computes in fp32, not in bf16" in notes[0] and "only" in notes[0]


class Shuffling(TinyExtractor):
    """Keeps every vector nearly as it is in half precision, and mixes up who is next to whom."""

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        rows = [ImageRows(1 + 1e-4 * row.vectors) for row in super().extract_batch(images)]
        if self.options.precision != "bf16":
            return rows
        dice = np.random.default_rng(1)
        return [
            ImageRows(row.vectors + dice.normal(0, 1e-3, row.vectors.shape).astype(np.float32))
            for row in rows
        ]


def pictures(n: int) -> list[Pixels]:
    dice = np.random.default_rng(2)
    return [dice.integers(0, 256, (64, 64, 3)).astype(np.uint8) for _ in range(n)]


def test_neighbours_that_do_not_stay_keep_the_gate_shut(tiny: TinyExtractor) -> None:
    shuffling = Shuffling(tiny.folder)
    few = try_gate(shuffling, shuffling.configured(BF16), pictures(10))
    assert few.passed and few.overlap is None  # too few to tell
    many = try_gate(shuffling, shuffling.configured(BF16), pictures(80))
    assert not many.passed and many.cosine is not None and many.cosine > 0.999
    assert many.overlap is not None and many.overlap < 0.95
    assert "of their 30 nearest only" in many.sentence


def test_neighbours_that_stay_open_it(tiny: TinyExtractor) -> None:
    report = try_gate(tiny, tiny.configured(BF16), pictures(80))
    assert report.passed and report.overlap is not None and report.overlap >= 0.95
    assert "88 pictures agree" in report.sentence


def test_a_gate_without_evidence_stays_shut(tiny: TinyExtractor) -> None:
    blind = Blind(tiny.folder)
    report = try_gate(blind, blind.configured(BF16))
    assert not report.passed and "nothing in the pictures" in report.sentence


def test_fp32_needs_no_gate_and_one_thread_a_share(tiny: TinyExtractor) -> None:
    alone = tiny.configured(RuntimeOptions(n_threads=1))
    assert prepare_extractors([RAW, alone], "cpu", "fp32") == ([RAW, alone], [])
    (_, prepared), notes = prepare_extractors([RAW, tiny], "cpu", "fp32")
    assert isinstance(prepared, TinyExtractor) and notes == []
    assert prepared.options == RuntimeOptions(n_threads=1)


def test_missing_weights_end_the_run_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"extractors fetch tiny_grid\.test"):
        prepare_extractors([RAW, TinyExtractor(tmp_path / "none")], "cpu", "fp32")


def test_a_precision_that_there_is_not(tiny: TinyExtractor) -> None:
    with pytest.raises(UsageError, match="expected fp32 or bf16"):
        prepare_extractors([tiny], "cpu", "int8")


def test_a_gpu_that_is_not_here_is_told(tiny: TinyExtractor) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(UnavailableError, match="cuda"):
        prepare_extractors([tiny], "cuda", "fp32")
