"""What a watchdog goes by: a heart that stopped beating, and engines that die as soon as they perform."""

from __future__ import annotations

import math

HUNG = 0.2
"""Seconds without a pose after which an engine is taken for dead."""
ENTERING = 1.0
"""Seconds that an engine has for its first pose."""
BLIND = 0.1
"""Seconds in which the watchdog itself did not look: then nobody is to blame."""
SHORT_LIFE, LIVES = 5.0, 3
"""Seconds; so many engines in a row that lived no longer are a crash loop."""
HOLD, LONGEST_HOLD = 2.0, 60.0
"""Seconds for which a neutral pose is held then; twice as long each time."""


class Pulse:
    """Of one engine: `look` often, with how many poses it has told of."""

    def __init__(self, count: int, now: float, patience: float = ENTERING) -> None:
        self._count = count
        self._looked = now
        self._patience = patience
        self.last = now
        """When it was last seen alive."""

    def look(self, count: int, now: float) -> bool:
        """Whether it hangs."""
        if count != self._count:
            self._count, self.last, self._patience = count, now, HUNG
        elif now - self._looked > BLIND:
            self.last = now
        self._looked = now
        return now - self.last > self._patience


class Lives:
    """How long engines lived. `ended` tells until when a neutral pose is to be held."""

    def __init__(self) -> None:
        self._short = 0
        self._hold = HOLD

    def ended(self, lived: float, now: float) -> float:
        """Host time until which no engine is to perform; minus infinity where the next may at once."""
        if lived > SHORT_LIFE:
            self._short, self._hold = 0, HOLD
            return -math.inf
        self._short += 1
        if self._short < LIVES:
            return -math.inf
        until, self._hold = now + self._hold, min(2.0 * self._hold, LONGEST_HOLD)
        return until
