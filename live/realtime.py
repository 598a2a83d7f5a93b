"""What only some platforms can do for a steady loop: scheduling class, locked memory, timer resolution.

This is the one module with platform branches; what is missing is absent without error.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import platform
import sys

FIFO_PRIORITY = 40
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4


def settle() -> list[str]:
    """Be ready for `enter`, which then takes no time: a quiet collector, locked memory."""
    return [_quiet_collector()] + ([_lock_memory()] if sys.platform == "linux" else [])


def enter(priority: int = FIFO_PRIORITY) -> list[str]:
    """Make this process as punctual as it is allowed to be; tells what took effect, for the summary."""
    notes = [_quiet_collector()]
    if sys.platform == "linux":
        notes += [_fifo(priority), _lock_memory()]
    elif sys.platform == "win32":
        notes += [_timer_resolution()]
    return [note for note in notes if note]


def hurry(process: int) -> None:
    """Let another process of ours run before others from now on, where that is permitted."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(process, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(FIFO_PRIORITY))


def as_punctual(thread: int) -> None:
    """Let another thread of this process (its native id) run as the one that calls does."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(thread, os.sched_getscheduler(0), os.sched_getparam(0))


def cores() -> list[int]:
    """The cores that this process may run on; none where they have no numbers."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def stay_on(core: int) -> None:
    """Run this process on that one of `cores` alone from now on."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {core})


def leave() -> None:
    """Give the normal scheduling and the collector back."""
    gc.enable()
    gc.unfreeze()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        ctypes.CDLL(None).munlockall()


def machine() -> dict[str, str | int]:
    """The machine in words, for reports."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _quiet_collector() -> str:
    gc.collect()
    gc.freeze()
    gc.disable()
    return "garbage collector off"


def _fifo(priority: int) -> str:
    if sys.platform != "linux":
        return ""
    try:  # for the loop's thread alone: one that waits for a sound server must never keep that server from running
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        return "no real-time scheduling (needs root or `ulimit -r`)"
    return f"SCHED_FIFO {priority}"


def _lock_memory() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        return "memory not locked (needs root or `ulimit -l unlimited`)"
    return "memory locked"


def _timer_resolution() -> str:
    if sys.platform != "win32":
        return ""
    return "1 ms timer" if ctypes.windll.winmm.timeBeginPeriod(1) == 0 else "coarse timer"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
