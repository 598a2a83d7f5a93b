"""The take writer, a process of its own: `python -m live.outputs._take_writer RING TAKE BEGIN`.

Appends what the engine put into the ring to the take file, whose records begin at byte BEGIN, until its standard input
ends: the engine closed it, or is gone, however it went. Records that are in the file already (a writer before this one
died) are not written again. Ends with status 0, or with the errno of what stopped it (28: disk full). Standard library
only.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from live.ring import Ring, engine_gone

POLL = 0.05
"""Seconds between two looks at the ring."""
SYNC = 1.0
"""Seconds between two `fsync`s: what a power cut may cost."""


def main(ring_path: str, take_path: str, begin: str) -> int:
    for name in (signal.SIGINT, signal.SIGTERM):  # they are the engine's to act on; this process outlives it to drain
        signal.signal(name, signal.SIG_IGN)
    try:
        ring = Ring(Path(ring_path))
        ring.unlink()
        take = os.open(take_path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        _go_on(ring, take, int(begin))
        _record(ring, take, engine_gone())
    except OSError as error:
        return error.errno or 1
    return 0


def _go_on(ring: Ring, take: int, begin: int) -> None:
    """Cut off a record that was not written whole; the ring's next is the one after the last in the file."""
    if (size := os.fstat(take).st_size) > begin:
        whole = (size - begin) // ring.size
        os.ftruncate(take, begin + whole * ring.size)
        ring.drained_to(whole)


def _record(ring: Ring, take: int, gone: threading.Event) -> None:
    synced = time.monotonic()
    ended = False
    while not ended:
        ended = gone.wait(POLL)  # read before draining, so that the last round sees everything
        for records in ring.drain():
            _append(take, records)
        if ended or time.monotonic() - synced >= SYNC:
            os.fsync(take)
            synced = time.monotonic()


def _append(take: int, data: memoryview) -> None:
    while data:
        data = data[os.write(take, data) :]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
