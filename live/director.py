"""The director: takes a performer's orders and leads the show there, smoothly, a little at every pose.

Orders (`live.orders`) come from controls and from the cues of the show file. What is asked for is a goal; hand, motion,
generator and engine are moved towards it by at most a step per pose, so that nothing is seen to jump.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from live.contracts import Control
from live.engine import Engine
from live.errors import Unusable
from live.orders import Order, Value
from live.pace import PERIOD
from live.script import Cue, Script
from live.types import BeatState, Float32

NOW, LATER = 8, 48
"""Datagrams read just before a pose, and after it while there is time."""
QUIET, IDLE_AFTER, IDLE = 1e-3, 0.7, 0.9
"""Level and seconds of silence after which the dancers come to stand at ease, and how far they do: they still breathe.
A show begins with them at ease."""
COASTING = 4.0
"""Seconds for which they dance on where no sound comes at all: a microphone may come back."""

# how fast each goal is approached, per second, on the way up and down
PACE = {
    "held": (10.0, 1.6),
    "neutral": (1.2, 0.7),
    "idle": (1.0, 3.0),
    "intensity": (1.5, 1.5),
    "lead": (0.2, 0.2),
    "style": (1.0, 1.0),
}


NOTHING_WRITTEN = Script()


class Tempo(Protocol):
    """What the director needs of a `live.hand.Hand`."""

    def tap(self) -> None: ...
    def nudge(self, seconds: float) -> None: ...
    def double(self) -> None: ...
    def half(self) -> None: ...
    def downbeat(self) -> None: ...
    def lock(self, bpm: float | None) -> None: ...


@dataclass(frozen=True)
class Cast:
    """Whom the director leads. `style` turns a text into weights or raises `Unusable`; `lead` is the automatic
    anticipation in seconds."""

    engine: Engine
    hand: Tempo
    motion: Any
    generator: Any
    style: Callable[[str], Float32]
    lead: float


@dataclass
class Goals:
    """What has been asked for. `style` [styles] are weights, `lead` is seconds."""

    style: Float32
    lead: float
    held: float = 0.0
    neutral: float = 0.0
    idle: float = 0.0
    intensity: float = 1.0


class Director:
    """`at_slot` before each pose, `each_slot` after it; both return within a fraction of a millisecond."""

    def __init__(self, cast: Cast, controls: Sequence[Control] = (), script: Script = NOTHING_WRITTEN) -> None:
        self._cast, self._controls, self._script = cast, controls, script
        self.goals = Goals(cast.generator.style[0].copy(), cast.engine.timing.lead)
        self._now = replace(self.goals)
        self._frozen = False
        self._kick = 0.0  # what is held of the last pose so that a reset does not jump
        self._quiet, self._now.idle = IDLE_AFTER, IDLE
        self._waiting: list[Cue] = []
        self._place = -1  # in the set list
        self._beat = BeatState()
        self._refused = 0

    @property
    def dropped(self) -> int:
        """Orders that were malformed, unknown, or of something that is not there."""
        return self._refused + sum(control.dropped for control in self._controls)

    def at_slot(self) -> None:
        """Take the newest orders and cues that are due, and go a step towards what is asked for."""
        self._listen(NOW)
        self._run_due()
        self._glide(PERIOD)

    def each_slot(self) -> None:
        """Take what else has come."""
        self._listen(LATER)

    def _listen(self, limit: int) -> None:
        for control in self._controls:
            for one in control.read(limit):
                self.follow(one)

    def follow(self, one: Order) -> None:
        """Carry out an order; one that asks for what is not there is counted."""
        try:
            ACTIONS[one.name](self, one.value)
        except (Unusable, LookupError):
            self._refused += 1

    # ---- cues ----------------------------------------------------------------------------------------------------

    def _cue(self, name: Value) -> None:
        if name == "next":
            self._place = min(self._place + 1, len(self._script.setlist) - 1)
            name = self._script.setlist[self._place] if self._script.setlist else None
        elif name in self._script.setlist:
            self._place = list(self._script.setlist).index(str(name))
        cue = self._script.cues[str(name)]
        self._waiting = [waiting for waiting in self._waiting if waiting != cue][-8:]
        self._waiting.append(cue)

    def _run_due(self) -> None:
        """Carry out the cues whose beat or bar has come; without a beat known, at once."""
        beat, before = self._cast.engine.beat, self._beat
        self._beat = beat
        on_beat = beat.bpm <= 0.0 or beat.beat_count != before.beat_count
        known = beat.bar_confidence > 0.0
        on_bar = on_beat and (beat.bar_phase < before.bar_phase if known else beat.beat_count % beat.beats_per_bar == 0)
        due = {"now": True, "beat": on_beat, "bar": on_bar or beat.bpm <= 0.0}
        waiting, self._waiting = self._waiting, []
        for cue in waiting:
            if due[cue.when]:
                for one in cue.orders:
                    self.follow(one)
            else:
                self._waiting.append(cue)

    # ---- orders --------------------------------------------------------------------------------------------------

    def _freeze(self, value: Value) -> None:
        self._frozen = not self._frozen if value == "toggle" else bool(value)

    def _neutral(self, value: Value) -> None:
        self.goals.neutral = 1.0 - self.goals.neutral if value == "toggle" else float(value or 0.0)

    def _style(self, value: Value) -> None:
        self.goals.style = self._cast.style(str(value))

    def _intensity(self, value: Value) -> None:
        self.goals.intensity = float(value or 0.0)

    def _anticipation(self, value: Value) -> None:
        self.goals.lead = self._cast.lead if value is None else float(value) / 1000.0

    def _reset(self, value: Value) -> None:
        """The generator as at the beginning of a show; the bodies glide to what it dances."""
        self._cast.engine.reset()
        self._cast.generator.begin_again(self._cast.engine.ledger.ticks, None if value is None else int(float(value)))
        self._kick = 0.95

    # ---- gliding -------------------------------------------------------------------------------------------------

    def _glide(self, seconds: float) -> None:
        goals, now, cast = self.goals, self._now, self._cast
        if cast.engine.level > QUIET:
            self._quiet = 0.0
        elif not 0.0 < cast.engine.deaf < COASTING:
            self._quiet += seconds
        goals.idle = IDLE if self._quiet >= IDLE_AFTER else 0.0
        goals.held = 1.0 if self._frozen else 0.0
        for name in ("held", "neutral", "idle", "intensity", "lead"):
            setattr(now, name, _towards(name, getattr(now, name), getattr(goals, name), seconds))
        self._kick = _towards("held", self._kick, 0.0, seconds)
        if now.lead != cast.engine.timing.lead:
            cast.engine.timing = replace(cast.engine.timing, lead=now.lead)
        if now.style is not goals.style:
            self._glide_style(seconds)
        mood = (now.intensity, max(now.neutral, now.idle), max(now.held, self._kick))
        if mood != tuple(cast.motion.mood):
            cast.motion.mood = type(cast.motion.mood)(*mood)

    def _glide_style(self, seconds: float) -> None:
        """Weights on a straight line to the new ones, all in the same time."""
        now, goals = self._now, self.goals
        left = float(np.abs(goals.style - now.style).max())
        share = PACE["style"][0] * seconds / max(left, 1e-9)
        now.style = goals.style if share >= 1.0 else now.style + np.float32(share) * (goals.style - now.style)
        self._cast.generator.style = np.tile(now.style, (self._cast.generator.dancers, 1))


def _towards(name: str, value: float, goal: float, seconds: float) -> float:
    """`value` a step nearer to `goal`."""
    up, down = PACE[name]
    return min(value + up * seconds, goal) if goal > value else max(value - down * seconds, goal)


ACTIONS: dict[str, Callable[[Director, Value], None]] = {
    "freeze": Director._freeze,
    "neutral": Director._neutral,
    "style": Director._style,
    "intensity": Director._intensity,
    "anticipation": Director._anticipation,
    "tempo/tap": lambda director, _: director._cast.hand.tap(),
    "tempo/nudge": lambda director, value: director._cast.hand.nudge(float(value or 0.0) / 1000.0),
    "tempo/double": lambda director, _: director._cast.hand.double(),
    "tempo/half": lambda director, _: director._cast.hand.half(),
    "tempo/downbeat": lambda director, _: director._cast.hand.downbeat(),
    "tempo/lock": lambda director, value: director._cast.hand.lock(None if value is None else float(value)),
    "cue": Director._cue,
    "reset": Director._reset,
}
