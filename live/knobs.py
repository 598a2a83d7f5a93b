"""What a MIDI controller's knobs, pads and programs are for: `"cc 21" = "intensity"` as a show file writes it.

Triggers are `note N`, `cc N` and `program N`, of any channel or, with `channel 1` to `16` after them, of that one. A
note or a program that comes gives its order. So does a CC that rises to 64 or more; but an order that takes a value and
is written without one follows a CC as a knob: a number over its whole range, or over the two numbers after its name
(`"stage 1 3"`), a switch on from 64.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from live.orders import BY_NAME, Order, Spec, order, spoken

WRITTEN = re.compile(r"(note|cc|program) (\d{1,3})(?: channel (\d{1,3}))?", re.ASCII)
HIGHEST = 127
ON = 64
"""The value from which a CC is a pressed button."""
EXAMPLE = 'write for example "cc 21", "note 36" or "program 3 channel 10"'


class Trigger(NamedTuple):
    """What was moved or struck. Channels count from 1; 0 is any."""

    kind: str
    number: int
    channel: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.number}" + (f" channel {self.channel}" if self.channel else "")


class Press(NamedTuple):
    """A button's order."""

    order: Order


class Turn(NamedTuple):
    """A knob's order; its ends may lie the wrong way round."""

    spec: Spec
    begin: float
    end: float


Knobs = Mapping[Trigger, Press | Turn]


def read_knobs(written: Mapping[str, str]) -> Knobs:
    """A show file's `[midi_map]`; `ValueError` in one line on the first thing that makes no sense."""
    found: dict[Trigger, Press | Turn] = {}
    for key, text in written.items():
        trigger = read_trigger(key)
        if trigger in found:
            raise ValueError(f"'{key}' is there twice")
        try:
            found[trigger] = read_action(trigger, text)
        except ValueError as error:
            raise ValueError(f"'{key}': {error}") from None
    return found


def read_trigger(text: str) -> Trigger:
    """`KIND NUMBER [channel NUMBER]`; `ValueError` says how to write it."""
    written = WRITTEN.fullmatch(" ".join(text.lower().split()))
    if written is None:
        raise ValueError(f"'{text}' is no knob, pad or program: {EXAMPLE}")
    kind, number, channel = written[1], int(written[2]), int(written[3] or 0)
    if written[3] is not None and not 1 <= channel <= 16:
        raise ValueError(f"'{text}': channels are 1 to 16")
    if number > HIGHEST:
        raise ValueError(f"'{text}': {kind} is 0 to {HIGHEST}")
    return Trigger(kind, number, channel)


def read_action(trigger: Trigger, text: str) -> Press | Turn:
    """What `text` asks of the trigger; `ValueError` says what is wrong."""
    name, *rest = text.split() or [""]
    spec = BY_NAME.get(name)
    if spec is None or trigger.kind != "cc" or spec.kind not in ("switch", "number", "automatic") or len(rest) == 1:
        return Press(spoken(text))
    if not rest:
        return Turn(spec, spec.lowest, spec.highest)
    try:
        begin, end = (float(word) for word in rest)
    except ValueError:
        raise ValueError(f"'{text}': write {name}, or {name} and the values at both ends") from None
    for value in (begin, end):
        order(spec, [value])  # raises where it is out of range
    return Turn(spec, begin, end)


class Desk:
    """Which orders messages give; knows which buttons are down."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self._down: set[Trigger] = set()

    def order(self, moved: Trigger, value: int) -> Order | None:
        """The order of a knob moved to, or a pad struck with, `value` (0 to 127), if it has one."""
        trigger = moved if moved in self.knobs else moved._replace(channel=0)
        action = self.knobs.get(trigger)
        if isinstance(action, Press):
            return action.order if self._pressed(moved, value) else None
        if action is None:
            return None
        if action.spec.kind == "switch":
            return Order(action.spec.name, float((value >= ON) == (action.end >= action.begin)))
        return Order(action.spec.name, action.begin + value / HIGHEST * (action.end - action.begin))

    def _pressed(self, moved: Trigger, value: int) -> bool:
        """Of a CC, only the way down counts."""
        if moved.kind != "cc":
            return value > 0
        was_down = moved in self._down
        (self._down.add if value >= ON else self._down.discard)(moved)
        return value >= ON and not was_down
