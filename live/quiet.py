"""C libraries chatter on stderr: ALSA and JACK whenever PortAudio starts, mpg123 about damaged files."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_turn = threading.Lock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing that this process writes to file descriptor 2 is seen meanwhile."""
    with _turn:
        try:
            kept = os.dup(2)
        except OSError:  # there is no stderr, as under pythonw
            yield
            return
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
