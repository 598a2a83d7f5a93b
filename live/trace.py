"""What each pose's time was spent on, kept while the show goes on and written as a Chrome trace, which Perfetto opens.

The engine writes a row per slot into a memory-mapped ring and nothing else: the newest `SLOTS` stay. A process of its
own, `python -m live.trace RING OUT`, waits for its standard input to end (the engine closed it, or is gone, however it
went) and then writes the file; the lines that it was sent are the ledger's recoveries.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from live.errors import Failed
from live.ledger import Ledger
from live.pace import PERIOD

SLOTS = 36_000
"""Poses kept: ten minutes, 3 MB."""
STAGES = ("capture", "features", "generator", "motion", "encode", "send", "signals")
_HEAD = struct.Struct("=2qd")
"""Rows written, rows kept, when the first slot of all was due."""
_ROW = struct.Struct("=q9d")
LATE = "late"
"""Name of the mark at a pose whose last byte left more than a period after its slot."""


class Row(NamedTuple):
    """One slot. Host seconds: when it was due, and where each of `STAGES` began, the last one ending with `end`.

    Only slots with `ticked` ran the generator.
    """

    ticked: int
    due: float
    capture: float
    features: float
    generator: float
    motion: float
    encode: float
    send: float
    signals: float
    end: float


class Ring:
    """The newest rows, in shared memory: a new ring of so many slots, or another's by its path."""

    def __init__(self, path: Path | None = None, slots: int = SLOTS) -> None:
        self.path = path or _file(slots)
        with open(self.path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._written, self._slots, self.began = _HEAD.unpack_from(self._memory)
        if path is None:
            self._memory[_HEAD.size :] = bytes(slots * _ROW.size)  # touched now, so that no page is met first on stage

    def add(self, *row: float) -> None:
        """The values of a `Row`, a bare call because it is made for every pose."""
        _ROW.pack_into(self._memory, _HEAD.size + self._written % self._slots * _ROW.size, *row)
        if not self._written:
            self.began = row[1]
        self._written += 1
        _HEAD.pack_into(self._memory, 0, self._written, self._slots, self.began)

    def rows(self) -> Iterator[Row]:
        """Oldest first; of a full ring not the oldest, which may be half overwritten."""
        written = _HEAD.unpack_from(self._memory)[0]
        for number in range(max(0, written - self._slots + 1), written):
            yield Row(*_ROW.unpack_from(self._memory, _HEAD.size + number % self._slots * _ROW.size))

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()


def _file(slots: int) -> Path:
    """A file for a ring, every byte really written: full memory is an `OSError` here and not a signal on stage."""
    shared = "/dev/shm"
    handle, name = tempfile.mkstemp(".ring", "live-trace-", shared if os.access(shared, os.W_OK) else None)
    with open(handle, "wb") as file:
        file.write(_HEAD.pack(0, slots, 0.0) + bytes(slots * _ROW.size))
    return Path(name)


@contextlib.contextmanager
def tracing(out: Path | None, ledger: Ledger) -> Iterator[None]:
    """Trace what is performed within, to be written to `out`; nothing without one. `Failed` where it is not written."""
    if out is None:
        yield
        return
    try:
        ring = Ring()
    except OSError as error:
        raise Failed(f"trace {out}: no memory to keep it in: {error.strerror}") from None
    command = [sys.executable, "-m", "live.trace", str(ring.path), str(out.absolute())]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ledger.traces.append(ring.add)
    try:
        yield
    finally:
        ledger.traces.remove(ring.add)
        ring.close()
        _, complaint = child.communicate("".join(f"{line}\n" for line in ledger.recoveries))
    if child.returncode:
        raise Failed(f"trace {out}: cannot be written: {complaint.strip() or 'its process is gone'}")


def events(rows: Iterable[Row], began: float, survived: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """The trace's events, times in microseconds since `began`. `survived`: `SECONDS s: TEXT` of the show."""
    for thread, name in ((1, "poses"), (2, "stages")):
        yield {"ph": "M", "name": "thread_name", "pid": 1, "tid": thread, "args": {"name": name}}
    for row in rows:
        yield from _events_of(row, began)
    for line in survived:
        seconds, _, text = line.partition(" s: ")
        yield {"ph": "i", "s": "g", "name": text, "pid": 1, "tid": 1, "ts": float(seconds) * 1e6}


def _events_of(row: Row, began: float) -> Iterator[dict[str, Any]]:
    starts = row[2:]
    late = row.signals - row.due  # the last byte leaves where the signals begin
    about = {"ticked": bool(row.ticked), "after_slot_ms": round(late * 1e3, 4)}
    yield _slice("tick" if row.ticked else "pose", 1, row.capture, row.end, began) | {"args": about}
    for name, begin, end in zip(STAGES, starts, starts[1:], strict=False):
        if row.ticked or name != "generator":
            yield _slice(name, 2, begin, end, began)
    if late > PERIOD:
        yield {"ph": "i", "s": "g", "name": LATE, "pid": 1, "tid": 1, "ts": (row.signals - began) * 1e6}


def _slice(name: str, thread: int, begin: float, end: float, began: float) -> dict[str, Any]:
    at, lasted = round((begin - began) * 1e6, 2), round((end - begin) * 1e6, 2)
    return {"ph": "X", "name": name, "pid": 1, "tid": thread, "ts": at, "dur": lasted}


def write(ring: Ring, survived: Iterable[str], out: Path) -> None:
    """Write beside `out` and move into place, so that a trace is whole or not there; may raise `OSError`."""
    scratch = out.with_name(out.name + ".part")
    with open(scratch, "w") as file:
        file.write('{"displayTimeUnit":"ms","traceEvents":[\n')
        for number, event in enumerate(events(ring.rows(), ring.began, survived)):
            file.write(",\n" * bool(number) + json.dumps(event, separators=(",", ":")))
        file.write("\n]}\n")
    scratch.replace(out)


def main(ring_path: str, out: str) -> int:
    """Body of the process that writes."""
    for name in (signal.SIGINT, signal.SIGTERM):  # they are the engine's to act on; this process outlives it to write
        signal.signal(name, signal.SIG_IGN)
    try:
        ring = Ring(Path(ring_path))
        Path(ring_path).unlink()
        survived = sys.stdin.read().splitlines()
        write(ring, survived, Path(out))
    except OSError as error:
        print(error.strerror, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
