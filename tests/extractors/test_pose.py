"""Every person of a picture becomes a row: from fake detections, and by the real network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors.base import EXTRACTORS, rows_are
from bilderatlas.extractors.pose import (
    MIN_SCORE,
    PoseKeypointRcnn,
    _digest,
    rows_of_detections,
)
from bilderatlas.extractors.pose_vectors import DIM, rows_of_figures
from bilderatlas.extractors.runtimes.base import RuntimeOptions
from bilderatlas.extractors.runtimes.export import export
from bilderatlas.extractors.runtimes.given import take_given
from bilderatlas.extractors.runtimes.likeness import cosines_of
from bilderatlas.extractors.runtimes.verify import verify
from bilderatlas.extractors.runtimes.weights import WEIGHTS_FILE

SIZE = (200, 100)


def detections(n: int, *, scores: list[float], joint_score: float = 40.0) -> list[np.ndarray]:
    """Return what a detector that found `n` people gives, each of joints strewn by its number."""
    joints = np.zeros((n, 17, 3), np.float32)
    for number in range(n):
        places = np.random.default_rng(number).uniform([0, 0], SIZE, (17, 2))
        joints[number] = np.c_[places, np.ones(17)]
    boxes = np.tile(np.array([0, 0, *SIZE], np.float32), (n, 1))
    return [
        boxes,
        np.array(scores, np.float32),
        joints,
        np.full((n, 17), joint_score, np.float32),
    ]


def test_the_card_says_what_a_row_is() -> None:
    extractor = EXTRACTORS.get("pose_keypointrcnn.coco")
    assert rows_are(extractor.card.to_json()) == "figure"
    assert not extractor.is_default_for("folder")
    (file,) = PoseKeypointRcnn.files
    assert file.role == "pickle" and file.sha256_prefix == "fc266e95"
    assert file.source().startswith("https://download.pytorch.org/models/keypointrcnn_resnet50_fpn")


def test_without_weights_it_says_what_to_fetch(tmp_path: Path) -> None:
    extractor = PoseKeypointRcnn(tmp_path / "nothing")
    assert extractor.readiness().state == "to fetch"
    assert "237 MB" in extractor.readiness().sentence
    with pytest.raises(UnavailableError, match="its weights are not here"):
        extractor.extract_batch([np.zeros((50, 50, 3), np.uint8)])


def test_nobody_found_is_no_row() -> None:
    rows = rows_of_detections(detections(0, scores=[]), SIZE)
    assert rows.vectors.shape == (0, DIM) and rows.vectors.dtype == np.float32
    assert rows.geometry is not None and rows.geometry.shape == (0, 4)
    assert rows.size_wh == SIZE


def test_everybody_counts_and_the_unsure_do_not() -> None:
    found = detections(4, scores=[0.99, MIN_SCORE + 0.01, MIN_SCORE - 0.01, 0.5])
    rows = rows_of_detections(found, SIZE)
    assert rows.vectors.shape == (2, DIM)
    certain = np.concatenate([found[2][:2, :, :2], np.ones((2, 17, 1))], axis=2)
    expected = rows_of_figures(certain, SIZE)
    assert rows.vectors == pytest.approx(expected.vectors, abs=1e-6)
    assert rows.geometry == pytest.approx(expected.geometry, abs=1e-6)
    assert rows.geometry is not None
    mean = found[2][0, :, :2].mean(axis=0) / SIZE  # all joints count alike
    assert rows.geometry[0, :2] == pytest.approx(mean, abs=1e-5)


def test_people_whose_joints_were_not_found_have_no_pose() -> None:
    assert len(rows_of_detections(detections(2, scores=[1, 1], joint_score=-5), SIZE).vectors) == 0


def test_a_place_that_is_no_number_is_no_figure() -> None:
    found = detections(2, scores=[1, 1])
    found[2][0, 3, 0] = np.nan
    assert len(rows_of_detections(found, SIZE).vectors) == 1


# The network itself, on random weights


class SmallPose(PoseKeypointRcnn):
    """The same network over small pictures, for a few people at most."""

    sides_px = (48, 64)
    max_figures = 2


def save_weights(folder: Path, *, sees_people: bool) -> PoseKeypointRcnn:
    """Write random weights whose last layer calls every box a person, or none."""
    import torch
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    torch.manual_seed(5)
    network = SmallPose().build_towers(None)["image"].network
    with torch.no_grad():
        judge = network.roi_heads.box_predictor.cls_score
        judge.weight *= 3  # so that no two people are found with the same score
        judge.bias.copy_(torch.tensor([0.0, 5.0 if sees_people else -99.0]))
    folder.mkdir(parents=True)
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, folder / WEIGHTS_FILE)
    return SmallPose(folder, RuntimeOptions(n_threads=1))


@pytest.fixture(scope="module")
def everyone(tmp_path_factory: pytest.TempPathFactory) -> PoseKeypointRcnn:
    pytest.importorskip("torchvision")
    return save_weights(tmp_path_factory.mktemp("pose") / "everyone", sees_people=True)


def noise(width: int, height: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_the_network_runs_from_pixels_to_rows(everyone: PoseKeypointRcnn) -> None:
    pictures = [noise(90, 70, 1), noise(50, 120, 2)]
    before = [pixels.copy() for pixels in pictures]
    together = everyone.extract_batch(pictures)
    assert [len(rows.vectors) for rows in together] == [2, 2]  # as many as are kept
    assert [rows.size_wh for rows in together] == [(90, 70), (50, 120)]
    for rows, pixels, kept in zip(together, pictures, before, strict=True):
        assert np.linalg.norm(rows.vectors, axis=1) == pytest.approx(1, abs=1e-5)
        assert rows.geometry is not None and rows.geometry.dtype == np.float32
        assert (rows.geometry[:, :2] >= 0).all() and (rows.geometry[:, :2] <= 1).all()
        assert np.array_equal(pixels, kept)
        assert everyone.extract_batch([pixels])[0].vectors == pytest.approx(rows.vectors)
    assert everyone.extract_batch([]) == []


def test_the_onnx_file_finds_the_same_figures(everyone: PoseKeypointRcnn) -> None:
    """Exported from one canary; then other sizes and shapes."""
    report = export(everyone)
    assert report.same_space and len(report.cosines["image"]) == 8
    assert everyone.possible_runtimes() == ["onnxruntime", "torch"]
    onnx, torch = (everyone.build_runtime(name) for name in everyone.possible_runtimes())
    for pixels in (noise(90, 70, 1), noise(40, 130, 2)):
        batch = pixels.transpose(2, 0, 1)[np.newaxis].astype(np.float32) / 255
        size_wh = (pixels.shape[1], pixels.shape[0])
        one, other = (
            rows_of_detections(run.run_all("image", batch), size_wh) for run in (onnx, torch)
        )
        assert len(one.vectors) == len(other.vectors) > 0
        assert (one.vectors * other.vectors).sum(axis=1).min() >= 0.9999
        assert one.geometry == pytest.approx(other.geometry, abs=1e-3)
        again = everyone.extract_batch([pixels])[0].vectors
        assert again == pytest.approx(one.vectors, abs=1e-4)


@pytest.mark.slow
def test_the_exported_file_can_be_carried(everyone: PoseKeypointRcnn, tmp_path: Path) -> None:
    """To a machine without the weights, where it proves itself on the canaries."""
    if not (everyone.folder / "image.onnx").exists():
        export(everyone)
    elsewhere = SmallPose(tmp_path / "elsewhere", RuntimeOptions(n_threads=1))
    take_given(elsewhere, everyone.folder / "image.onnx")
    assert elsewhere.possible_runtimes() == ["onnxruntime"]
    assert elsewhere.card.weights_sha256 == everyone.card.weights_sha256
    assert verify(elsewhere).ok
    pixels = noise(60, 60, 4)
    assert elsewhere.extract_batch([pixels])[0].vectors == pytest.approx(
        everyone.extract_batch([pixels])[0].vectors, abs=1e-3
    )


def test_a_digest_notices_a_place_that_is_off() -> None:
    found = detections(2, scores=[0.9, 0.8])
    moved = [found[0], found[1], found[2] + np.float32([4, 0, 0]), found[3]]
    one, other = (_digest(each, SIZE)[np.newaxis] for each in (found, moved))
    assert cosines_of(one, one) == (1.0,)
    assert cosines_of(one, other)[0] < 0.9999
    assert not _digest(detections(0, scores=[]), SIZE).any()


def test_a_network_that_finds_nobody_gives_no_rows(tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    nobody = save_weights(tmp_path / "nobody", sees_people=False)
    for rows in nobody.extract_batch([noise(90, 70, 1), np.full((1, 1, 3), 200, np.uint8)]):
        assert rows.vectors.shape == (0, DIM)
        assert rows.geometry is not None and rows.geometry.shape == (0, 4)
    with pytest.raises(WeightsError, match="nobody is found in the canary pictures"):
        export(nobody)
    assert not (nobody.folder / "image.onnx").exists()


def test_bf16_is_refused(everyone: PoseKeypointRcnn) -> None:
    with pytest.raises(UnavailableError, match="Choose fp32"):
        everyone.configured(RuntimeOptions(precision="bf16")).extract_batch([noise(9, 9, 1)])
