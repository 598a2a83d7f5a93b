"""The seed paper's discriminator: does this motion belong to this music?

Eq. 12 leaves open what the discriminator looks at. Here it sees, tick by tick, the pose, its change since the pose
before, and the 35 features of the music, and judges each tick by what lies around it: three convolutions over time, as
the generator's encoder has. True are recorded dances with the music they were danced to; false are generated dances
with the music they were made for, and recorded ones with other music, half and half.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live.nn.sizes import GeneratorConfig


class Discriminator(nn.Module):
    """Normalised poses [B, T, P], the one before them [B, P] and features [B, T, 35] -> a judgement per tick [B, T],
    above 0 for a true pair."""

    def __init__(self, config: GeneratorConfig, width: int) -> None:
        super().__init__()
        self.poses = config.poses
        widths = [2 * config.pose + config.features, width, width]
        layers = [nn.Conv1d(a, width, config.kernel, padding=config.kernel // 2) for a in widths]
        self.layers, self.judge = nn.ModuleList(layers), nn.Conv1d(width, 1, 1)

    def forward(self, poses: Tensor, before: Tensor, features: Tensor) -> Tensor:
        x = torch.cat([poses, self.changes(poses, before), features], 2).transpose(1, 2)  # [B, 2P + 35, T]
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)  # [B, W, T]
        return self.judge(x).squeeze(1)

    def changes(self, poses: Tensor, before: Tensor) -> Tensor:
        """Differences [B, T, P] of successive poses, of which each tick has several."""
        batch, ticks, size = poses.shape
        every = torch.cat([before.unsqueeze(1), poses], 1).view(batch, (ticks + 1) * self.poses, -1)
        return every.diff(dim=1)[:, self.poses - 1 :].reshape(batch, ticks, size)


def judged(discriminator: Discriminator, poses: Tensor, made: Tensor, before: Tensor, features: Tensor) -> Tensor:
    """Eq. 12: what the discriminator still gets wrong about true pairs, generated pairs, and true motion with the music
    of the batch's next window. Shapes as in `Discriminator`."""
    true = F.softplus(-discriminator(poses, before, features)).mean()
    generated = F.softplus(discriminator(made, before, features)).mean()
    mismatched = F.softplus(discriminator(poses, before, features.roll(1, 0))).mean()
    return true + 0.5 * (generated + mismatched)


def fooled(discriminator: Discriminator, made: Tensor, before: Tensor, features: Tensor) -> Tensor:
    """The generator's side of eq. 12, in the form that does not saturate (Goodfellow et al., 2014)."""
    return F.softplus(-discriminator(made, before, features)).mean()
