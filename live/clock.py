"""Time is injected: the host's monotonic clock on stage, a virtual one in tests and under `--fast`."""

from __future__ import annotations

import math
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds, monotonic."""

    paced: bool
    """True when waiting takes real time."""

    def now(self) -> float: ...

    def sleep_until(self, deadline: float) -> None:
        """Return at `deadline`, or at once when it has passed."""
        ...


class HostClock:
    """The host's monotonic clock."""

    paced = True

    def now(self) -> float:
        return time.monotonic()

    def sleep_until(self, deadline: float) -> None:
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(left)


class VirtualClock:
    """A clock that jumps to every deadline: as fast as it goes, and exact."""

    paced = False

    def __init__(self, start: float = 0.0) -> None:
        self.time = start

    def now(self) -> float:
        return self.time

    def sleep_until(self, deadline: float) -> None:
        self.time = max(self.time, deadline)


class SampleClock:
    """When sample n was captured, smoothed from noisy observations of (samples so far, host time).

    A second-order delay-locked loop (F. Adriaensen, "Using a DLL to filter time", 2005) generalised to uneven
    observation intervals. Reads arrive in bursts, so single observations are late by up to a block; the loop follows
    their average at `bandwidth` Hz and the card's drift with it. A jump of more than `relock` seconds (a device that
    came back) restarts the loop.
    """

    def __init__(self, rate: float, bandwidth: float = 0.1, relock: float = 0.25) -> None:
        self.nominal = rate
        self._bandwidth = bandwidth
        self._relock = relock
        self._count = 0
        self._time = math.nan
        self._period = 1.0 / rate
        self._observed = 0

    @property
    def rate(self) -> float:
        """Estimated samples per host second."""
        return 1.0 / self._period

    def observe(self, samples: int, now: float) -> None:
        """`samples` had been captured in all by host time `now`."""
        elapsed = samples - self._count
        predicted = self._time + elapsed * self._period
        error = now - predicted
        if math.isnan(self._time) or abs(error) > self._relock:
            self._count, self._time, self._period, self._observed = samples, now, 1.0 / self.nominal, 1
            return
        if elapsed <= 0:
            return
        self._observed += 1
        # Wide at first so that it settles within a second, then narrow so that it is smooth.
        bandwidth = max(self._bandwidth, 2.0 / self._observed**0.75)
        omega = min(2.0 * math.pi * bandwidth * elapsed / self.nominal, 0.5)
        self._count = samples
        self._time = predicted + math.sqrt(2.0) * omega * error
        slowest, fastest = 0.99 / self.nominal, 1.01 / self.nominal
        self._period = min(max(self._period + omega * omega * error / elapsed, slowest), fastest)

    def time_of(self, sample: float) -> float:
        """Host time of sample number `sample`; NaN before the first observation."""
        return self._time + (sample - self._count) * self._period
