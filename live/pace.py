"""When each pose is due: one slot per feature frame, for hours, with or without sound."""

from __future__ import annotations

import math
from collections.abc import Callable

from live.types import FRAME_RATE, HOP

PERIOD = 1.0 / FRAME_RATE
STEEPEST = 0.01
"""Largest correction per slot, as a share of the period: a slot moves by at most 0.17 ms, so nobody sees it."""
GAIN = 0.05


class PoseClock:
    """Slot deadlines locked in phase to the sample clock.

    A slot lies `margin()` seconds after the capture time of a frame's last sample, when that frame can be read. Where
    sound and slots part (drift, a device that came back), slots glide back into phase; without sound the host clock
    carries on.
    """

    def __init__(self, capture_time: Callable[[int], float], margin: Callable[[], float]) -> None:
        self._capture_time = capture_time
        self._margin = margin
        self.due = math.nan

    def start(self, now: float) -> float:
        """The first slot: the next frame boundary after `now`."""
        self.due = now
        self.due = now + (-self._late(now)) % PERIOD
        return self.due

    def next(self) -> float:
        """The slot after this one."""
        self.due += PERIOD
        self.due -= min(max(GAIN * self._late(self.due), -STEEPEST * PERIOD), STEEPEST * PERIOD)
        return self.due

    def skip_to(self, now: float) -> int:
        """After a stall: pass over the slots that lie before `now`; returns how many."""
        missed = max(0, math.floor((now - self.due) / PERIOD))
        self.due += missed * PERIOD
        return missed

    def _late(self, slot: float) -> float:
        """Seconds in +-half a period by which `slot` lies after the nearest frame boundary."""
        origin = self._capture_time(0)
        hop = self._capture_time(HOP) - origin
        if not (math.isfinite(origin) and hop > 0.0):
            return 0.0
        frames = (slot - self._margin() - origin) / hop
        return (frames - round(frames)) * hop
