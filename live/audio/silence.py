"""`--input silence`: endless zeros at the clock's pace."""

from __future__ import annotations

import queue

import numpy as np

from live.audio._paced import PacedSource
from live.clock import Clock
from live.contracts import AudioSource
from live.types import Float32


class Silence:
    """A stream of zeros."""

    ended = False

    def __init__(self) -> None:
        self.recoveries: queue.SimpleQueue[str] = queue.SimpleQueue()

    def start(self) -> None: ...

    def read(self, count: int) -> Float32:
        return np.zeros(count, np.float32)

    def close(self) -> None: ...


def open_source(argument: str, clock: Clock) -> AudioSource:
    """Silence; `argument` means nothing here."""
    return PacedSource("silence", Silence(), clock)
