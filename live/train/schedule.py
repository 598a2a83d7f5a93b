"""How quickly networks learn as a run goes on, and the average of their weights that is kept."""

from __future__ import annotations

import torch
from torch import nn


def rate_at(done: float, rate: float, decay: float) -> float:
    """The learning rate when a share `done` of the rounds is over: it falls to a twentieth from `decay` of them on."""
    return rate * (1.0 if done < decay else 1.0 - 0.95 * (done - decay) / (1.0 - decay))


@torch.no_grad()
def follow(average: nn.Module, learnt: nn.Module, rounds: int, ema: float) -> None:
    """Move the average toward the weights: far at first, when it has seen few, then by 1 - `ema` a round."""
    keep = min(ema, (1.0 + rounds) / (10.0 + rounds))
    for mean, value in zip(average.parameters(), learnt.parameters(), strict=True):
        mean.lerp_(value, 1.0 - keep)
