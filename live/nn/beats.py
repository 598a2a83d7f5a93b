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

    @torch.no_grad()
    def normalise(self, mean: Tensor, deviation: Tensor) -> None:
        """Normalise inputs [inputs] so from now on, and stay the same function of them."""
        weight = self.enter.weight / self.deviation
        self.enter.bias.add_(weight @ (mean - self.mean))
        self.enter.weight.copy_(weight * deviation)
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def initial_state(self, batch: int) -> Tensor:
        return torch.zeros(2, batch, self.width)

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits [batch, time, 2] of beat and downbeat and [batch, time, tempi], and the state after the last frame."""
        x = (frames - self.mean) / self.deviation  # [batch, time, inputs]
        x = torch.relu(self.enter(x))  # [batch, time, width]
        x, state = self.recur(x, state)
        return self.beat(x), self.tempo(x), state


class StagedBeats(nn.Module):
    """What is exported: probabilities, of beat and downbeat the mean of several networks'.

    The first network counts as much as all others together, and alone tells the tempo. One stream, few nodes, as each
    costs as much as what it computes: the networks enter through one layer that has the normalisation in it, and all
    states are one row.
    """

    share: Tensor

    def __init__(self, networks: list[BeatNetwork]) -> None:
        super().__init__()
        self.widths = [network.width for network in networks]
        self.enter = nn.utils.skip_init(nn.Linear, networks[0].enter.in_features, sum(self.widths))
        weights = [network.enter.weight / network.deviation for network in networks]
        biases = [n.enter.bias - weight @ n.mean for n, weight in zip(networks, weights, strict=True)]
        self.enter.weight, self.enter.bias = nn.Parameter(torch.cat(weights)), nn.Parameter(torch.cat(biases))
        self.recur = nn.ModuleList(_layer(n.recur, i) for n in networks for i in (0, 1))
        self.beat = nn.ModuleList(network.beat for network in networks)
        self.tempo = networks[0].tempo
        rest = [0.5 / max(len(networks) - 1, 1)] * (len(networks) - 1)
        self.register_buffer("share", torch.tensor([1.0 - sum(rest), *rest]))

    def initial_state(self) -> Tensor:
        return torch.zeros(2 * sum(self.widths))

    def forward(self, frames: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[time, 2] beat and downbeat, [time, tempi], and the state after, of frames [time, inputs]."""
        entered = torch.relu(self.enter(frames)).split(self.widths, -1)  # each [time, width]
        states = state.view(1, 1, -1).split([width for width in self.widths for _ in (0, 1)], -1)  # each [1, 1, width]
        told, after = [], []
        for i, x in enumerate(entered):
            x, lower = self.recur[2 * i](x[:, None], states[2 * i])  # [time, 1, width]
            x, upper = self.recur[2 * i + 1](x, states[2 * i + 1])
            told.append(x[:, 0])
            after += [lower, upper]
        beats = torch.stack([torch.sigmoid(beat(x)) for beat, x in zip(self.beat, told, strict=True)], -1)
        return beats @ self.share, torch.softmax(self.tempo(told[0]), -1), torch.cat(after, -1).view(-1)


def _layer(recur: nn.GRU, number: int) -> nn.GRU:
    """One layer of a GRU alone, time first."""
    layer = nn.GRU(recur.hidden_size, recur.hidden_size)
    weights = recur.state_dict()
    layer.load_state_dict({name: weights[name.replace("_l0", f"_l{number}")] for name in layer.state_dict()})
    return layer
