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
    """What is exported: the mean of the probabilities that one or more networks give; their states are stacked."""

    def __init__(self, networks: list[BeatNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def initial_state(self, batch: int) -> Tensor:
        return torch.cat([network.initial_state(batch) for network in self.networks])

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        parts = [network(frames, state[2 * i : 2 * i + 2]) for i, network in enumerate(self.networks)]
        activations = torch.stack([torch.sigmoid(logits) for logits, _ in parts]).mean(0)  # [batch, time, 2]
        return activations, torch.cat([after for _, after in parts])
