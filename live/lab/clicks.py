"""Clicks that are played at known times and found again in the mouth of a VMC stream.

`face=loudness` sends, with each pose, the loudness of the newest frame that the pose knows of, through a one-pole
filter that can be undone. Clicks are spaced so that they fall evenly over all places in a tick.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live.types import HOP, SAMPLE_RATE, Float32, Float64

SPACING = 30 * HOP
"""Samples from click to click: half a second."""
TICK = 2 * HOP
GOLDEN = 0.6180339887
LENGTH, HERTZ, AMPLITUDE = 96, 2000.0, 0.5
RISE = 0.12
"""Of the loudness (0 to 1 over 40 dB) above what is usual: 5 dB. One sample of a click in a silent frame is more."""
WITHIN = 0.4
"""Seconds after which a click that was not found counts as lost."""


class Found(NamedTuple):
    """Seconds from each click [n] that was found to the packet that first tells of it, and to that of the first pose
    that the generator made knowing of it; when those clicks were; how many were lost."""

    heard: Float64
    danced: Float64
    at: Float64
    lost: int


def starts(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """First sample of each click."""
    number = np.arange(1, count + 1)
    return number * SPACING + (TICK * (number * GOLDEN % 1.0)).astype(np.int64)


def click() -> Float32:
    """A square wave, as loud from its first sample on."""
    phase = np.arange(LENGTH) * HERTZ / SAMPLE_RATE % 1.0
    return np.where(phase < 0.5, AMPLITUDE, -AMPLITUDE).astype(np.float32)


def track(count: int) -> Float32:
    """Silence with `count` clicks in it, and a second more."""
    at = starts(count)
    samples = np.zeros(int(at[-1]) + SAMPLE_RATE, np.float32)
    samples[at[:, None] + np.arange(LENGTH)] = click()
    return samples


def found(played: Float64, mouths: Float64, poses_per_tick: int) -> Found:
    """Clicks played at `played` [n] (host seconds) in `mouths` [m, 2] (see `live.lab.receiver`) of a whole stream."""
    loud = loudness(mouths[:, 1])
    shows = loud > np.median(loud) + RISE
    heard, danced, at = [], [], []
    for time in played:
        after = int(np.searchsorted(mouths[:, 0], time))
        close = np.flatnonzero(shows[after : np.searchsorted(mouths[:, 0], time + WITHIN)])
        made = after + int(close[0]) if len(close) else len(mouths)
        ticked = made + -made % poses_per_tick  # the stream's first pose comes with a tick, and so does every nth
        if ticked < len(mouths):
            heard.append(mouths[made, 0] - time)
            danced.append(mouths[ticked, 0] - time)
            at.append(time)
    return Found(np.array(heard), np.array(danced), np.array(at), len(played) - len(heard))


def loudness(mouths: Float64) -> Float64:
    """What the mouth follows, [m] in 0 to 1, from the mouth [m], which goes half the way each frame."""
    return np.asarray(2.0 * mouths - np.concatenate([[0.0], mouths[:-1]]))
