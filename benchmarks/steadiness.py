"""Ten minutes with one core kept busy by another process: deadline misses, intervals at a receiver, memory.

Runs beside `live perform`: a busy loop (left out with `--idle`), a receiver, and a bare control loop with the same
real-time settings. A pose's slot travels with it (`/VMC/Ext/T`), so the receiver's timeline tells *which* poses were
late; how many, the report tells. A late pose that the bare loop also felt within 50 ms, or that coincides with time
stolen by the hypervisor (`steal` of /proc/stat, sampled every 0.1 s), is the machine's doing and listed apart. The
resident memory is sampled every 5 s; its growth counts after a minute of warm-up. Needs psutil (the extra `dev`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import measure
import numpy as np
import psutil

NEAR = 0.050
"""Seconds between a late pose and a late wake-up of the bare loop that count as one disturbance."""
STEAL_EVERY, MEMORY_EVERY = 0.1, 5.0
WARM_UP = 60.0
MEMORY_LIMIT, GROWTH_LIMIT, INTERVAL_LIMIT = 400.0, 1.0, 2.0
"""MB, MB, ms"""
MB = 1e6

Span = tuple[float, float]
"""From, to; host monotonic seconds."""


@dataclass
class Samples:
    """What was sampled while the performance ran."""

    began: float = field(default_factory=time.monotonic)
    stolen: list[tuple[float, float, float]] = field(default_factory=list)  # from, to, seconds stolen in between
    memory: list[tuple[float, float]] = field(default_factory=list)  # seconds since `began`, MB


def steal() -> float:
    """Seconds stolen from all cores since boot; 0 where nobody counts them."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def sample(performance: subprocess.Popen[str]) -> Samples:
    """Sample steal and memory until the performance ends."""
    samples, process = Samples(), psutil.Process(performance.pid)
    before, counted, remember_at = time.monotonic(), steal(), samples.began
    while performance.poll() is None:
        time.sleep(STEAL_EVERY)
        now, total = time.monotonic(), steal()
        if total > counted:
            samples.stolen.append((before, now, total - counted))
        if now >= remember_at:
            with contextlib.suppress(psutil.Error):
                samples.memory.append((now - samples.began, process.memory_info().rss / MB))
            remember_at += MEMORY_EVERY
        before, counted = now, total
    return samples


def late_poses(frames: np.ndarray[Any, Any]) -> list[Span]:
    """Slot and arrival of every pose that came more than a period after its slot, or never (slots left out).

    The performer's time zero is where the most punctual pose would have arrived in its slot.
    """
    if not len(frames):
        return []
    slots = frames[:, 0] + np.min(frames[:, 1] - frames[:, 0])
    late = [(slot, at) for slot, at in zip(slots, frames[:, 1], strict=True) if at - slot > measure.PERIOD]
    left_out = np.round(np.diff(slots) / measure.PERIOD).astype(int) - 1
    for i in np.flatnonzero(left_out > 0):
        late += [(slots[i] + (n + 1) * measure.PERIOD, frames[i + 1, 1]) for n in range(left_out[i])]
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
            "with_steal": touches((slot, at), stolen, 0.0),
        }
        for slot, at in late
    ]


def misses(reported: int, events: list[dict[str, Any]]) -> dict[str, int]:
    """Misses in all, those that the machine explains (one may be both), and what remains."""
    excused = sum(event["bare_loop_too"] or event["with_steal"] for event in events)
    return {
        "all": reported,
        "seen_by_receiver": len(events),
        "bare_loop_too": sum(event["bare_loop_too"] for event in events),
        "with_steal": sum(event["with_steal"] for event in events),
        "remaining": max(0, reported - excused),
    }


def memory(samples: list[tuple[float, float]]) -> dict[str, float]:
    """Largest RSS, and its growth after the warm-up: last less first, and by a straight line; MB."""
    times, sizes = np.array(samples).reshape(-1, 2).T
    warm = times >= min(WARM_UP, times[-1] / 2) if len(times) else np.zeros(0, bool)
    if warm.sum() < 2:
        return {"rss_max_mb": float(sizes.max(initial=0.0)), "growth_mb": 0.0, "fitted_growth_mb": 0.0, "over_s": 0.0}
    span = times[warm][-1] - times[warm][0]
    slope = np.polyfit(times[warm], sizes[warm], 1)[0]
    figures = {"rss_max_mb": sizes.max(), "growth_mb": sizes[warm][-1] - sizes[warm][0],
               "fitted_growth_mb": slope * span, "over_s": span}  # fmt: skip
    return {name: round(float(value), 3) for name, value in figures.items()}


@contextlib.contextmanager
def running(command: list[str] | None) -> Iterator[subprocess.Popen[str] | None]:
    """A process that ends with the context; none without a command."""
    if command is None:
        yield None
        return
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run(given: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray[Any, Any], Samples, dict[str, Any]]:
    """The report, the frames received, the samples, and what the bare loop tells."""
    busy = None if given.idle else [sys.executable, "-c", "while True: pass"]
    bare_loop = [sys.executable, str(Path(__file__).with_name("bare_loop.py"))]
    with tempfile.TemporaryDirectory() as folder, measure.Receiver() as receiver, running(busy):
        path = Path(folder) / "report.json"
        with running(bare_loop) as bare:
            assert bare is not None and bare.stdout is not None
            settings = json.loads(bare.stdout.readline())
            performance = measure.perform(given, receiver, path)
            samples = sample(performance)
            report = measure.finish(performance, path)
            bare.terminate()
            told = json.loads(bare.communicate()[0]) | {"realtime": settings}
        return report, receiver.frames(), samples, told


def main() -> None:
    parser = measure.options(__doc__, duration=600.0)
    parser.add_argument("--idle", action="store_true", help="without the busy core")
    given = parser.parse_args()
    report, frames, samples, bare = run(given)
    events = explain(late_poses(frames), [(deadline, woke) for deadline, woke in bare["late"]], samples)
    counted, grown = misses(report["deadline_misses"], events), memory(samples.memory)
    seen = measure.intervals(frames)
    off = {who: abs(row.get("p99", np.inf) - measure.PERIOD * 1e3) for who, row in seen.items()}
    limits = {
        "deadline misses remaining": measure.compared(counted["remaining"], 0, ""),
        "interval p99 off 16.67, arrived": measure.compared(off["arrived"], INTERVAL_LIMIT, "ms"),
        "interval p99 off 16.67, seen": measure.compared(off["seen"], INTERVAL_LIMIT, "ms"),
        "RSS": measure.compared(grown["rss_max_mb"], MEMORY_LIMIT, "MB"),
        "RSS growth": measure.compared(grown["growth_mb"], GROWTH_LIMIT, "MB"),
    }
    stolen = {"seconds": round(sum(s for _, _, s in samples.stolen), 3), "samples": len(samples.stolen)}
    keys = ("model", "backend", "input", "duration_s", "poses", "overflows", "interval_ms", "stage_ms", "recoveries")
    values = {"limits": limits, "busy_core": not given.idle, "misses": counted, "late_poses": events, "bare_loop": bare,
              "steal": stolen, "frames_received": len(frames), "received_interval_ms": seen, "memory": grown,
              "memory_samples": samples.memory}  # fmt: skip
    print(f"misses: {counted}; steal: {stolen}")
    name = "steadiness_idle" if given.idle else "steadiness"
    measure.write(name, values | {key: report[key] for key in keys}, report["machine"], given.out)


if __name__ == "__main__":
    main()
