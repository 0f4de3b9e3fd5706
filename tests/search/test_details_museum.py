"""The synthetic museum's own variants: details find them, and tell the transform that was used."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from bilderatlas import museum
from bilderatlas.arrays import scale_to_side
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import SIDE_PX, DetailsSift, mirror_rows
from bilderatlas.search.verify import Agreement, Features, find_agreement, match_of, project

SEED = 7
N_TRIED = 4


def features(index: int, *, mirrored: bool = False) -> tuple[Features, tuple[int, int]]:
    encoded = np.frombuffer(museum.paint_work(SEED, index), np.uint8)
    pixels = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    size_wh = (pixels.shape[1], pixels.shape[0])
    small = cv2.resize(pixels, scale_to_side(size_wh, SIDE_PX), interpolation=cv2.INTER_AREA)
    (rows,) = DetailsSift().extract_batch([small])
    rows = mirror_rows(rows) if mirrored else rows
    return Features.from_rows(ImageRows(rows.vectors, rows.geometry), size_wh), size_wh


@pytest.mark.parametrize("kind", ["print after", "workshop repetition", "detail"])
def test_variants_are_found_with_their_transform(kind: str) -> None:
    works = (museum.plan_work(SEED, index) for index in itertools.count())
    variants = (work for work in works if work.relation and work.relation.kind == kind)
    n_found = 0
    for work in itertools.islice(variants, N_TRIED):
        relation = work.relation
        assert relation is not None
        model, model_wh = features(relation.model_index, mirrored=relation.mirrored)
        variant, variant_wh = features(work.index)
        agreement = find_agreement(model, variant)
        if agreement is None:
            continue
        n_found += 1
        match = match_of(agreement, model, variant, mirrored=relation.mirrored)
        assert match.mirrored is (kind == "print after")
        assert match.transform.startswith("mirrored") is match.mirrored
        painted = np.asarray(relation.matrix)
        found = (
            np.diag([*variant_wh, 1.0])
            @ np.reshape(match.homography, (3, 3))
            @ np.diag([1 / model_wh[0], 1 / model_wh[1], 1.0])
        )
        places = _middle_of(agreement, model, model_wh, mirrored=relation.mirrored)
        apart = np.linalg.norm(project(found, places) - project(painted, places), axis=1)
        assert apart.max() < 0.03 * max(variant_wh)
    assert n_found >= N_TRIED // 2


def _middle_of(
    agreement: Agreement, model: Features, model_wh: tuple[int, int], *, mirrored: bool
) -> np.ndarray:
    """Return the middle of the match, in pixels of the model as it was painted."""
    middle = model.places[agreement.pairs[:, 0]].mean(axis=0, keepdims=True) / model.size_wh
    if mirrored:
        middle[:, 0] = 1 - middle[:, 0]
    return middle * model_wh
