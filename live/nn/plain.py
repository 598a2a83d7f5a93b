"""The plain LSTM that the seed paper compares with: music in, poses out.

No encoder, no attention, no latent, and no pose is fed back, so that it runs over whole sequences only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from live.nn.sizes import GeneratorConfig


class PlainLstm(nn.Module):
    """Normalised features [B, T, 35] and style [B, S] -> normalised poses [B, T, P]. Buffers as `Generator` has."""

    feature_mean: Tensor
    feature_std: Tensor
    pose_mean: Tensor
    pose_std: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        c = self.config = config
        self.lstm = nn.LSTM(c.features + c.styles, c.decoder, batch_first=True)
        self.out = nn.Linear(c.decoder, c.pose)
        self.register_buffer("feature_mean", torch.zeros(c.features))
        self.register_buffer("feature_std", torch.ones(c.features))
        self.register_buffer("pose_mean", torch.zeros(c.pose))
        self.register_buffer("pose_std", torch.ones(c.pose))

    def forward(self, features: Tensor, style: Tensor) -> Tensor:
        x = torch.cat([features, style.unsqueeze(1).expand(-1, features.shape[1], -1)], 2)  # [B, T, 35 + S]
        hidden, _ = self.lstm(x)
        return self.out(hidden)
