"""The prompter: keeps the cues that were called until their beat or bar has come, and the place in the set list."""

from __future__ import annotations

from typing import Any

from live.orders import Order, Value
from live.script import Cue, Script
from live.types import BeatState

MOST = 8
"""Cues that may wait."""
TOLD = 100
"""Cues that are told of."""


class Prompter:
    """`call` a cue, `due` tells the orders that are to be carried out now."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._waiting: list[Cue] = []
        self.place = -1
        """In the set list: which cue came last."""
        self._beat = BeatState()

    def call(self, name: Value) -> None:
        """A cue by its name, or `next`; `LookupError` where there is none."""
        setlist = self._script.setlist
        if name == "next":
            self.place = min(self.place + 1, len(setlist) - 1)
            name = setlist[self.place] if setlist else None
        elif name in setlist:
            self.place = setlist.index(str(name))
        cue = self._script.cues[str(name)]
        self._waiting = [waiting for waiting in self._waiting if waiting != cue][1 - MOST :]
        self._waiting.append(cue)

    def told(self) -> dict[str, Any]:
        """cues and setlist: names, the first `TOLD`; last: the newest of the set list; waiting: how many cues wait."""
        setlist = self._script.setlist
        last = setlist[self.place] if self.place >= 0 else ""
        return {
            "cues": list(self._script.cues)[:TOLD],
            "setlist": list(setlist)[:TOLD],
            "last": last,
            "waiting": len(self._waiting),
        }

    def due(self, beat: BeatState) -> list[Order]:
        """The orders of the cues whose beat or bar has come with this beat; without a beat known, of all."""
        before, self._beat = self._beat, beat
        on_beat = beat.bpm <= 0.0 or beat.beat_count != before.beat_count
        known = beat.bar_confidence > 0.0
        on_bar = on_beat and (beat.bar_phase < before.bar_phase if known else beat.beat_count % beat.beats_per_bar == 0)
        now = {"now": True, "beat": on_beat, "bar": on_bar or beat.bpm <= 0.0}
        waiting = self._waiting
        self._waiting = [cue for cue in waiting if not now[cue.when]]
        return [one for cue in waiting if now[cue.when] for one in cue.orders]

    def rewrite(self, script: Script) -> None:
        """Go on by another script: in its set list from the cue that came last, or from as far down."""
        before, self._script = self._script.setlist, script
        if self.place >= 0 and before[self.place] in script.setlist:
            self.place = script.setlist.index(before[self.place])
        self.place = min(self.place, len(script.setlist) - 1)
