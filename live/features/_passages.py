"""What goes on over seconds: how unlike the last moments are to the passage before, and whether it is building up.

Functions of levels [blocks, BANDS] in dB, ten blocks a second, oldest first.
"""

from __future__ import annotations

import numpy as np

from live.types import Float32

RECENT = 16
"""Blocks that are held against the passage before."""
PASSAGE = 40
"""Blocks that a passage must have before it can be left."""
SOFT, CAP = 1.0, 6.0
"""dB added to every band's spread; deviations beyond so many spreads count as this."""
SMOOTH = 10
"""Blocks that a ramp is averaged over, so that beats are no ramps."""
SHORTEST, LONGEST = 40, 60
"""Blocks that a ramp is judged on."""
GAIN, FULL_GAIN = 2.0, 6.0
"""dB within the ramp that are no build-up, and a full one."""
STRAIGHT, STRAIGHTEST = 0.8, 0.95
"""Share of the variance that a straight line explains: a step reaches 0.75."""
BRIGHT = 3
"""First band of a ramp: 400 Hz; below, kick and bass come and go."""


def change(passage: Float32) -> tuple[float, Float32]:
    """Score and dB [BANDS] by which the last `RECENT` blocks differ from those before; 0 while these are too few.

    The score is the root mean square, over the bands, of the difference in spreads: standard deviations of the means
    over `RECENT` blocks, so that what a bar repeats is no change.
    """
    before, recent = passage[:-RECENT], passage[-RECENT:]
    if len(before) < PASSAGE:
        return 0.0, np.zeros(passage.shape[1], np.float32)
    spread = _means(before, RECENT).std(0) + SOFT
    difference = recent.mean(0) - before.mean(0)
    return rms(np.minimum(np.abs(difference) / spread, CAP)), difference


def boundary(passage: Float32, difference: Float32, within: int) -> int:
    """How many of the last `within` blocks are likeliest to lie beyond the change that `difference` [BANDS] tells of.

    Blocks are weighed by which side of half-way they lie; the sum from there to now is the largest.
    """
    last = passage[-within:]
    middle = passage[:-RECENT].mean(0) + 0.5 * difference
    return 1 + int(np.cumsum(((last - middle) @ difference)[::-1]).argmax())


def ramp(passage: Float32) -> tuple[float, float]:
    """How much (0..1) the brighter bands have been rising steadily up to now, and by how many dB; 0, 0 if they fall."""
    if len(passage) < SHORTEST:
        return 0.0, 0.0
    levels = _means(passage[-LONGEST:, BRIGHT:].mean(1, keepdims=True), SMOOTH)[:, 0]
    steps = np.arange(len(levels)) - (len(levels) - 1) / 2.0
    lean = float(steps @ levels)
    slope = lean / float(steps @ steps)
    gain, straight = slope * len(levels), slope * lean / max(len(levels) * float(np.var(levels)), 1e-9)
    return _between(gain, GAIN, FULL_GAIN) * _between(straight, STRAIGHT, STRAIGHTEST), max(gain, 0.0)


def rms(values: Float32) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _means(levels: Float32, n: int) -> Float32:
    """[blocks - n + 1, ...]: means over `n` blocks."""
    sums = np.cumsum(np.concatenate([np.zeros_like(levels[:1]), levels]), 0)
    return np.asarray((sums[n:] - sums[:-n]) / n, np.float32)


def _between(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
