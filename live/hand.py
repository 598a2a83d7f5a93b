"""The performer's hand on the beat: double, half, tap, nudge, downbeat and lock, over any beat tracker; and a beat from
outside (Ableton Link, MIDI clock) that takes the tracker's place.

What the hand does, and how the beat glides to it, is in `live.grip`.
"""

from __future__ import annotations

from typing import Protocol

from live.grip import Grip, at_home, gripped, locked, moved, nudged, released, shifted, shown, with_one_here, with_tap
from live.types import SAMPLE_RATE, BeatState, Float32, Snapshot

STEP = 480
"""Samples after which the hand looks at the tracker."""


class Tracker(Protocol):
    """What a `Hand` can lie on; a `live.contracts.BeatTracker`."""

    latency: float

    def hear(self, samples: Float32) -> None: ...

    def now(self) -> BeatState: ...

    def snapshot(self) -> Snapshot: ...

    def restore(self, snapshot: Snapshot) -> None: ...


class Hand:
    """A `BeatTracker` over another one. Until a hand is laid on it, and some time after `release`, its states are the
    other's own; times are seconds since the first sample heard."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.latency = tracker.latency
        self._heard = 0
        self._grip: Grip | None = None
        self._looked = 0
        self._releasing = False
        self._ahead = 0  # beats counted more than the tracker did, once released
        self._outside: BeatState | None = None
        self._outside_at = 0

    def hear(self, samples: Float32) -> None:
        while len(samples):
            count = len(samples) if self._grip is None else min(STEP - self._heard % STEP, len(samples))
            self.tracker.hear(samples[:count])
            self._heard += count
            samples = samples[count:]
            if self._grip is not None and self._heard % STEP == 0:
                self._look_on()

    def now(self) -> BeatState:
        if self._grip is not None:
            return shown(self._look())
        state = self.tracker.now()
        return state._replace(beat_count=state.beat_count + self._ahead) if self._ahead else state

    def snapshot(self) -> Snapshot:
        """The tracker's beneath."""
        return self.tracker.snapshot()

    def restore(self, snapshot: Snapshot) -> None:
        """Put the tracker beneath back; what the hand holds, it goes on holding."""
        self.tracker.restore(snapshot)

    def double(self) -> None:
        """Twice as fast."""
        self._hold(shifted(self._look(), 1))

    def half(self) -> None:
        """Half as fast."""
        self._hold(shifted(self._look(), -1))

    def nudge(self, seconds: float) -> None:
        """Beats later by `seconds`; earlier if negative."""
        self._hold(nudged(self._look(), seconds))

    def tap(self, at: float | None = None) -> None:
        """A beat is at `at` (s, not after what was heard); now if left out."""
        now = self._heard / SAMPLE_RATE
        at = now if at is None else min(at, now)
        self._hold(with_tap(self._look(), now - at, at))

    def downbeat(self) -> None:
        """This is beat one."""
        self._hold(with_one_here(self._look()))

    def lock(self, bpm: float | None) -> None:
        """Keep to `bpm`; None: follow the tracker again. Raises `Unusable` beyond 20 to 400."""
        self._hold(locked(self._look(), bpm))

    def release(self) -> None:
        """Take the hand off: glide back to the tracker's own beat and bar."""
        if self._grip is not None:
            self._hold(released(self._look()))
            self._releasing = self._outside is None

    def conduct(self, beat: BeatState | None) -> None:
        """Follow `beat`, as it stands at the last sample heard, in place of the tracker's; None: the tracker's again.

        Where the one gives way to the other, the phase glides; what the hand had asked for is let go, but for a clock
        of its own (tapped or locked), which stays.
        """
        if beat is None and self._outside is None:
            return
        changes = beat is None or self._outside is None
        if changes:
            grip = self._look()
            self._hold(grip if grip.bpm else released(grip))
            self._releasing = beat is None and not grip.bpm
        self._outside, self._outside_at = beat, self._heard

    def _below(self) -> BeatState:
        """The beat that the hand lies on: from outside where there is one, else the tracker's."""
        if self._outside is None:
            return self.tracker.now()
        return self._outside.advanced((self._heard - self._outside_at) / SAMPLE_RATE)

    def _look(self) -> Grip:
        """The grip at the last sample heard."""
        heard = self._below()
        if self._grip is None:
            return gripped(heard._replace(beat_count=heard.beat_count + self._ahead))
        return moved(self._grip, heard, (self._heard - self._looked) / SAMPLE_RATE)

    def _hold(self, grip: Grip) -> None:
        self._grip, self._looked, self._releasing = grip, self._heard, False

    def _look_on(self) -> None:
        """Carry the grip on to now; none is left once a released one is back at the tracker's own beat."""
        grip = self._grip = self._look()
        self._looked = self._heard
        if self._releasing and at_home(grip):
            self._ahead = round(grip.beats - grip.heard.phase) - grip.heard.beat_count
            self._grip, self._releasing = None, False
