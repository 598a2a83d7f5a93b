"""`live bench end-to-end` and `loopback`: from a click in the air of some device to the packet that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.errors import Failed
from live.lab import clicks
from live.lab.figures import compared, measured
from live.lab.show import Performance, Plan, Told
from live.pace import PERIOD
from live.types import SAMPLE_RATE, Float32, Float64

START_UP = 15.0
"""Seconds of clicks beyond those wanted, for the performance to begin in."""
OFF_LIMIT, COMPUTING = 2.0, 3.0
"""ms that measured and declared may lie apart; ms of computing on top of what is declared."""
Times = Callable[[NDArray[np.int64]], Float64]
"""Host time at which each sample number sounds."""
Device = Callable[[Float32, Callable[[], bool]], Times]
"""Plays samples [n] until they end or it is told to stop."""


def listened(plan: Plan, device: Device, env: Mapping[str, str] | None = None) -> tuple[Told, clicks.Found]:
    """Play clicks while the plan is performed; those of its warm-up do not count."""
    count = int((START_UP + plan.warm_up + plan.duration) * SAMPLE_RATE / clicks.SPACING)
    with Performance(plan, face=True, env=env) as performance:
        times = device(clicks.track(count), lambda: performance.process.poll() is not None)
        told = performance.end()
    mouths = told.received.mouths
    if not len(mouths):
        raise Failed("nothing was received from the performance")
    played = times(clicks.starts(count))
    counted = (played > mouths[0, 0] + plan.warm_up) & (played < mouths[-1, 0] - clicks.WITHIN - PERIOD)
    found = clicks.found(played[counted], mouths, poses_per_tick(told))
    if not len(found.at):
        raise Failed(f"none of {found.lost} clicks was heard: is the microphone near the speaker, and neither muted?")
    return told, found


def poses_per_tick(told: Told) -> int:
    """From what the report counted."""
    poses, ticks = told.report["poses"], told.report["ticks"]
    return max(1, int(poses / max(1, ticks) + 0.5))


def measures(found: clicks.Found) -> dict[str, dict[str, Any]]:
    """Sound to packet: the first that knows of the sound, and the first whose pose was made knowing of it."""
    return {
        "sound to packet, heard": measured(found.heard, at=found.at),
        "sound to packet, danced": measured(found.danced, at=found.at),
    }


def numbers(told: Told, found: clicks.Found, handed: float = 0.0) -> dict[str, float]:
    """Measured beside declared, ms. `handed`: seconds of sound that the device collects before it hands them over, if
    that is known. Clicks fall evenly: of what fills up and of the wait for a tick, half counts."""
    declared, tick = told.report["declared_ms"] | {"device": handed * 1e3}, told.report["stage_ms"]["total"]["p50"]
    middle = declared["source"] + (declared["device"] + declared["features"] + declared["generator"]) / 2.0 + tick
    danced = float(np.median(found.danced)) * 1e3
    parts = {f"declared by {name} (ms)": value for name, value in declared.items()}
    return parts | {
        "tick p50 (ms)": tick, "declared, median (ms)": round(middle, 3), "measured, median (ms)": round(danced, 3),
        "measured less declared (ms)": round(danced - middle, 3), "clicks lost": found.lost,
    }  # fmt: skip


def limits(measures: dict[str, dict[str, Any]], numbers: dict[str, float]) -> dict[str, dict[str, Any]]:
    """What must be reached. p99: the device's buffers, one tick, and 3 ms."""
    tick = numbers["declared by features (ms)"] + numbers["declared by generator (ms)"]
    buffers = numbers["declared by device (ms)"] + numbers["declared by source (ms)"]
    longest = round(buffers + tick + COMPUTING, 2)
    return {
        "declared and measured apart": compared(abs(numbers["measured less declared (ms)"]), OFF_LIMIT, "ms"),
        "sound to packet p99": compared(measures["sound to packet, danced"]["p99"], longest, "ms"),
        "clicks lost": compared(numbers["clicks lost"], 0, ""),
    }
