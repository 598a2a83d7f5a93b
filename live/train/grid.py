"""Beat grids of constant tempo, for music whose beats nobody wrote down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live.types import FRAME_RATE, Float32, Float64

STEADY = 0.04
"""Seconds (RMS) by which beats may lie off a grid of constant tempo."""

CLEAR = 4.0
"""How many times as strong as the middle one the strongest comb must be: noise gives 2, music 8 and more."""


class Grid(NamedTuple):
    """beat(t) = count_at_start + t * bpm / 60, t in seconds from the first sample; bpm 0 where there is no grid."""

    bpm: float = 0.0
    count_at_start: float = 0.0


def heard_grid(onsets: Float32, slowest: float = 70.0, fastest: float = 180.0) -> Grid:
    """The grid on which the onset envelope [frames] at 60/s falls: the strongest comb of four harmonics.

    Tempi are weighed by a bell of one octave around 120 BPM (van Noorden and Moelants, 1999). Which beat is a downbeat
    is not known: the first one is taken.
    """
    if len(onsets) < 4 * FRAME_RATE:
        return Grid()
    strength = np.asarray(onsets - onsets.mean(), np.float64)
    time = (np.arange(len(onsets)) + 0.5) / FRAME_RATE
    step = 6.0 / time[-1]  # a quarter of a beat over the whole song
    tempi = np.arange(slowest, fastest + step, step)
    waves = np.exp(-2j * np.pi * tempi[:, None] / 60.0 * time)
    combs = [np.abs(waves**k @ strength) / k**0.5 for k in (1, 2, 4)]
    score = sum(combs) * np.exp(-0.5 * np.log2(tempi / 120.0) ** 2)
    best = int(np.argmax(score))
    if not score[best] > CLEAR * np.median(score):
        return Grid()
    phase = np.angle(waves[best] @ strength + 0.5 * _halved(waves[best], strength)) / (2 * np.pi)
    return Grid(float(tempi[best]), float(phase % 1.0))


def _halved(wave: np.ndarray, strength: Float64) -> complex:
    """What the half beats say of the phase, on the side that the beats choose."""
    beat, half = wave @ strength, wave**2 @ strength
    angle = np.angle(half) / 2
    angle += np.pi * (np.cos(angle - np.angle(beat)) < 0)
    return complex(np.abs(half) * np.exp(1j * angle))


def written_grid(beats: Float64) -> Grid:
    """The grid of beat times in seconds, the first a downbeat; none where they do not lie on one."""
    if len(beats) < 4:
        return Grid()
    period, first = np.polyfit(np.arange(len(beats)), beats, 1)
    if np.sqrt(np.mean((first + period * np.arange(len(beats)) - beats) ** 2)) > STEADY:
        return Grid()
    return Grid(60.0 / float(period), float(-first / period))
