"""Joints become vectors that forget place and size, and give the joints back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bilderatlas.extractors.pose_vectors import (
    DIM,
    JOINTS,
    SEEN_SHARE,
    box_of,
    certainties,
    in_region,
    joints_of,
    mirror_vectors,
    rows_of_figures,
)

SIZE = (400, 300)
STANDING = np.array(
    [
        (100, 40), (104, 36), (96, 36), (109, 38), (91, 38), (120, 70), (80, 70), (130, 110),
        (70, 110), (132, 150), (66, 148), (112, 150), (88, 150), (114, 200), (87, 200), (115, 250),
        (86, 250),
    ],
    float,
)  # fmt: skip


def figure(places: np.ndarray = STANDING, *, hidden: tuple[str, ...] = ()) -> np.ndarray:
    """Return joints `(17, 3)`, those hidden as the museum writes them: 0, 0, 0."""
    joints = np.c_[places, np.ones(17)]
    joints[[JOINTS.index(name) for name in hidden]] = 0
    return joints


def vector(joints: np.ndarray, size_wh: tuple[int, int] = SIZE) -> np.ndarray:
    rows = rows_of_figures(joints[np.newaxis], size_wh)
    assert rows.vectors.shape == (1, DIM)
    return rows.vectors[0]


def test_four_joints_by_hand() -> None:
    """A square of side 2 around (11, 21): every corner √2 from the middle, and so is the spread."""
    joints = np.zeros((17, 3))
    joints[:4] = [(10, 20, 1), (12, 20, 1), (10, 22, 1), (12, 22, 1)]
    rows = rows_of_figures(joints[np.newaxis], (44, 40))
    shape = rows.vectors[0, :8] / np.sqrt(1 - SEEN_SHARE)
    half = 1 / (2 * np.sqrt(2))  # √(1/4) · 1/√2
    assert shape == pytest.approx([-half, -half, half, -half, -half, half, half, half])
    assert rows.vectors[0, 34:] / np.sqrt(SEEN_SHARE) == pytest.approx([0.5] * 4 + [0] * 13)
    assert rows.geometry is not None
    assert rows.geometry[0] == pytest.approx([11 / 44, 21 / 40, np.sqrt(2) / 44, 0])
    assert np.linalg.norm(rows.vectors[0]) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-1e4, 1e4), st.floats(-1e4, 1e4), st.floats(0.05, 50), st.sets(st.integers(0, 16),
    max_size=12),
)  # fmt: skip
def test_place_and_size_are_forgotten(x: float, y: float, scale: float, unseen: set[int]) -> None:
    hidden = tuple(JOINTS[joint] for joint in unseen)
    moved = figure(STANDING * scale + [x, y], hidden=hidden)
    assert vector(moved, (9000, 9000)) @ vector(figure(hidden=hidden)) == pytest.approx(1, abs=1e-4)


def test_a_mirrored_figure_is_another_until_its_vector_is_mirrored() -> None:
    raised = STANDING.copy()
    raised[[7, 9]] = [(140, 40), (150, 10)]  # the left arm
    mirrored = figure(raised)
    mirrored[:, 0] = SIZE[0] - mirrored[:, 0]
    mirrored = mirrored[[0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
    here, there = vector(figure(raised)), vector(mirrored)
    assert here @ there < 0.99
    assert mirror_vectors(here[np.newaxis])[0] == pytest.approx(there, abs=1e-6)
    assert mirror_vectors(mirror_vectors(here[np.newaxis]))[0] == pytest.approx(here)


def test_left_and_right_are_kept() -> None:
    """The same outline seen from behind: every left joint where the right one was."""
    behind = figure()[[0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]]
    assert vector(figure()) @ vector(behind) < 0.95


def test_another_pose_is_farther_than_the_same_pose_with_a_hidden_hand() -> None:
    kneeling = STANDING.copy()
    kneeling[13:] = [(120, 190), (80, 190), (70, 200), (40, 200)]
    same = vector(figure(hidden=("left wrist",)))
    assert vector(figure()) @ same > vector(figure()) @ vector(figure(kneeling))


def test_an_uncertain_joint_counts_little() -> None:
    wild = figure()
    wild[9, :2] = (390, 5)
    doubtful, certain = wild.copy(), wild.copy()
    doubtful[9, 2] = 0.02
    likeness = [float(vector(figure()) @ vector(each)) for each in (doubtful, certain)]
    assert likeness[0] > 0.95 > likeness[1]


def test_what_is_no_pose_has_no_row() -> None:
    point = np.c_[np.full((17, 2), 50.0), np.ones(17)]
    three = np.zeros((17, 3))
    three[:3] = [(1, 1, 1), (5, 5, 1), (9, 2, 1)]
    unsure = figure()
    unsure[:, 2] = 0.2
    rows = rows_of_figures(np.stack([point, three, unsure, np.zeros((17, 3))]), SIZE)
    assert rows.vectors.shape == (0, DIM) and rows.vectors.dtype == np.float32
    assert rows.geometry is not None and rows.geometry.shape == (0, 4)
    assert rows_of_figures(np.empty((0, 17, 3)), SIZE).vectors.shape == (0, DIM)
    both = rows_of_figures(np.stack([three, figure()]), SIZE)
    assert both.vectors[0] == pytest.approx(vector(figure()))


def test_the_joints_come_back() -> None:
    joints = figure(hidden=("left ear", "right ankle"))
    rows = rows_of_figures(joints[np.newaxis], SIZE)
    assert rows.geometry is not None
    back = joints_of(rows.vectors[0], rows.geometry[0], SIZE)
    assert back[:, :2] * SIZE == pytest.approx(joints[:, :2], abs=0.01)
    assert back[:, 2] == pytest.approx(joints[:, 2], abs=1e-5)
    x1, y1, x2, y2 = box_of(back, SIZE)
    # from the right wrist to the left, from the eyes to the ankle, 8 % of the height around
    room = 0.08 * (250 - 36)
    assert [x1 * 400, y1 * 300, x2 * 400, y2 * 300] == pytest.approx(
        [66 - room, 36 - room, 132 + room, 250 + room], abs=0.05
    )


def test_the_box_stays_in_the_picture() -> None:
    rows = rows_of_figures(figure()[np.newaxis], (140, 255))
    assert rows.geometry is not None
    assert box_of(joints_of(rows.vectors[0], rows.geometry[0], (140, 255)), (140, 255))[2:] == (
        1,
        1,
    )


def test_regions_choose_by_the_centre() -> None:
    geometry = np.array([[0.2, 0.5, 0.1, 0], [0.8, 0.5, 0.1, 0]], np.float32)
    assert in_region(geometry, (0.5, 0, 0.5, 1)).tolist() == [False, True]


def test_certainty_rises_with_the_score() -> None:
    scores = np.array([-1e9, 0, 2, 4, 1e9])
    assert certainties(scores) == pytest.approx([0, 0.1192, 0.5, 0.8808, 1], abs=1e-4)
