"""Timing one thing over and over in this process, back to back or at a pace."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from live.types import Float64


class Timed(NamedTuple):
    """When each repetition began, how long it took (s of `perf_counter`), and the thread's CPU seconds for one."""

    at: Float64
    took: Float64
    cpu: float


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Without the garbage collector, as on stage.

    Without real-time scheduling: what never waits would be throttled by the kernel, for 50 ms of each second.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def timed(act: Callable[[], object], seconds: float, warm_up: float, rate: float | None = None) -> Timed:
    """Do it for `warm_up` seconds uncounted, then for `seconds`; at `rate` times a second, or back to back."""
    with undisturbed():
        _repeat(act, warm_up, rate)
        spent = time.thread_time()
        at, took = _repeat(act, seconds, rate)
    return Timed(np.array(at), np.array(took), (time.thread_time() - spent) / len(at))


def _repeat(act: Callable[[], object], seconds: float, rate: float | None) -> tuple[list[float], list[float]]:
    """At least once."""
    at: list[float] = []
    took: list[float] = []
    first = time.perf_counter()
    while not at or time.perf_counter() < first + seconds:
        if rate is not None:
            time.sleep(max(0.0, first + len(at) / rate - time.perf_counter()))
        begun = time.perf_counter()
        act()
        took.append(time.perf_counter() - begun)
        at.append(begun)
    return at, took
