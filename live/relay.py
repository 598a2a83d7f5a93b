"""Sound that another process captures: it `Relay`s a source into shared memory, `Relayed` is that source elsewhere.

So whoever listens can be replaced without a device being opened again.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

from live import ring
from live.contracts import AudioSource
from live.samples import COUNTERS, SampleRing
from live.types import HOP, SAMPLE_RATE, AudioBlock

POLL = 0.002
"""Seconds between two looks at the source."""
HANDED_ON = 0.004
"""Seconds that handing on may take; declared on top of the source's own latency."""
SECONDS = 12.0
"""Of sound that are kept."""
LINES = 64
"""Newest lines kept of what was survived."""
_CAPACITY = int(SECONDS * SAMPLE_RATE)
_STATE = struct.Struct("=6d")  # captured sample, when, seconds a sample, latency, overflows, finished
_LINE = 504


class Relay:
    """Hands a source on through files in `folder`. `pump` often: it takes what there is and never waits."""

    def __init__(self, folder: Path, source: AudioSource) -> None:
        self._source = source
        self._file = _mapped(folder / "sound", COUNTERS + 4 * _CAPACITY)
        self._sound = SampleRing(_CAPACITY, HOP, self._file)
        self._state = ring.create(_STATE.size, 8, folder / "sound-state")
        self._lines = ring.create(_LINE, LINES, folder / "lines")

    def pump(self) -> None:
        """Take what has come."""
        source = self._source
        block = source.read_available()
        if len(block.samples):
            if block.start > self._sound.written:
                self._sound.skip_to(block.start)
            self._sound.write(block.samples)
        at = self._sound.written
        when = source.capture_time(at)
        pace = (source.capture_time(at + SAMPLE_RATE) - when) / SAMPLE_RATE
        self._put(self._state, _STATE.pack(at, when, pace, source.latency, source.overflows, source.finished))
        for line in source.recoveries():
            self.tell(line)

    def tell(self, line: str) -> None:
        """Something survived, for the ledger of whoever listens."""
        self._put(self._lines, line.encode()[:_LINE].decode(errors="ignore").encode().ljust(_LINE, b"\0"))

    def _put(self, into: ring.Ring, record: bytes) -> None:
        start = ring.HEADER + into.written % into.slots * into.size
        into.memory[start : start + len(record)] = record
        into.publish()


class Relayed:
    """The `AudioSource` that a `Relay` hands on through `folder`. `heard` lines are known already."""

    def __init__(self, folder: Path, name: str, heard: int = 0) -> None:
        self.name = name
        self._sound = SampleRing(_CAPACITY, HOP, _mapped(folder / "sound"))
        self._state, self._lines = ring.Ring(folder / "sound-state"), ring.Ring(folder / "lines")
        self._now = (0.0, math.nan, 1.0 / SAMPLE_RATE, 0.0, 0.0, 0.0)
        self.heard = heard
        self._look()

    @staticmethod
    def is_there(folder: Path) -> bool:
        """Whether anything is handed on yet."""
        return (folder / "lines").exists()

    def _look(self) -> None:
        count, record = self._state.newest()
        if count:
            self._now = _STATE.unpack(record)

    def start(self) -> None:
        """It has begun long ago."""

    def begin(self, seconds: float) -> int:
        """Read on from so many seconds ago; the number of the first sample to come."""
        return self._sound.read_from(max(0, self._sound.written - int(seconds * SAMPLE_RATE)))

    def read_available(self) -> AudioBlock:
        self._look()
        return self._sound.read()

    def capture_time(self, sample: int) -> float:
        at, when, pace, *_ = self._now
        return when + (sample - at) * pace

    @property
    def latency(self) -> float:
        return self._now[3] + HANDED_ON

    @latency.setter
    def latency(self, seconds: float) -> None:
        raise AttributeError("the latency of a sound that is handed on is its source's")

    @property
    def finished(self) -> bool:
        return bool(self._now[5])

    @property
    def overflows(self) -> int:
        return int(self._now[4]) + self._sound.overflows

    def recoveries(self) -> list[str]:
        """Lines told since the last call; of very many the newest."""
        end = self._lines.written
        first, self.heard = max(self.heard, end - LINES), end
        return [self._line(number) for number in range(first, end)]

    def _line(self, number: int) -> str:
        start = ring.HEADER + number % LINES * _LINE
        return self._lines.memory[start : start + _LINE].rstrip(b"\0").decode()

    def close(self) -> None:
        """Nothing is taken from those who still listen."""


def _mapped(path: Path, size: int = 0) -> mmap.mmap:
    """The file at `path` in memory; made with so many bytes, each really written, where a size is given."""
    if size:
        with open(path, "xb") as file:
            file.write(bytes(size))
    with open(path, "r+b") as file:
        return mmap.mmap(file.fileno(), 0)
