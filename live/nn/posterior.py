"""What the next pose says about the generator's latent, in training only."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from live.nn.sizes import RHYTHM, GeneratorConfig


class Posterior(nn.Module):
    """Previous and next pose [..., P] and the tick's rhythm [..., RHYTHM] -> mean and log-variance [..., latent]."""

    def __init__(self, config: GeneratorConfig, hidden: int = 256) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2 * config.pose + RHYTHM, hidden), nn.ReLU(), nn.Linear(hidden, 2 * config.latent)
        )  # fmt: skip

    def forward(self, previous: Tensor, following: Tensor, pulse: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.net(torch.cat([previous, following, pulse], -1)).chunk(2, -1)
        return mean, logvar.clamp(-6.0, 1.0)


def gaussian_kl(mean: Tensor, logvar: Tensor, prior_mean: Tensor, prior_logvar: Tensor) -> Tensor:
    """KL of one diagonal Gaussian [..., latent] from another, nats, summed over the last axis, mean over the others."""
    ratio = torch.exp(logvar - prior_logvar)
    square = (mean - prior_mean).pow(2) / prior_logvar.exp()
    return 0.5 * (prior_logvar - logvar + ratio + square - 1.0).sum(-1).mean()
