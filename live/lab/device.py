"""A microphone made of a pipe: it hears clicks when their time has come, exactly."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from live import realtime
from live.types import SAMPLE_RATE, Float32, Float64

BLOCK = 96
"""Samples that the device delivers at a time: 2 ms."""


class Fed(NamedTuple):
    """`began`: host time of the first sample. `late` [n]: seconds by which each block was handed over late."""

    began: float
    late: Float64


def feed(pipe: Path, samples: Float32, until: Callable[[], bool]) -> Fed:
    """Be the device, as punctual as is allowed here: write each block of `samples` [n] when its last sample has been.

    Returns when they are all written, or `until` says so. What nobody reads is dropped, as a device drops it.
    """
    handle = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)  # for writing alone it would fail while nobody reads
    with contextlib.suppress(AttributeError, OSError):
        import fcntl

        fcntl.fcntl(handle, fcntl.F_SETPIPE_SZ, 4096)  # little old sound waits for who begins to listen
    data = np.round(samples * 32767).astype("<i2")
    late = []
    realtime.enter()
    began = time.monotonic()
    try:
        for end in range(BLOCK, len(data) + 1, BLOCK):
            due = began + end / SAMPLE_RATE
            time.sleep(max(0.0, due - time.monotonic()))
            late.append(time.monotonic() - due)
            with contextlib.suppress(BlockingIOError):
                os.write(handle, data[end - BLOCK : end].tobytes())
            if until():
                break
    finally:
        realtime.leave()
        os.close(handle)
    return Fed(began, np.array(late))
