"""The causal front end of the beat network: 40 band levels every 10 ms. Training and the stage share `levels`.

Latency: a frame is known with its last sample, and looks back 2048 samples (43 ms) through a Hann window.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from live.types import SAMPLE_RATE, Float32

HOP = 480
"""Samples per frame: 10 ms."""
WINDOW = 2048
BANDS = 40
LOWEST, HIGHEST, BEND = 30.0, 16_000.0, 200.0
"""Hz. Bands are as wide as each other below the bend and a constant part of an octave above it."""
GAIN = 1000.0
"""A level is ln(1 + GAIN * magnitude), a full-scale sine having magnitude 1: 0 in silence, 6.9 at the most."""


@cache
def _hann() -> Float32:
    """[WINDOW], scaled so that a full-scale sine gives a magnitude of `GAIN`."""
    window = np.hanning(WINDOW + 1)[:-1]
    return np.asarray(window * GAIN * 2.0 / window.sum(), np.float32)


@cache
def _filters() -> Float32:
    """[bins, BANDS]: triangles that overlap by half, each summing to one."""
    edges = np.linspace(np.log1p(LOWEST / BEND), np.log1p(HIGHEST / BEND), BANDS + 2)
    hertz = BEND * np.expm1(edges)[:, None]
    bins = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    rise = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    fall = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    triangles = np.maximum(np.minimum(rise, fall), 0.0)
    for band, centre in enumerate(hertz[1:-1, 0]):  # a band narrower than a bin takes the nearest bin
        if triangles[band].sum() < 0.5:
            triangles[band, round(centre * WINDOW / SAMPLE_RATE)] += 0.5
    return np.asarray((triangles / triangles.sum(1, keepdims=True)).T, np.float32).copy()


def levels(windows: Float32) -> Float32:
    """Band levels [..., BANDS] of stretches of samples [..., WINDOW]."""
    return np.log1p(np.abs(np.fft.rfft(windows * _hann())) @ _filters())


def all_levels(samples: Float32) -> Float32:
    """[n // HOP, BANDS]: what a stream hears in the whole of `samples` [n], frame k ending at HOP * (k + 1)."""
    padded = np.concatenate([np.zeros(WINDOW - HOP, np.float32), samples])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(samples) // HOP]
    parts = [levels(windows[i : i + 500]) for i in range(0, len(windows), 500)]
    return np.concatenate(parts) if parts else np.zeros((0, BANDS), np.float32)


def with_rises(levels: Float32, earlier: Float32) -> Float32:
    """The network's input [..., 2 * BANDS]: levels, and how far they rose since two frames earlier."""
    return np.concatenate([levels, np.maximum(levels - earlier, 0.0)], -1)
