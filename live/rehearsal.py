"""A tick run in advance on what is known already, as often as time allows, and its results forgotten.

Between ticks other programs take the processor's caches; a tick that was just rehearsed takes less time from sound to
pose, at the price of doing it more than once. Every room's step is a function of values, so nothing shows.
"""

from __future__ import annotations

from collections.abc import Callable

from live.clock import Clock
from live.pace import PERIOD

LONGEST = 0.2 * PERIOD
"""Seconds; a tick that takes longer (many dancers) is not rehearsed, for want of time."""
WARM_UP = 30
"""Rehearsals before the first slot."""


class Rehearsal:
    """Of `once`, which raises nothing. A clock that does not wait leaves no time for any."""

    def __init__(self, clock: Clock, once: Callable[[], None]) -> None:
        self._clock, self._once = clock, once
        self._takes = 0.1 * PERIOD

    def warm_up(self) -> None:
        """Until everything is where the processor wants it."""
        for _ in range(WARM_UP if self._clock.paced else 0):
            self._once()

    def until(self, end: float, times: int) -> None:
        """About so many `times`, the last one over by host time `end`."""
        if not (self._clock.paced and times):
            return
        if self._takes > LONGEST:
            self._takes *= 0.99  # try again in a while
            return
        self._clock.sleep_until(end - (times + 0.05) * self._takes)
        while end - (begun := self._clock.now()) > 0.9 * self._takes:
            self._once()
            self._takes += 0.1 * (self._clock.now() - begun - self._takes)
