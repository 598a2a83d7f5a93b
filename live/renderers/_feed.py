"""How a renderer's process gets its poses: from the engine's memory, until its standard input ends."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.errors import LiveError
from live.look import Look
from live.ring import Ring
from live.take import record_dtype

STALE, FADE = 1.5, 2.0
"""Seconds without a pose after which the dancers fade, and in which they do."""
NICENESS = 5
"""Behind the engine, where that has no real-time scheduling."""


class Feed:
    """The newest pose, for renderers that leave out what they have no time for."""

    def __init__(self, memory: Ring, dancers: int) -> None:
        self._ring, self._dtype = memory, record_dtype(dancers)
        self._count = 0
        self._came = time.monotonic()
        self.record: np.void = np.zeros(1, self._dtype)[0]

    def fresh(self) -> bool:
        """Whether there is a newer pose than before; it is `record` then."""
        if self._ring.written == self._count:
            return False
        count, data = self._ring.newest()
        if not count:
            return False
        found: NDArray[np.void] = np.frombuffer(data, self._dtype)
        self.record, self._count, self._came = found[0], count, time.monotonic()
        return True

    @property
    def begun(self) -> bool:
        return self._count > 0

    @property
    def presence(self) -> float:
        """1 while poses come; falls to 0 when they stop."""
        silent = time.monotonic() - self._came - STALE
        return 1.0 - min(max(silent / FADE, 0.0), 1.0)


def begin(ring_path: str, told: str, niceness: int = NICENESS) -> tuple[Ring, Look, dict[str, Any]]:
    """What a renderer is started with: the memory, its look, its settings. Signals are the engine's to act on."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(niceness)
    settings: dict[str, Any] = json.loads(told)
    memory = Ring(Path(ring_path))
    memory.unlink()
    return memory, Look(**settings.pop("look")), settings


def say(line: str) -> None:
    """To the engine: `ready`, what is wrong, or statistics at the end."""
    print(line, flush=True)


def refused(error: LiveError) -> int:
    """Tell what is wrong in one line; the exit status."""
    say(" ".join(str(error).split()))
    return 2


def milliseconds(values: list[float]) -> dict[str, float]:
    """p50, p99 and max of seconds."""
    if not values:
        return {}
    numbers = np.array(values) * 1e3
    return {"p50": round(float(np.percentile(numbers, 50)), 3), "p99": round(float(np.percentile(numbers, 99)), 3),
            "max": round(float(numbers.max()), 3)}  # fmt: skip


def run(main: Any) -> None:
    """Run a renderer's `main` with the process's arguments. What was imported stays: looking through it again and again
    took the garbage collector milliseconds of some pictures."""
    gc.collect()
    gc.freeze()
    sys.exit(main(*sys.argv[1:]))
