"""aubio's `tempo` as a beat tracker: light (about 0.01 ms per hop), starts after 2 to 3 s, knows no bars.

Its window grows with the power of two above 5.8 s of hops, so 544 samples at 48 kHz react in 1.5 s where 512 take
2.7 s. Confidence is the mean of two witnesses: aubio's own (0 to about 1.3, squashed) and the regularity of the last
intervals; it falls when beats stop coming. aubio's own state cannot be read: a snapshot keeps the sound of the last 8 s
and a restored tracker hears it again.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from itertools import pairwise

import aubio
import numpy as np

from live.hops import Hops
from live.types import SAMPLE_RATE, BeatState, Float32, Snapshot

HOP = 544
WINDOW = 1024
KEPT = 8 * SAMPLE_RATE // HOP
"""Hops that a snapshot keeps."""


class AubioTracker:
    """`BeatTracker` over `aubio.tempo`; results depend on the samples alone, not on how they were cut."""

    latency = HOP / SAMPLE_RATE

    def __init__(self) -> None:
        self._tempo = aubio.tempo("default", WINDOW, HOP, SAMPLE_RATE)
        self._begun = 0  # the number of the first sample that this `aubio.tempo` heard
        self._hops, self._past = Hops(HOP), deque[Float32](maxlen=KEPT)
        self._heard = 0
        self._beats: deque[float] = deque(maxlen=5)
        self._count = 0
        self._told = 0
        self._end = 0

    def hear(self, samples: Float32) -> None:
        self._heard += len(samples)
        for hop in self._hops.cut(samples):
            self._end += HOP
            self._past.append(hop.copy())
            if self._tempo(hop)[0]:
                beat = (self._begun + self._tempo.get_last()) / SAMPLE_RATE
                self._count += max(1, round(self._since_beat(beat * SAMPLE_RATE)))  # those between were coasted over
                self._beats.append(beat)
            self._told = max(self._told, self._count + int(self._since_beat(self._end)))

    def now(self) -> BeatState:
        bpm = float(self._tempo.get_bpm()) if self._count >= 2 else 0.0
        if not 20.0 <= bpm <= 400.0:
            return BeatState(beat_count=self._told)
        period, beats = 60.0 / bpm, self._since_beat(self._heard)
        phase = beats % 1.0
        overdue = max(0.0, beats - 1.5)
        return BeatState(
            phase=phase,
            bpm=bpm,
            confidence=self._confidence() * math.exp(-overdue),
            next_beat=(1.0 - phase) * period,
            beat_count=max(self._told, self._count + int(beats)),
        )

    def snapshot(self) -> Snapshot:
        """What the tracker knows, as copies; of the sound the last 8 s."""
        past = np.concatenate([*self._past, self._hops.rest])
        counts = np.array([self._heard, self._end, self._count, self._told])
        return {"past": past, "counts": counts, "beats": np.array(self._beats)}

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a `snapshot`: same beats, and the tempo that the kept sound gives."""
        self.__init__()  # type: ignore[misc]
        heard, end, count, told = snapshot["counts"].tolist()
        self._begun = heard - len(snapshot["past"])
        for hop in self._hops.cut(snapshot["past"]):
            self._past.append(hop.copy())
            self._tempo(hop)
        self._heard, self._end, self._count, self._told = heard, end, count, told
        self._beats.extend(snapshot["beats"].tolist())

    def _since_beat(self, sample: float) -> float:
        """Beats from the last one to `sample`, at the tempo of now."""
        return (sample / SAMPLE_RATE - self._beats[-1]) * float(self._tempo.get_bpm()) / 60.0 if self._beats else 0.0

    def _confidence(self) -> float:
        own = max(0.0, float(self._tempo.get_confidence()))
        if len(self._beats) < 3:
            return 0.5 * own / (own + 0.3)
        intervals = [b - a for a, b in pairwise(self._beats)]
        regular = math.exp(-statistics.pstdev(intervals) / statistics.fmean(intervals) / 0.1)
        return 0.5 * regular + 0.5 * own / (own + 0.3)


def open_tracker() -> AubioTracker:
    return AubioTracker()
