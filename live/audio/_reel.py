"""Sound that is there already, as a stream."""

from __future__ import annotations

import queue
from collections.abc import Sequence

import numpy as np

from live.types import Float32


class Reel:
    """Songs one after another: a stream for a `PacedSource`."""

    def __init__(self, songs: Sequence[Float32]) -> None:
        self.recoveries: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._left = list(reversed(songs))
        self._at = 0

    @property
    def ended(self) -> bool:
        return not self._left

    def start(self) -> None: ...

    def read(self, count: int) -> Float32:
        parts: list[Float32] = []
        while count > 0 and self._left:
            part = self._left[-1][self._at : self._at + count]
            parts.append(part)
            count, self._at = count - len(part), self._at + len(part)
            if self._at >= len(self._left[-1]):
                self._left.pop()
                self._at = 0
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def close(self) -> None: ...
