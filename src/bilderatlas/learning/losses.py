"""Losses of contrastive learning, each a sentence: which pairs, how far, how bad, averaged how."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def truth_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Ask of each text and picture whether the one is true of the other.

    Every pair is a decision by itself (the sigmoid loss of Zhai et al. 2023, Sigmoid Loss for
    Language Image Pre-Training), except that a text may be true of many pictures of the batch.
    Summed over the pairs, divided by the number of texts.

    Args:
        logits: `(t, n)`, larger where text and picture agree.
        truth: `(t, n)` of 0 and 1.
    """
    from torch.nn import functional

    summed = functional.binary_cross_entropy_with_logits(logits, truth, reduction="sum")
    return summed / len(logits)


def ranking_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Ask each text to put every picture that it is true of before all that it is not true of.

    For a text and one of its pictures, the cross-entropy of that picture against itself and all
    untrue ones: other true pictures are no rivals. Averaged over the pictures of a text, then over
    the texts.
    """
    import torch
    from torch.nn import functional

    rivals = logits.masked_fill(truth > 0, float("-inf")).logsumexp(dim=1, keepdim=True)
    lost = functional.softplus(rivals - logits)
    return torch.mean((lost * truth).sum(dim=1) / truth.sum(dim=1).clamp(min=1))
