"""`live bench tick` and `live bench jitter`: one performance, looked at from inside and from a receiver."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from live.lab.bare_loop import Woke
from live.lab.figures import compared, measured
from live.lab.receiver import Received
from live.pace import PERIOD
from live.trace import STAGES, Ring
from live.types import Float64

TICK_LIMITS = {"p50": 1.0, "p99": 2.0, "p999": 4.0}
"""ms, block in hand to last byte sent."""
INTERVAL_LIMIT, TRACE_LIMIT, DANCERS_LIMIT = 2.0, 2.0, 8.0
"""ms off the period at p99; % of a median tick; dancers that a core carries."""
Event = dict[str, Any]


def ticks(events: Sequence[Event], warm_up: float) -> tuple[dict[str, Float64], Float64]:
    """Seconds of each stage and in `total`, over the poses of a trace that ran the generator, and when they began."""
    found: dict[str, list[float]] = {name: [] for name in (*STAGES, "total")}
    at: list[float] = []
    ticked = False
    for event in (e for e in events if e["ph"] == "X"):
        if event["tid"] == 1:
            ticked = event["name"] == "tick" and event["ts"] >= warm_up * 1e6
            if ticked:
                at.append(event["ts"] / 1e6)
        elif ticked:
            found[event["name"]].append(event["dur"] / 1e6)
    stages = {name: np.array(values, np.float64) for name, values in found.items()}
    stages["total"] = sum((stages[n] for n in STAGES if n not in ("capture", "signals")), np.zeros(len(at)))
    return stages, np.array(at)


def tick_measures(events: Sequence[Event], warm_up: float, deadline: float) -> dict[str, dict[str, Any]]:
    """The tick and its stages as measures."""
    stages, at = ticks(events, warm_up)
    total = {"tick": measured(stages.pop("total"), deadline=deadline, at=at)}
    return total | {name: measured(values, at=at) for name, values in stages.items()}


def trace_cost(rounds: int = 20_000) -> float:
    """CPU seconds that tracing takes of each pose."""
    ring, row = Ring(), (1, *map(float, range(9)))
    try:
        begun = time.thread_time()
        for _ in range(rounds):
            ring.add(*row)
        return (time.thread_time() - begun) / rounds
    finally:
        ring.close()
        ring.path.unlink()


def tick_limits(
    tick: dict[str, Any], cost: float, misses: int, dancers: int, cores: float
) -> dict[str, dict[str, Any]]:
    """What a tick must reach; with many dancers, that a core carries enough of them instead of the time of one."""
    if not tick["count"]:
        return {}
    traced = {"trace, share of a tick": compared(100e3 * cost / tick["p50"], TRACE_LIMIT, "%")}
    if dancers >= DANCERS_LIMIT:
        carried = compared(dancers / cores, DANCERS_LIMIT, "", least=True)
        return {"dancers a core": carried, "deadline misses": compared(misses, 0, "")} | traced
    return {f"tick {name}": compared(tick[name], limit, "ms") for name, limit in TICK_LIMITS.items()} | traced


def lateness(frames: Float64) -> Float64:
    """Seconds by which each of `frames` [n, 3] arrived after its slot.

    The performer's time zero is where the most punctual pose would have arrived in its slot.
    """
    if not len(frames):
        return np.zeros(0)
    late = frames[:, 1] - frames[:, 0]
    return np.asarray(late - late.min())


def jitter_measures(received: Received, bare: Woke, warm_up: float) -> dict[str, Any]:
    """Intervals as the kernel and as a process saw them, how late poses were, and the bare loop beside them."""
    frames = received.frames_after(warm_up)
    beside = (bare.deadlines >= frames[:, 1].min(initial=np.inf)) & (bare.deadlines <= frames[:, 1].max(initial=0.0))
    return {
        "interval, arrived": measured(np.diff(frames[:, 1]), at=frames[1:, 1]),
        "interval, seen": measured(np.diff(frames[:, 2]), at=frames[1:, 2]),
        "late after its slot": measured(lateness(frames), deadline=PERIOD, at=frames[:, 1]),
        "bare loop, late": measured(bare.lateness[beside], deadline=PERIOD, at=bare.deadlines[beside]),
    }


def interval_limits(measures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """How far the intervals' p99 may lie off the period."""
    names = [name for name in ("interval, arrived", "interval, seen") if measures[name]["count"]]
    off = {name: abs(measures[name]["p99"] - PERIOD * 1e3) for name in names}
    return {f"{name}: p99 off 16.67": compared(value, INTERVAL_LIMIT, "ms") for name, value in off.items()}
