"""Where chance comes from: every work has its own generators, one for each purpose."""

from __future__ import annotations

import zlib

import numpy as np


def rng_for(seed: int, index: int, purpose: str) -> np.random.Generator:
    """Return the generator of one `purpose` (`plan`, `scene`, `surface` …) of work `index`.

    A pure function of its arguments: which works were painted before does not matter.
    """
    salt = zlib.crc32(purpose.encode())
    return np.random.default_rng(np.random.SeedSequence([seed, index, salt]))
