"""Whether the loop keeps up with its slots, and what is left out while it does not.

What is shed, in this order: 1, the pictures (their processes get ten poses a second) and the rehearsals; 2, the extra
dancers (those after the first do what the first does); 3, every other tick of the model, its poses extrapolated. Each
comes back by itself after a while in time; soon needed again, the next while is twice as long.
"""

from __future__ import annotations

import numpy as np

from live.pace import PERIOD
from live.types import FRAME_RATE, Float32

SHED = ("nothing", "pictures and rehearsals", "extra dancers", "every other tick")
PICTURES, DANCERS, TICKS = 1, 2, 3
RARELY = 6
"""Of so many poses one goes to the outputs that are pictures, while those are shed."""
WINDOW, TOO_LATE = FRAME_RATE, 0.25
"""Slots that are judged together; share of them that may begin late."""
CALM, LONGEST_CALM = 5.0, 80.0
"""Seconds in time after which one thing comes back; twice as long each time it did not last, up to so many."""
CARRIED = 0.7
"""Share of its change that an extrapolated pose keeps of the one before: the movement runs out within a few."""


CARRIED_ON = 4
"""Ticks in a row that may be extrapolated; then one is generated however late it is."""


class Load:
    """`level`: how much of `SHED` is left out."""

    def __init__(self) -> None:
        self.level = self._carried_on = 0
        self._slots = self._late = self._in_time = 0
        self._calm = CALM

    def slot(self, late: bool) -> str:
        """One slot more, begun `late` or not; what is to be told of it, mostly nothing."""
        self._slots += 1
        self._late += late
        self._in_time = 0 if late else self._in_time + 1
        if self._late > TOO_LATE * WINDOW and self.level < TICKS:
            return self._more()
        if self._slots >= WINDOW:
            self._slots = self._late = 0
        if self._in_time >= self._calm * FRAME_RATE:
            return self._less()
        return ""

    @property
    def rehearses(self) -> bool:
        return self.level < PICTURES

    def shows(self, slot: int) -> bool:
        """Whether the outputs that are pictures get this slot's pose."""
        return self.level < PICTURES or slot % RARELY == 0

    def carries_on(self, late: float) -> bool:
        """Whether this tick, which begins so late (s), is extrapolated instead of generated."""
        halved = self.level >= TICKS and not self._carried_on
        if not (halved or late > PERIOD) or self._carried_on >= CARRIED_ON:
            self._carried_on = 0
            return False
        self._carried_on += 1
        return True

    def _more(self) -> str:
        self.level += 1
        self._slots = self._late = 0
        return f"the loop is late; left out: {', '.join(SHED[1 : self.level + 1])}"

    def _less(self) -> str:
        self._in_time = 0
        if not self.level:
            self._calm = CALM
            return ""
        self._calm = min(2.0 * self._calm, LONGEST_CALM)
        self.level -= 1
        return f"the loop is in time; back again: {SHED[self.level + 1]}"


def extrapolated(raw: Float32) -> Float32:
    """The next raw poses [N, P, C] as the last two go on, ever slower; of one alone, that one."""
    if raw.shape[1] < 2:
        return raw
    change = raw[:, -1:] - raw[:, -2:-1]
    steps = np.cumsum(CARRIED ** np.arange(1, raw.shape[1] + 1, dtype=np.float32))
    return np.asarray(raw[:, -1:] + change * steps[:, None], np.float32)
