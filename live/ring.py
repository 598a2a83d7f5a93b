"""Shared memory between the engine and a process that writes or draws: fixed-size slots and four counters.

The engine writes a slot, then the count that covers it. A reader that wants everything copies up to that count, then
says so (`drain`); one that wants the newest alone takes it (`newest`). The file lives in memory where the platform has
/dev/shm. Standard library only, so that a reader starts at once.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

HEADER = 64
"""Bytes before the first slot."""
_SIZE, _SLOTS, _WRITTEN, _DRAINED = range(4)


class Ring:
    """`slots` records of `size` bytes, mapped from `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self._counters = memoryview(self.memory)[:HEADER].cast("q")
        self.size = self._counters[_SIZE]
        self.slots = self._counters[_SLOTS]

    @property
    def written(self) -> int:
        """Records published since the start."""
        return self._counters[_WRITTEN]

    @property
    def drained(self) -> int:
        """Records that the reader has handed on."""
        return self._counters[_DRAINED]

    @property
    def full(self) -> bool:
        return self.written - self.drained >= self.slots

    def publish(self) -> None:
        """The slot after the last is complete."""
        self._counters[_WRITTEN] += 1

    def drain(self) -> Iterator[memoryview]:
        """Runs of whole records published and not yet drained; each counts as drained once the next is asked for."""
        slots = memoryview(self.memory)[HEADER:]
        end = self.written
        while (start := self.drained) < end:
            first = start % self.slots
            count = min(end - start, self.slots - first)
            yield slots[first * self.size : (first + count) * self.size]
            self._counters[_DRAINED] = start + count

    def drained_to(self, count: int) -> None:
        """So many records in all have been handed on."""
        self._counters[_DRAINED] = count

    def advance(self) -> None:
        """The reader is done with the oldest record that it had not drained."""
        self._counters[_DRAINED] += 1

    def newest(self) -> tuple[int, bytes]:
        """(how many were published, a copy of the newest); the count 0 where there is none or it was overwritten."""
        count = self.written
        start = HEADER + (count - 1) % self.slots * self.size
        record = self.memory[start : start + self.size] if count else b""
        return (count if self.written < count + self.slots - 1 else 0), record

    def close(self) -> None:
        """Let go of the memory; nothing else may hold views of it."""
        self._counters.release()
        self.memory.close()

    def unlink(self) -> None:
        """Take the name away; the memory goes with the last process. Windows refuses while anyone has it mapped."""
        try:
            self.path.unlink(missing_ok=True)
        except PermissionError:
            return


def engine_gone() -> threading.Event:
    """For a process that reads a ring: set once standard input ends, because the engine closed it or is gone. A thread,
    because Windows cannot poll a pipe."""
    gone = threading.Event()

    def wait() -> None:
        os.read(0, 1)
        gone.set()

    threading.Thread(target=wait, daemon=True).start()
    return gone


def memory_folder() -> Path | None:
    """Where files lie in memory; None: where temporary ones do."""
    shared = Path("/dev/shm")
    return shared if os.access(shared, os.W_OK) else None


def create(size: int, slots: int, path: Path | None = None) -> Ring:
    """A new ring, at `path` or under a name of its own. Every byte is really written, so that full memory is an
    `OSError` here and not a SIGBUS on stage."""
    if path is None:
        handle, name = tempfile.mkstemp(".ring", "live-", memory_folder())
    else:
        handle, name = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), str(path)
    try:
        with open(handle, "wb") as file:
            file.write(struct.pack("=2q", size, slots).ljust(HEADER + size * slots, b"\0"))
        return Ring(Path(name))
    except OSError:
        os.unlink(name)
        raise
