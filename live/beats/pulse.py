"""The project's own beat tracker: a small recurrent network hears beats, a bar-pointer filter predicts them.

Every 10 ms: band levels -> network (`pulse.onnx`, trained by `live.train.beats` on music of the project's own) ->
forward filter over tempo and phase -> the phase of *now*. The network tells a beat `LAG` late; the filter has
predicted it by then, and the reported phase is that much ahead of the filter's. Costs about 0.25 ms per 10 ms.

Two such filters run: a patient one, and a quick one that believes more of what it hears. The quick one tells the first
beats; later the patient one is read, and follows the quick one where much is heard at its beats and little at its own.

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
from live.types import SAMPLE_RATE, BeatState, Float32, Float64, Snapshot

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
START = 2.5
"""Seconds of music, its gaps left out, from the beginning or after long silence, in which the quick filter is read."""
LONG = 10.0
"""Seconds of silence after which music starts anew."""
LATELY = math.exp(-FRAME / 0.5)
"""How fast it is forgotten which filter's beats were heard: in half a second."""
BETTER, CLEARLY = 1.9, 0.64
"""How many times more must be heard at the quick filter's beats for the patient one to follow, and with what share."""
AGAIN = 3.0
"""Seconds until it may do so again."""
DOUBTED, SUPPORTED = 0.025, 0.12
"""Mean activation at a hypothesis' beats that is no support, and full support."""


@dataclass
class Memory(Windowed):
    """All that the tracker knows, as plain values."""

    window: Float32 = field(default_factory=lambda: np.zeros(WINDOW, np.float32))
    filled: int = HOP // 2  # so that no frame ends together with one of the 35 features: a tick has less to do at once
    levels: Float32 = field(default_factory=lambda: np.zeros((2, BANDS), np.float32))
    network: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    belief: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    quick: Float32 = field(default_factory=lambda: np.zeros(0, np.float32))
    """The belief of the quick filter."""
    lately: Float64 = field(default_factory=lambda: np.zeros(4))
    """What was heard at the beats that the patient filter expected, how much it expected; the same of the quick one."""
    music: float = 0.0
    """Seconds of it since it started, its gaps left out."""
    followed: float = 0.0
    """Seconds since the patient filter followed the quick one."""
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
        belief = self._pointer.initial()
        self._memory = Memory(network=self._network.initial_state(), belief=belief, quick=belief)

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
        memory.belief = belief if silent else self._pointer.see(belief, beat, tempo, self._pointer.config.trust)
        self._hasten(expected, beat, tempo, silent)
        self._turn()
        self._place()

    def _hasten(self, expected: float, beat: float, tempo: Float32, silent: bool) -> None:
        """The same into the quick belief. `expected` is what the patient filter expected of this frame; where little is
        heard at its beats, but much at those of the quick one, it follows."""
        memory, pointer = self._memory, self._pointer
        if memory.hush > LONG and memory.music > 0.0:
            memory.quick, memory.music = pointer.initial(), 0.0
        quick = pointer.move(memory.quick)
        hoped = pointer.expectation(quick)
        memory.lately = LATELY * memory.lately + (expected * beat, expected, hoped * beat, hoped)
        memory.followed += FRAME
        if silent:
            memory.quick = quick
            return
        memory.quick = pointer.see(quick, beat, tempo, pointer.config.haste)
        starting, memory.music = memory.music < START, memory.music + FRAME
        if memory.music < START:
            return
        if starting:
            memory.flip = PATIENCE  # another octave than was told in haste is taken at once
        elif memory.followed > AGAIN and self._outdone():
            memory.belief, memory.flip, memory.followed = memory.quick, PATIENCE, 0.0

    def _outdone(self) -> bool:
        """Whether the quick filter hears clearly more at its beats, which are not those of another octave."""
        memory = self._memory
        heard, expected, quick_heard, quick_expected = memory.lately
        if quick_heard * expected <= BETTER * heard * quick_expected:
            return False
        reading = self._pointer.read(memory.quick, 0.0)
        apart = memory.period > 0.0 and octave_apart(reading.period, memory.period)
        return reading.share > CLEARLY and not apart

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
        belief = memory.quick if memory.music < START else memory.belief
        reading = self._pointer.read(belief, memory.period)
        if memory.period <= 0.0 or not octave_apart(reading.period, memory.period):
            memory.flip = 0.0
            return reading
        memory.flip += 1.0 / memory.period
        if memory.flip > min(PATIENCE, 0.5 * memory.count):
            return reading
        return self._pointer.read(belief, memory.period, patient=True)

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
