"""How a command behaves in its terminal: signals, and what C libraries write there."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def own_stderr() -> Iterator[None]:
    """Keep stderr for our own lines: C libraries (PortAudio, ALSA) write theirs past Python when a device goes away."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr, as under pythonw
        yield
        return
    before, sys.stderr = sys.stderr, os.fdopen(kept, "w", buffering=1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        sys.stderr.close()
        sys.stderr = before


def on_hang_up(stop: Callable[[], None], reload: Callable[[], None]) -> Callable[[], None]:
    """SIGHUP asks for the show file to be read again; but it is also what a terminal says when it is closed."""
    terminal = sys.stdin is not None and sys.stdin.isatty()
    return lambda: (stop if terminal and not os.isatty(0) else reload)()


@contextlib.contextmanager
def on_signals(act: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """`act` at these signals: Ctrl-C and SIGTERM end a show cleanly, and a second one while closing changes nothing."""

    def acted(_number: int, _frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, acted) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
