"""The generator: the seed paper's attention sequence-to-sequence network, made incremental.

35 features -> three convolutions (kernel 5, ReLU; eq. 8) -> bidirectional LSTM (eq. 9) -> location-sensitive attention
over encoder states with cumulative weights (eq. 10) -> prenet -> decoder LSTM -> pose (eq. 11). A latent per tick
(learned prior, posterior in training) answers the ambiguity of the future; with `latent` 0 the network is the paper's.

The encoder has two settings. On the stage it is causal, its backward half truncated to the next D ticks, its states in
a ring. `bidirectional` is the paper's: it hears the whole song before the first pose, so it trains and is measured, but
cannot `step`.

There is one code path. `forward` runs whole sequences, `step` one tick; both encode with `encode` and decode with
`decode`, and differ only in where the ring's window is cut from. Shapes: B dancers or batch, T ticks, R ring slots (T
of them where the encoder is bidirectional), P = poses per tick x channels. Everything inside is normalised; `step`
takes and gives physical units.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from live import channels
from live.nn.sizes import GeneratorConfig, state_shapes
from live.types import FRAME_RATE

State = dict[str, Tensor]


class Heard(NamedTuple):
    """A whole sequence encoded: memory [B, S, 2E] and its keys [B, S, A], which of them there are [B, S], and what each
    tick's decoder gets directly [B, T, E + RHYTHM]; tick t looks at `ring` slots from slot t on, or at all (ring 0)."""

    memory: Tensor
    keys: Tensor
    mask: Tensor
    direct: Tensor
    ring: int

    def at(self, t: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The first four arguments of `decode` at tick t."""
        window = slice(t, t + self.ring) if self.ring else slice(None)
        return self.memory[:, window], self.keys[:, window], self.mask[:, window], self.direct[:, t]


class Decoded(NamedTuple):
    """What one decoder tick gives: normalised pose [B, P], prior mean and log-variance [B, latent], next state."""

    pose: Tensor
    prior_mean: Tensor
    prior_logvar: Tensor
    state: State


class Generator(nn.Module):
    """See the module's docstring. `mean` and `std` buffers hold the normalisation of features and poses."""

    feature_mean: Tensor
    feature_std: Tensor
    pose_mean: Tensor
    pose_std: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        c = self.config = config
        widths = [c.features] + [c.convolution] * c.layers
        self.convolutions = nn.ModuleList(nn.Conv1d(a, b, c.kernel) for a, b in pairwise(widths))
        self.ahead = nn.LSTM(c.convolution, c.encoder, batch_first=True)
        self.behind = nn.LSTM(c.convolution, c.encoder, batch_first=True)
        self.key = nn.Linear(c.memory, c.attention, bias=False)
        self.query = nn.Linear(c.decoder, c.attention, bias=False)
        self.location = nn.Conv1d(2, c.location_filters, c.location_kernel, padding=c.location_kernel // 2, bias=False)
        self.location_key = nn.Linear(c.location_filters, c.attention)
        self.energy = nn.Linear(c.attention, 1, bias=False)
        self.prenet = nn.ModuleList([nn.Linear(c.pose, c.prenet), nn.Linear(c.prenet, c.prenet)])
        with warnings.catch_warnings():  # latent 0: nothing to initialise
            warnings.filterwarnings("ignore", "Initializing zero-element tensors")
            self.prior = nn.Linear(c.decoder + c.memory + c.direct, 2 * c.latent)
        self.cell = nn.Linear(c.prenet + c.memory + c.direct + c.latent + c.styles + c.decoder, 4 * c.decoder)
        self.out = nn.Linear(c.decoder + c.memory + c.latent, c.pose)
        if c.footing:
            self.footing = nn.Linear(2 * c.pose, 2 * c.poses)
        self.register_buffer("feature_mean", torch.zeros(c.features))
        self.register_buffer("feature_std", torch.ones(c.features))
        self.register_buffer("pose_mean", torch.zeros(c.pose))
        self.register_buffer("pose_std", torch.ones(c.pose))

    def initial_state(self, batch: int, ticks: int = 0) -> State:
        """Everything zero: an empty ring, no past, the mean pose. A bidirectional encoder's song has `ticks`."""
        c = replace(self.config, ring=ticks) if self.config.bidirectional else self.config
        return {name: self.energy.weight.new_zeros(batch, *shape) for name, shape in state_shapes(c).items()}

    def hear(self, features: Tensor) -> Heard:
        """A whole sequence of normalised features [B, T, 35] encoded from silence on."""
        if self.config.bidirectional:
            return self._hear_ahead(features)
        entries, direct, _ = self.encode(features, self.initial_state(features.shape[0]))
        return Heard(*self.windows(entries), direct, self.config.ring)

    def _hear_ahead(self, features: Tensor) -> Heard:
        """Eq. 8 and 9 as in the paper: convolutions see both sides, the backward LSTM begins at the song's end."""
        x = features.transpose(1, 2)  # [B, 35, T]
        for convolution in self.convolutions:
            x = F.relu(convolution(F.pad(x, (self.config.kernel // 2, self.config.kernel // 2))))  # [B, C, T]
        x = x.transpose(1, 2)  # [B, T, C]
        forward, _ = self.ahead(x)  # [B, T, E]
        backward, _ = self.behind(x.flip(1))
        memory = torch.cat([forward, backward.flip(1)], 2)  # [B, T, 2E]
        direct = torch.cat([forward, rhythm(features, self.config.emphasis)], 2)
        return Heard(memory, self.key(memory), memory.new_ones(memory.shape[:2]), direct, 0)

    def encode(self, features: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Normalised features [B, T, 35] -> memory entries [B, T, 2E] (row t is the entry of tick t - D), what the
        decoder gets of the tick directly [B, T, E + RHYTHM], and the encoder's part of the next state. Eq. 8 and 9.

        Entry j joins the forward state of tick j with a backward state run from zero over ticks j + D .. j, so it
        exists at tick j + D and never changes: truncation leaks no future.
        """
        c, next_state = self.config, {}
        pulse = rhythm(features, c.emphasis)  # [B, T, RHYTHM]
        x = features.transpose(1, 2)  # [B, 35, T]
        for i, convolution in enumerate(self.convolutions):
            padded = torch.cat([state[f"conv_{i}"], x], 2)  # [B, C, K - 1 + T]
            next_state[f"conv_{i}"] = padded[:, :, -(c.kernel - 1) :]
            x = F.relu(convolution(padded))  # [B, C, T]
        x = x.transpose(1, 2)  # [B, T, C]
        forward, (h, s) = self.ahead(x, (state["ahead_h"].unsqueeze(0), state["ahead_c"].unsqueeze(0)))
        next_state["ahead_h"], next_state["ahead_c"] = h[0], s[0]
        recent = torch.cat([state["recent"], x], 1)  # [B, D + T, C]
        past = torch.cat([state["past"], forward], 1)  # [B, D + T, E]
        next_state["recent"], next_state["past"] = recent[:, -c.lookahead :], past[:, -c.lookahead :]
        steps = int(x.shape[1])
        newest_first = torch.arange(c.lookahead, -1, -1) + torch.arange(steps).unsqueeze(1)  # [T, D + 1]
        spans = recent[:, newest_first.flatten()].reshape(-1, c.lookahead + 1, c.convolution)  # [B * T, D + 1, C]
        backward, _ = self.behind(spans)  # [B * T, D + 1, E]
        backward = backward[:, -1].reshape(-1, steps, c.encoder)  # [B, T, E]
        return torch.cat([past[:, :steps], backward], 2), torch.cat([forward, pulse], 2), next_state

    def decode(
        self,
        memory: Tensor,
        keys: Tensor,
        mask: Tensor,
        direct: Tensor,
        fed: Tensor,
        style: Tensor,
        dropout: Tensor,
        state: State,
        latent: Callable[[Tensor, Tensor], Tensor],
    ) -> Decoded:
        """One tick over the ring's window: memory [B, R, 2E], keys [B, R, A], mask [B, R]; `fed` [B, P] is the
        previous pose; `latent` makes the latent [B, latent] of the prior's mean and log-variance. Eq. 11, its weights
        by eq. 10."""
        c = self.config
        weights, cumulative = self._attention(keys, mask, state)  # [B, R]
        context = torch.bmm(weights.unsqueeze(1), memory).squeeze(1)  # [B, 2E]
        seen = torch.cat([state["decoder_h"], context, direct], 1)
        prior = self.prior(seen) if c.latent else seen[:, :0]  # a product without columns cannot be quantised
        mean, logvar = prior[:, : c.latent], prior[:, c.latent :].clamp(-4.0, 1.0)
        z = latent(mean, logvar)
        x = fed
        for i, layer in enumerate(self.prenet):
            x = F.relu(layer(x)) * dropout[:, i * c.prenet : (i + 1) * c.prenet]  # [B, prenet]
        gates = self.cell(torch.cat([x, context, direct, z, style, state["decoder_h"]], 1))  # [B, 4H]
        i, f, g, o = gates.split(c.decoder, 1)
        cell = torch.sigmoid(f) * state["decoder_c"] + torch.sigmoid(i) * torch.tanh(g)
        hidden = torch.sigmoid(o) * torch.tanh(cell)
        pose = self.out(torch.cat([hidden, context, z], 1))  # [B, P]
        following = {
            "weights": weights,
            "cumulative": cumulative,
            "decoder_h": hidden,
            "decoder_c": cell,
            "pose": pose,
        }
        return Decoded(pose, mean, logvar, following)

    def _attention(self, keys: Tensor, mask: Tensor, state: State) -> tuple[Tensor, Tensor]:
        """Eq. 10: weights [B, R] of decoder state, entries and where was attended before, and their sum so far."""
        weights, cumulative = state["weights"], state["cumulative"]
        if not self.config.bidirectional:  # the window moved by one entry
            weights, cumulative = F.pad(weights[:, 1:], (0, 1)), F.pad(cumulative[:, 1:], (0, 1))
        if self.config.attend:
            location = self.location(torch.stack([weights, cumulative], 1)).transpose(1, 2)  # [B, R, F]
            mixed = self.query(state["decoder_h"]).unsqueeze(1) + keys + self.location_key(location)  # [B, R, A]
            energy = self.energy(torch.tanh(mixed)).squeeze(2)  # [B, R]
            weights = torch.softmax(energy + (mask - 1.0) * 1e4, 1) * mask  # all zero while the ring is empty
        else:
            weights = F.pad(mask[:, -1:], (mask.shape[1] - 1, 0))
        return weights, cumulative + weights

    def windows(self, entries: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A whole sequence's entries [B, T, 2E] with R - 1 empty slots before them, their keys, and the mask: slots
        [i, i + R) are the ring at tick i. Rows before D belong to ticks before the start and stay masked."""
        c = self.config
        padded = F.pad(entries, (0, 0, c.ring - 1, 0))
        mask = padded.new_ones(padded.shape[:2])
        mask[:, : c.ring - 1 + c.lookahead] = 0.0
        return padded, self.key(padded), mask

    def forward(
        self, features: Tensor, poses: Tensor, style: Tensor, noise: Tensor, dropout: Tensor, start: Tensor
    ) -> Tensor:
        """Teacher-forced whole sequence, normalised: features [B, T, 35], true poses [B, T, P], noise [B, T, latent],
        dropout [B, T, 2 prenet], start pose [B, P] -> poses [B, T, P]. Tick t is fed the true pose of t - 1."""
        state, heard = self.initial_state(*features.shape[:2]), self.hear(features)
        fed, out = torch.cat([start.unsqueeze(1), poses[:, :-1]], 1), []
        for t in range(features.shape[1]):
            tick = self.decode(*heard.at(t), fed[:, t], style, dropout[:, t], state, drawn(noise[:, t]))
            state = tick.state
            out.append(tick.pose)
        return torch.stack(out, 1)

    def step(
        self, features: Tensor, noise: Tensor, dropout: Tensor, style: Tensor, state: State
    ) -> tuple[Tensor, State]:
        """One tick in physical units: features [B, 35] -> poses [B, poses, channels] and the next state."""
        c = self.config
        x = ((features - self.feature_mean) / self.feature_std).unsqueeze(1)
        entries, direct, encoder = self.encode(x, state)
        memory = torch.cat([state["memory"][:, 1:], entries], 1)
        keys = torch.cat([state["keys"][:, 1:], self.key(entries)], 1)
        age = state["age"] + 1.0  # ticks begun, [B, 1]; an entry older than the show is empty
        slots = torch.arange(c.ring - 1, -1, -1, device=age.device, dtype=age.dtype)  # 0 is the newest slot
        mask = (slots.unsqueeze(0) < age - c.lookahead).to(age.dtype)
        tick = self.decode(memory, keys, mask, direct[:, 0], state["pose"], style, dropout, state, drawn(noise))
        following = {**encoder, **tick.state, "memory": memory, "keys": keys, "age": age.clamp(max=1e6)}
        moved = (tick.pose * self.size_of_movement()).view(-1, c.poses, c.channels)
        if c.footing:
            lacking = self.footing(torch.cat([tick.pose, state["pose"]], 1)).view(-1, c.poses, 2)
            moved = torch.cat([moved[..., channels.VELOCITY] + lacking, moved[..., channels.VELOCITY.stop :]], 2)
        if c.smoothing:
            moved, following["smoothed"] = self._smoothed(moved, state["smoothed"])
        return (moved.flatten(1) + self.pose_mean).view(-1, c.poses, c.channels), following

    def _smoothed(self, moved: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Movement [B, poses, C] through two equal low-passes of first order, one after the other: what is jerky in it
        is what no dancer did, but comes of poses that follow their own. `state` [B, 2, C]: where both are."""
        taken = 1.0 - float(np.exp(-1.0 / (FRAME_RATE * self.config.smoothing)))
        (first, second), out = state.unbind(1), []
        for pose in moved.unbind(1):
            first = first + taken * (pose - first)
            second = second + taken * (first - second)
            out.append(second)
        return torch.stack(out, 1), torch.stack([first, second], 1)

    def size_of_movement(self) -> Tensor:
        """[P]: deviations of the data, `amplitude` times as large, as dances come out smaller than they were danced;
        a body's turning and its planted feet as they are."""
        c = self.config
        larger = np.full((c.poses, c.channels), c.amplitude, np.float32)
        if c.channels == channels.COUNT:
            larger[:, channels.YAW_RATE] = larger[:, channels.CONTACTS] = 1.0
        return self.pose_std * self.pose_std.new_tensor(larger.ravel())


def rhythm(features: Tensor, emphasis: float = 1.0) -> Tensor:
    """Of normalised features [..., 35], whose last five are beat and bar (sine, cosine, both times 2 x confidence) and
    tempo: the phases as unit vectors however sure they are, that of twice the bar's phase, the confidences and the
    tempo [..., 9]. Zero where there is no beat. Without it the dance hears the beat only through its encoder, and
    learns to guess it from the pose. `emphasis` makes the phases larger than they ever were in training, and with them
    all that follows from the beat: guidance (Ho and Salimans, 2022) for a condition that enters linearly."""
    beat, bar, tempo = features[..., -5:-3], features[..., -3:-1], features[..., -1:]
    sure = torch.stack([beat.norm(dim=-1), bar.norm(dim=-1)], -1)  # [..., 2]
    beat, bar = beat / sure[..., :1].clamp(min=0.05), bar / sure[..., 1:].clamp(min=0.05)
    sine, cosine = bar[..., :1], bar[..., 1:]
    phases = torch.cat([beat, bar, 2.0 * sine * cosine, cosine**2 - sine**2], -1)
    return torch.cat([emphasis * phases, 0.5 * sure, tempo], -1)


def drawn(noise: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """A latent drawn from the prior with standard normal `noise` [B, latent] (scaled by the temperature)."""
    return lambda mean, logvar: mean + torch.exp(0.5 * logvar) * noise


def given(latent: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """A latent that is known already (from the posterior, in training)."""
    return lambda mean, logvar: latent
