"""`live beats`: the beats of a file as the online tracker reports them, and the events that are heard beside them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from live.bench.track import ReportedBeat, listen, told, track
from live.contracts import BeatTracker, load_plugin
from live.features.signals import Listener
from live.types import SAMPLE_RATE, BeatState, Float32


class ReportedEvent(NamedTuple):
    """Seconds of the file: when it happened, and how much had been heard when it was told; name, strength 0..1."""

    time: float
    reported_at: float
    name: str
    strength: float


class Attentive:
    """A tracker, and a listener that hears what it hears; `events` holds what the listener told so far."""

    def __init__(self, tracker: BeatTracker) -> None:
        self.latency = tracker.latency
        self.events: list[ReportedEvent] = []
        self._tracker, self._listener = tracker, Listener()
        self._heard = 0

    def hear(self, samples: Float32) -> None:
        self._tracker.hear(samples)
        self._listener.hear(samples)
        self._heard += len(samples)
        event = self._listener.now().event
        if event.number > len(self.events):
            at = self._heard / SAMPLE_RATE
            self.events.append(ReportedEvent(at - event.age, at, event.name, event.strength))

    def now(self) -> BeatState:
        return self._tracker.now()


def print_beats(audio: Path, tracker: str, as_json: bool, events: bool) -> None:
    """One beat a line: its time (s), or as JSON with the time (s) at which it was told.

    `events` too, as time, name and strength, each before the first beat that was told later.
    """
    both = Attentive(load_plugin("live.beats", tracker, "beat tracker").open_tracker())
    printed = 0
    for beat in told(listen(audio, both)):
        if events:
            printed = _print_events(both.events, printed, as_json)
        line = f'{{"time": {beat.time:.4f}, "reported_at": {beat.reported_at:.4f}}}' if as_json else f"{beat.time:.4f}"
        print(line, flush=True)
    if events:
        _print_events(both.events, printed, as_json)


def _print_events(events: list[ReportedEvent], first: int, as_json: bool) -> int:
    """Those from number `first` on; the number after the last."""
    for time, reported_at, name, strength in events[first:]:
        told = f'"time": {time:.4f}, "reported_at": {reported_at:.4f}'
        json = f'{{{told}, "event": "{name}", "strength": {strength:.3f}}}'
        print(json if as_json else f"{time:.4f} {name} {strength:.3f}", flush=True)
    return len(events)


__all__ = ["ReportedBeat", "print_beats", "track"]
