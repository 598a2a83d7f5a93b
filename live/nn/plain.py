"""The plain LSTM that the seed paper compares with: music in, poses out.

No encoder, no attention, no latent, and no pose is fed back. On the stage it steps as a `Generator` does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from live.nn.generator import State
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
        return self._run(features, style, self.initial_state(len(features)))[0]

    def initial_state(self, batch: int) -> State:
        """Nothing heard."""
        return {name: self.pose_mean.new_zeros(batch, self.config.decoder) for name in ("hidden", "cell")}

    def step(
        self, features: Tensor, noise: Tensor, dropout: Tensor, style: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """See `Generator.step`; `noise` and `dropout` change nothing."""
        c = self.config
        x = ((features - self.feature_mean) / self.feature_std).unsqueeze(1)  # [B, 1, 35]
        made, state = self._run(x, style, state)
        nothing = 0.0 * (noise.sum() + dropout.sum())  # so that an exported graph takes both
        poses = made[:, 0] * self.pose_std + self.pose_mean + nothing
        return poses.view(-1, c.poses, c.channels), state

    def _run(self, features: Tensor, style: Tensor, state: State) -> tuple[Tensor, State]:
        x = torch.cat([features, style.unsqueeze(1).expand(-1, features.shape[1], -1)], 2)  # [B, T, 35 + S]
        given = state["hidden"].unsqueeze(0), state["cell"].unsqueeze(0)  # [1, B, decoder]
        out, (hidden, cell) = self.lstm(x, given)
        return self.out(out), {"hidden": hidden[0], "cell": cell[0]}
