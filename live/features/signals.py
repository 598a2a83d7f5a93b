"""What else is in the music: onsets by band, how loud it is for this piece, build-ups, drops, changes of section.

Beside the 35 features, not among them: no model is fed with these; styles, cues and outputs may look at them. Causal:
frame k (800 samples, as the extractor's) is made of the samples before 800 (k + 1). Input is made finite and clipped to
[-1, 1]; levels are those of eight bands in dB, full scale 0, nothing below -70. What a value means is told in
`live.types.Signals`. Costs about 0.05 ms per 10 ms.

| Event | Told when | How late |
|---|---|---|
| section | the last 1.6 s differ from the passage before (4 to 16 s), or a build-up ends otherwise | 0.5 to 1.5 s |
| build | levels above 400 Hz have been rising steadily for 4 to 6 s | 4 to 6 s |
| drop | a build-up breaks off and the kick holds; or that comes back 14 dB stronger after 4 s or more | 0.5 to 1.5 s |

Silence is not listened to: a break ends no passage.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from live.features import _passages
from live.hops import Windowed, cleaned
from live.types import HOP, SAMPLE_RATE, Event, Float32, Signals, Snapshot

WINDOW = 2048
EDGES = (30.0, 90.0, 180.0, 400.0, 900.0, 2000.0, 4500.0, 9000.0, 16_000.0)
"""Hz, of the bands."""
BANDS = len(EDGES) - 1
LOW, MID, HIGH = slice(0, 2), slice(2, 5), slice(5, 8)
KICK = 0
"""The band that decides whether a change is a drop."""
FLOOR = 1e-7
SILENCE = -68.0
"""Mean level (dB) of a block that is not listened to."""
STRONG = 12.0
"""dB beyond the usual that a band rises in an onset of strength 1."""
USUAL = math.exp(-HOP / SAMPLE_RATE / 4.0)
"""How fast it is forgotten how much a band usually rises: in 4 s."""
BLOCK = 6
"""Frames in a block: 0.1 s."""
HALF_MINUTE = 300
"""Blocks."""
REACH = 160 + _passages.RECENT
"""Blocks of the passage that are looked at."""
CHANGED, LEAST = 2.4, 2.5
"""Score of a change of section, and dB that it must come to."""
REST = 50
"""Blocks from one change of section to the next."""
BUILDING, STILL = 0.5, 0.2
"""Build-up that is told of, and that keeps a change of section from being told."""
HELD = 30
"""Blocks that the end of a build-up is waited for."""
SHORT, BEFORE = 6, 15
"""Blocks after and before the end of a build-up that are held against each other."""
BROKEN = 4.0
"""dB by which they differ when a build-up breaks off."""
KEPT = -1.5
"""dB that the kick may lose in a drop."""
RETURNED = 14.0
"""dB that it gains in a drop without a build-up."""
LOUDEST = 20.0
"""dB of change that is strength 1."""


@dataclass
class Memory(Windowed):
    """All that the listener knows, as plain values."""

    window: Float32 = field(default_factory=lambda: np.zeros(WINDOW, np.float32))
    filled: int = 0
    heard: int = 0
    levels: Float32 = field(default_factory=lambda: np.full((2, BANDS), 10.0 * math.log10(FLOOR), np.float32))
    usual: Float32 = field(default_factory=lambda: np.zeros(3, np.float32))
    onsets: Float32 = field(default_factory=lambda: np.zeros(3, np.float32))
    block: Float32 = field(default_factory=lambda: np.zeros(BANDS, np.float32))
    past: Float32 = field(default_factory=lambda: np.zeros((HALF_MINUTE, BANDS), np.float32))
    known: int = 0
    passage: int = 0
    energy: float = 0.0
    build: float = 0.0
    resting: int = 0
    waiting: int = 0
    told: int = 0
    name: str = ""
    strength: float = 0.0
    at: int = 0
    number: int = 0


class Listener:
    """`SignalSource`; results depend on the samples alone, not on how they were cut."""

    def __init__(self) -> None:
        self._memory = Memory()

    def hear(self, samples: Float32) -> None:
        for window in self._memory.windows(cleaned(samples), HOP):
            self._frame(_levels(window))

    def now(self) -> Signals:
        memory = self._memory
        low, mid, high = memory.onsets.tolist()
        event = Event()
        if memory.number:
            age = (memory.heard * HOP - memory.at * BLOCK * HOP) / SAMPLE_RATE
            event = Event(memory.name, memory.strength, age, memory.number)
        return Signals(low, mid, high, memory.energy, memory.build, event)

    def snapshot(self) -> Snapshot:
        """Everything that the listener knows, as copies."""
        return self._memory.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from a `snapshot`, bit for bit."""
        self._memory = Memory.restored(snapshot)

    def _frame(self, levels: Float32) -> None:
        memory = self._memory
        memory.heard += 1
        self._rise(levels)
        memory.block += levels / BLOCK
        if memory.heard % BLOCK == 0:
            block, memory.block = memory.block, np.zeros(BANDS, np.float32)
            self._take(block)

    def _rise(self, levels: Float32) -> None:
        """Onset strengths: how far the bands rose within two frames, beyond twice what is usual."""
        memory = self._memory
        rises = np.maximum(levels - memory.levels[0], 0.0)
        rise = np.array([rises[LOW].mean(), rises[MID].mean(), rises[HIGH].mean()], np.float32)
        memory.onsets = np.clip((rise - 2.0 * memory.usual) / STRONG, 0.0, 1.0)
        memory.usual = np.float32(USUAL) * memory.usual + np.float32(1.0 - USUAL) * rise
        memory.levels = np.stack([memory.levels[1], levels])

    def _take(self, block: Float32) -> None:
        """A tenth of a second: into the past, and what the past says now."""
        memory = self._memory
        memory.resting, memory.waiting = max(memory.resting - 1, 0), max(memory.waiting - 1, 0)
        if silent := bool(block.mean() < SILENCE):
            memory.build = 0.0
        else:
            memory.past[:-1], memory.past[-1] = memory.past[1:], block
            memory.known, memory.passage = min(memory.known + 1, HALF_MINUTE), min(memory.passage + 1, REACH)
            self._judge()
        if memory.known:
            now = block if silent else self._last(min(SHORT, memory.known))
            memory.energy = float(now.mean() - self._last(memory.known).mean())

    def _judge(self) -> None:
        """What the passage says with its newest block."""
        memory = self._memory
        memory.build, gain = _passages.ramp(self._last(memory.passage))
        if memory.build > BUILDING:
            self._build(gain)
        elif memory.waiting:
            self._break_off()
        else:
            self._change()

    def _last(self, blocks: int) -> Float32:
        return self._memory.past[HALF_MINUTE - blocks :]

    def _build(self, gain: float) -> None:
        """A build-up goes on; it is told of once."""
        memory = self._memory
        if not memory.waiting:
            self._tell("build", gain, min(memory.passage, _passages.LONGEST))
        memory.waiting = HELD

    def _break_off(self) -> None:
        """Is this the end of the build-up?"""
        after, before = self._last(SHORT), self._last(SHORT + BEFORE)[:BEFORE]
        difference = after.mean(0) - before.mean(0)
        if _passages.rms(difference[_passages.BRIGHT :]) > BROKEN:
            self._leave("drop" if difference[KICK] > KEPT else "section", difference, SHORT)

    def _change(self) -> None:
        """Has the passage been left?"""
        memory = self._memory
        passage = self._last(memory.passage)
        score, difference = _passages.change(passage)
        if score < CHANGED or _passages.rms(difference) < LEAST or memory.resting or memory.build > STILL:
            return
        blocks = _passages.boundary(passage, difference, _passages.RECENT + SHORT)
        gained = passage[-blocks:, KICK].mean() - passage[: -_passages.RECENT, KICK].mean()
        self._leave("drop" if gained > RETURNED else "section", difference, blocks)

    def _leave(self, name: str, difference: Float32, blocks: int) -> None:
        """A new passage began so many blocks ago."""
        memory = self._memory
        self._tell(name, _passages.rms(difference), blocks)
        memory.passage, memory.resting, memory.waiting = blocks, REST, 0

    def _tell(self, name: str, decibels: float, blocks: int) -> None:
        memory = self._memory
        memory.name, memory.strength = name, min(decibels / LOUDEST, 1.0)
        memory.at = memory.heard // BLOCK - blocks
        memory.number += 1


def _tables() -> tuple[Float32, Float32]:
    """The window [WINDOW], a full-scale sine giving the magnitude 1, and which bins [bins, BANDS] a band sums."""
    window = np.hanning(WINDOW + 1)[:-1]
    hertz = np.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    bands = np.stack([(low <= hertz) & (hertz < high) for low, high in pairwise(EDGES)], 1)
    return np.asarray(window * 2.0 / window.sum(), np.float32), np.asarray(bands, np.float32)


HANN, SUMS = _tables()


def _levels(window: Float32) -> Float32:
    """Band levels [BANDS] in dB."""
    spectrum = np.fft.rfft(window * HANN)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(10.0 * np.log10(power @ SUMS + FLOOR), np.float32)
