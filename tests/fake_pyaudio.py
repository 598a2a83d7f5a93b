"""A `pyaudio` without hardware: the test says which inputs there are, and when each read returns what."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from live.clock import VirtualClock
from live.types import Float32

PATIENCE = 5.0


def device(name: str, rate: float = 48_000.0, channels: int = 1, latency: float = 0.01) -> dict[str, Any]:
    """As PortAudio describes an input."""
    return {
        "name": name,
        "defaultSampleRate": rate,
        "maxInputChannels": channels,
        "defaultLowInputLatency": latency,
        "defaultHighInputLatency": 4 * latency,
    }


@dataclass
class FakePyAudio:
    """Stands in for the module. It opens a stream only for (rate, channels) in `accepts`, or for any if that is empty.

    The capturing thread waits in `read` until the test lets it go with `deliver` or `fail`.
    """

    clock: VirtualClock
    devices: list[dict[str, Any]] = field(default_factory=list)
    default: int = 0
    accepts: set[tuple[int, int]] = field(default_factory=set)
    opened: list[FakeStream] = field(default_factory=list)
    paFloat32: int = 1

    # ---- what the test does

    def wait(self) -> None:
        """Return when all that was delivered has been taken and the newest stream's next read waits."""
        self._reader().release()

    def deliver(self, samples: Float32, now: float) -> None:
        """Let the next read return frames [n] or [n, channels] at host time `now`, and wait until they are taken."""
        self._let_go(samples, now)
        self.wait()

    def fail(self, now: float) -> None:
        """Let the next read fail as a device does that was pulled out."""
        self._let_go(OSError(-9999, "Unanticipated host error"), now)

    def _let_go(self, event: Any, now: float) -> None:
        self._reader()
        self.clock.time = now
        self.opened[-1].events.put(event)

    def _reader(self) -> threading.Semaphore:
        """Of the newest stream, once its read waits: taken. A stream that failed may yet be followed by another."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if self.opened and (waiting := self.opened[-1].waiting).acquire(timeout=0.001):
                return waiting
        raise AssertionError("the microphone does not read")

    # ---- what the microphone uses

    def PyAudio(self) -> FakePyAudio:
        return self

    def terminate(self) -> None: ...

    def get_device_count(self) -> int:
        return len(self.devices)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        return {"index": index, **self.devices[index]}

    def get_default_input_device_info(self) -> dict[str, Any]:
        if not self.devices:
            raise OSError("No Default Input Device Available")
        return self.get_device_info_by_index(self.default)

    def open(self, **how: Any) -> FakeStream:
        if self.accepts and (how["rate"], how["channels"]) not in self.accepts:
            raise OSError(-9997, "Invalid sample rate")
        self.opened.append(FakeStream(how))
        return self.opened[-1]


@dataclass
class FakeStream:
    """An open input, and how it was opened. Its reads return its own `events`, as they come; what one asks less of
    stays for the next."""

    how: dict[str, Any]
    events: queue.Queue[Any] = field(default_factory=queue.Queue)
    waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    left: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))

    def read(self, frames: int, exception_on_overflow: bool) -> bytes:
        assert not exception_on_overflow  # PyAudio would close the stream
        if not len(self.left):
            self.waiting.release()
            event = self.events.get()
            if isinstance(event, Exception):
                raise event
            self.left = np.asarray(event, np.float32)
        read, self.left = self.left[:frames], self.left[frames:]
        return read.tobytes()

    def get_read_available(self) -> int:
        return len(self.left)

    def get_input_latency(self) -> float:
        return 0.01

    def close(self) -> None: ...
