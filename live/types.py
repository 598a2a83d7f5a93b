"""The values that flow through the house: AudioBlock -> FeatureFrame -> raw pose -> Pose.

Units everywhere: seconds on the host's monotonic clock, metres, radians, quaternions x y z w, right-handed, Y up;
the dancer faces +Z and its left is +X. Conversions to a client's frame happen in its output module and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
State = Mapping[str, Float32]
"""The generator's, as named arrays; see `live.contracts.Backend`."""
Inputs = Mapping[str, Float32]
"""What a tick of the generator is given, as named arrays."""
Snapshot = dict[str, NDArray[Any]]

SAMPLE_RATE = 48_000
"""Samples per second inside the house."""
HOP = 800
"""Samples per feature frame."""
FRAME_RATE = SAMPLE_RATE // HOP
"""Feature frames, and poses, per second."""
FEATURES = 35
"""Numbers in a feature frame."""
UNHEARD: Float32 = np.zeros(FEATURES, np.float32)
UNHEARD.flags.writeable = False


class AudioBlock(NamedTuple):
    """Mono samples [n] float32 at `SAMPLE_RATE`; `start` is the index of the first since the source began."""

    samples: Float32
    start: int


FIGURE = 4
"""Beats of the bar that a dancer counts for itself."""


class BeatState(NamedTuple):
    """What a beat tracker knows *now*.

    Phases lie in [0, 1); confidences in [0, 1], zero where nothing is known. `bar_phase` counts bars of
    `beats_per_bar`. `next_beat` is seconds from now until the next predicted beat (infinite before the first).
    """

    phase: float = 0.0
    bpm: float = 0.0
    confidence: float = 0.0
    bar_phase: float = 0.0
    bar_confidence: float = 0.0
    next_beat: float = float("inf")
    beat_count: int = 0
    beats_per_bar: int = 4

    def advanced(self, seconds: float) -> BeatState:
        """The state `seconds` later (earlier if negative), at constant tempo; anticipation acts through this alone."""
        if self.bpm <= 0.0 or seconds == 0.0:
            return self
        beats = seconds * self.bpm / 60.0
        phase = self.phase + beats
        whole = int(phase // 1.0)
        return self._replace(
            phase=phase - whole,
            bar_phase=(self.bar_phase + beats / self.beats_per_bar) % 1.0,
            next_beat=(1.0 - (phase - whole)) * 60.0 / self.bpm,
            beat_count=self.beat_count + whole,
        )

    def fading(self, seconds: float) -> BeatState:
        """The state after `seconds` without sound: the beat is coasted on, ever less sure of it."""
        fade = math.exp(-max(0.0, seconds) / 4.0)
        return self._replace(confidence=self.confidence * fade, bar_confidence=self.bar_confidence * fade)


class Event(NamedTuple):
    """Something that happened in the music: a `section` ended, a `build`-up began, a `drop` came.

    `strength` in [0, 1]: the bands' levels changed by 20 dB (root mean square) or more at 1. `age`: seconds since it
    happened (not since it was told, which is later). `number` counts events from 1; 0: none yet.
    """

    name: str = ""
    strength: float = 0.0
    age: float = float("inf")
    number: int = 0


class Signals(NamedTuple):
    """What a listener hears beside the features.

    low, mid, high: onset strength below 180 Hz, up to 2 kHz and above, in [0, 1]; 1 where the band rises within 33 ms
    by 12 dB more than twice its usual rise. `energy`: dB of now (0.6 s) over the mean of the last half minute heard.
    `build`: how much of a build-up is going on, in [0, 1]. `event`: the newest.
    """

    low: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    energy: float = 0.0
    build: float = 0.0
    event: Event = Event()

    def later(self, seconds: float) -> Signals:
        """The same, looked at `seconds` later."""
        return self._replace(event=self.event._replace(age=self.event.age + seconds))


class FeatureFrame(NamedTuple):
    """The 35 numbers heard over one hop.

    `values` [35] float32 in the order of `live.contracts.FEATURE_NAMES`; `end` is the index of the sample after the
    last one heard; `level` is the hop's RMS in [0, 1] for meters; `beat` is as tracked, without anticipation.
    """

    values: Float32
    end: int
    level: float
    beat: BeatState


@dataclass(slots=True)
class Pose:
    """All dancers at one instant.

    root_position [N, 3] metres: the hips in the world. local_rotations [N, 22, 4]: bone 0 in the world, the others in
    their parent's frame. joint_positions [N, 22, 3] metres, world. contacts [N, 2]: left and right foot planted, 0..1.
    `capture_time` is when the newest sample that shaped it was captured; `play_time` when it is meant to be seen;
    `show_time` is seconds since the show began. `features` [35] are those of the newest frame heard, `signals` were
    heard one frame before `capture_time`, events' ages are told for it.
    """

    sequence: int
    capture_time: float
    play_time: float
    show_time: float
    root_position: Float32
    local_rotations: Float32
    joint_positions: Float32
    contacts: Float32
    beat: BeatState = field(default_factory=BeatState)
    level: float = 0.0
    signals: Signals = field(default_factory=Signals)
    features: Float32 = field(default_factory=lambda: UNHEARD)

    @property
    def dancers(self) -> int:
        return int(self.root_position.shape[0])
