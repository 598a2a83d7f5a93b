"""A piece of music and its beats: times of counts, audio, and both on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live.types import SAMPLE_RATE, Float32, Float64

Rng = np.random.Generator
PEAK = 0.9


@dataclass(frozen=True)
class Song:
    """`audio` [n] mono at `SAMPLE_RATE`, peak <= 0.9; `beats` [k] and `downbeats` [m] in seconds from its start."""

    audio: Float32
    beats: Float64
    downbeats: Float64


@dataclass(frozen=True)
class Clock:
    """Knots of the tempo map, linear between; the outer knots reach far beyond the song so that tails have a place."""

    counts: Float64
    times: Float64

    def seconds(self, count: float | Float64) -> Float64:
        return np.asarray(np.interp(count, self.counts, self.times))

    def count(self, seconds: float | Float64) -> Float64:
        return np.asarray(np.interp(seconds, self.times, self.counts))


def clock_of(*tempi: tuple[float, float, float]) -> Clock:
    """A tempo map from (count, seconds, bpm) where each tempo begins; first and last go on for 1e5 counts outward."""
    far = 1e5
    (count, time, bpm), last = tempi[0], tempi[-1]
    knots = [(count - far, time - far * 60.0 / bpm), *((c, t) for c, t, _ in tempi)]
    knots.append((last[0] + far, last[1] + far * 60.0 / last[2]))
    counts, times = np.array(knots).T
    return Clock(counts, times)


def bpm_at(clock: Clock, count: float) -> float:
    return 60.0 / float(clock.seconds(count + 1e-3) - clock.seconds(count)) * 1e-3


def song_of(audio: Float32, clock: Clock) -> Song:
    seconds = len(audio) / SAMPLE_RATE
    counts = np.arange(np.ceil(float(clock.count(0.0)) - 1e-7), float(clock.count(seconds)) - 1e-7)
    beats = np.maximum(clock.seconds(counts), 0.0)
    return Song(audio, beats, beats[counts % 4 == 0])


def write(path: Path, song: Song) -> None:
    """Ogg Vorbis at `path`, and beside it `.beats`: one beat time in seconds a line."""
    import soundfile

    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, format="OGG", subtype="VORBIS") as file:
        for start in range(0, len(song.audio), SAMPLE_RATE):  # libsndfile crashes on one huge Vorbis write
            file.write(song.audio[start : start + SAMPLE_RATE])
    path.with_suffix(".beats").write_text("".join(f"{beat:.4f}\n" for beat in song.beats))
