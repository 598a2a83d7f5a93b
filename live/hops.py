"""Samples in blocks of any size, cut into hops of one size, or into windows that move by a hop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from live.types import Float32, Snapshot


def cleaned(samples: Float32) -> Float32:
    """`samples` [n] within [-1, 1], what is no number as 0; the same array if it is so already."""
    if np.abs(samples).max(initial=0.0) <= 1.0:  # false of NaN too
        return samples
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0), -1.0, 1.0)


class Hops:
    """Keeps what does not fill a hop yet. The buffer that `cut` yields is used again for the next hop."""

    def __init__(self, size: int) -> None:
        self.buffer = np.zeros(size, np.float32)
        self.filled = 0

    @property
    def rest(self) -> Float32:
        """A copy of what does not fill a hop yet."""
        return self.buffer[: self.filled].copy()

    def cut(self, samples: Float32) -> Iterator[Float32]:
        """Each hop [size] that becomes whole with `samples` [n]."""
        size = len(self.buffer)
        while len(samples):
            n = min(size - self.filled, len(samples))
            self.buffer[self.filled : self.filled + n] = samples[:n]
            self.filled = (self.filled + n) % size
            samples = samples[n:]
            if self.filled == 0:
                yield self.buffer


@dataclass
class Windowed:
    """Base of all that an analyser of sound remembers, as plain values: arrays, numbers, strings."""

    window: Float32
    """The newest samples, the last `hop` of them not yet whole."""
    filled: int
    """Samples of the hop that are there."""

    def windows(self, samples: Float32, hop: int) -> Iterator[Float32]:
        """`window` each time a hop becomes whole with `samples` [n]."""
        while len(samples):
            n = min(hop - self.filled, len(samples))
            start = len(self.window) - hop + self.filled
            self.window[start : start + n] = samples[:n]
            self.filled += n
            samples = samples[n:]
            if self.filled == hop:
                yield self.window
                self.window[:-hop] = self.window[hop:]
                self.filled = 0

    def snapshot(self) -> Snapshot:
        """Everything, as copies."""
        return {f.name: np.array(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def restored(cls, snapshot: Snapshot) -> Self:
        """What a `snapshot` was taken of, bit for bit."""
        values: dict[str, Any] = {k: v.copy() if v.ndim else v.item() for k, v in snapshot.items()}
        return cls(**values)
