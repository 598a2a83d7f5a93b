"""A control loop that does nothing, on each core: what the machine itself does to a loop with the engine's real-time
settings, wherever that runs.

Run as a script it wakes 60 times a second by absolute deadlines until SIGTERM, on the core whose number it is given,
then prints as JSON the first deadline in host monotonic seconds and how late each wake-up was.
"""

from __future__ import annotations

import contextlib
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
    """deadlines [n] in host monotonic seconds and lateness [n] in seconds, of all cores in the order of time, and what
    real-time settings took effect."""

    deadlines: Float64
    lateness: Float64
    realtime: list[str]


class BareLoop:
    """The processes; `end` ends them. Use as a context, so that they end in any case."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "live.lab.bare_loop"]
        with contextlib.ExitStack() as stack:
            self._processes = []
            for core in map(str, realtime.cores()) if realtime.cores() else [""]:
                process = subprocess.Popen([*command, *filter(None, [core])], stdout=subprocess.PIPE, text=True)
                self._processes.append(stack.enter_context(process))
                stack.callback(process.kill)
            self._settings = [json.loads(process.stdout.readline()) for process in self._processes if process.stdout]
            self._stack = stack.pop_all()

    def __enter__(self) -> BareLoop:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def end(self) -> Woke:
        """All wake-ups."""
        for process in self._processes:
            process.terminate()
        told = [json.loads(process.communicate()[0]) for process in self._processes]
        lateness = np.concatenate([np.array(one["lateness"], np.float64) for one in told])
        deadlines = np.concatenate([one["first"] + PERIOD * np.arange(len(one["lateness"])) for one in told])
        order = np.argsort(deadlines)
        return Woke(deadlines[order], lateness[order], self._settings[0])


def main() -> None:
    running = True

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    if len(sys.argv) > 1:
        realtime.stay_on(int(sys.argv[1]))
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
