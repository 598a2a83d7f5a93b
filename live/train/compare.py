"""The trained variants of the seed paper's comparison measured: their losses, and their dances to songs kept out.

A variant's losses are squared errors of normalised channels (mean of all), of the average of its weights: `train`,
`valid` and `test` while it is fed its own poses from the window's first tick on, as on a stage, and the same with
`_fed` while it is fed the real ones. Its dances begin in the mean pose and are its own for `SONG` seconds. Similarity
is that of `live.train.dictionary`, the dictionary being made of the dances trained on; FID as `live.bench.features` has
it, beside the dances trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.nn import functional as F

from live import channels
from live.bench import features, motion
from live.errors import BadFile
from live.train import checkpoint, dictionary, paper
from live.train.config import TrainConfig
from live.train.dataset import Batch
from live.train.free_run import walked
from live.train.roll import Feeding, Window, normalised, roll
from live.train.rounds import VALIDATION, Dances, Round
from live.types import FRAME_RATE, Float32, Float64

SONG = 40.0
"""Seconds of each song."""
WINDOWS = 80
"""How many windows of each part the losses are means of."""
Arrays = dict[str, np.ndarray]


def compare(runs: Path, arrays: Arrays, said: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """Everything told about the variants in the folder `runs`, those missing left out; raises `BadFile` when the whole
    system is not there."""
    whole = checkpoint.read_checkpoint(runs / paper.folder_of(paper.WHOLE)).config
    dances = Dances(arrays, whole)
    if missing := {"train", "valid", "test"} - set(dances.windows):
        raise BadFile(
            f"the prepared data has no takes to {' or '.join(sorted(missing))} with: is it what was trained on?"
        )
    songs = Songs(arrays, dances)
    rows, curves = {}, {}
    for name in paper.variants(whole):
        folder = runs / paper.folder_of(name)
        if not paper.rounds_done(folder):
            continue
        trained = checkpoint.read_checkpoint(folder)
        network, config = trained.network(), trained.config
        own = songs.measured(danced(network, songs.batch, config))
        rows[name] = {"rounds": trained.rounds, "parameters": sum(p.numel() for p in network.parameters())}
        rows[name] |= losses(network, dances, config) | own
        curves[name] = curve(folder / "log")
        said(name)
    return {
        "rows": rows, "controls": songs.controls(), "curves": curves, "cited": paper.CITED,
        "about": about(whole, dances),
    }  # fmt: skip


def about(config: TrainConfig, dances: Dances) -> dict[str, Any]:
    """How it was trained."""
    c = config.model
    return {
        "lambda_1": config.adversary, "lambda_2": config.autoencoder, "batch": config.batch, "ticks": config.ticks,
        "decoder": c.decoder, "encoder": c.encoder, "convolution": c.convolution, "prenet": c.prenet,
        "takes": {part: len(takes) for part, takes in dances.takes.items()}, "seconds": SONG, "seed": config.seed,
    }  # fmt: skip


@torch.no_grad()
def losses(network: Any, dances: Dances, config: TrainConfig) -> dict[str, float]:
    """Squared errors of each part (see the module's docstring)."""
    out = {}
    for part, windows in dances.windows.items():
        window = normalised(network, tensors(windows.batch(np.random.default_rng(VALIDATION), WINDOWS)))
        for name, real in ((part, [True] + [False] * (config.ticks - 1)), (f"{part}_fed", [True] * config.ticks)):
            torch.manual_seed(VALIDATION)
            made = roll(network, None, window, Feeding(real, dropout=config.dropout)).poses
            out[name] = float(F.mse_loss(made, window.poses))
    return out


@torch.no_grad()
def danced(network: Any, songs: Batch, config: TrainConfig) -> Float32:
    """Raw channels [songs, frames, C] of dances to whole songs from the mean pose on."""
    window = normalised(network, tensors(songs))
    window = Window(window.features, window.poses, torch.zeros_like(window.before), window.style)
    torch.manual_seed(VALIDATION)
    ticks = window.poses.shape[1]
    made = roll(network, None, window, Feeding([False] * ticks, dropout=config.dropout)).poses
    raw = made * network.pose_std + network.pose_mean
    return raw.view(len(raw), ticks * config.model.poses, -1).numpy()


def tensors(batch: Batch) -> Round:
    return Round(torch.zeros(()), *(torch.from_numpy(part) for part in batch))


class Songs:
    """The songs kept out, the dictionary's dances to them, and the real dances trained on."""

    def __init__(self, arrays: Arrays, dances: Dances) -> None:
        self._arrays, ticks = arrays, int(SONG * FRAME_RATE) // 2
        self.batch, starts = dances.windows["test"].beginnings(ticks)
        heard = [arrays["prosody"][at : at + 2 * ticks].astype(np.float32) for at in starts]
        kept = np.isin(arrays["take"], dances.takes["train"]) & ~arrays["mirrored"]
        self._trained = [(a, b) for a, b, k in zip(arrays["start"], arrays["start"][1:], kept, strict=False) if k]
        self._looked_up = [dictionary.looked_up(self._dictionary(), sound) for sound in heard]
        self._real = _points([j for part in self._stretches() for j in features.clips(part)])

    def _dictionary(self) -> Any:
        known = np.zeros(len(self._arrays["usable"]), bool)
        for a, b in self._trained:
            known[a:b] = self._arrays["usable"][a:b]
        return dictionary.build(self._arrays | {"usable": known})

    def _stretches(self) -> list[Float64]:
        """Normalised joints of each clean stretch of the dances trained on."""
        out, shortest = [], int(features.CLIP * FRAME_RATE)
        for a, b in self._trained:
            edges = np.flatnonzero(np.diff(np.r_[False, self._arrays["usable"][a:b], False]))
            clean = [(a + i, a + j) for i, j in zip(edges[::2], edges[1::2], strict=True) if j - i > shortest]
            out += [_joints(self._arrays["channels"][i:j]) for i, j in clean]
        return out

    def measured(self, made: Float32) -> dict[str, float]:
        """Of dances [songs, frames, C] to the songs."""
        joints = [_joints(dance) for dance in made]
        points = _points([clip for dance in joints for clip in features.clips(dance)])
        apart = [dictionary.similarity(a, b) for a, b in zip(made, self._looked_up, strict=True)]
        return {
            "similarity": float(np.mean(apart)),
            "speed": float(np.mean([motion.speed(y).mean() for y in joints])),
            "spread": float(np.mean([motion.spread(y) for y in joints])),
            "fid_k": features.distance(points[0], self._real[0]),
            "fid_g": features.distance(points[1], self._real[1]),
        }

    def controls(self) -> dict[str, dict[str, float]]:
        """The real dances to these songs, what the dictionary looks up for the next song, and standing in the mean
        pose, each measured as the variants are."""
        real = self.batch.poses.reshape(len(self.batch.poses), -1, channels.COUNT)
        still = np.broadcast_to(real.mean((0, 1)), real.shape)
        least = min(len(dance) for dance in self._looked_up)
        other = np.stack([dance[:least] for dance in [*self._looked_up[1:], self._looked_up[0]]])
        return {
            "real dances": self.measured(real), "dictionary, next song": self.measured(other),
            "mean pose": self.measured(still),
        }  # fmt: skip


def _joints(raw: Float32) -> Float64:
    return motion.normalise(walked(raw.astype(np.float32)), FRAME_RATE)


def _points(clips: list[Float64]) -> tuple[Float64, Float64]:
    return np.array([features.kinetic(c) for c in clips]), np.array([features.geometric(c) for c in clips])


def curve(log: Path) -> list[list[float]]:
    """[round, validated error of the poses] as TensorBoard was told; empty without a log."""
    told = EventAccumulator(str(log))
    told.Reload()
    if "valid_pose" not in told.Tags()["scalars"]:
        return []
    return [[event.step, round(event.value, 4)] for event in told.Scalars("valid_pose")]
