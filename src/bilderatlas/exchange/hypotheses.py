"""What may have gone wrong when vectors were made: each mistake as something that can be repeated.

A hypothesis changes the pictures, or the steps of a card, the way a mistake would. If the vectors
that the extractor then gives are those of the package, the mistake is found and has a name.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from bilderatlas.arrays import Pixels, scale_to_side
from bilderatlas.errors import BilderatlasError
from bilderatlas.extractors.base import Extractor, ImageRows
from bilderatlas.images.scaling import scaled

Steps = tuple[dict[str, Any], ...]
_STATISTICS = {
    "of ImageNet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "of CLIP": ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
    "of one half": ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
}
_FILTERS = ("bicubic", "bilinear", "lanczos", "area")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One mistake.

    Attributes:
        code: One word for tables: `bgr`, `resize-filter` …
        sentence: What was done instead of what the package says.
        extract: Repeats it: pictures as decoded → rows.
    """

    code: str
    sentence: str
    extract: Callable[[Sequence[Pixels]], list[ImageRows]]


def hypotheses(extractor: Extractor) -> Iterator[Hypothesis]:
    """Yield the mistakes that can be repeated with `extractor`, the frequent ones first."""
    yield from _of_pixels(extractor)
    yield from _of_steps(extractor)


# Mistakes with the picture itself


def _of_pixels(extractor: Extractor) -> Iterator[Hypothesis]:
    side_px = extractor.card.side_px

    def after(change: Callable[[Pixels], Pixels]) -> Callable[[Sequence[Pixels]], list[ImageRows]]:
        def extract(images: Sequence[Pixels]) -> list[ImageRows]:
            return extractor.extract_batch(
                [np.ascontiguousarray(change(scaled(image, side_px))) for image in images]
            )

        return extract

    changes: tuple[tuple[str, str, Callable[[Pixels], Pixels]], ...] = (
        ("bgr", "the channels were given as BGR instead of RGB", lambda p: p[:, :, ::-1]),
        ("mirrored", "the pictures were mirrored left to right", lambda p: p[:, ::-1]),
        ("orientation", "the pictures were turned by 180°", lambda p: p[::-1, ::-1]),
        ("orientation", "the pictures were turned by 90° clockwise", lambda p: np.rot90(p, -1)),
        (
            "orientation",
            "the pictures were turned by 90° anticlockwise",
            lambda p: np.rot90(p, 1),
        ),
        ("transposed", "rows and columns of the pictures were swapped", lambda p: p.swapaxes(0, 1)),
        ("grey", "the pictures were converted to grey", _grey),
        ("inverted", "the pictures were inverted, as negatives", lambda p: 255 - p),
        ("gamma", "the pictures were taken to linear light first", _linear),
        ("crop", "the middle square was cut out first", _middle_square),
        ("crop", "the pictures were squeezed to a square first", lambda p: _squeezed(p, side_px)),
        ("crop", "the pictures were padded to a square with black first", _padded),
    )
    for code, sentence, change in changes:
        yield Hypothesis(code, sentence, after(change))
    filters = (
        ("nearest neighbour", cv2.INTER_NEAREST),
        ("bilinear without antialiasing", cv2.INTER_LINEAR),
        ("bicubic without antialiasing", cv2.INTER_CUBIC),
        ("Lanczos without antialiasing", cv2.INTER_LANCZOS4),
    )
    for name, flag in filters:

        def extract(images: Sequence[Pixels], flag: int = flag) -> list[ImageRows]:
            return extractor.extract_batch([_shrunk(image, side_px, flag) for image in images])

        sentence = f"the pictures were scaled down to {side_px} px by {name}"
        yield Hypothesis("resize-filter", sentence, extract)
    for factor in (2, 4):

        def small(images: Sequence[Pixels], factor: int = factor) -> list[ImageRows]:
            side = max(8, side_px // factor)
            return extractor.extract_batch([scaled(image, side) for image in images])

        yield Hypothesis("small", f"pictures of {side_px // factor} px were used", small)


def _grey(pixels: Pixels) -> Pixels:
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def _linear(pixels: Pixels) -> Pixels:
    curve = np.rint(255 * (np.arange(256) / 255) ** 2.2).astype(np.uint8)
    return np.asarray(curve[pixels], np.uint8)


def _middle_square(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def _squeezed(pixels: Pixels, side_px: int) -> Pixels:
    side = min(max(pixels.shape[:2]), side_px)
    squeezed: Pixels = cv2.resize(
        np.ascontiguousarray(pixels), (side, side), interpolation=cv2.INTER_AREA
    )
    return squeezed


def _padded(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 3), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square


def _shrunk(pixels: Pixels, side_px: int, flag: int) -> Pixels:
    height, width = pixels.shape[:2]
    size_wh = scale_to_side((width, height), side_px)
    small: Pixels = cv2.resize(np.ascontiguousarray(pixels), size_wh, interpolation=flag)
    return small


# Mistakes with the steps of the card


def _of_steps(extractor: Extractor) -> Iterator[Hypothesis]:
    """Yield other steps; only extractors whose card's steps are what runs can take them."""
    base = getattr(extractor, "base_card", None)
    if base is None:
        return
    for code, sentence, steps in other_steps(base.preprocessing):
        changed = copy.copy(extractor)  # shares the networks that are loaded
        vars(changed)["base_card"] = replace(base, preprocessing=steps)

        def extract(images: Sequence[Pixels], changed: Extractor = changed) -> list[ImageRows]:
            side_px = changed.card.side_px
            return changed.extract_batch([scaled(image, side_px) for image in images])

        yield Hypothesis(code, sentence, extract)


def other_steps(steps: Steps) -> Iterator[tuple[str, str, Steps]]:
    """Yield `(code, sentence, steps)`: what is often done instead of `steps`."""
    for place, step in enumerate(steps):
        if step["step"] == "resize":
            yield from _other_resize(steps, place)
        elif step["step"] == "normalise":
            yield (
                "normalisation",
                "mean and standard deviation were not applied",
                _without(steps, place),
            )
            for name, (mean, std) in _STATISTICS.items():
                if not np.allclose(step["mean"], mean) or not np.allclose(step["std"], std):
                    yield (
                        "normalisation",
                        f"mean and standard deviation {name} were used",
                        _with(steps, place, mean=mean, std=std),
                    )
        elif step["step"] == "scale":
            yield (
                "scale",
                f"numbers were not divided by {step['divide_by']}",
                _without(steps, place),
            )
    without = tuple(step for step in steps if step["step"] not in ("scale", "normalise"))
    if len(without) < len(steps) - 1:
        yield "normalisation", "numbers from 0 to 255 were given as they are", without


def _other_resize(steps: Steps, place: int) -> Iterator[tuple[str, str, Steps]]:
    step = steps[place]
    for name in _FILTERS:
        for antialias in (True, False):
            if (name, antialias) == (step["filter"], step.get("antialias", True)):
                continue
            if name == "area" and not antialias:
                continue
            how = "" if antialias else " without antialiasing"
            yield (
                "resize-filter",
                f"pictures were resized by {name}{how} instead of {step['filter']}",
                _with(steps, place, filter=name, antialias=antialias),
            )
    crops = [at for at, other in enumerate(steps) if other["step"] == "crop"]
    if crops:
        size_px = steps[crops[0]]["size_px"]
        squashed = _with(steps, place, mode="squash", size_px=size_px)
        yield "crop", "pictures were squeezed to a square instead of cropped", squashed
        for other_px in (size_px, round(size_px * 8 / 7), round(size_px / 0.9)):
            if step["mode"] != "short_side" or step["size_px"] != other_px:
                yield (
                    "crop",
                    f"the middle was cut out after resizing to {other_px} px",
                    _with(steps, place, mode="short_side", size_px=other_px),
                )
        fit = _with(steps, place, mode="fit", size_px=size_px)
        yield "crop", "pictures were fitted into the square with black margins", fit
    elif step["mode"] == "squash":
        cut = _with(steps, place, mode="short_side")
        crop = {"step": "crop", "mode": "center", "size_px": step["size_px"]}
        yield (
            "crop",
            "the middle was cut out instead of squeezing the whole into a square",
            (*cut[: place + 1], crop, *cut[place + 1 :]),
        )


def _without(steps: Steps, place: int) -> Steps:
    return (*steps[:place], *steps[place + 1 :])


def _with(steps: Steps, place: int, **values: Any) -> Steps:
    return (*steps[:place], {**steps[place], **values}, *steps[place + 1 :])


def try_extract(hypothesis: Hypothesis, images: Sequence[Pixels]) -> list[ImageRows] | None:
    """Repeat a mistake; None where the extractor cannot make it."""
    try:
        return hypothesis.extract(images)
    except (BilderatlasError, ValueError, ArithmeticError, cv2.error, KeyError):
        return None
