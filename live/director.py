"""The director: takes a performer's orders and leads the show there, smoothly, a little at every pose.

Orders (`live.orders`) come from controls and from the cues of the show file. What is asked for is a goal; hand, motion,
generator and engine are moved towards it by at most a step per pose, so that nothing is seen to jump.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from live.blocking import Blocking
from live.contracts import Conductor, Control
from live.engine import Engine
from live.errors import Unusable
from live.glide import PACE, paced
from live.orders import Order, Value
from live.pace import PERIOD
from live.prompter import Prompter
from live.script import Script
from live.types import BeatState, Float32

NOW, LATER = 8, 48
"""Datagrams read just before a pose, and after it while there is time."""
QUIET, IDLE_AFTER, IDLE = 1e-3, 0.7, 0.9
"""Level and seconds of silence after which the dancers come to stand at ease, and how far they do: they still breathe.
A show begins with them at ease."""
COASTING = 4.0
"""Seconds for which they dance on where no sound comes at all: a microphone may come back."""

NOTHING_WRITTEN = Script()


class Tempo(Protocol):
    """What the director needs of a `live.hand.Hand`."""

    def tap(self) -> None: ...
    def nudge(self, seconds: float) -> None: ...
    def double(self) -> None: ...
    def half(self) -> None: ...
    def downbeat(self) -> None: ...
    def lock(self, bpm: float | None) -> None: ...
    def conduct(self, beat: BeatState | None) -> None: ...


@dataclass(frozen=True)
class Cast:
    """Whom the director leads. `style` turns a text into weights or raises `Unusable`; `lead` is the automatic
    anticipation in seconds; `temperature` the model's own."""

    engine: Engine
    hand: Tempo
    motion: Any
    generator: Any
    style: Callable[[str], Float32]
    lead: float
    blocking: Blocking
    temperature: float = 0.5


@dataclass
class Goals:
    """What has been asked for. `style` [styles] are weights, `lead` is seconds."""

    style: Float32
    lead: float
    held: float = 0.0
    neutral: float = 0.0
    idle: float = IDLE
    intensity: float = 1.0
    mirror: float = 0.0
    temperature: float = 0.5


LASTING = {
    "freeze", "neutral", "style", "intensity", "anticipation", "mirror", "temperature", "dancers", "formation",
    "spacing", "canon", "stage", "tempo/follow", "reload",
}  # fmt: skip
"""Orders that hold until another one."""
GLIDING = ("held", "neutral", "idle", "intensity", "lead", "mirror", "temperature")


class Director:
    """`at_slot` before each pose, `each_slot` after it; both return within a fraction of a millisecond."""

    def __init__(
        self,
        cast: Cast,
        controls: Sequence[Control] = (),
        script: Script = NOTHING_WRITTEN,
        conductors: Mapping[str, Conductor] = MappingProxyType({}),
    ) -> None:
        self.cast, self._controls, self._conductors = cast, controls, conductors
        self._prompter = Prompter(script)
        self.goals = Goals(
            cast.generator.style[0].copy(), cast.engine.timing.lead, temperature=cast.generator.temperature
        )
        self._now = replace(self.goals)
        self._frozen = False
        self._kick = 0.0  # what is held of the last pose so that a reset does not jump
        self._quiet = IDLE_AFTER
        self._leader = "off"
        self.reload: Callable[[], None] = _no_file
        self.refused = 0
        self.lasting: dict[str, Value] = {}
        """What is asked for now, by orders; for whoever takes over (`take_over`)."""

    @property
    def dropped(self) -> int:
        """Orders that were malformed, unknown, or of something that is not there."""
        return self.refused + sum(control.dropped for control in self._controls)

    def asked(self) -> dict[str, Any]:
        """What has been asked for, by the orders' names, and what can be: `styles`, `cues`, `setlist`."""
        goals, card = self.goals, self.cast.generator.card
        return {
            "freeze": self._frozen, "neutral": goals.neutral > 0.5, "mirror": goals.mirror > 0.5,
            "intensity": goals.intensity, "temperature": goals.temperature, "anticipation": 1e3 * goals.lead,
            "style": [round(float(weight), 3) for weight in goals.style], "styles": list(card.styles),
            **self._prompter.told(),
        }  # fmt: skip

    def at_slot(self) -> None:
        """Take the newest orders and cues that are due, and go a step towards what is asked for."""
        self._listen(NOW)
        self._conduct()
        for one in self._prompter.due(self.cast.engine.beat):
            self.follow(one)
        self._glide(PERIOD)

    def each_slot(self) -> None:
        """Take what else has come."""
        self._listen(LATER)

    def _listen(self, limit: int) -> None:
        for control in self._controls:
            for one in control.read(limit):
                self.follow(one)

        for line in (line for one in (*self._controls, self.cast.generator) for line in one.recoveries()):
            self.cast.engine.note(line)

    def begin(self, orders: Sequence[Order]) -> None:
        """Carry out orders before the first pose: nothing glides there."""
        for one in orders:
            ACTIONS[one.name](self, one.value)
        self._now = replace(self.goals, idle=self._now.idle)
        self.cast.generator.style = np.tile(self.goals.style, (self.cast.generator.dancers, 1))

    def rewrite(self, script: Script, orders: Sequence[Order]) -> None:
        """Go on by another script, where the old one has come to in the set list, and carry out orders."""
        self._prompter.rewrite(script)
        for one in orders:
            self.follow(one)

    def latency_is(self, latency: float) -> None:
        """The outputs' declared latency (s) is another; an automatic anticipation goes along."""
        engine, before = self.cast.engine, self.cast.lead
        lead = before + latency - engine.timing.latency
        self.cast = replace(self.cast, lead=lead)
        engine.timing = replace(engine.timing, latency=latency)
        if self.goals.lead == before:
            self.goals.lead = lead

    def stand(self, held: float) -> None:
        """Lead everybody to the neutral stance, from a last pose of which so much is held at first."""
        self.goals.neutral, self._kick = 1.0, held

    def _conduct(self) -> None:
        """Let the beat be led from outside where that was asked for and is possible."""
        if self._leader == "off":
            return
        engine = self.cast.engine
        at = engine.heard_until
        found = self._conductors[self._leader].beat_at(at, engine.beat) if math.isfinite(at) else None
        self.cast.hand.conduct(found)

    def follow(self, one: Order) -> None:
        """Carry out an order; one that asks for what is not there is counted."""
        try:
            ACTIONS[one.name](self, one.value)
        except (Unusable, LookupError):
            self.refused += 1
        else:
            self._remember(one)

    def _remember(self, one: Order) -> None:
        """Keep what lasts: of a switch, where it stands now."""
        if one.name in LASTING:
            stands: dict[str, Value] = {
                "freeze": float(self._frozen), "neutral": self.goals.neutral, "mirror": self.goals.mirror
            }  # fmt: skip
            self.lasting[one.name] = stands.get(one.name, one.value)

    def leave(self) -> dict[str, NDArray[Any]]:
        """Where gliding values stand, for another director's `take_over`."""
        staging = self.cast.motion.staging
        numbers = [*(getattr(self._now, name) for name in GLIDING), self._quiet, self._prompter.place, self.dropped]
        return {
            "numbers": np.array(numbers, np.float64), "style": self._now.style, "present": staging.present,
            "stage": np.array([staging.radius, staging.canon, staging.delay], np.float64),
        }  # fmt: skip

    def take_over(self, asked: Mapping[str, Value], left: Mapping[str, NDArray[Any]], marks: NDArray[Any]) -> None:
        """Go on where another director was: bodies on these marks [N], values on their way to what is asked for."""
        for name, value in asked.items():
            self.follow(Order(name, value))
        *now, self._quiet, place, dropped = map(float, left["numbers"])
        self._now = replace(self._now, **dict(zip(GLIDING, now, strict=True)), style=left["style"])
        self._prompter.place, self.refused = int(place), int(dropped)
        radius, canon, delay = map(float, left["stage"])
        self.cast.blocking.begin_at(marks, left["present"], radius, canon, delay)

    # ---- orders --------------------------------------------------------------------------------------------------

    def _freeze(self, value: Value) -> None:
        self._frozen = not self._frozen if value == "toggle" else bool(value)

    def _neutral(self, value: Value) -> None:
        self.goals.neutral = 1.0 - self.goals.neutral if value == "toggle" else float(value or 0.0)

    def _style(self, value: Value) -> None:
        self.goals.style = self.cast.style(str(value))

    def _intensity(self, value: Value) -> None:
        self.goals.intensity = float(value or 0.0)

    def _anticipation(self, value: Value) -> None:
        self.goals.lead = self.cast.lead if value is None else float(value) / 1000.0

    def _follow_beat(self, value: Value) -> None:
        if value != "off" and value not in self._conductors:
            raise Unusable(f"there is no {value} to follow")
        self._leader = str(value)
        if value == "off":
            self.cast.hand.conduct(None)

    def _mirror(self, value: Value) -> None:
        self.goals.mirror = 1.0 - self.goals.mirror if value == "toggle" else float(value or 0.0)

    def _temperature(self, value: Value) -> None:
        self.goals.temperature = self.cast.temperature if value is None else float(value)

    def _reset(self, value: Value) -> None:
        """The generator as at the beginning of a show; the bodies glide to what it dances."""
        self.cast.engine.reset()
        self.cast.generator.begin_again(self.cast.engine.ledger.ticks, None if value is None else int(float(value)))
        self._kick = 0.95

    # ---- gliding -------------------------------------------------------------------------------------------------

    def _glide(self, seconds: float) -> None:
        goals, now, cast = self.goals, self._now, self.cast
        if cast.engine.level > QUIET:
            self._quiet = 0.0
        elif not 0.0 < cast.engine.deaf < COASTING:
            self._quiet += seconds
        goals.idle = IDLE if self._quiet >= IDLE_AFTER else 0.0
        goals.held = 1.0 if self._frozen else 0.0
        for name in GLIDING:
            setattr(now, name, paced(name, getattr(now, name), getattr(goals, name), seconds))
        self._kick = paced("held", self._kick, 0.0, seconds)
        cast.generator.temperature = now.temperature
        cast.blocking.glide(seconds, cast.engine.beat.bpm)
        if now.lead != cast.engine.timing.lead:
            cast.engine.timing = replace(cast.engine.timing, lead=now.lead)
        if now.style is not goals.style:
            self._glide_style(seconds)
        mood = (now.intensity, max(now.neutral, now.idle), max(now.held, self._kick), now.mirror)
        if mood != tuple(cast.motion.mood):
            cast.motion.mood = type(cast.motion.mood)(*mood)

    def _glide_style(self, seconds: float) -> None:
        """Weights on a straight line to the new ones, all in the same time."""
        now, goals = self._now, self.goals
        left = float(np.abs(goals.style - now.style).max())
        share = PACE["style"][0] * seconds / max(left, 1e-9)
        now.style = goals.style if share >= 1.0 else now.style + np.float32(share) * (goals.style - now.style)
        self.cast.generator.style = np.tile(now.style, (self.cast.generator.dancers, 1))


def _no_file() -> None:
    raise Unusable("no show file was named: there is nothing to reload")


def _block(name: str) -> Callable[[Director, Value], None]:
    return lambda director, value: director.cast.blocking.ask(name, value)


ACTIONS: dict[str, Callable[[Director, Value], None]] = {
    "freeze": Director._freeze,
    "neutral": Director._neutral,
    "style": Director._style,
    "intensity": Director._intensity,
    "anticipation": Director._anticipation,
    "tempo/tap": lambda director, _: director.cast.hand.tap(),
    "tempo/nudge": lambda director, value: director.cast.hand.nudge(float(value or 0.0) / 1000.0),
    "tempo/double": lambda director, _: director.cast.hand.double(),
    "tempo/half": lambda director, _: director.cast.hand.half(),
    "tempo/downbeat": lambda director, _: director.cast.hand.downbeat(),
    "tempo/lock": lambda director, value: director.cast.hand.lock(None if value is None else float(value)),
    "tempo/follow": Director._follow_beat,
    "mirror": Director._mirror,
    "temperature": Director._temperature,
    "dancers": _block("dancing"),
    "formation": _block("formation"),
    "spacing": _block("spacing"),
    "canon": _block("canon"),
    "stage": _block("radius"),
    "cue": lambda director, name: director._prompter.call(name),
    "reset": Director._reset,
    "reload": lambda director, _: director.reload(),
}
