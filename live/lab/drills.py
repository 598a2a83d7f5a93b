"""`live bench drills`: a show under its watchdog, and one fault after the other."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from live.contracts import HANG
from live.lab.figures import compared, measured
from live.lab.show import Told, load_psutil
from live.types import Float64

UNDERSTUDY, PERFORMING = "live.cli.understudy", "performing"
WRITER, WINDOW = "live.outputs._take_writer", "live.renderers.window"
GAP_LIMIT = 1.0
"""Seconds that a receiver may wait for a pose."""
SETTLING, TELLING = 12.0, 6.0
"""Seconds at the beginning without a fault, in which understudies load; and at the end, in which the last is told."""
SUSPENDED, AWAY, OBEYED = 0.6, 2.0, 0.5
"""Seconds for which everything stands still as in a suspended machine; for which a receiver or a device is gone; within
which a GPU that is still used is lost."""
WORDS = {
    "engine killed": "the engine died", "engine stopped": "the engine hung", "understudy killed": "who waited ended",
    "recorder killed": "the recording had stopped (its", "disk full": "the recording had stopped (File too large",
    "renderer killed": "the stage window had stopped", "receiver gone": "refused", "machine suspended": "stalled",
    "device gone": "is back after", "GPU lost": "frail was lost",
}  # fmt: skip
"""What is told of each fault. A step of the wall clock is none of them: nothing that performs reads that clock."""


class Fault(NamedTuple):
    """What was done, and when in host monotonic seconds."""

    name: str
    at: float


Act = Callable[[], bool]
"""Does it; whether it could be done."""


class Drills:
    """Faults to the show of a watchdog (its process). `acts`: those beside the ones that need nothing but it."""

    def __init__(self, watchdog: int, acts: Mapping[str, Act] | None = None) -> None:
        self._watchdog = watchdog
        self._acts: dict[str, Act] = {
            "engine killed": lambda: self._signal(signal.SIGKILL),
            "engine stopped": lambda: self._signal(signal.SIGSTOP),
            "understudy killed": self._kill_understudy,
            "recorder killed": lambda: self._kill(WRITER),
            "disk full": self._fill_disk,
            "renderer killed": lambda: self._kill(WINDOW),
            "machine suspended": self._suspend,
            **(acts or {}),
        }
        self.done: list[Fault] = []

    def run(self, count: int, duration: float, random: Random, over: Callable[[], bool]) -> None:
        """So many faults, evenly spread over the seconds but for some chance, each of a kind chosen by chance."""
        begun, every = time.monotonic() + SETTLING, (duration - SETTLING - TELLING) / max(1, count)
        for number in range(count):
            due = begun + (number + 0.3 * random.random()) * every
            while (left := due - time.monotonic()) > 0 and not over():
                time.sleep(min(left, 0.2))
            if over():
                return
            self._any(random)

    def _any(self, random: Random) -> None:
        for name in random.sample(sorted(self._acts), len(self._acts)):
            at = time.monotonic()
            if self._acts[name]():
                self.done.append(Fault(name, at))
                return

    def _signal(self, number: int) -> bool:
        with contextlib.suppress(load_psutil().Error, OSError, AssertionError):
            performer_of(self._watchdog).send_signal(number)
            return True
        return False

    def _kill(self, word: str) -> bool:
        for process in _children(self._watchdog, word):
            process.kill()
            return True
        return False

    def _kill_understudy(self) -> bool:
        performing = performer_of(self._watchdog).pid
        for process in _children(self._watchdog, UNDERSTUDY):
            if process.pid != performing:
                process.kill()
                return True
        return False

    def _fill_disk(self) -> bool:
        """To the recorder the disk is full from now on; to the one that is started in its place there is room again."""
        psutil = load_psutil()
        if not hasattr(psutil, "RLIMIT_FSIZE"):
            return False
        for process in _children(self._watchdog, WRITER):
            process.rlimit(psutil.RLIMIT_FSIZE, (1, 1))
            return True
        return False

    def _suspend(self) -> bool:
        psutil = load_psutil()
        everybody = [psutil.Process(self._watchdog), *psutil.Process(self._watchdog).children(recursive=True)]
        for act in ("suspend", "resume"):
            for process in everybody:
                with contextlib.suppress(psutil.Error):
                    getattr(process, act)()
            if act == "suspend":
                time.sleep(SUSPENDED)
        return True


def lose_gpu(order: Path, random: Random) -> bool:
    """Have the stand-in for a GPU (`live.backends.frail`) fail or hang. An engine that has lost it already goes on with
    the CPU, and does not obey any more."""
    scratch = order.with_suffix(".new")
    scratch.write_text(random.choice(("fail", HANG)))
    scratch.replace(order)
    end = time.monotonic() + OBEYED
    while order.exists():
        if time.monotonic() > end:
            order.unlink(missing_ok=True)
            return False
        time.sleep(0.01)
    return True


class Listener:
    """A receiver of plain OSC that can go away for a while."""

    def __init__(self) -> None:
        self._socket = self._bound(0)
        self.port = int(self._socket.getsockname()[1])
        self.uri = f"osc://127.0.0.1:{self.port}"

    def _bound(self, port: int) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", port))
        return made

    def away(self) -> bool:
        self._socket.close()
        time.sleep(AWAY)
        self._socket = self._bound(self.port)
        return True

    def close(self) -> None:
        self._socket.close()


def folder_of(watchdog: int) -> Path | None:
    """Where a watchdog (its process) and its engines share memory; None before there are any."""
    for process in _children(watchdog, UNDERSTUDY):
        return Path(_words(process)[-3])
    return None


def performer_of(watchdog: int) -> Any:
    """The process that performs."""
    folder = folder_of(watchdog)
    assert folder is not None
    return load_psutil().Process(int((folder / PERFORMING).read_text()))


def is_covered(watchdog: int) -> bool:
    """Whether somebody is ready to take over."""
    folder = folder_of(watchdog)
    if folder is None or not (folder / PERFORMING).exists():
        return False
    performing = (folder / PERFORMING).read_text()
    waiting = [one for one in _children(watchdog, UNDERSTUDY) if str(one.pid) != performing]
    return any((words := _words(one))[-1:] == ["dancer"] and (folder / words[-2]).exists() for one in waiting)


def _children(watchdog: int, word: str) -> list[Any]:
    return [one for one in load_psutil().Process(watchdog).children() if word in _words(one)]


def _words(process: Any) -> list[str]:
    with contextlib.suppress(load_psutil().Error):
        return list(process.cmdline())
    return []


def numbers(done: list[Fault], told: Told | None) -> dict[str, float]:
    """Faults by kind, and how many of each were told; shows that were lost; the longest gap."""
    recoveries = told.report["recoveries"] if told is not None else []
    found: dict[str, float] = {"faults": len(done), "lost shows": float(told is None), "faults untold": 0.0}
    for name, word in WORDS.items():
        count = sum(fault.name == name for fault in done)
        known = sum(word in line for line in recoveries)
        found |= {name: count, f"{name}, told": known} if count else {}
        found["faults untold"] += max(0, count - known)
    found["longest gap (s)"] = round(float(gaps(told).max(initial=0.0)), 4) if told is not None else float("nan")
    return found


def gaps(told: Told) -> Float64:
    """Seconds between frames as they reached the receiver."""
    return np.asarray(np.diff(told.received.frames[:, 1]))


def measures(told: Told | None) -> dict[str, dict[str, Any]]:
    """The gaps as a measure."""
    return {"gap between poses": measured(gaps(told))} if told is not None else {}


def limits(numbers: dict[str, float]) -> dict[str, dict[str, Any]]:
    """What must be reached."""
    gap = {"longest gap": compared(numbers["longest gap (s)"], GAP_LIMIT, "s")}
    return {name: compared(numbers[name], 0, "") for name in ("lost shows", "faults untold")} | gap
