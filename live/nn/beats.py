"""The beat network: band levels in; how likely each frame is a beat and a downbeat, and the tempo, out.

Causal and recurrent. The tempo is a distribution over the bins that the beat pointer keeps (`live.beats._pointer`).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BeatNetwork(nn.Module):
    """A linear layer and two GRUs; `inputs` numbers a frame, state [2, batch, width]."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int, width: int, tempi: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.enter = nn.Linear(inputs, width)
        self.recur = nn.GRU(width, width, num_layers=2, batch_first=True)
        self.beat = nn.Linear(width, 2)
        self.tempo = nn.Linear(width, tempi)
        nn.init.constant_(self.beat.bias, -3.5)  # beats are rare

    def initial_state(self, batch: int) -> Tensor:
        return torch.zeros(2, batch, self.width)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [batch, time, 2] of beat and downbeat and [batch, time, tempi], and the state after the last frame."""
        x = (frames - self.mean) / self.deviation  # [batch, time, inputs]
        x = torch.relu(self.enter(x))  # [batch, time, width]
        x, state = self.recur(x, state)
        return self.beat(x), self.tempo(x), state


class StagedBeats(nn.Module):
    """What is exported: probabilities, of beat and downbeat the mean of several networks', whose states are stacked.

    The first network counts as much as all others together, and alone tells the tempo.
    """

    def __init__(self, networks: list[BeatNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.widest = max(network.width for network in networks)

    def initial_state(self, batch: int) -> Tensor:
        return torch.zeros(2 * len(self.networks), batch, self.widest)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        beats, tempi, after = [], [], []
        for i, network in enumerate(self.networks):
            own = state[2 * i : 2 * i + 2, :, : network.width]  # [2, batch, width]
            logits, tempo, own = network(frames, own)
            beats.append(torch.sigmoid(logits))
            tempi.append(tempo)
            after.append(nn.functional.pad(own, (0, self.widest - network.width)))
        beat = beats[0]  # [batch, time, 2]
        if len(beats) > 1:
            beat = (beat + torch.stack(beats[1:]).mean(0)) / 2.0
        return beat, torch.softmax(tempi[0], -1), torch.cat(after)
