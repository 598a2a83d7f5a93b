"""Training of the beat network on prepared songs (`live.train.beats_data`), its export and its card."""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from live.beats._pointer import TEMPI
from live.beats._spectrum import BANDS, GAIN, HOP
from live.limits import read_arrays
from live.nn.beats import BeatNetwork, StagedBeats
from live.train.stored import stored_in_half
from live.types import SAMPLE_RATE

LAG = 0.03
"""Seconds after a beat's time at which the network is to tell it."""
FRAME = HOP / SAMPLE_RATE
FASTEST_FELT = 165.0
"""BPM above which music is taught at half its tempo, so that no song is both at 170 and at 85: nobody steps faster."""
TEMPO_WEIGHT = 0.02
"""Of the tempo's cross entropy (nats) beside the beats'."""
BLUR = 1.5
"""Standard deviation, in bins, of the tempo taught."""


@dataclass(frozen=True)
class BeatTraining:
    width: int = 128
    streams: int = 40
    frames: int = 400
    rounds: int = 8000
    rate: float = 2e-3
    anew: float = 0.15
    """Share of the streams that begin anew with each piece, knowing nothing."""
    seed: int = 1


LEARNING_ON = 5e-4
"""Rate of a network that learns on."""
ENSEMBLE = (BeatTraining(), BeatTraining(width=64, seed=2))
"""Unlike networks err apart, so their mean is better than each. How the shipped ones came to be is told in the card."""


@dataclass(frozen=True)
class Listening:
    """All songs end to end: levels [n, BANDS] float16, targets [n, 3] (beat, downbeat, place in `TEMPI` or -1 where
    there is no tempo), where each song begins."""

    levels: np.ndarray
    targets: np.ndarray
    starts: np.ndarray


def targets_of(beats: np.ndarray, frames: int) -> np.ndarray:
    """[frames]: 1 in the frame that ends `LAG` after each beat, one half beside it."""
    out = np.zeros(frames + 2, np.float16)
    at = np.round((beats + LAG) / FRAME).astype(int)  # the frame before, as frame k ends at (k + 1) FRAME
    at = at[(at >= 1) & (at <= frames)]
    out[at - 1] = out[at + 1] = 0.5
    out[at] = 1.0
    return out[1:-1]


def tempo_of(beats: np.ndarray, frames: int) -> np.ndarray:
    """[frames]: the place in `TEMPI` (fractional) of the tempo in each frame, -1 before the first and after the last
    beat; a single odd interval among three does not count."""
    out = np.full(frames, -1.0, np.float16)
    if len(beats) < 4:
        return out
    intervals = np.diff(beats)
    steady = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(intervals, 1, "edge"), 3), 1)
    place = np.interp(-60.0 / steady, -TEMPI, np.arange(len(TEMPI)))
    at = np.searchsorted(beats, np.arange(frames) * FRAME, "right") - 1
    inside = (at >= 0) & (at < len(intervals))
    out[inside] = place[at[inside]]
    return out


def felt(beats: np.ndarray, downbeats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Beats and downbeats as one would dance them: faster than `FASTEST_FELT`, every second one of each."""
    if len(beats) < 4 or 60.0 / float(np.median(np.diff(beats))) <= FASTEST_FELT:
        return beats, downbeats
    first = int(np.searchsorted(beats, downbeats[0] - 0.01)) if len(downbeats) else 0
    return beats[first % 2 :: 2], downbeats[::2]


def load(cache: Path) -> Listening:
    levels, targets, starts = [], [], [0]
    for file in sorted(cache.glob("[0-9]*.npz")):
        song = read_arrays(file)
        for i in range(2):
            part = song[f"levels_{i}"]
            levels.append(part)
            grids = felt(song[f"beats_{i}"], song[f"downbeats_{i}"])
            columns = [targets_of(grid, len(part)) for grid in grids]
            targets.append(np.stack([*columns, tempo_of(grids[0], len(part))], 1))
            starts.append(starts[-1] + len(part))
    return Listening(np.concatenate(levels), np.concatenate(targets), np.array(starts))


def streams(rng: np.random.Generator, data: Listening, count: int, frames: int) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass: songs in random order in `count` endless streams; pieces [count, frames, BANDS] and [.., 3]."""
    songs = rng.permutation(len(data.starts) - 1)
    index = np.concatenate([np.arange(data.starts[s], data.starts[s + 1], dtype=np.int64) for s in songs])
    length = len(index) // count
    grid = index[: length * count].reshape(count, length)
    for at in range(0, length - frames, frames):
        piece = grid[:, at : at + frames]
        yield torch.from_numpy(data.levels[piece]).float(), torch.from_numpy(data.targets[piece]).float()


def varied(levels: Tensor) -> Tensor:
    """Another gain and another equaliser for each stream, and a little noise in each band."""
    count = len(levels)
    gain = torch.empty(count, 1, 1).uniform_(-2.5, 0.7)
    tilt = torch.empty(count, 4).uniform_(-0.7, 0.7)
    shape = torch.nn.functional.interpolate(tilt[:, None], BANDS, mode="linear", align_corners=True)
    magnitude = torch.expm1(levels) * torch.exp(gain + shape)
    floor = torch.rand(count, 1, 1) ** 4 * GAIN * 2e-3
    return torch.log1p(magnitude + floor * torch.rand_like(magnitude))


def inputs_of(levels: Tensor, before: Tensor) -> Tensor:
    """As `with_rises`: [count, time, 2 * BANDS], given the two frames `before` [count, 2, BANDS]."""
    earlier = torch.cat([before, levels], 1)[:, :-2]
    return torch.cat([levels, torch.relu(levels - earlier)], -1)


def blurred(place: Tensor) -> Tensor:
    """[n, tempi]: a distribution around each place [n] in `TEMPI`."""
    weight = torch.exp(-0.5 * ((torch.arange(len(TEMPI)) - place[:, None]) / BLUR) ** 2)
    return weight / weight.sum(1, keepdim=True)


class BeatTrainer:
    """Streams keep the network's state from piece to piece, as on stage; now and then one begins anew. What is kept is
    the running mean of the weights."""

    def __init__(self, config: BeatTraining, data: Listening, begin: BeatNetwork | None = None) -> None:
        """`begin`: a network of this width that learns on."""
        torch.manual_seed(config.seed)
        self.config, self._data = config, data
        self.network = begin or BeatNetwork(2 * BANDS, config.width, len(TEMPI))
        mean, deviation = self._normalisation()
        if begin is not None:
            begin.normalise(mean, deviation)
        self.network.mean.copy_(mean)
        self.network.deviation.copy_(deviation)
        self.round = 0
        self._optimiser = torch.optim.AdamW(self.network.parameters(), config.rate, weight_decay=1e-4)
        self._mean = AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(0.998), use_buffers=False)

    def resume(self, checkpoint: Path) -> None:
        """Go on where the run that wrote `checkpoint` was."""
        parts = torch.load(checkpoint, weights_only=True)
        self.round = parts["round"]
        self.network.load_state_dict(parts["network"])
        self._optimiser.load_state_dict(parts["optimiser"])
        self._mean.load_state_dict(parts["mean"])

    def _normalisation(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the inputs, from the data."""
        sample = torch.from_numpy(self._data.levels[::7][:200_000]).float()[None]
        frames = inputs_of(varied(sample), torch.zeros(1, 2, BANDS))[0]
        return frames.mean(0), frames.std(0) + 0.1

    def fit(self, out: Path, every: int = 100) -> Iterator[dict[str, float]]:
        """Train to the end; a checkpoint and a line of log every so many rounds."""
        config, began, losses = self.config, time.monotonic(), []
        while self.round < config.rounds:
            rng = np.random.default_rng([config.seed, self.round])
            state, before = self.network.initial_state(config.streams), torch.zeros(config.streams, 2, BANDS)
            for levels, targets in streams(rng, self._data, config.streams, config.frames):
                anew = (torch.rand(config.streams) < config.anew).float()
                state = state * (1.0 - anew)[None, :, None]
                levels = varied(levels)
                loss, state = self._step(inputs_of(levels, before), targets, state)
                before = levels[:, -2:]
                losses.append(loss)
                self.round += 1
                if self.round % every == 0 or self.round == config.rounds:
                    torch.save(self.checkpoint(), out)
                    beat, tempo = np.mean(losses, 0)
                    seconds = time.monotonic() - began
                    yield {"round": self.round, "loss": beat, "tempo": tempo, "seconds": seconds}
                    losses = []
                if self.round >= config.rounds:
                    return

    def _step(self, frames: Tensor, targets: Tensor, state: Tensor) -> tuple[tuple[float, float], Tensor]:
        """Losses of beat and tempo (nats), and the state after."""
        rate = self.config.rate * min(1.0, (self.round + 1) / 50)
        rate *= 0.02 + 0.98 * (1.0 + math.cos(math.pi * self.round / self.config.rounds)) / 2.0
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        beats, tempo, state = self.network(frames, state)
        beat_loss = binary_cross_entropy_with_logits(beats, targets[..., :2])
        known = targets[..., 2] >= 0.0
        tempo_loss = cross_entropy(tempo[known], blurred(targets[..., 2][known])) if known.any() else tempo.sum() * 0.0
        self._optimiser.zero_grad()
        (beat_loss + TEMPO_WEIGHT * tempo_loss).backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self._mean.update_parameters(self.network)
        return (float(beat_loss.detach()), float(tempo_loss.detach())), state.detach()

    def checkpoint(self) -> dict[str, object]:
        return {
            "config": asdict(self.config),
            "round": self.round,
            "weights": self._mean.module.state_dict(),
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "mean": self._mean.state_dict(),
        }


def read_network(checkpoint: Path) -> BeatNetwork:
    parts = torch.load(checkpoint, weights_only=True)
    network = BeatNetwork(2 * BANDS, parts["config"]["width"], len(TEMPI))
    network.load_state_dict(parts["weights"])
    return network.eval()


PROVENANCE = {
    "name": "pulse",
    "licence": "GPL-3.0-or-later",
    "provenance": "Trained by the livedance project from nothing, on music that the project renders: its own composer "
    "(live.train.composer), human drumming of the Groove MIDI Dataset (Google Magenta, CC-BY 4.0) and folk tunes of "
    "jukedeck's cleaned Nottingham dataset (GPL-3.0) through the soundfonts FluidR3 GM (MIT), MuseScore_General (MIT) "
    "and TimGM6mb (GPL-2). No recording was used.",
    "inputs": "ln(1 + 1000 magnitude) of 40 bands, and their rise over two frames; 100 frames a second",
    "outputs": "probability of a beat and of a downbeat, `lag` seconds after it; of each tempo (BPM in `tempi`)",
}


def export(checkpoints: list[Path], out: Path) -> None:
    """`out` (.onnx, weights stored in half precision) and its card beside it (.json); networks of several runs err at
    different places, so that their mean is better than each."""
    staged = StagedBeats([read_network(checkpoint) for checkpoint in checkpoints]).eval()
    frames, state = torch.zeros(1, 2 * BANDS), staged.initial_state()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the plain exporter, which is deprecated but writes a GRU as one node
        torch.onnx.export(
            staged, (frames, state), str(out), dynamo=False, opset_version=17,
            input_names=["frames", "state"], output_names=["activations", "tempo", "next_state"],
            dynamic_axes={name: {0: "time"} for name in ("frames", "activations", "tempo")},
        )  # fmt: skip
    onnx.save(stored_in_half(onnx.load(out)), out)
    runs = [torch.load(checkpoint, weights_only=True) for checkpoint in checkpoints]
    card = PROVENANCE | {
        "lag": LAG,
        "parameters": sum(p.numel() for p in staged.parameters()),
        "training": [run["config"] | {"rounds_done": run["round"]} for run in runs],
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
    }
    out.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n")
