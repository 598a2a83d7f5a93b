"""A file through an online beat tracker, as a stage would hear it: `live beats` and `live bench beats`."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from live.clock import VirtualClock
from live.contracts import load_plugin
from live.types import SAMPLE_RATE, BeatState, Float32

STEP = 480
"""Samples heard at a time: 10 ms."""


class ReportedBeat(NamedTuple):
    """Seconds of the file: when the beat is, and how much had been heard when it was told."""

    time: float
    reported_at: float


class Hearer(Protocol):
    """What can be listened with; every `live.contracts.BeatTracker` is one."""

    def hear(self, samples: Float32) -> None: ...

    def now(self) -> BeatState: ...


class Heard(NamedTuple):
    """After each whole step: seconds heard, the tracker's state, the step's RMS, its cost (s of CPU and of time)."""

    at: float
    beat: BeatState
    level: float
    cpu: float
    wall: float


def track(audio: Path, tracker: str) -> Iterator[ReportedBeat]:
    """The beats of a file as the plug-in `tracker` tells them."""
    return told(listen(audio, load_plugin("live.beats", tracker, "beat tracker").open_tracker()))


def listen(audio: Path, tracker: Hearer) -> Iterator[Heard]:
    """Play the file through the tracker, `STEP` samples at a time; a last step that is not whole is not asked about."""
    clock = VirtualClock()
    source = load_plugin("live.audio", "file", "input").open_source(str(audio), clock)
    source.start()
    try:
        steps = 0
        while not source.finished:
            steps += 1
            clock.sleep_until(steps * STEP / SAMPLE_RATE)
            samples = source.read_available().samples
            cpu, wall = time.thread_time(), time.perf_counter()
            tracker.hear(samples)
            beat = tracker.now()
            cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
            if len(samples) == STEP:
                level = math.sqrt(float(samples @ samples) / STEP)
                yield Heard(steps * STEP / SAMPLE_RATE, beat, level, cpu, wall)
    finally:
        source.close()


def told(heard: Iterable[Heard]) -> Iterator[ReportedBeat]:
    """Each beat once, never revised: as predicted when it comes within the next step, else as soon as it is known."""
    count = 0
    for at, beat, *_ in heard:
        if beat.bpm <= 0.0:
            continue
        soon = beat.next_beat <= STEP / SAMPLE_RATE
        coming = beat.beat_count + soon
        if coming > count:
            yield ReportedBeat(at + beat.next_beat if soon else at - beat.phase * 60.0 / beat.bpm, at)
        count = max(count, coming)
