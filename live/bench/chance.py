"""What chance would give: motion beats turned round in their windows, as often as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from live.bench.motion import SIGMA_MS
from live.types import Float64

WINDOW = 10.0
SHIFTS = 1000
Song = tuple[Float64, Float64, float]
"""Motion beats (s), music beats (s), seconds."""


class Chances(NamedTuple):
    """p-values of the alignment (`motion.align`) from music to motion and from motion to music."""

    music_to_motion: float
    motion_to_music: float


def p_values(songs: Sequence[Song], sigma_ms: float = SIGMA_MS, seed: int = 0, shifts: int = SHIFTS) -> Chances:
    """Share of circular shifts of the motion within its 10 s windows that agree as well with the music as it does.

    One draw shifts every window of every song by its own amount; (1 + as good or better) / (1 + shifts).
    """
    rng = np.random.default_rng(seed)
    windows = [pair for song in songs for pair in _windows(*song)]
    if not windows:
        return Chances(1.0, 1.0)
    found, shifted = np.zeros(2), np.zeros((2, shifts))
    for moved, beats in windows:
        found += agreement(moved[None], beats, sigma_ms)[:, 0]
        shifted += agreement((moved + rng.uniform(0.0, WINDOW, (shifts, 1))) % WINDOW, beats, sigma_ms)
    p = (1 + (shifted >= found[:, None] - 1e-12).sum(1)) / (1 + shifts)
    return Chances(float(p[0]), float(p[1]))


def agreement(moved: Float64, beats: Float64, sigma_ms: float = SIGMA_MS) -> Float64:
    """[2, S]: music to motion and motion to music, of each row of motion beats [S, m] with music beats [n]."""
    bell = np.exp(-((moved[:, :, None] - beats) ** 2) / (2 * (sigma_ms / 1000) ** 2))
    return np.stack([bell.max(1).mean(1), bell.max(2).mean(1)])


def _windows(moved: Float64, beats: Float64, seconds: float) -> list[tuple[Float64, Float64]]:
    starts = np.arange(0.0, seconds - WINDOW + 1e-9, WINDOW)
    cut = [tuple(x[(x >= at) & (x < at + WINDOW)] - at for x in (moved, beats)) for at in starts]
    return [(m, b) for m, b in cut if len(m) and len(b)]
