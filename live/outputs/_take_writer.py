"""The take writer, a process of its own: `python -m live.outputs._take_writer RING TAKE`.

Appends what the engine put into the ring to the take file, until its standard input ends: the engine closed it, or is
gone, however it went. Ends with status 0, or with the errno of what stopped it (28: disk full). Standard library only.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from live.ring import Ring

POLL = 0.05
"""Seconds between two looks at the ring."""
SYNC = 1.0
"""Seconds between two `fsync`s: what a power cut may cost."""


def main(ring_path: str, take_path: str) -> int:
    for name in (signal.SIGINT, signal.SIGTERM):  # they are the engine's to act on; this process outlives it to drain
        signal.signal(name, signal.SIG_IGN)
    try:
        ring = Ring(Path(ring_path))
        ring.unlink()
        take = os.open(take_path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
        _record(ring, take, _when_engine_is_gone())
    except OSError as error:
        return error.errno or 1
    return 0


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


def _when_engine_is_gone() -> threading.Event:
    """Set once standard input ends. A thread, because Windows cannot poll a pipe."""
    gone = threading.Event()

    def wait() -> None:
        os.read(0, 1)
        gone.set()

    threading.Thread(target=wait, daemon=True).start()
    return gone


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
