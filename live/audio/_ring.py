"""From the capturing thread to the loop: a ring of samples in which the newest wins."""

from __future__ import annotations

import numpy as np

from live.types import AudioBlock, Float32


class Ring:
    """One thread writes, one other reads, neither ever waits for the other.

    Samples are numbered from 0; `skip` leaves numbers out that will never come. No lock is needed: the writer moves
    `written` only after the samples lie in place, and the reader stays a fifth of the ring away from what may be
    overwritten while it copies. What the reader misses is always a multiple of `grid` samples, so that frames of that
    length go on where the pose clock expects them.
    """

    def __init__(self, capacity: int, grid: int = 1) -> None:
        self._grid = grid
        self._samples: Float32 = np.zeros(capacity, np.float32)
        self._readable = capacity - capacity // 5
        self._floor = 0  # first number after the newest gap
        self._read = 0
        self._claimed = 0  # the writer may be anywhere below this number
        self.written = 0
        """The number that the next sample will have."""
        self.overflows = 0
        """How often the reader came too late."""

    def write(self, samples: Float32) -> None:
        """Append samples [n]; of more than fit only the newest are kept."""
        end = self.written + len(samples)
        kept = samples[-len(self._samples) :]
        first = (end - len(kept)) % len(self._samples)
        head = len(self._samples) - first
        self._claimed = end
        self._samples[first : first + len(kept)] = kept[:head]
        self._samples[: len(kept[head:])] = kept[head:]
        self.written = end

    def skip_to(self, number: int) -> None:
        """The next sample written has this number (never less than now); what was not read yet is dropped."""
        number = max(number, self.written)
        self._floor = number  # before `written`, so that the reader never sees the hole as samples
        self.written = number

    def read(self) -> AudioBlock:
        """A copy of everything not read yet."""
        end = self.written
        begin = max(self._read, self._floor)
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
        lost = self._claimed - len(self._samples) - copy.start
        if lost <= 0:
            return copy
        self.overflows += 1
        lost += -lost % self._grid
        return AudioBlock(copy.samples[lost:], min(copy.start + lost, self._read))
