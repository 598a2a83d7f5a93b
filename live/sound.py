"""Sound on its way to a film: records of fixed size, and how they are laid end to end."""

from __future__ import annotations

import numpy as np

from live.types import HOP, SAMPLE_RATE, Float32

BLOCK = np.dtype([("captured", "<f8"), ("count", "<i8"), ("samples", "<f4", (HOP,))])
"""Host time (s) at which the first of `count` samples was captured, and those samples."""
SLACK = 480
"""Samples (10 ms) off before sound is put right: reads and clocks jitter, and every correction is a small click."""


class Track:
    """Blocks as one run of samples that begins at host time `began`; holes are silence, overlaps are left out."""

    def __init__(self, began: float) -> None:
        self._began = began
        self.written = 0

    def placed(self, captured: float, samples: Float32) -> Float32:
        """What follows the run so far (maybe with silence before it, maybe nothing) now that this block came."""
        at = round((captured - self._began) * SAMPLE_RATE)
        off = at - self.written
        if off > SLACK or (self.written == 0 and off > 0):
            samples = np.concatenate([np.zeros(off, np.float32), samples])
        elif off < -SLACK or (self.written == 0 and off < 0):
            samples = samples[-off:]
        self.written += len(samples)
        return samples

    def silence(self, until: float) -> Float32:
        """What is missing up to host time `until`, where no sound came for long; what comes for that time is late."""
        missing = round((until - self._began) * SAMPLE_RATE) - self.written
        self.written += max(missing, 0)
        return np.zeros(max(missing, 0), np.float32)
