"""MIDI clock as a beat: 24 pulses a beat, started, stopped and placed by their own messages.

A line through the last pulses gives tempo and phase, so that single pulses may come some milliseconds late or early. It
is cut short when pulses leave it together, which is a change of tempo. Where in the beat a pulse lies is known from
start, continue or song position on; a clock that was joined in its midst gives no beat before one of these.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from live.types import BeatState

PPQ = 24
LONGEST, SHORTEST = 4 * PPQ, PPQ // 2
"""Pulses that the line is laid through."""
RECENT, STRAY = 8, 0.004
"""So many pulses are a change of tempo if they lie, in the mean, so many seconds and half a pulse beside the line."""
GONE = 0.4
"""Seconds without a pulse after which there is no clock; 20 BPM has one each 0.125 s."""
BEATS_PER_BAR = 4
SURE = 0.95
"""Confidence in a beat that was told."""


class MidiClock:
    """Takes messages with the host time (s) at which they came; `beat_at` tells the beat."""

    def __init__(self) -> None:
        self._pulses: deque[tuple[float, float]] = deque(maxlen=LONGEST)  # beats, time
        self._next = 0.0  # the beat that the next pulse is
        self._known = False  # where in the beat pulses lie
        self._placed = False  # since the last pulse
        self._running = False
        self._stopped = 0.0  # where it goes on from
        self._line: tuple[float, float, float] | None = None  # a time, its beat, beats/s

    def pulse(self, time: float) -> None:
        if self._pulses and not 0.0 <= time - self._pulses[-1][1] < GONE:
            self._pulses.clear()
            self._known = self._known and self._placed
        self._pulses.append((self._next, time))
        self._next += 1.0 / PPQ
        self._line, self._placed = None, False
        if len(self._pulses) >= 2 * SHORTEST and self._strays():
            self._pulses = deque(list(self._pulses)[-SHORTEST:], LONGEST)

    def start(self) -> None:
        """From beat 0 with the next pulse."""
        self.place(0)
        self._running = True

    def go_on(self) -> None:
        """From where it was stopped or placed."""
        if not self._running:
            self._move(self._stopped)
        self._running = True

    def stop(self) -> None:
        if self._running:
            self._stopped = self._next
        self._running = False

    def place(self, sixteenths: int) -> None:
        """Song position: the next pulse, or the first one after continue, is so many sixteenth notes into the song."""
        self._stopped, self._known = sixteenths / 4.0, True
        self._move(self._stopped)

    def _move(self, beats: float) -> None:
        """The next pulse is at `beats`; those that came lie as far before it as they did."""
        by = beats - self._next
        self._pulses = deque(((before + by, time) for before, time in self._pulses), LONGEST)
        self._next, self._line, self._placed = beats, None, True

    def beat_at(self, time: float) -> BeatState | None:
        """The beat at host time `time`; None while there is none, it is stopped, or not known well yet."""
        if not (self._running and self._known) or len(self._pulses) < SHORTEST:
            return None
        if time - self._pulses[-1][1] > GONE:
            return None
        at, beat, rate = self._line = self._line or self._laid()
        return _state(beat + (time - at) * rate, rate) if rate > 0.0 else None

    def _laid(self) -> tuple[float, float, float]:
        """The least-squares line through the pulses."""
        beats, times = np.array(self._pulses).T
        middle, mean = times.mean(), beats.mean()
        spread = float(((beats - mean) ** 2).sum())
        period = float(((beats - mean) * (times - middle)).sum()) / spread
        return float(middle), float(mean), 1.0 / period if period > 0.0 else 0.0

    def _strays(self) -> bool:
        """True where the newest pulses have left the line of those before them."""
        pulses = list(self._pulses)
        recent = pulses[-RECENT:]
        (beat_a, time_a), (beat_b, time_b) = _halves(pulses[:-RECENT])
        period = (time_b - time_a) / (beat_b - beat_a)
        off = sum(time - time_a - (beat - beat_a) * period for beat, time in recent) / RECENT
        return abs(off) > STRAY + 0.5 * abs(period) / PPQ


def _halves(pulses: list[tuple[float, float]]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The mean pulse of the older and of the newer half."""
    half = len(pulses) // 2
    older, newer = pulses[:half], pulses[half:]
    return (
        (sum(beat for beat, _ in older) / len(older), sum(time for _, time in older) / len(older)),
        (sum(beat for beat, _ in newer) / len(newer), sum(time for _, time in newer) / len(newer)),
    )


def _state(beats: float, rate: float) -> BeatState:
    count = math.floor(beats)
    return BeatState(
        phase=beats - count,
        bpm=60.0 * rate,
        confidence=SURE,
        bar_phase=beats / BEATS_PER_BAR % 1.0,
        bar_confidence=SURE,
        next_beat=(1.0 - beats + count) / rate,
        beat_count=max(count, 0),
        beats_per_bar=BEATS_PER_BAR,
    )
