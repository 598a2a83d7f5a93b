"""`live bench soak`: late poses and who was to blame, memory and how it grew, over any time.

A pose's slot travels with it (`/VMC/Ext/T`), so the receiver's timeline tells *which* poses were late; how many, the
report tells. A late pose that a bare control loop, one on each core, also felt within 50 ms, or that lies as near to
time stolen by the hypervisor (`steal` of /proc/stat, sampled every 0.1 s), is the machine's doing and listed apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from live.lab.bare_loop import Woke
from live.lab.figures import compared, measured
from live.lab.receiver import Received
from live.lab.show import Samples
from live.lab.stage import lateness
from live.pace import PERIOD
from live.types import Float64

NEAR = 0.050
"""Seconds between a late pose and a late wake-up of the bare loop, or stolen time, that count as one disturbance."""
WARM_UP = 60.0
"""Seconds after which memory should not grow."""
RSS_LIMIT, GROWTH_LIMIT = 400.0, 2.0
"""MB"""
Span = tuple[float, float]
"""From, to; host monotonic seconds."""


def late_poses(frames: Float64) -> list[Span]:
    """Slot and arrival of every pose [n, 3] that came more than a period after its slot, or never (slots left out)."""
    slots = frames[:, 1] - lateness(frames)
    late = [(slot, at) for slot, at in zip(slots, frames[:, 1], strict=True) if at - slot > PERIOD]
    left_out = np.round(np.diff(slots) / PERIOD).astype(int) - 1
    for i in np.flatnonzero(left_out > 0):
        late += [(slots[i] + (n + 1) * PERIOD, frames[i + 1, 1]) for n in range(left_out[i])]
    return sorted(late)


def touches(span: Span, others: list[Span], within: float) -> bool:
    """Whether any of `others` lies `within` seconds of `span`."""
    return any(begin - within <= span[1] and end + within >= span[0] for begin, end in others)


def explain(late: list[Span], bare: list[Span], samples: Samples) -> list[dict[str, Any]]:
    """A line per late pose: when, how late, and who else saw it."""
    stolen = [(begin, end) for begin, end, _ in samples.stolen]
    return [
        {
            "at_s": round(slot - samples.began, 3),
            "late_ms": round((at - slot) * 1e3, 2),
            "bare_loop_too": touches((slot, at), bare, NEAR),
            "with_steal": touches((slot, at), stolen, NEAR),
        }
        for slot, at in late
    ]


def woke_late(bare: Woke) -> list[Span]:
    """Deadline and wake-up of the bare loop, where these are over a period apart."""
    late = bare.lateness > PERIOD
    return list(zip(bare.deadlines[late], (bare.deadlines + bare.lateness)[late], strict=True))


def misses(reported: int, events: list[dict[str, Any]]) -> dict[str, int]:
    """Misses in all, those that the machine explains (one may be both), and what remains: what the receiver saw and
    nothing explains, and what was reported beyond what it saw."""
    unexplained = sum(not (event["bare_loop_too"] or event["with_steal"]) for event in events)
    return {
        "misses, all": reported,
        "misses seen by the receiver": len(events),
        "misses, the bare loop's too": sum(event["bare_loop_too"] for event in events),
        "misses with steal": sum(event["with_steal"] for event in events),
        "misses remaining": unexplained + max(0, reported - len(events)),
    }


def memory(samples: Samples) -> dict[str, float]:
    """Largest RSS, and its growth after the warm-up: last less first, and by a straight line; MB."""
    warm = samples.warm(WARM_UP)
    if len(warm) < 2:
        return {}
    times, sizes = warm[:, 0], warm[:, 1]
    figures = {
        "RSS, largest (MB)": max(size for _, size, _ in samples.process),
        "RSS growth (MB)": sizes[-1] - sizes[0],
        "RSS growth, fitted (MB)": np.polyfit(times, sizes, 1)[0] * np.ptp(times),
        "RSS growth over (s)": np.ptp(times),
    }
    return {name: round(float(value), 3) for name, value in figures.items()}


def numbers(
    reported: int, received: Received, bare: Woke, samples: Samples
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """All counted, and the late poses."""
    late = explain(late_poses(received.frames), woke_late(bare), samples)
    gaps = np.diff(received.frames[:, 1])
    longest = {"longest gap (ms)": round(float(gaps.max(initial=0.0)) * 1e3, 2)}
    stolen = {"stolen (s)": round(sum(seconds for _, _, seconds in samples.stolen), 3)}
    return misses(reported, late) | longest | memory(samples) | stolen, late


def measures(samples: Samples) -> dict[str, dict[str, Any]]:
    """Memory over the whole time."""
    process = np.array(samples.process, np.float64).reshape(-1, 3)
    return {"RSS": measured(process[:, 1], "MB", at=process[:, 0])}


def limits(numbers: dict[str, float]) -> dict[str, dict[str, Any]]:
    """What must be reached of `numbers`."""
    units = {
        "misses remaining": (0, ""),
        "RSS, largest (MB)": (RSS_LIMIT, "MB"),
        "RSS growth (MB)": (GROWTH_LIMIT, "MB"),
    }
    return {name: compared(numbers[name], *limit) for name, limit in units.items() if name in numbers}
