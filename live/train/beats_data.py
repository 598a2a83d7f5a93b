"""Prepared listening for the beat network: songs without end -> band levels and beat times, one `.npz` a song."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr

from live.beats._spectrum import all_levels
from live.train.arranger import arrange
from live.train.metronome import metronome
from live.train.song import Rng, Song
from live.train.spoiler import beatless, spoil
from live.types import SAMPLE_RATE, Float32

SECONDS = 60.0
BEATLESS, BARE = 0.06, 0.12
"""Shares of the items that have no beat, and nothing but one."""


def prepare(midi: Path, out: Path, seed: int) -> None:
    """Two spoiled versions of a seed's song at their own speeds, as `out`/SEED.npz; what is there is kept."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{seed:06d}.npz"
    if not file.exists():
        partial = out / f".{seed:06d}.npz"
        np.savez(partial, **_item(seed, midi))
        partial.rename(file)


def _item(seed: int, midi: Path) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([7, seed])
    drawn = rng.random()
    if drawn < BEATLESS:
        song = Song(beatless(rng, SECONDS), np.zeros(0), np.zeros(0))
    elif drawn < BEATLESS + BARE:
        song = metronome(seed, SECONDS)
    else:
        song = arrange(seed, midi, SECONDS)
    arrays = {}
    for i in range(2):
        version = _respeed(rng, song)
        arrays[f"levels_{i}"] = all_levels(spoil(rng, version.audio)).astype(np.float16)
        arrays[f"beats_{i}"], arrays[f"downbeats_{i}"] = version.beats, version.downbeats
    return arrays


def _respeed(rng: Rng, song: Song) -> Song:
    """Faster and higher, or slower and lower, within 0.8 .. 1.25 and the tempi 50 .. 230."""
    speed = float(np.exp(rng.uniform(-0.22, 0.22)))
    if len(song.beats) > 1:
        bpm = 60.0 / float(np.median(np.diff(song.beats)))
        speed = min(max(speed, 50.0 / bpm), 230.0 / bpm)
    audio: Float32 = soxr.resample(song.audio, SAMPLE_RATE * speed, SAMPLE_RATE, "MQ").astype(np.float32)
    return Song(audio, song.beats / speed, song.downbeats / speed)
