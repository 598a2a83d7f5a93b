"""The project's own beat tracker: a small recurrent network hears beats, a bar-pointer filter predicts them.

Every 10 ms: band levels -> network (`pulse.onnx`, trained by `live.train.beats` on music of the project's own) ->
forward filter over tempo and phase -> the phase of *now*. The network tells a beat `LAG` late; the filter has
predicted it by then, and the reported phase is that much ahead of the filter's. Costs about 0.23 ms per 10 ms.

In silence nothing is learned and the beat is coasted on, confidence falling; without belief in any one hypothesis
likewise.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from live.beats import _bar
from live.beats._network import Network
from live.beats._pointer import Pointer, PointerConfig, Reading, octave_apart
from live.beats._spectrum import BANDS, HOP, WINDOW, levels, with_rises
from live.hops import Windowed, cleaned
from live.types import SAMPLE_RATE, BeatState, Float32, Snapshot

WEIGHTS = Path(__file__).with_suffix(".onnx")
FRAME = HOP / SAMPLE_RATE
LAG = 0.03
"""Seconds from a beat to the frame in which the network tells it; training aims at this."""
EARLIER = 0.006
"""Seconds by which the median predicted beat of the choosing clips came late, taken out."""
QUIET = 0.05
"""Mean band level below which a frame is silence."""
MEMORY = math.exp(-FRAME / 4.0)
"""How fast the support of the beat is forgotten: in 4 s."""
BELIEVED, SURE = 0.05, 0.55
"""Share of all belief that a hypothesis needs to be followed, and that is full confidence."""
PATIENCE = 8.0
"""Beats (two bars) for which an octave must be the better one before it is taken; fewer while little was heard."""
REST, FADE = 0.5, 3.5
"""Seconds of silence that any rhythm may have, and in which confidence falls to 37% after that."""
DOUBTED, SUPPORTED = 0.025, 0.12
"""Mean activation at a hypothesis' beats that is no support, and full support."""


@dataclass
class Memory(Windowed):
    """All that the tracker knows, as plain values."""

    window: Float32 = field(default_factory=lambda: np.zeros(WINDOW, np.float32))
    filled: int = HOP // 2  # so that no frame ends together with one of the 35 features: a tick has less to do at once
    levels: Float32 = field(default_factory=lambda: np.zeros((2, BANDS), np.float32))
    network: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    belief: Float32 = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    bar: Float32 = field(default_factory=lambda: _bar.PRIOR.copy())
    held: int = _bar.AT_FIRST
    doubt: int = 0
    downbeat: float = 0.0
    placed: int = 1
    heard: float = 0.0
    expected: float = 0.0
    phase: float = 0.0
    period: float = 0.0
    confidence: float = 0.0
    count: int = 0
    hush: float = 0.0
    """Seconds of silence just now."""
    flip: float = 0.0
    """Beats for which the best hypothesis has been an octave off the tempo held."""


class PulseTracker:
    """`BeatTracker`; results depend on the samples alone, not on how they were cut."""

    latency = LAG

    def __init__(self, weights: Path = WEIGHTS, config: PointerConfig | None = None) -> None:
        self._network = Network(weights)
        self._pointer = Pointer(config or PointerConfig())
        self._memory = Memory(network=self._network.initial_state(), belief=self._pointer.initial())

    def hear(self, samples: Float32) -> None:
        for window in self._memory.windows(cleaned(samples), HOP):
            self._frame(window)

    def now(self) -> BeatState:
        memory = self._memory
        if memory.period <= 0.0:
            return BeatState()
        bar = _bar.read(memory.bar, memory.held)
        place = bar.place + 1 - memory.placed + memory.phase  # before the beat is placed, the bar is one beat behind
        return BeatState(
            phase=memory.phase,
            bpm=60.0 / (memory.period * FRAME),
            confidence=memory.confidence,
            bar_phase=place / bar.metre % 1.0,
            bar_confidence=bar.confidence * memory.confidence,
            next_beat=(1.0 - memory.phase) * memory.period * FRAME,
            beat_count=memory.count,
            beats_per_bar=bar.metre,
        ).advanced(memory.filled / SAMPLE_RATE)

    def snapshot(self) -> Snapshot:
        """Everything that the tracker knows, as copies."""
        return self._memory.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a `snapshot`, bit for bit."""
        self._memory = Memory.restored(snapshot)

    def _frame(self, window: Float32) -> None:
        now = levels(window)
        self._take(*self._told(now), float(now.mean()) < QUIET)

    def _take(self, beat: float, downbeat: float, tempo: Float32, silent: bool) -> None:
        """What the network told in one frame into the belief, and what that says into phase, period, count and bar."""
        memory = self._memory
        memory.downbeat = max(memory.downbeat, downbeat)
        belief = self._pointer.move(memory.belief)
        expected = self._pointer.expectation(belief)
        memory.heard = MEMORY * memory.heard + expected * beat
        memory.expected = MEMORY * memory.expected + expected
        memory.hush = memory.hush + FRAME if silent else 0.0
        memory.belief = belief if silent else self._pointer.see(belief, beat, tempo)
        self._turn()
        self._place()

    def _told(self, now: Float32) -> tuple[float, float, Float32]:
        """The network's beat, downbeat and tempi [tempi] for band levels [BANDS]."""
        memory = self._memory
        beat, downbeat, tempo, memory.network = self._network.tell(with_rises(now, memory.levels[0]), memory.network)
        memory.levels[0] = memory.levels[1]
        memory.levels[1] = now
        return beat, downbeat, tempo

    def _turn(self) -> None:
        """Phase, period, confidence and count of this frame's end from the belief."""
        memory = self._memory
        support = memory.heard / max(memory.expected, 1e-9)
        backing = min(max((support - DOUBTED) / (SUPPORTED - DOUBTED), 0.0), 1.0)
        reading = self._read()
        coasting = math.exp(-max(memory.hush - REST, 0.0) / FADE)
        memory.confidence = min(reading.share / SURE, 1.0) * backing * coasting
        ran = memory.phase + (1.0 / memory.period if memory.period > 0.0 else 0.0)
        if reading.share > BELIEVED:
            memory.period = reading.period
            heard = (1.0 - (reading.until - (LAG + EARLIER) / FRAME) / reading.period) % 1.0
            self._follow(ran, heard)
        elif memory.period > 0.0:
            self._follow(ran, ran % 1.0)

    def _read(self) -> Reading:
        """The best hypothesis; one an octave off the tempo held must be the best for bars before it is taken."""
        memory = self._memory
        reading = self._pointer.read(memory.belief, memory.period)
        if memory.period <= 0.0 or not octave_apart(reading.period, memory.period):
            memory.flip = 0.0
            return reading
        memory.flip += 1.0 / memory.period
        if memory.flip > min(PATIENCE, 0.5 * memory.count):
            return reading
        return self._pointer.read(memory.belief, memory.period, patient=True)

    def _follow(self, ran: float, heard: float) -> None:
        """Take the `heard` phase; count the beat that passed. `ran` is the phase that had been promised for now.

        A promised beat is counted even if the belief has moved it on a little, and never twice.
        """
        memory = self._memory
        counted = ran >= 1.0 or (heard < 0.25 and ran > 0.75)
        if counted:
            memory.count += 1
            memory.placed = 0
        same = heard > 0.75 and (ran < 0.25 or ran >= 1.0)
        memory.phase = 0.0 if same else heard

    def _place(self) -> None:
        """A third of a beat after each beat, its place in the bar is known."""
        memory = self._memory
        if not memory.placed and memory.phase > 0.34:
            memory.bar = _bar.see(_bar.next_beat(memory.bar), memory.downbeat)
            patience = min(_bar.PATIENCE, 0.5 * memory.count)
            memory.held, memory.doubt = _bar.hold(memory.held, memory.doubt, memory.bar, patience)
            memory.downbeat, memory.placed = 0.0, 1


def open_tracker() -> PulseTracker:
    return PulseTracker()


def card() -> dict[str, object]:
    """Licence, provenance and checksum of the weights."""
    return dict(json.loads(WEIGHTS.with_suffix(".json").read_text()))
