"""Batches are sized to the machine."""

from __future__ import annotations

import pytest

from bilderatlas.extractors import EXTRACTORS
from bilderatlas.indexing.machine import choose_batch_images, free_memory_bytes

GIGABYTE = 1_000_000_000


@pytest.mark.parametrize(
    ("free_bytes", "device", "expected"),
    [
        (64 * GIGABYTE, "cpu", 32),
        (64 * GIGABYTE, "cuda", 256),
        (GIGABYTE, "cpu", 7),  # 576² pixels of 96 bytes are 32 MB a picture
        (0, "cuda", 4),
    ],
)
def test_batches_fit_the_memory(free_bytes: int, device: str, expected: int) -> None:
    extractors = [EXTRACTORS.get("raw_32.pixels"), EXTRACTORS.get("details_sift.pixels")]
    assert choose_batch_images(extractors, device, free_bytes) == expected


def test_this_machine_has_memory() -> None:
    assert free_memory_bytes() > 1_000_000
