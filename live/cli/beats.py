"""`live beats`: the beats of a file as the online tracker reports them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from live.clock import VirtualClock
from live.contracts import load_plugin
from live.types import HOP, SAMPLE_RATE


class ReportedBeat(NamedTuple):
    """Seconds of the file: when the beat is, and how much had been heard when it was told."""

    time: float
    reported_at: float


def track(audio: Path, tracker: str) -> Iterator[ReportedBeat]:
    """Play the file through the tracker in the stage's own hops. A beat is told once, when the phase wraps."""
    module = load_plugin("live.beats", tracker, "beat tracker")
    clock = VirtualClock()
    source = load_plugin("live.audio", "file", "input").open_source(str(audio), clock)
    online, count, heard = module.open_tracker(), 0, 0
    source.start()
    while not source.finished:
        clock.sleep_until(clock.now() + HOP / SAMPLE_RATE)
        block = source.read_available()
        online.hear(block.samples)
        heard += len(block.samples)
        now = online.now()
        if now.beat_count > count:
            at = heard / SAMPLE_RATE
            yield ReportedBeat(at - now.phase * 60.0 / now.bpm, at)
        count = max(count, now.beat_count)
    source.close()
