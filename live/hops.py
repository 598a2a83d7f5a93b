"""Samples in blocks of any size, cut into hops of one size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from live.types import Float32


class Hops:
    """Keeps what does not fill a hop yet. The buffer that `cut` yields is used again for the next hop."""

    def __init__(self, size: int) -> None:
        self.buffer = np.zeros(size, np.float32)
        self._filled = 0

    @property
    def rest(self) -> Float32:
        """A copy of what does not fill a hop yet."""
        return self.buffer[: self._filled].copy()

    def cut(self, samples: Float32) -> Iterator[Float32]:
        """Each hop [size] that becomes whole with `samples` [n]."""
        size = len(self.buffer)
        while len(samples):
            n = min(size - self._filled, len(samples))
            self.buffer[self._filled : self._filled + n] = samples[:n]
            self._filled = (self._filled + n) % size
            samples = samples[n:]
            if self._filled == 0:
                yield self.buffer
