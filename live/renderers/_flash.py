"""White pictures while a click is heard, so that a light sensor or a fast camera can tell sound from light.

A click is a pose whose sound is suddenly louder than poses of late were. Every pose is looked at, whether it was drawn
or not, so that a window which leaves poses out misses none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live.ring import HEADER, Ring

LOUDNESS = 0
"""Where it is among the features: 0 to 1 over 60 dB, of the newest sound that the pose knows of."""
RISE = 0.12
"""7 dB above what is usual."""
USUAL = 0.05
"""How much of what is usual each pose renews: half of it in a quarter of a second."""
HELD = 0.1
"""Seconds for which a picture stays white: six of a display's pictures, 24 of a fast camera's."""


class Flash:
    """Looks at the poses of a ring; they begin at byte `begin` of its memory."""

    def __init__(self, memory: Ring, dtype: np.dtype[np.void], begin: int = HEADER) -> None:
        self._memory, self._read = memory, memory.written
        self._records: NDArray[np.void] = np.ndarray(memory.slots, dtype, memory.memory, begin)
        self._usual, self._until = 1.0, 0.0
        self.count = 0
        """Clicks heard."""

    def white(self, now: float) -> bool:
        """Whether a picture that is drawn at host time `now` is to be white."""
        written = self._memory.written
        for n in range(max(self._read, written - self._memory.slots + 1), written):
            loudness = float(self._records["features"][n % self._memory.slots, LOUDNESS])
            if loudness > self._usual + RISE and now >= self._until:
                self._until, self.count = now + HELD, self.count + 1
            self._usual = min(self._usual + USUAL * (loudness - self._usual), loudness + RISE)
        self._read = written
        return now < self._until
