"""The beat network: band levels in, how likely each frame is a beat and a downbeat out, causal and recurrent."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BeatNetwork(nn.Module):
    """A linear layer and two GRUs; `inputs` numbers a frame, state [2, batch, width]."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.enter = nn.Linear(inputs, width)
        self.recur = nn.GRU(width, width, num_layers=2, batch_first=True)
        self.leave = nn.Linear(width, 2)
        nn.init.constant_(self.leave.bias, -3.5)  # beats are rare

    def initial_state(self, batch: int) -> Tensor:
        return torch.zeros(2, batch, self.width)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [batch, time, 2] of beat and downbeat, and the state after the last of `frames`."""
        x = (frames - self.mean) / self.deviation  # [batch, time, inputs]
        x = torch.relu(self.enter(x))  # [batch, time, width]
        x, state = self.recur(x, state)
        return self.leave(x), state


class StagedBeats(nn.Module):
    """What is exported: probabilities instead of logits."""

    def __init__(self, network: BeatNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        logits, state = self.network(frames, state)
        return torch.sigmoid(logits), state
