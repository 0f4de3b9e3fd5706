"""How much one picture may cost."""

from __future__ import annotations

from dataclasses import dataclass

WALL_PER_CPU = 3.0  # a child that shares its processor with others may take this much longer


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """What a picture may cost before it is refused, and how long a child lives.

    Attributes:
        max_file_bytes: Size of the file.
        max_pixels: Width times height, as the header says it.
        max_frames: Frames or pages are counted up to this number and no further; only the first
            is decoded.
        max_side_px: The longer side.
        timeout_s: Processor time for one picture; `WALL_PER_CPU` times as much on the clock.
        memory_bytes: Memory of one child, its own program (about 0.2 GB of addresses) included.
        images_per_child: A child is replaced after so many pictures.
    """

    max_file_bytes: int = 100_000_000
    max_pixels: int = 200_000_000
    max_frames: int = 50
    max_side_px: int = 65_000
    timeout_s: float = 20.0
    memory_bytes: int = 1_500_000_000
    images_per_child: int = 500

    @property
    def wall_s(self) -> float:
        """Seconds on the clock after which a child is stopped."""
        return self.timeout_s * WALL_PER_CPU
