"""Blocks of any rate and channel count become mono samples at 48 kHz that hold no NaN."""

from __future__ import annotations

import numpy as np
import soxr

from live.types import SAMPLE_RATE, Float32

LOUDEST = 8.0
"""Samples beyond this (18 dB over full scale) are damage, not music."""


class Converter:
    """Streaming conversion; the samples that come out do not depend on how those going in were cut.

    `quality` is soxr's: QQ adds at most 0.25 ms from 8 kHz upwards, HQ up to 160 ms.
    """

    def __init__(self, rate: float, quality: str) -> None:
        same = rate == SAMPLE_RATE
        self._resampler = None if same else soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", quality)
        self.damaged = False
        """True once a sample was not a number and became 0."""

    @property
    def delay(self) -> float:
        """Seconds of sound that went in and did not come out yet."""
        return 0.0 if self._resampler is None else float(self._resampler.delay()) / SAMPLE_RATE

    def convert(self, block: Float32, last: bool = False) -> Float32:
        """[n, channels] -> [m] at 48 kHz; `last` flushes what is still inside."""
        if not np.isfinite(block).all():
            self.damaged = True
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        mono: Float32 = np.clip(block, -LOUDEST, LOUDEST).mean(axis=1, dtype=np.float32)  # [n]
        if self._resampler is None:
            return mono
        converted: Float32 = self._resampler.resample_chunk(mono, last)  # [m]
        return converted
