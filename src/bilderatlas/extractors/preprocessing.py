"""From pixels to the numbers that a network takes, exactly as the steps of a card say.

Steps are data: what a card states is what runs, and nothing about it is written anywhere else.

    {"step": "decode", "long_side_px": 640, …}         a note; images/ does it
    {"step": "resize", "mode": "short_side" | "squash" | "fit", "size_px": 224,
     "filter": "bicubic" | "bilinear" | "lanczos" | "area", "antialias": true}
    {"step": "crop", "mode": "center", "size_px": 224}
    {"step": "scale", "divide_by": 255}
    {"step": "normalise", "mean": [r, g, b], "std": [r, g, b]}
    {"step": "channels", "order": "RGB" | "BGR"}
    {"step": "layout", "order": "NCHW"}
    {"step": "l2"}                                       a note; done after the network
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, overload

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from bilderatlas.arrays import Pixels
from bilderatlas.errors import UsageError

Batch: TypeAlias = npt.NDArray[np.float32]  # (n, 3, h, w)
Step: TypeAlias = Mapping[str, Any]

PILLOW_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "lanczos": Image.Resampling.LANCZOS,
}
CV2_FILTERS = {
    "bicubic": cv2.INTER_CUBIC,
    "bilinear": cv2.INTER_LINEAR,
    "lanczos": cv2.INTER_LANCZOS4,
    "area": cv2.INTER_AREA,
}
NOTES = frozenset(["decode", "flatten", "l2"])
GEOMETRIC = frozenset(["resize", "crop"])
KNOWN_STEPS = GEOMETRIC | NOTES | {"scale", "normalise", "channels", "layout"}


@overload
def preprocess(
    images: Sequence[Pixels], steps: Sequence[Step], *, stacked: Literal[True] = True
) -> Batch: ...
@overload
def preprocess(
    images: Sequence[Pixels], steps: Sequence[Step], *, stacked: Literal[False]
) -> list[Batch]: ...
def preprocess(
    images: Sequence[Pixels], steps: Sequence[Step], *, stacked: bool = True
) -> Batch | list[Batch]:
    """Prepare `images` (`(h, w, 3)` uint8 sRGB) as a card's `steps` say.

    Returns:
        `(n, 3, h, w)` float32; with `stacked=False` a list of `(3, h, w)`, for networks that take
        pictures of any size.

    Raises:
        UsageError: a step that there is not, a wrong order, or sizes that differ and should stack.
    """
    check_steps(steps)
    geometric = [step for step in steps if step["step"] in GEOMETRIC]
    multiplier, offset, flipped = _affine(steps)
    shaped = [_shaped(pixels, geometric) for pixels in images]
    if not stacked:
        return [_numbers(pixels, multiplier, offset, flipped) for pixels in shaped]
    if not shaped:
        return np.empty((0, 3, 0, 0), np.float32)
    sizes = {pixels.shape for pixels in shaped}
    if len(sizes) > 1:
        raise UsageError(
            f"Cannot put pictures of different sizes into one batch: {sorted(sizes)}. The steps "
            "of the card need a 'resize' by 'squash', or a 'crop' after it."
        )
    batch = np.empty((len(shaped), 3, *shaped[0].shape[:2]), np.float32)
    for place, pixels in zip(batch, shaped, strict=True):
        _numbers(pixels, multiplier, offset, flipped, out=place)
    return batch


def check_steps(steps: Sequence[Step]) -> None:
    """Make sure that every step is known, complete and in an order that can be carried out.

    Raises:
        UsageError: naming the step.
    """
    arithmetic = False
    for step in steps:
        name = step.get("step")
        if not isinstance(name, str) or name not in KNOWN_STEPS:
            raise UsageError(
                f"Cannot preprocess: there is no step '{name}'. Steps are "
                f"{', '.join(sorted(KNOWN_STEPS))}."
            )
        if name in GEOMETRIC and arithmetic:
            raise UsageError(
                f"Cannot preprocess: the step '{name}' stands after 'scale' or 'normalise'. "
                "Resize and crop first."
            )
        arithmetic = arithmetic or name in {"scale", "normalise"}
        _check_step(step)


_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "resize": {"mode": ("short_side", "squash", "fit"), "filter": tuple(CV2_FILTERS)},
    "crop": {"mode": ("center",)},
    "channels": {"order": ("RGB", "BGR")},
    "layout": {"order": ("NCHW",)},
}


def _check_step(step: Step) -> None:
    """Refuse a step whose words or numbers are missing or unknown."""
    name = step["step"]
    for key, words in _WORDS.get(name, {}).items():
        if step.get(key) not in words:
            raise _refusal(step, key, f"one of {', '.join(words)}")
    if name in {"resize", "crop"}:
        size = step.get("size_px")
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 8192:
            raise _refusal(step, "size_px", "a whole number from 1 to 8192")
    if name == "scale" and not _is_number(step.get("divide_by"), above=0):
        raise _refusal(step, "divide_by", "a number above 0")
    if name == "normalise":
        for key, above in (("mean", -np.inf), ("std", 0.0)):
            values = step.get(key)
            right = isinstance(values, list | tuple) and len(values) == 3
            if not right or not all(_is_number(one, above=above) for one in values or ()):
                raise _refusal(step, key, "three numbers" + (" above 0" if above == 0 else ""))


def _is_number(value: Any, *, above: float) -> bool:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return right and bool(np.isfinite(value)) and value > above


def _refusal(step: Step, key: str, expected: str) -> UsageError:
    return UsageError(
        f"Cannot preprocess: the step '{step['step']}' has {key} '{step.get(key)}'. Expected "
        f"{expected}."
    )


def _affine(steps: Sequence[Step]) -> tuple[Batch, Batch, bool]:
    """Melt scale, normalise and channels into `pixels * multiplier + offset`: one pass."""
    multiplier, offset = np.ones(3), np.zeros(3)
    flipped = False
    for step in steps:
        if step["step"] == "scale":
            multiplier, offset = multiplier / step["divide_by"], offset / step["divide_by"]
        elif step["step"] == "normalise":
            mean, std = np.asarray(step["mean"], float), np.asarray(step["std"], float)
            multiplier, offset = multiplier / std, (offset - mean) / std
        elif step["step"] == "channels" and (step["order"] == "BGR") != flipped:
            multiplier, offset, flipped = multiplier[::-1], offset[::-1], not flipped
    shape = (3, 1, 1)
    return (
        multiplier.astype(np.float32).reshape(shape),
        offset.astype(np.float32).reshape(shape),
        flipped,
    )


def _numbers(
    pixels: Pixels, multiplier: Batch, offset: Batch, flipped: bool, out: Batch | None = None
) -> Batch:
    planes = (pixels[:, :, ::-1] if flipped else pixels).transpose(2, 0, 1)
    numbers = np.multiply(planes, multiplier, out=out, dtype=np.float32)
    numbers += offset
    return numbers


def _shaped(pixels: Pixels, steps: Sequence[Step]) -> Pixels:
    for step in steps:
        pixels = _resized(pixels, step) if step["step"] == "resize" else _cropped(pixels, step)
    return pixels


def _resized(pixels: Pixels, step: Step) -> Pixels:
    height, width = pixels.shape[:2]
    wanted_wh = _size_after(step, width, height)
    if wanted_wh == (width, height):
        return pixels
    if step["filter"] == "area" or not step.get("antialias", True):
        shrunk = cv2.resize(
            np.ascontiguousarray(pixels), wanted_wh, interpolation=CV2_FILTERS[step["filter"]]
        )
        return np.asarray(shrunk, np.uint8)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(wanted_wh, PILLOW_FILTERS[step["filter"]]))


def _size_after(step: Step, width: int, height: int) -> tuple[int, int]:
    """Return the size after a resize, rounded as torchvision rounds: the other side is cut."""
    size: int = step["size_px"]
    if step["mode"] == "squash":
        return size, size
    reference = min(width, height) if step["mode"] == "short_side" else max(width, height)
    if width == reference:
        return size, max(1, int(size * height / width))
    return max(1, int(size * width / height)), size


def _cropped(pixels: Pixels, step: Step) -> Pixels:
    """Cut the middle out, rounded as torchvision rounds; what is too small gets black margins."""
    size: int = step["size_px"]
    height, width = pixels.shape[:2]
    if height < size or width < size:
        top, left = max(0, size - height) // 2, max(0, size - width) // 2
        framed = np.zeros((max(size, height), max(size, width), 3), np.uint8)
        framed[top : top + height, left : left + width] = pixels
        pixels, (height, width) = framed, framed.shape[:2]
    top, left = round((height - size) / 2.0), round((width - size) / 2.0)
    return pixels[top : top + size, left : left + size]
