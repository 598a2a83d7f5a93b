"""Sources that are not captured but played: their samples come due with the clock."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import Protocol

import numpy as np

from live.clock import Clock
from live.types import SAMPLE_RATE, AudioBlock, Float32

AHEAD = 10.0
"""Seconds that `ReadAhead` keeps decoded."""
CHUNK = SAMPLE_RATE // 4
"""Samples that it decodes at a time."""
AWAY = 2.0
"""Seconds without a read after which, on stage, nobody was there to hear: the music goes on from where it was."""


class Stream(Protocol):
    """Samples to be pulled, as fast as anyone likes."""

    recoveries: queue.SimpleQueue[str]

    @property
    def ended(self) -> bool: ...

    def start(self) -> None: ...

    def read(self, count: int) -> Float32:
        """Up to `count` samples, fewer only when there are no more (for now); never waits for long."""
        ...

    def close(self) -> None: ...


class PacedSource:
    """An `AudioSource` that hands over its stream at 48000 samples a second of `clock`, from `start` on."""

    latency = 0.0
    overflows = 0

    def __init__(self, name: str, stream: Stream, clock: Clock) -> None:
        self.name = name
        self._stream = stream
        self._clock = clock
        self._began = clock.now()
        self._started = False
        self._delivered = 0

    def start(self) -> None:
        self._stream.start()
        self._began, self._started = self._clock.now(), True

    def read_available(self) -> AudioBlock:
        if self._clock.paced and self._due() - self._delivered > AWAY * SAMPLE_RATE and not self._stream.ended:
            self._wait_for_listeners()
        due = self._due() - self._delivered
        samples = self._stream.read(due) if due > 0 else np.zeros(0, np.float32)
        block = AudioBlock(samples, self._delivered)
        self._delivered += len(samples)
        return block

    def _wait_for_listeners(self) -> None:
        """The machine slept, or the process was stopped: what was missed is not caught up with."""
        late = self._clock.now() - self.capture_time(self._delivered)
        self._began += late
        self._stream.recoveries.put(f"{self.name}: nobody listened for {late:.1f} s; it goes on from there")

    def _due(self) -> int:
        # The margin of a thousandth sample keeps a deadline of k / 60 s from falling one sample short by rounding.
        return int((self._clock.now() - self._began) * SAMPLE_RATE + 1e-3) if self._started else 0

    def capture_time(self, sample: int) -> float:
        return self._began + sample / SAMPLE_RATE

    @property
    def finished(self) -> bool:
        return self._stream.ended

    def recoveries(self) -> list[str]:
        return [self._stream.recoveries.get() for _ in range(self._stream.recoveries.qsize())]

    def close(self) -> None:
        self._stream.close()


class ReadAhead:
    """A stream decoded `AHEAD` seconds ahead by a thread of its own, so that no disk ever holds up the reader."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.recoveries = stream.recoveries
        self._chunks: deque[Float32] = deque([stream.read(CHUNK)])
        self._all_read = stream.ended
        self._starved = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read-ahead", daemon=True)

    @property
    def ended(self) -> bool:
        return self._all_read and not self._chunks

    def start(self) -> None:
        self._thread.start()

    def read(self, count: int) -> Float32:
        parts: list[Float32] = []
        while count > 0 and self._chunks:
            chunk = self._chunks.popleft()
            parts.append(chunk[:count])
            if len(chunk) > count:
                self._chunks.appendleft(chunk[count:])
            count -= len(parts[-1])
        if count > 0 and not self._all_read and not self._starved:
            self._starved = True
            self.recoveries.put("the music file is read too slowly, the sound comes late: copy it to a local disk")
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _run(self) -> None:
        while not self._all_read and not self._stop.is_set():
            if len(self._chunks) * CHUNK >= AHEAD * SAMPLE_RATE:
                self._stop.wait(CHUNK / SAMPLE_RATE)
                continue
            chunk = self._stream.read(CHUNK)
            if len(chunk):
                self._chunks.append(chunk)
            self._all_read = self._stream.ended
        self._stream.close()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)
        elif self._thread.ident is None:  # never started
            self._stream.close()


def played(name: str, stream: Stream, clock: Clock) -> PacedSource:
    """The stream as a source. Where waiting takes no time nothing can be read ahead, so it decodes as it is read."""
    return PacedSource(name, ReadAhead(stream) if clock.paced else stream, clock)
