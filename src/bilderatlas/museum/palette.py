"""The palette of a picture: dominant colours with their shares, computed from its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bilderatlas.arrays import Pixels


@dataclass(frozen=True, slots=True)
class Swatch:
    """One dominant colour: sRGB as `#rrggbb`, CIELAB, and its share of the picture."""

    srgb: str
    lab: tuple[float, float, float]
    share: float


def palette_of(pixels: Pixels, k: int = 6) -> tuple[Swatch, ...]:
    """Return up to `k` dominant colours, the largest first; their shares sum to 1.

    Clusters in CIELAB (D65), found by k-means from evenly spread lightnesses, without chance.
    """
    small = cv2.resize(pixels, (72, 72), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    order = np.argsort(lab[:, 0], kind="stable")
    centres = lab[order[np.linspace(0, len(order) - 1, 2 * k + 1).astype(int)[1::2]]].copy()
    nearest = np.zeros(len(lab), np.int64)
    for _ in range(12):
        nearest = ((lab[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        for j in range(k):
            members = lab[nearest == j]
            if len(members):
                centres[j] = members.mean(axis=0)
    counts = np.bincount(nearest, minlength=k)
    swatches = []
    for j in np.argsort(-counts, kind="stable"):
        if counts[j]:
            rgb = cv2.cvtColor(centres[j].reshape(1, 1, 3), cv2.COLOR_LAB2RGB).reshape(3)
            r, g, b = (int(v) for v in np.clip(np.rint(rgb * 255), 0, 255))
            light, a, yellow = (round(float(v), 2) for v in centres[j])
            share = int(counts[j]) / len(lab)
            swatches.append(Swatch(f"#{r:02x}{g:02x}{b:02x}", (light, a, yellow), share))
    return tuple(swatches)
