"""A control loop that does nothing: what the machine itself does to a loop with the engine's real-time settings.

Run as a script it wakes 60 times a second by absolute deadlines until SIGTERM, then prints as JSON the first deadline
in host monotonic seconds and how late each wake-up was.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import NamedTuple

import numpy as np

from live import realtime
from live.pace import PERIOD
from live.types import Float64


class Woke(NamedTuple):
    """deadlines [n] in host monotonic seconds, lateness [n] in seconds, and what real-time settings took effect."""

    deadlines: Float64
    lateness: Float64
    realtime: list[str]


class BareLoop:
    """The process; `end` ends it. Use as a context, so that it ends in any case."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "live.lab.bare_loop"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._settings = json.loads(self._process.stdout.readline())

    def __enter__(self) -> BareLoop:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def end(self) -> Woke:
        """All its wake-ups."""
        self._process.terminate()
        told = json.loads(self._process.communicate()[0])
        lateness = np.array(told["lateness"], np.float64)
        return Woke(told["first"] + PERIOD * np.arange(len(lateness)), lateness, self._settings)


def main() -> None:
    running = True

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    lateness: list[float] = []
    print(json.dumps(realtime.enter()), flush=True)
    first = time.monotonic() + PERIOD
    parent = os.getppid()
    while running and os.getppid() == parent:  # nobody else would end it where its parent was killed
        deadline = first + len(lateness) * PERIOD
        while (left := deadline - time.monotonic()) > 0:
            time.sleep(left)
        lateness.append(time.monotonic() - deadline)
    print(json.dumps({"first": first, "lateness": lateness}))


if __name__ == "__main__":
    main()
