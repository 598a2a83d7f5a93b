"""From whoever captures to the loop, in another thread or process: a ring of samples in which the newest wins."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.types import AudioBlock, Float32

_WRITTEN, _FLOOR, _CLAIMED = range(3)
COUNTERS = 24
"""Bytes before the samples of a ring that lies in shared memory."""


class SampleRing:
    """One writes, one other reads, neither ever waits for the other. `memory`: where it lies, `COUNTERS` bytes and four
    for each sample; what lies there already goes on.

    Samples are numbered from 0; `skip_to` leaves numbers out that will never come. No lock is needed: the writer moves
    `written` only after the samples lie in place, and the reader stays a fifth of the ring away from what may be
    overwritten while it copies. What the reader misses is always a multiple of `grid` samples, so that frames of that
    length go on where the pose clock expects them.
    """

    def __init__(self, capacity: int, grid: int = 1, memory: Any = None) -> None:
        self._grid = grid
        memory = bytearray(COUNTERS + 4 * capacity) if memory is None else memory
        self._counters: NDArray[np.int64] = np.frombuffer(memory, np.int64, 3)
        self._samples: Float32 = np.frombuffer(memory, np.float32, capacity, COUNTERS)
        self._readable = capacity - capacity // 5
        self._read = 0
        self.overflows = 0
        """How often the reader came too late."""

    @property
    def written(self) -> int:
        """The number that the next sample will have."""
        return int(self._counters[_WRITTEN])

    def read_from(self, number: int) -> int:
        """Read on from this number, or the nearest later one on the grid that is there; returns it."""
        oldest = max(number, int(self._counters[_FLOOR]), self.written - self._readable)
        self._read = oldest + -oldest % self._grid
        return self._read

    def write(self, samples: Float32) -> None:
        """Append samples [n]; of more than fit only the newest are kept."""
        end = self.written + len(samples)
        kept = samples[-len(self._samples) :]
        first = (end - len(kept)) % len(self._samples)
        head = len(self._samples) - first
        self._counters[_CLAIMED] = end  # the writer may be anywhere below this number
        self._samples[first : first + len(kept)] = kept[:head]
        self._samples[: len(kept[head:])] = kept[head:]
        self._counters[_WRITTEN] = end

    def skip_to(self, number: int) -> None:
        """The next sample written has this number (never less than now); what was not read yet is dropped."""
        number = max(number, self.written)
        self._counters[_FLOOR] = number  # before `written`, so that the reader never sees the hole as samples
        self._counters[_WRITTEN] = number

    def read(self) -> AudioBlock:
        """A copy of everything not read yet."""
        end = self.written
        begin = max(self._read, int(self._counters[_FLOOR]))
        if end - begin > self._readable:
            self.overflows += 1
            begin = end - self._readable
        begin += (self._read - begin) % self._grid
        if begin >= end:
            return AudioBlock(np.zeros(0, np.float32), self._read)
        self._read = end
        first, last = begin % len(self._samples), end % len(self._samples)
        parts = (self._samples[first:last],) if first < last else (self._samples[first:], self._samples[:last])
        return self._untorn(AudioBlock(np.concatenate(parts), begin))

    def _untorn(self, copy: AudioBlock) -> AudioBlock:
        """The part of a copy that the writer had not reached when the copy was made."""
        lost = int(self._counters[_CLAIMED]) - len(self._samples) - copy.start
        if lost <= 0:
            return copy
        self.overflows += 1
        lost += -lost % self._grid
        return AudioBlock(copy.samples[lost:], min(copy.start + lost, self._read))
