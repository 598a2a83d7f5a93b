"""Ableton Link: the beat that the programs of a network share, as one to follow.

Link's own threads talk to the network; reading it costs the loop a microsecond. Alone in the network there is nobody to
follow: then the session is told the tempo of the music, so that who joins finds it.
"""

from __future__ import annotations

import math
import time
from typing import Any

from live.errors import MissingExtra
from live.orders import Order
from live.types import BeatState

QUANTUM = 4
"""Beats of a bar."""
SURE = 0.95
"""Confidence in a beat that was told."""
TELL, DIFFERENT = 4.0, 0.5
"""Seconds between two looks at the music's tempo while alone; BPM by which it must differ."""


def open_control(argument: str) -> LinkControl:
    """Join the session; `MissingExtra` where Link is not installed."""
    try:
        import link
    except ImportError:
        raise MissingExtra("LinkPython-extern", "link", "Ableton Link") from None
    return LinkControl(link.Link(120.0))


class LinkControl:
    """A `live.contracts.Conductor` that also fits where a control does; it gives no orders."""

    name, dropped = "link", 0

    def __init__(self, session: Any) -> None:
        self._session = session
        self._played = False
        self._told_at = -math.inf
        session.startStopSyncEnabled = True
        session.enabled = True

    def read(self, limit: int) -> list[Order]:
        return []

    def beat_at(self, at: float, heard: BeatState) -> BeatState | None:
        """The session's beat at host time `at`; None while alone in it, or once it has been played and stopped."""
        if self._session.numPeers() == 0:
            self._played = False
            self._tell_tempo(at, heard)
            return None
        state = self._session.captureAppSessionState()
        self._played = playing = state.isPlaying() or self._played
        if playing and not state.isPlaying():
            return None
        beats = state.beatAtTime(self._micros(at), QUANTUM)
        return _state(beats, state.tempo())

    def _micros(self, at: float) -> int:
        """Link's clock (microseconds) at host time `at`: they have the same pace, but not the same zero."""
        return int(self._session.clock().micros() + round((at - time.monotonic()) * 1e6))

    def _tell_tempo(self, at: float, heard: BeatState) -> None:
        if at - self._told_at < TELL:
            return
        self._told_at = at
        state = self._session.captureAppSessionState()
        if 20.0 <= heard.bpm <= 400.0 and abs(heard.bpm - state.tempo()) > DIFFERENT:
            state.setTempo(heard.bpm, self._session.clock().micros())
            self._session.commitAppSessionState(state)

    def recoveries(self) -> list[str]:
        return []

    def close(self) -> None:
        self._session.enabled = False


def _state(beats: float, bpm: float) -> BeatState:
    count = math.floor(beats)
    return BeatState(
        phase=beats - count,
        bpm=bpm,
        confidence=SURE,
        bar_phase=beats / QUANTUM % 1.0,
        bar_confidence=SURE,
        next_beat=(1.0 - beats + count) * 60.0 / bpm,
        beat_count=max(count, 0),
        beats_per_bar=QUANTUM,
    )
