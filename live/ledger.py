"""The latency ledger: how long each stage took, kept as histograms of constant size however long the show."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from live.pace import PERIOD

STAGES = ("capture", "features", "generator", "motion", "encode", "send", "total")
PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99, "p999": 0.999}
FLOOR, GROWTH, BINS = 1e-6, 1.01, 1700
"""Bins grow by 1% from a microsecond to 22 s, so that a percentile is right to within 1%."""
_SCALE = 1.0 / math.log(GROWTH)


class Histogram:
    """Durations in seconds."""

    __slots__ = ("_bins", "count", "max", "sum")

    def __init__(self) -> None:
        self._bins = array("q", bytes(8 * BINS))
        self.count = 0
        self.max = 0.0
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self._bins[min(BINS - 1, int(math.log(max(FLOOR, seconds) / FLOOR) * _SCALE))] += 1
        self.count += 1
        self.sum += seconds
        if seconds > self.max:
            self.max = seconds

    def percentile(self, share: float) -> float:
        """The duration that `share` of all lie at or below; 0 when there are none."""
        wanted, seen = share * self.count, 0
        for i, n in enumerate(self._bins):
            seen += n
            if n and seen >= wanted:
                return min(FLOOR * float(GROWTH ** (i + 0.5)), self.max)
        return 0.0

    def figures(self) -> tuple[NDArray[np.int64], tuple[float, float, float]]:
        """Bins, and count, sum and max: all there is."""
        return np.array(self._bins), (self.count, self.sum, self.max)

    def put_back(self, bins: NDArray[np.int64], totals: NDArray[np.float64]) -> None:
        """Go on from `figures` that were taken before."""
        self._bins = array("q", bins.tobytes())
        self.count, self.sum, self.max = int(totals[0]), float(totals[1]), float(totals[2])

    def milliseconds(self) -> dict[str, float]:
        """p50, p90, p99, p999 and max, in ms."""
        values = {name: self.percentile(share) * 1e3 for name, share in PERCENTILES.items()} | {"max": self.max * 1e3}
        return {name: round(value, 4) for name, value in values.items()}


class Times(NamedTuple):
    """Host times of one slot: before the input was read, where each of `STAGES` after `capture` began, the last byte
    sent."""

    before: float
    begun: float
    listened: float
    generated: float
    moved: float
    encoded: float
    sent: float


class Ledger:
    """Everything counted in one performance.

    `stages` hold ticks that ran the generator; `interval` is between the last bytes of successive poses; `reaction`
    from the last sample of a feature frame being captured to the last byte of the first pose that can know of it; a
    miss is a pose whose last byte left more than one period after its slot. `ticks` count those that were extrapolated
    too. Each of `traces` is given every slot: the values of a `live.trace.Row`; `told` each recovery.
    """

    def __init__(self) -> None:
        self.stages = {name: Histogram() for name in STAGES}
        self.interval, self.reaction = Histogram(), Histogram()
        self.ticks = self.poses = self.misses = self.extrapolated = 0
        self.recoveries: list[str] = []
        self.traces: list[Callable[..., None]] = []
        self.told: Callable[[str], None] | None = None

    def ticked(self, times: Times) -> None:
        """Enter the stages of a slot that ran the generator."""
        for name, begun, ended in zip(STAGES, times, times[1:], strict=False):
            self.stages[name].add(ended - begun)
        self.stages["total"].add(times.sent - times.begun)

    def posed(self, due: float, sent: float, last_sent: float) -> None:
        """Enter a pose that was due and sent at these host times, after one sent at another; NaN for the first."""
        self.poses += 1
        self.misses += sent - due > PERIOD
        if last_sent == last_sent:
            self.interval.add(sent - last_sent)

    def figures(self) -> dict[str, NDArray[Any]]:
        """All histograms as arrays, to `put_back` in another process."""
        bins, totals = zip(*(one.figures() for one in self._histograms()), strict=True)
        return {"bins": np.stack(bins), "totals": np.array(totals, np.float64)}

    def put_back(self, figures: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `figures` of a ledger before this one."""
        for histogram, bins, totals in zip(self._histograms(), figures["bins"], figures["totals"], strict=True):
            histogram.put_back(bins, totals)

    def counters(self) -> NDArray[np.int64]:
        """All counters [4], to `put_back_counters` in another process."""
        return np.array([self.ticks, self.poses, self.misses, self.extrapolated], np.int64)

    def put_back_counters(self, counters: NDArray[np.int64]) -> None:
        """Count on from these."""
        self.ticks, self.poses, self.misses, self.extrapolated = map(int, counters)

    def _histograms(self) -> list[Histogram]:
        return [*self.stages.values(), self.interval, self.reaction]

    def recovered(self, what: str) -> None:
        """Note something survived; the list is bounded, the newest stay."""
        self.recoveries.append(what)
        if self.told is not None:
            self.told(what)
        del self.recoveries[:-1000]


class Survived:
    """A context whose fault is noted, with the time it was due, and goes no further. A class, as it is entered several
    times a tick: a generator in `contextlib.contextmanager` takes several times as long."""

    __slots__ = ("_due", "_note", "_what")

    def __init__(self, note: Callable[[float, str], None], what: str, due: float) -> None:
        self._note, self._what, self._due = note, what, due

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Exception):
            self._note(self._due, f"{self._what} failed ({type(error).__name__}: {error})")
            return True
        return False
