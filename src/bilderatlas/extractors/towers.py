"""Networks of open_clip and timm, filled with published weights: for the laboratory only.

Nothing is downloaded here, and nothing is taken that does not fit to the last number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from bilderatlas.errors import WeightsError

TEXT_SIDE = ("token_embedding.", "positional_embedding", "transformer.", "ln_final.")
TRAINING_ONLY = ("logit_scale", "logit_bias")
"""How sharply pictures and texts are told apart in training; no embedding depends on it."""


def open_clip_towers(
    architecture: Mapping[str, Any], weights: Path | None, model_id: str
) -> dict[str, nn.Module]:
    """Build the image and the text tower of a model as open_clip's configuration describes it.

    Args:
        architecture: `embed_dim`, `vision_cfg`, `text_cfg`, and `quick_gelu` where it is true.
        weights: A safetensors file in open_clip's layout; None: at random.
        model_id: For messages.

    Returns:
        `image`: (n, 3, h, w) to (n, d); `text`: (n, length) int64 to (n, d). Where it reads from
        left to right, the places after the end of the longest text may be left out.

    Raises:
        WeightsError: the file cannot be read, or does not fit.
    """
    from open_clip.model import CustomTextCLIP

    model = CustomTextCLIP(**architecture)
    if weights is not None:
        state = {
            f"text.{name}" if name.startswith((*TEXT_SIDE, "text_projection")) else name: tensor
            for name, tensor in read_state(weights, model_id).items()
        }
        fill(model, state, weights, model_id, aside=TRAINING_ONLY)
    text = model.text if model.text.attn_mask is None else LeftToRight(model.text)
    return {"image": model.visual.eval(), "text": text.eval()}


class LeftToRight(nn.Module):  # type: ignore[misc]
    """A text tower that reads from left to right, for texts of any length up to its own.

    Nothing after the end of a text can change what was read before it, so that the places after
    the end of the longest text need not be computed at all: a fifth of the work for most queries.
    """

    def __init__(self, text: nn.Module) -> None:
        """Take over open_clip's `TextTransformer`, whose end token has the highest id of all."""
        super().__init__()
        self.text: Any = text

    def forward(self, tokens: Tensor) -> Tensor:
        """Return `(n, d)` for `(n, length)` int64."""
        length = tokens.shape[1]
        places = self.text.token_embedding(tokens) + self.text.positional_embedding[:length]
        mask = self.text.attn_mask[:length, :length]
        places = self.text.transformer(places, attn_mask=mask)
        rows = torch.arange(tokens.shape[0], device=tokens.device)
        read: Tensor = self.text.ln_final(places[rows, tokens.argmax(dim=-1)])
        return read @ self.text.text_projection


def timm_tower(
    name: str, weights: Path | None, model_id: str, *, side_px: int, published_side_px: int
) -> nn.Module:
    """Build a vision transformer of timm that returns its pooled token, for one size of input.

    Where the weights are for another size, the grid of positions is resampled (bicubic,
    antialiased), as timm does it.

    Raises:
        WeightsError: the file cannot be read, or does not fit.
    """
    import timm
    from timm.layers import resample_abs_pos_embed

    model = timm.create_model(name, pretrained=False, num_classes=0, img_size=side_px)
    if weights is not None:
        state = read_state(weights, model_id)
        patch_px = int(model.patch_embed.patch_size[0])
        positions = state.get("pos_embed")
        shape = (1, (published_side_px // patch_px) ** 2 + 1, model.embed_dim)
        if positions is not None and tuple(positions.shape) == shape:
            state["pos_embed"] = resample_abs_pos_embed(
                positions, [side_px // patch_px] * 2, num_prefix_tokens=1
            )
        fill(model, state, weights, model_id, aside=("mask_token",))
    tower: nn.Module = model.eval()
    return tower


def read_state(weights: Path, model_id: str) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, floating ones as float32.

    Raises:
        WeightsError: it is not a safetensors file.
    """
    try:
        found = load_file(weights)
    except Exception as error:  # the library raises its own, undocumented kinds
        raise WeightsError(
            "unreadable",
            f"Cannot use '{weights.name}' for '{model_id}': it cannot be read as safetensors "
            f"({error}). Fetch it again: bilderatlas extractors fetch {model_id}",
        ) from error
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in found.items()
    }


def fill(
    network: nn.Module,
    state: Mapping[str, Tensor],
    weights: Path,
    model_id: str,
    *,
    aside: Iterable[str] = (),
) -> None:
    """Put `state` into `network`: every tensor by name and shape, none missing, none left over.

    The names in `aside` may be there or not, and are of no use here.

    Raises:
        WeightsError: naming the first tensors that do not fit.
    """
    unused = set(aside)
    wanted = {name: tensor for name, tensor in network.state_dict().items() if name not in unused}
    given = {name: tensor for name, tensor in state.items() if name not in unused}
    faults = [
        *(f"it lacks '{name}'" for name in wanted if name not in given),
        *(f"it has '{name}', which has no place" for name in given if name not in wanted),
        *(
            f"'{name}' is {_shown(given[name])} instead of {_shown(tensor)}"
            for name, tensor in wanted.items()
            if name in given and given[name].shape != tensor.shape
        ),
    ]
    if faults:
        more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
        raise WeightsError(
            "misfit",
            f"Cannot use '{weights.name}' for '{model_id}': {'; '.join(faults[:3])}{more}. Give "
            "the file that is published for this model.",
        )
    network.load_state_dict(given, strict=False, assign=True)


def _shown(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "one number"
