"""Points that agree lie where the homography sends them, upright and mirrored."""

from __future__ import annotations

import numpy as np
import pytest

from bilderatlas.arrays import Pixels
from bilderatlas.extractors.details import DetailsSift
from bilderatlas.search.correspondence import MAX_POINTS, Correspondence, find_correspondence
from tests.search.test_details_verify import scene, turned

PICTURE = scene(1)


def correspondence(first: Pixels, second: Pixels) -> Correspondence | None:
    rows = DetailsSift().extract_batch([first, second])
    sizes = [(pixels.shape[1], pixels.shape[0]) for pixels in (first, second)]
    return find_correspondence(rows[0], sizes[0], rows[1], sizes[1])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 9])
def test_points_lie_where_the_homography_sends_them(degrees: int, mirrored: bool) -> None:
    other = turned(PICTURE, degrees)
    found = correspondence(PICTURE, np.ascontiguousarray(other[:, ::-1]) if mirrored else other)
    assert found is not None
    assert found.match.mirrored is mirrored
    assert 20 < len(found.points) <= MAX_POINTS
    points = np.array(found.points)
    assert points.min() >= 0 and points.max() <= 1
    assert np.ptp(points[:, 1]) > 0.5  # from all over the picture
    sent = np.column_stack([points[:, :2], np.ones(len(points))])
    sent = sent @ np.reshape(found.match.homography, (3, 3)).T
    assert np.abs(sent[:, :2] / sent[:, 2:] - points[:, 2:]).max() < 0.02
    if not degrees:
        np.testing.assert_allclose(points[:, 1], points[:, 3], atol=0.01)
        across = 1 - points[:, 0] if mirrored else points[:, 0]
        np.testing.assert_allclose(across, points[:, 2], atol=0.01)


def test_pictures_of_different_things_have_no_points() -> None:
    assert correspondence(PICTURE, scene(7)) is None
    assert correspondence(PICTURE, np.full((200, 300, 3), 90, np.uint8)) is None
