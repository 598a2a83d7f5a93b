"""What filtering, interpolation and rhythm features are worth, after the seed paper's Fig. 7.

    .venv/bin/python benchmarks/corruption.py --data BALLROOM_FOLDER

The ballroom dances are projected through a camera and corrupted as a pose detector corrupts (points lost and thrown,
left and right exchanged, a second person). A small recurrent network learns to go on dancing to the music from what is
left, and is tested on the *true* keypoints of songs that it did not see, so losses compare across rows. The paper took
its losses on its own video data: its figure is cited, not reproduced.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import measure
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from live.beats.aubio import AubioTracker
from live.errors import LiveError
from live.features.extractor import Extractor
from live.keypoints import eighteen, normalised
from live.train.camera import Faults, detected, projected
from live.train.dance import read_audio
from live.train.layouts.ballroom import bones
from live.train.people import filled_named, filtered, followed, with_face

RATE = 25
WINDOW, SEEN = 75, 15
"""Frames of a window, and how many of them are given; then the network is fed its own poses."""
SOUND = 30


class Song(NamedTuple):
    """Frames at 25/s: the picture [T, 18, 2] pixels, what the detector saw, the 35 features [T, 35]."""

    picture: np.ndarray
    people: list[np.ndarray]
    heard: np.ndarray


def read(folder: Path, dances: int, rng: np.random.Generator) -> list[Song]:
    paths = sorted(folder.glob("*.npz"))[:: max(1, len(list(folder.glob("*.npz"))) // dances)][:dances]
    markers = [np.load(path, allow_pickle=False)["joints"] for path in paths]
    pictures = [projected(eighteen(bones(m)), float(rng.uniform(-0.6, 0.6))) for m in markers]
    strangers = [p + np.float32([250.0, 0.0]) for p in pictures[1:] + pictures[:1]]
    songs = []
    for path, picture, stranger in zip(paths, pictures, strangers, strict=True):
        audio = read_audio(path.with_suffix(".ogg"))[: len(picture) * 48_000 // RATE]
        frames = np.array([f.values for f in Extractor(AubioTracker()).push(audio)], np.float32)
        at = np.minimum((np.arange(len(picture)) * 60 // RATE), len(frames) - 1)
        songs.append(Song(picture, detected(picture, stranger, Faults(), rng), frames[at]))
    return songs


# ---- what is made of what the detector saw -------------------------------------------------------------------------


def naive(song: Song) -> np.ndarray:
    """The first person of each frame; what was not seen lies at zero, as OpenPose writes it."""
    return np.stack([seen[0, :, :2] for seen in song.people])


def only_filtered(song: Song) -> np.ndarray:
    """Wrong detections removed; what is missing lies at zero."""
    return np.nan_to_num(with_face(filtered(followed(song.people))))


def only_interpolated(song: Song) -> np.ndarray:
    """Missing points interpolated; wrong ones kept."""
    track = naive(song)
    return filled_named(np.where(track == 0.0, np.float32(np.nan), track))[0]


def both(song: Song) -> np.ndarray:
    return filled_named(with_face(filtered(followed(song.people))))[0]


VARIANTS = {
    "as detected": (naive, True), "filtered": (only_filtered, True), "interpolated": (only_interpolated, True),
    "filtered, interpolated": (both, True), "filtered, interpolated, no rhythm features": (both, False),
    "truth": (lambda song: song.picture, True),
}  # fmt: skip
"""What the poses are, and whether the five beat features are heard."""


class Dancer(nn.Module):
    """A GRU from features and the last pose to the next."""

    def __init__(self, hidden: int = 128) -> None:
        super().__init__()
        self.cell, self.out = nn.GRUCell(35 + 36, hidden), nn.Linear(hidden, 36)

    def forward(self, heard: torch.Tensor, poses: torch.Tensor) -> torch.Tensor:
        """heard [B, T, 35], poses [B, T, 36] -> the poses [B, T - 1, 36] that follow, own ones fed after `SEEN`."""
        state, fed, made = heard.new_zeros(len(heard), self.cell.hidden_size), poses[:, 0], []
        for t in range(poses.shape[1] - 1):
            state = self.cell(torch.cat([heard[:, t + 1], fed], 1), state)
            made.append(fed + self.out(state))
            fed = poses[:, t + 1] if t + 1 < SEEN else made[-1]
        return torch.stack(made, 1)


def loss_of(songs: list[Song], variant: str, rounds: int, seed: int) -> tuple[float, float]:
    """Error of the poses (torsos) and squared error on the truth of the held-out fifth of the songs."""
    clean, rhythm = VARIANTS[variant]
    given = [normalised(clean(song)) for song in songs]
    true = [normalised(song.picture) for song in songs]
    error = float(np.mean([np.linalg.norm(g - t, axis=-1).mean() for g, t in zip(given, true, strict=True)]))
    heard = [_scaled(song.heard, songs, rhythm) for song in songs]
    torch.manual_seed(seed)
    network, rng, held = Dancer(), np.random.default_rng(seed), max(1, len(songs) // 5)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    for _ in range(rounds):
        sound, poses = _batch(heard[held:], given[held:], rng, 32)
        loss = (network(sound, poses) - poses[:, 1:]).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        sound, poses = _batch(heard[:held], true[:held], np.random.default_rng(99), 256)
        return error, float((network(sound, poses) - poses[:, 1:]).pow(2).mean())


def _scaled(heard: np.ndarray, songs: list[Song], rhythm: bool) -> np.ndarray:
    every = np.concatenate([song.heard for song in songs])
    out = (heard - every.mean(0)) / (every.std(0) + 1e-3)
    out[:, SOUND:] *= rhythm
    return out.astype(np.float32)


def _batch(heard: list, poses: list, rng: np.random.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    which = rng.integers(len(poses), size=size)
    at = [int(rng.integers(len(poses[w]) - WINDOW)) for w in which]
    cut = [
        (heard[w][a : a + WINDOW], poses[w][a : a + WINDOW].reshape(WINDOW, -1)) for w, a in zip(which, at, strict=True)
    ]
    return torch.from_numpy(np.stack([h for h, _ in cut])), torch.from_numpy(np.stack([p for _, p in cut]))


def main() -> None:
    parser = measure.options(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the ballroom folder")
    parser.add_argument("--dances", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        songs = read(given.data, given.dances, np.random.default_rng(1))
    except (OSError, LiveError, ValueError) as error:
        parser.exit(2, f"{given.data}: {error}\n")
    if len(songs) < 2:
        parser.exit(2, f"{given.data}: holds no dances of the ballroom layout\n")
    rows = {}
    table = Table("poses", "error, torsos", "test loss", box=None, pad_edge=False)
    for variant in VARIANTS:
        found = np.array([loss_of(songs, variant, given.rounds, seed) for seed in range(given.seeds)])
        rows[variant] = {
            "error_torsos": round(float(found[0, 0]), 4), "test_loss": round(float(found[:, 1].mean()), 4),
            "spread_over_seeds": round(float(found[:, 1].std()), 4),
        }  # fmt: skip
        table.add_row(variant, f"{found[0, 0]:.3f}", f"{found[:, 1].mean():.4f} ± {found[:, 1].std():.4f}")
    Console().print(table)
    about = {"dances": len(songs), "rounds": given.rounds, "seeds": given.seeds, "faults": vars(Faults())}
    measure.write("corruption", {"limits": {}, "rows": rows, "how": about}, None, given.out)


if __name__ == "__main__":
    main()
