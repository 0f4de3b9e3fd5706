"""Poses: the joints of every person that Keypoint R-CNN finds in a picture, one row a figure.

K. He, G. Gkioxari, P. Dollár, R. Girshick: Mask R-CNN. The network as torchvision 0.29 publishes it
(`torchvision/models/detection/keypoint_rcnn.py`); from joints to vectors: `pose_vectors.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from bilderatlas.arrays import Embeddings, Metric, Pixels
from bilderatlas.errors import UnavailableError, WeightsError
from bilderatlas.extractors import pose_vectors
from bilderatlas.extractors.base import EXTRACTORS, Card, ImageRows
from bilderatlas.extractors.canaries import canary_pictures
from bilderatlas.extractors.imagenet import load_into, torchvision_file
from bilderatlas.extractors.neural import NeuralExtractor
from bilderatlas.extractors.preprocessing import preprocess
from bilderatlas.extractors.runtimes.base import Run, Runtime

if TYPE_CHECKING:
    import torch

SIDE_PX = 1024
SHORT_SIDE_PX = 640
MIN_SCORE = 0.9  # of a figure, as in imgs.ai
MAX_FIGURES = 100  # of one picture

_LEFT_OUT_BELOW = 0.3  # by the network; what it gives below MIN_SCORE serves proofs alone
_NMS_IOU = 0.5
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

_BEFORE: tuple[dict[str, Any], ...] = (
    {"step": "decode", "long_side_px": SIDE_PX, "orientation": "exif", "profile": "srgb"},
    {"step": "scale", "divide_by": 255},
    {"step": "channels", "order": "RGB"},
    {"step": "layout", "order": "NCHW"},
)
_WITHIN: tuple[dict[str, Any], ...] = (
    {
        "step": "detector_resize",
        "short_side_px": SHORT_SIDE_PX,
        "long_side_at_most_px": SIDE_PX,
        "filter": "bilinear",
        "antialias": False,
    },
    {"step": "detector_normalise", "mean": list(_MEAN), "std": list(_STD)},
    {
        "step": "detect_people",
        "min_score": MIN_SCORE,
        "nms_iou": _NMS_IOU,
        "max_figures": MAX_FIGURES,
    },
    {
        "step": "joints_to_vector",
        "certainty": "1 / (1 + exp(2 - score))",
        "min_joints": pose_vectors.MIN_JOINTS,
        "seen_share": pose_vectors.SEEN_SHARE,
    },
)


class PoseKeypointRcnn(NeuralExtractor):
    """17 joints of every person, as vectors that forget where and how large the person is."""

    base_card = Card(
        model_id="pose_keypointrcnn.coco",
        judges_by="the pose of figures",
        sees=(
            "How a figure holds its head, trunk, arms and legs, wherever it stands and however "
            "large it is: two works are alike when any figure of the one stands like any figure "
            "of the other. Colours, dress, setting and the rest of the picture do not matter."
        ),
        dim=pose_vectors.DIM,
        dtype="f32",
        # The first two rank alike; but near 1 a cosine has no digits left to tell poses apart.
        metrics=(Metric.EUCLIDEAN, Metric.ANGULAR, Metric.MANHATTAN),
        side_px=SIDE_PX,
        preprocessing=(*_BEFORE, *_WITHIN),
        licence="BSD-3-Clause",
        paper="K. He, G. Gkioxari, P. Dollár, R. Girshick: Mask R-CNN, arXiv:1703.06870",
        many_rows=True,
        rows_are="figure",
        normalised="l2",
        tap=(
            "the peaks of the 17 heatmaps of every person that is found with a score of at least "
            f"{MIN_SCORE:g}; pictures without one are not in the space"
        ),
        training_data="COCO 2017, person keypoints: photographs with people",
        knows_only=(
            "It learned from photographs of living people. Figures in prints and drawings, in wide "
            "drapery, cut off, crowded or far away can be missed, and what is missed is not in "
            "the space."
        ),
    )
    files = (torchvision_file("keypointrcnn_resnet50_fpn_coco-fc266e95.pth", 237_000_000),)
    batch_size = 1
    sides_px: ClassVar[tuple[int, int]] = (SHORT_SIDE_PX, SIDE_PX)
    max_figures: ClassVar[int] = MAX_FIGURES

    def build_towers(self, weights: Path | None) -> dict[str, torch.nn.Module]:
        """Build the detector: `(1, 3, h, w)` to boxes, scores, joints and their scores."""
        from torchvision.models.detection import KeypointRCNN
        from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
        from torchvision.ops.misc import FrozenBatchNorm2d

        backbone = resnet_fpn_backbone(
            backbone_name="resnet50",
            weights=None,
            # The published weights were trained and are run without an epsilon.
            norm_layer=lambda channels: FrozenBatchNorm2d(channels, eps=0.0),
        )
        network = KeypointRCNN(
            backbone,
            num_classes=2,
            min_size=self.sides_px[0],
            max_size=self.sides_px[1],
            image_mean=list(_MEAN),
            image_std=list(_STD),
            box_score_thresh=_LEFT_OUT_BELOW,
            box_nms_thresh=_NMS_IOU,
            box_detections_per_img=self.max_figures,
        )
        if weights is not None:
            load_into(network, weights, self.base_card.model_id)
        return {"image": one_picture(network.eval())}

    def build_runtime(self, name: str) -> Runtime:
        """Build the runtime called `name`.

        Raises:
            UnavailableError: for bf16, in which boxes cannot be told apart by the pixel.
            WeightsError: when a file is not what was recorded.
        """
        if self.options.precision == "bf16":
            raise UnavailableError(
                f"Cannot run '{self.base_card.model_id}' in bf16: places are computed in it, and "
                "8 bits are too few for them. Choose fp32."
            )
        return super().build_runtime(name)

    def extract_batch(self, images: Sequence[Pixels]) -> list[ImageRows]:
        """Find the figures of each of `images`, one picture after the other.

        Raises:
            UnavailableError: when the weights are not here, saying how to get them.
            WeightsError: when they are not what was recorded.
        """
        rows = []
        for pixels in images:
            (numbers,) = preprocess([pixels], _BEFORE, stacked=False)
            found = self.runtime().run_all("image", numbers[np.newaxis])
            rows.append(rows_of_detections(found, (pixels.shape[1], pixels.shape[0])))
        return rows

    def example_inputs(self, tower: str) -> npt.NDArray[Any]:
        """Return the canaries as a batch, each in the corner of a black square."""
        side_px = max(max(pixels.shape) for pixels in canary_pictures())
        squares = np.zeros((len(canary_pictures()), side_px, side_px, 3), np.uint8)
        for square, pixels in zip(squares, canary_pictures(), strict=True):
            square[: pixels.shape[0], : pixels.shape[1]] = pixels
        return preprocess(list(squares), _BEFORE)

    def canary_outputs(self, tower: str, run: Run, *, n: int | None = None) -> Embeddings:
        """Return a digest of the figures in each canary, `(n, 51)`; zeros where there is none.

        Joints and certainties of all figures, weighed by score and rank; in shares of the picture
        from its middle, so that a place that is off shows as well as a shape that is.

        Raises:
            WeightsError: when there is no figure in any canary, so that nothing can be told.
        """
        digests = []
        for pixels in canary_pictures()[:n]:
            (numbers,) = preprocess([pixels], _BEFORE, stacked=False)
            found = run(numbers[np.newaxis])
            digests.append(_digest(found, (pixels.shape[1], pixels.shape[0])))
        if n is None and not np.any(digests):
            raise WeightsError(
                "nothing-to-compare",
                f"Cannot prove anything of '{self.base_card.model_id}': with these weights nobody "
                "is found in the canary pictures. Use it with the laboratory, by torch.",
            )
        return np.asarray(digests, np.float32)

    def output_shape(self, tower: str) -> tuple[str | int, ...]:
        """Return the shape of the boxes, which come first."""
        return ("figures", 4)

    def write_onnx(self, tower: str, network: torch.nn.Module, path: Path) -> None:
        """Write the detector as ONNX, for one picture of any size.

        The older of torch's two exporters is used: what it records is this network's way through
        its own loops and choices, which the newer one refuses, since the number of boxes is not
        known before.
        """
        import torch

        names = ["boxes", "scores", "joints", "joint_scores"]
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # on what it records: the export is proven afterwards
            torch.onnx.export(
                network,
                (torch.from_numpy(self.example_inputs(tower)[:1]),),
                str(path),
                dynamo=False,
                opset_version=17,
                input_names=["image"],
                output_names=names,
                dynamic_axes={
                    "image": {0: "batch", 2: "height", 3: "width"},
                    **{name: {0: "figures"} for name in names},
                },
            )


def one_picture(network: torch.nn.Module) -> torch.nn.Module:
    """Return the detector as a tower: a batch of one picture to a tuple of arrays."""
    import torch

    class OnePicture(torch.nn.Module):  # type: ignore[misc]  # torch may not be there
        """A detector takes a list of pictures and gives a list of dictionaries."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, batch: torch.Tensor) -> tuple[torch.Tensor, ...]:
            found = self.network([batch[0]])[0]
            return found["boxes"], found["scores"], found["keypoints"], found["keypoints_scores"]

    return OnePicture().eval()


def _digest(found: Sequence[npt.NDArray[Any]], size_wh: tuple[int, int]) -> Embeddings:
    _, scores, joints, joint_scores = (np.asarray(each, np.float64) for each in found)
    weights = scores / (1 + np.arange(len(scores)))
    places = (joints[..., :2] / size_wh - 0.5).reshape(-1, 2 * pose_vectors.N_JOINTS)
    certain = pose_vectors.certainties(joint_scores)
    return np.asarray(weights @ np.concatenate([places, certain], axis=1), np.float32)


def rows_of_detections(
    found: Sequence[npt.NDArray[Any]],
    size_wh: tuple[int, int],
    *,
    min_score: float = MIN_SCORE,
) -> ImageRows:
    """Return the rows of a picture from what the detector found in it.

    Args:
        found: Boxes `(m, 4)`, scores `(m,)` 0 to 1, joints `(m, 17, 3)` in pixels, and their scores
            `(m, 17)`, the peaks of the heatmaps.
        size_wh: Of the picture.
        min_score: Figures with less are left out.

    Returns:
        One row a figure; none where nobody was found.
    """
    _, scores, joints, joint_scores = (np.asarray(each, np.float64) for each in found)
    places = np.clip(joints[..., :2], 0, size_wh)  # peaks may lie half a pixel outside
    figures = np.concatenate(
        [places, pose_vectors.certainties(joint_scores)[..., np.newaxis]], axis=2
    )
    sure = (scores >= min_score) & np.isfinite(figures).all(axis=(1, 2))
    return pose_vectors.rows_of_figures(figures[sure], size_wh)


EXTRACTORS.register(PoseKeypointRcnn.base_card.model_id, PoseKeypointRcnn())
