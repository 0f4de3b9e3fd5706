"""Verification: copies in every form are recognised, and nothing that no camera could have seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.arrays import Pixels
from bilderatlas.extractors.base import ImageRows
from bilderatlas.extractors.details import DetailsSift, mirror_rows
from bilderatlas.search.hits import Match
from bilderatlas.search.transforms import UNCHANGED, Transform
from bilderatlas.search.verify import (
    MIN_INLIERS,
    SAME_WORK,
    Agreement,
    Features,
    find_agreement,
    is_plausible,
    local_jacobians,
    match_of,
    match_one_to_one,
    project,
    verdict_of,
)

SQUARE = np.array([[0, 0], [1000, 0], [1000, 800], [0, 800]], np.float64)


def scene(seed: int, width: int = 480, height: int = 360) -> Pixels:
    """Paint shapes of many sizes over each other; another seed, another picture."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 128, np.uint8)
    for _ in range(160):
        corners = random.integers(0, [width, height], 2) + random.integers(-30, 30, (4, 2))
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        cv2.fillPoly(pixels, [corners.astype(np.int32)], colour)
    return cv2.GaussianBlur(pixels, (0, 0), 0.8)


def features(pixels: Pixels, *, mirrored: bool = False) -> Features:
    (rows,) = DetailsSift().extract_batch([pixels])
    return Features.from_rows(
        mirror_rows(rows) if mirrored else rows, (pixels.shape[1], pixels.shape[0])
    )


def match(query: Pixels, hit: Pixels, *, mirrored: bool = False) -> Match | None:
    asked, answer = features(query, mirrored=mirrored), features(hit)
    agreement = find_agreement(asked, answer)
    return match_of(agreement, asked, answer, mirrored=mirrored) if agreement else None


def turned(pixels: Pixels, degrees: float, scale: float = 1.0) -> Pixels:
    """Turn clockwise about the centre, on a canvas of the same size."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), -degrees, scale)
    return cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)


PICTURE = scene(1)


def test_the_same_picture_is_the_same_work_unchanged() -> None:
    found = match(PICTURE, PICTURE)
    assert found is not None
    assert found.verdict == SAME_WORK
    assert found.transform == UNCHANGED
    np.testing.assert_allclose(np.reshape(found.homography, (3, 3)), np.eye(3), atol=1e-3)
    assert found.region_xyxyn == pytest.approx(found.query_region_xyxyn, abs=2e-3)
    assert found.n_inliers > 100


def test_another_picture_is_not_found() -> None:
    assert all(match(PICTURE, scene(seed)) is None for seed in range(2, 8))


@pytest.mark.parametrize("degrees", [4, -12, 45, 90, 180])
def test_a_turned_copy_is_said_to_be_turned(degrees: float) -> None:
    found = match(PICTURE, turned(PICTURE, degrees))
    assert found is not None
    assert found.verdict == SAME_WORK
    sense = "clockwise" if degrees > 0 else "anticlockwise"
    assert found.transform in {f"turned {abs(degrees)}° {sense}", "turned 180° anticlockwise"}


def test_a_larger_detail_is_said_to_be_larger() -> None:
    found = match(PICTURE, turned(PICTURE, 0, scale=1.3))
    assert found is not None
    assert found.transform == "30 % larger"


def test_another_resolution_changes_nothing() -> None:
    found = match(PICTURE, cv2.resize(PICTURE, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA))
    assert found is not None
    assert found.transform == UNCHANGED


def test_a_crop_names_the_region_it_shows() -> None:
    crop = np.ascontiguousarray(PICTURE[90:270, 120:360])  # the middle half of each side
    found = match(crop, PICTURE)
    assert found is not None
    assert found.verdict == SAME_WORK
    assert found.transform == "50 % smaller"
    assert found.region_xyxyn == pytest.approx((0.25, 0.25, 0.75, 0.75), abs=0.05)
    assert found.query_region_xyxyn == pytest.approx((0, 0, 1, 1), abs=0.1)
    expected = np.array([[0.5, 0, 0.25], [0, 0.5, 0.25], [0, 0, 1]])
    np.testing.assert_allclose(np.reshape(found.homography, (3, 3)), expected, atol=5e-3)


def test_a_mirrored_print_is_found_when_mirrors_are_asked_for() -> None:
    print_ = turned(np.ascontiguousarray(PICTURE[:, ::-1]), 4, scale=1.05)
    assert match(PICTURE, print_) is None
    found = match(PICTURE, print_, mirrored=True)
    assert found is not None
    assert found.mirrored
    assert found.verdict == SAME_WORK
    assert found.transform == "mirrored, 5 % larger, turned 4° clockwise"
    assert np.linalg.det(np.reshape(found.homography, (3, 3))) < 0


def test_a_mirrored_half_is_told_in_places_of_the_picture_as_given() -> None:
    left = np.ascontiguousarray(PICTURE[:, :240])
    found = match(PICTURE, np.ascontiguousarray(left[:, ::-1]), mirrored=True)
    assert found is not None
    assert found.query_region_xyxyn[0] < 0.05
    assert found.query_region_xyxyn[2] == pytest.approx(0.5, abs=0.03)
    matrix = np.reshape(found.homography, (3, 3))
    sent = project(matrix, np.array([[0.25, 0.5]]))
    np.testing.assert_allclose(sent, [[0.5, 0.5]], atol=0.01)


def test_a_picture_seen_askew_is_said_to_be_foreshortened() -> None:
    onto = np.float32([[40, 20], [400, 60], [400, 300], [40, 340]])
    corners = np.float32([[0, 0], [480, 0], [480, 360], [0, 360]])
    seen = cv2.warpPerspective(PICTURE, cv2.getPerspectiveTransform(corners, onto), (480, 360))
    found = match(PICTURE, seen)
    assert found is not None
    assert found.verdict == SAME_WORK
    assert "foreshortened" in found.transform or "smaller" in found.transform


def test_matches_are_one_to_one_in_rows_and_places() -> None:
    pattern = np.tile(scene(3, 120, 90), (4, 4, 1))  # every detail stands there sixteen times
    query, hit = features(pattern), features(PICTURE)
    for one, other in ((query, query), (query, hit), (hit, query)):
        pairs = match_one_to_one(one, other)
        for side, each in enumerate((one, other)):
            assert len(np.unique(pairs[:, side])) == len(pairs)
            assert len(np.unique(each.places[pairs[:, side]], axis=0)) == len(pairs)
    agreement = find_agreement(query, query)
    if agreement is not None:
        for side in (0, 1):
            assert len(np.unique(agreement.pairs[:, side])) == agreement.n_inliers


def test_the_same_question_gets_the_same_answer() -> None:
    query, hit = features(PICTURE), features(turned(PICTURE, 20))
    first, second = find_agreement(query, hit), find_agreement(query, hit)
    assert first is not None and second is not None
    np.testing.assert_array_equal(first.pairs, second.pairs)
    np.testing.assert_array_equal(first.matrix, second.matrix)


@pytest.mark.parametrize("n", [0, 1, 2, MIN_INLIERS - 1])
def test_too_few_features_prove_nothing(n: int) -> None:
    few = features(PICTURE)
    few = Features(few.vectors[:n], few.places[:n], few.scales[:n], few.angles[:n], few.size_wh)
    assert find_agreement(few, features(PICTURE)) is None
    assert find_agreement(features(PICTURE), few) is None


def test_a_uniform_picture_has_no_match() -> None:
    assert match(np.full((300, 400, 3), 90, np.uint8), PICTURE) is None


def test_rows_without_a_place_are_left_out() -> None:
    (rows,) = DetailsSift().extract_batch([PICTURE])
    assert rows.geometry is not None
    geometry = rows.geometry.copy()
    geometry[:3] = np.nan
    geometry[3, 2] = 0
    kept = Features.from_rows(ImageRows(rows.vectors, geometry), (480, 360))
    assert len(kept.vectors) == len(kept.places) == len(rows.vectors) - 4
    assert len(Features.from_rows(ImageRows(rows.vectors), (480, 360)).vectors) == 0


# Homographies that no camera makes


@pytest.mark.parametrize(
    ("onto", "plausible"),
    [
        ([[0, 0], [900, 50], [950, 700], [20, 800]], True),
        ([[1000, 0], [0, 0], [0, 800], [1000, 800]], False),  # turned over
        ([[0, 0], [1000, 800], [1000, 0], [0, 800]], False),  # a bow tie
        ([[0, 0], [1000, 0], [400, 100], [0, 800]], False),  # a corner pushed inside
        ([[0, 0], [1000, 0], [1000, 3], [0, 3]], False),  # collapsed to a line
        ([[500, 400], [510, 400], [510, 408], [500, 408]], False),  # collapsed to a spot
        ([[0, 0], [1000, 380], [1000, 420], [0, 800]], False),  # runs off to the horizon
    ],
)
def test_homographies_that_fold_or_collapse_are_refused(
    onto: list[list[int]], plausible: bool
) -> None:
    matrix = cv2.getPerspectiveTransform(SQUARE.astype(np.float32), np.array(onto, np.float32))
    assert is_plausible(matrix, SQUARE) is plausible


def test_numbers_that_are_none_are_refused() -> None:
    assert not is_plausible(np.full((3, 3), np.nan), SQUARE)
    assert not is_plausible(np.zeros((3, 3)), SQUARE)
    assert not is_plausible(np.eye(3), SQUARE[:3])


@settings(max_examples=60, deadline=None)
@given(
    turn=st.floats(-np.pi, np.pi),
    scale=st.floats(0.1, 10),
    shift=st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)),
    tilt=st.tuples(st.floats(-2e-4, 2e-4), st.floats(-2e-4, 2e-4)),
)
def test_camera_views_are_plausible_and_their_mirrors_are_not(
    turn: float, scale: float, shift: tuple[float, float], tilt: tuple[float, float]
) -> None:
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]], [*tilt, 1]])
    centred = np.array([[1, 0, -500], [0, 1, -400], [0, 0, 1.0]])
    if abs(tilt[0] * shift[0] + tilt[1] * shift[1]) > 0.3:
        matrix[2, :2] = 0  # a shift along the tilt is another tilt
    lens = np.array([[1, 0, 0], [0, 1, 0], [*tilt, 1]])
    view = np.vstack([matrix[:2], [0, 0, 1]]) @ lens @ centred
    assert is_plausible(view, SQUARE)
    assert is_plausible(-view, SQUARE)  # the same homography
    assert not is_plausible(np.diag([-1.0, 1, 1]) @ view, SQUARE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_jacobians_are_the_derivatives_of_the_projection(values: list[float]) -> None:
    matrix = np.append(values, 1.0).reshape(3, 3)
    matrix[2, :2] *= 1e-3
    place = np.array([[120.0, 340.0]])
    step = 1e-3
    numeric = np.stack(
        [
            (project(matrix, place + shift) - project(matrix, place - shift))[0] / (2 * step)
            for shift in (np.array([step, 0]), np.array([0, step]))
        ],
        axis=1,
    )
    np.testing.assert_allclose(local_jacobians(matrix, place)[0], numeric, atol=1e-4)


# Words


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (Transform(False, 1.0, 0.0, 0.0), UNCHANGED),
        (Transform(False, 1.01, 0.9, 0.04), UNCHANGED),
        (Transform(True, 1.0, 0.0, 0.0), "mirrored"),
        (Transform(True, 1.03, 0.0, 0.0), "mirrored, 3 % larger"),
        (Transform(False, 0.5, -4.2, 0.0), "50 % smaller, turned 4° anticlockwise"),
        (Transform(False, 2.44, 90.0, 0.12),
         "2.4 times as large, turned 90° clockwise, foreshortened by 12 %"),
    ],
)  # fmt: skip
def test_transforms_in_words(transform: Transform, words: str) -> None:
    assert str(transform) == words


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 20), st.floats(-179, 179))
def test_a_similarity_is_taken_apart_again(scale: float, degrees: float) -> None:
    angle = np.deg2rad(degrees)
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    transform = Transform.from_jacobian(matrix)
    assert transform.scale == pytest.approx(scale)
    assert transform.turn_deg == pytest.approx(degrees, abs=1e-6)
    assert transform.foreshortening == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("n_inliers", "density", "spread", "verdict"),
    [
        (200, 0.5, 0.95, "same work"),
        (17, 0.2, 0.8, "same work"),
        (120, 0.15, 0.55, "same object or workshop"),  # both sides of one altarpiece
        (40, 0.08, 0.9, "same object or workshop"),
        (9, 0.9, 1.0, "similar details"),
    ],
)
def test_verdicts(n_inliers: int, density: float, spread: float, verdict: str) -> None:
    agreement = Agreement(np.zeros((n_inliers, 2), np.int64), np.eye(3), density, spread, 0.5, 0.5)
    assert verdict_of(agreement) == verdict
