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
    observation intervals. Reads arrive in bursts, so single observations are late by up to tens of milliseconds; the
    loop follows their average at `bandwidth` Hz and the card's drift with it. One late read moves it by at most
    `slew` seconds per second. Observations that stay more than `relock` seconds off for `patience` seconds (a device
    that came back) restart it.

    One thread observes, others may ask meanwhile: all of its state is one tuple, replaced whole.
    """

    def __init__(
        self,
        rate: float,
        bandwidth: float = 0.05,
        relock: float = 0.25,
        slew: float = 0.01,
        patience: float = 0.5,
    ) -> None:
        self.nominal = rate
        self._bandwidth = bandwidth
        self._relock = relock
        self._slew = slew
        self._patience = patience
        self._far_since = math.inf
        self._locked_at = 0.0
        self._line = (0.0, math.nan, 1.0 / rate)  # a sample, its host time, seconds per sample

    @property
    def locked(self) -> bool:
        """True once anything has been observed."""
        return not math.isnan(self._line[1])

    @property
    def rate(self) -> float:
        """Estimated samples per host second."""
        return 1.0 / self._line[2]

    def observe(self, samples: float, now: float) -> None:
        """`samples` had been captured in all by host time `now`; both never decrease."""
        if not self.locked:
            self._restart(samples, now)
        elif abs(error := now - self.time_of(samples)) > self._relock:
            self._far_since = min(self._far_since, now)
            if now - self._far_since >= self._patience:
                self._restart(samples, now)
        elif (elapsed := samples - self._line[0]) > 0.0:
            self._far_since = math.inf
            self._follow(elapsed, error)

    def _restart(self, samples: float, now: float) -> None:
        self._far_since, self._locked_at = math.inf, now
        self._line = (samples, now, 1.0 / self.nominal)

    def _follow(self, elapsed: float, error: float) -> None:
        count, time, period = self._line
        span = elapsed / self.nominal
        age = time + elapsed * period - self._locked_at
        # Wide at first so that it settles within seconds, then narrow so that it is smooth.
        bandwidth = max(self._bandwidth, 0.5 / (1.0 + age))
        gain = min(math.sqrt(2.0) * 2.0 * math.pi * bandwidth * span, 0.7)
        step = gain * error
        if age > 1.0:
            step = min(max(step, -self._slew * span), self._slew * span)
        period += 0.5 * gain * step / elapsed  # omega^2 * error, of the error that the slew limit let through
        slowest, fastest = 0.99 / self.nominal, 1.01 / self.nominal
        self._line = (count + elapsed, time + elapsed * self._line[2] + step, min(max(period, slowest), fastest))

    def time_of(self, sample: float) -> float:
        """Host time of sample number `sample`; NaN before the first observation."""
        count, time, period = self._line
        return time + (sample - count) * period

    def sample_at(self, time: float) -> float:
        """The sample number of host time `time`: the inverse of `time_of`."""
        count, origin, period = self._line
        return count + (time - origin) / period
