"""The two networks of `museum_clip.synthetic`, in torch: import this in the laboratory only."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bilderatlas.errors import WeightsError


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the towers are; all that is needed to build them before weights are loaded.

    Attributes:
        dim: Of the shared space.
        widths: Channels of the image tower at 1/4, 1/8 and 1/16 of the side.
        vocabulary: Number of word pieces.
        text_width: Width of the text tower.
        context: The longest text in word pieces.
    """

    dim: int = 128
    widths: tuple[int, int, int] = (64, 112, 192)
    vocabulary: int = 1500
    text_width: int = 96
    context: int = 32


def shape_of(state: dict[str, Tensor]) -> Shape:
    """Return the shape of towers from their weights."""
    low, middle, high = (state[f"image.to_{name}.0.weight"].shape[0] for name in _DEPTHS)
    vocabulary, text_width = state["text.pieces.weight"].shape
    return Shape(
        dim=state["image.project.weight"].shape[0],
        widths=(low, middle, high),
        vocabulary=vocabulary,
        text_width=text_width,
        context=state["text.places"].shape[0],
    )


_DEPTHS = ("low", "middle", "high")


def _conv(n_in: int, n_out: int, side: int = 3, step: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(n_in, n_out, side, step, side // 2, groups=groups, bias=False),
        nn.BatchNorm2d(n_out),
    )


class Residual(nn.Module):  # type: ignore[misc]
    """Two 3 × 3 convolutions beside a shortcut."""

    def __init__(self, width: int) -> None:
        """Build for `width` channels."""
        super().__init__()
        self.first = _conv(width, width)
        self.second = _conv(width, width)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return functional.relu(maps + self.second(functional.relu(self.first(maps))))


class Separable(nn.Module):  # type: ignore[misc]
    """A wide look for each channel alone, then a mixture of the channels, beside a shortcut."""

    def __init__(self, width: int) -> None:
        """Build for `width` channels."""
        super().__init__()
        self.look = _conv(width, width, 5, groups=width)
        self.mix = _conv(width, width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return functional.relu(maps + self.mix(functional.relu(self.look(maps))))


class ImageTower(nn.Module):  # type: ignore[misc]
    """A small residual network; every depth has a word in the embedding.

    The surface of a print is seen at 1/4 of the side, things at 1/8 and 1/16; the means of all
    three, and the maxima of the last, are joined and projected.
    """

    def __init__(self, shape: Shape) -> None:
        """Build with random weights."""
        super().__init__()
        low, middle, high = shape.widths
        self.stem = _conv(3, 32, 3, 2)
        self.to_low = _conv(32, low, 3, 2)
        self.low = nn.Sequential(Residual(low), Residual(low))
        self.to_middle = _conv(low, middle, 3, 2)
        self.middle = nn.Sequential(Residual(middle), Residual(middle))
        self.to_high = _conv(middle, high, 1)
        self.high = nn.Sequential(Separable(high), Separable(high))
        self.project = nn.Linear(low + middle + 2 * high, shape.dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embed `(n, 3, h, w)` pictures of any side, scaled to about −1 to 1: `(n, dim)`, unit."""
        low = self.low(functional.relu(self.to_low(functional.relu(self.stem(pictures)))))
        middle = self.middle(functional.relu(self.to_middle(low)))
        high = self.high(functional.relu(self.to_high(functional.avg_pool2d(middle, 2))))
        seen = torch.cat(
            [low.mean((2, 3)), middle.mean((2, 3)), high.mean((2, 3)), high.amax((2, 3))], dim=1
        )
        return functional.normalize(self.project(seen).float(), dim=1)


class TextTower(nn.Module):  # type: ignore[misc]
    """Word pieces, one layer of attention, and their weighted mean. Piece 0 is padding."""

    def __init__(self, shape: Shape) -> None:
        """Build with random weights."""
        super().__init__()
        width = shape.text_width
        self.n_heads = 4
        self.pieces = nn.Embedding(shape.vocabulary, width)
        self.places = nn.Parameter(torch.randn(shape.context, width) * 0.02)
        self.before_look = nn.LayerNorm(width)
        self.ask = nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, width)
        self.before_think = nn.LayerNorm(width)
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.weigh = nn.Linear(width, 1)
        self.project = nn.Linear(width, shape.dim)

    def forward(self, ids: Tensor) -> Tensor:
        """Embed `(n, length)` ids of word pieces: `(n, dim)`, unit rows."""
        blank = ids == 0
        pieces = self.pieces(ids) + self.places[: ids.shape[1]]
        pieces = pieces + self._look(self.before_look(pieces), blank)
        pieces = pieces + self.think(self.before_think(pieces))
        weights = self.weigh(pieces).squeeze(2).float().masked_fill(blank, -1e4).softmax(dim=1)
        mean = (weights.to(pieces.dtype).unsqueeze(2) * pieces).sum(dim=1)
        return functional.normalize(self.project(mean).float(), dim=1)

    def _look(self, pieces: Tensor, blank: Tensor) -> Tensor:
        n, length, width = pieces.shape
        asked = self.ask(pieces).reshape(n, length, 3, self.n_heads, width // self.n_heads)
        query, key, value = asked.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(2, 3) * (width // self.n_heads) ** -0.5
        scores = scores.float().masked_fill(blank[:, None, None, :], -1e4).softmax(dim=3)
        seen = (scores.to(value.dtype) @ value).transpose(1, 2).reshape(n, length, width)
        return self.answer(seen)


class Towers(nn.Module):  # type: ignore[misc]
    """Both towers, and what is needed only while they learn.

    `scale` and `bias` say how sharply agreement is read; `atoms` holds a place in the space for
    each atom of the statements, so that pictures can learn of all of them at every step, not only
    of those that a text of the batch happens to name.
    """

    def __init__(self, shape: Shape, n_atoms: int) -> None:
        """Build with random weights."""
        super().__init__()
        self.image = ImageTower(shape)
        self.text = TextTower(shape)
        self.atoms = nn.Parameter(torch.randn(n_atoms, shape.dim))
        self.scale = nn.Parameter(torch.tensor(2.5))  # of the logits, as a logarithm
        self.bias = nn.Parameter(torch.tensor(-4.0))


def fused(towers: Towers) -> dict[str, nn.Module]:
    """Return copies of both towers in which each normalisation is part of its convolution.

    The outputs are the same; there is less to ship, and rounding happens once.
    """
    image = copy.deepcopy(towers.image).eval()
    pairs = [
        (parent, name)
        for parent in image.modules()
        for name, each in parent.named_children()
        if isinstance(each, nn.Sequential) and isinstance(each[-1], nn.BatchNorm2d)
    ]
    for parent, name in pairs:
        conv, norm = parent.get_submodule(name).children()
        setattr(parent, name, nn.Sequential(fuse_conv_bn_eval(conv, norm)))
    return {"image": image, "text": copy.deepcopy(towers.text).eval()}


def load_towers(weights: Path | None) -> dict[str, nn.Module]:
    """Build both towers for use, from a file of fused weights or (None) at random.

    Raises:
        WeightsError: The file holds other weights.
    """
    if weights is None:
        return fused(Towers(Shape(), 1))
    try:
        state = {name: value.float() for name, value in load_file(weights).items()}
        built = fused(Towers(shape_of(state), 1))
        for name, tower in built.items():
            mine = {
                key.removeprefix(f"{name}."): value
                for key, value in state.items()
                if key.startswith(f"{name}.")
            }
            tower.load_state_dict(mine)
    except (KeyError, IndexError, ValueError, RuntimeError, SafetensorError) as error:
        raise WeightsError(
            "not-weights",
            f"Cannot use '{weights}': it does not hold the towers of museum_clip ({error}).",
        ) from error
    return built
