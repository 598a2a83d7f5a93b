"""What chance would give: motion beats turned round in their windows, as often as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from live.types import Float64

WINDOW = 10.0
SHIFTS = 1000
Score = Callable[[Float64, Float64], float]
"""Motion beats and music beats (s) of one window to a number that is large where they agree."""
Song = tuple[Float64, Float64, float]
"""Motion beats, music beats, seconds."""


def p_value(songs: Sequence[Song], score: Score, seed: int = 0, shifts: int = SHIFTS) -> float:
    """Share of circular shifts of the motion within its 10 s windows that agree as well with the music as it does.

    One draw shifts every window of every song by its own amount; (1 + as good or better) / (1 + shifts).
    """
    rng = np.random.default_rng(seed)
    windows = [pair for song in songs for pair in _windows(*song)]
    if not windows:
        return 1.0
    found = sum(score(moved, beats) for moved, beats in windows)
    shifted = np.zeros(shifts)
    for moved, beats in windows:
        for i, by in enumerate(rng.uniform(0.0, WINDOW, shifts)):
            shifted[i] += score(np.sort((moved + by) % WINDOW), beats)
    return float((1 + (shifted >= found - 1e-12).sum()) / (1 + shifts))


def _windows(moved: Float64, beats: Float64, seconds: float) -> list[tuple[Float64, Float64]]:
    starts = np.arange(0.0, seconds - WINDOW + 1e-9, WINDOW)
    cut = [tuple(x[(x >= at) & (x < at + WINDOW)] - at for x in (moved, beats)) for at in starts]
    return [(m, b) for m, b in cut if len(m) and len(b)]
