"""How large a batch this machine takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bilderatlas.extractors import Extractor

CPU_IMAGES = 32
GPU_IMAGES = 256
MIN_IMAGES = 4
BYTES_A_PIXEL = 3 * 4 * 8
"""A decoded picture as float32, and room for what a network makes of it on the way."""
MEMORY_SHARE = 0.25
UNKNOWN_MEMORY_BYTES = 4_000_000_000


def choose_batch_images(
    extractors: Iterable[Extractor], device: str, free_bytes: int | None = None
) -> int:
    """Return how many pictures are decoded, extracted and committed at a time.

    More than `CPU_IMAGES` gain nothing on a processor and only make a kill dearer; a GPU wants
    more. A machine short of memory gets fewer; `free_bytes` is what it has now, unless given.
    """
    free_bytes = free_memory_bytes() if free_bytes is None else free_bytes
    side_px = max((extractor.card.side_px for extractor in extractors), default=1)
    affordable = int(free_bytes * MEMORY_SHARE / (side_px**2 * BYTES_A_PIXEL))
    wanted = CPU_IMAGES if device == "cpu" else GPU_IMAGES
    return max(MIN_IMAGES, min(wanted, affordable))


def free_memory_bytes() -> int:
    """Return the memory that can be had now, where the system tells it, or a cautious guess."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return UNKNOWN_MEMORY_BYTES
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) * 1024 if found else UNKNOWN_MEMORY_BYTES
