"""What a performer can ask of a running show, as one table; OSC, keyboard, scenes and OSCQuery all read it.

An order is the address `/live/NAME` with at most one value. What it does is in `live.director`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple, NoReturn

Kind = Literal["switch", "press", "number", "automatic", "text", "count"]


class Spec(NamedTuple):
    """switch: 0, 1 (left out) or "toggle"; press: no value, and 0 is a button let go; number; automatic: a number, or
    none for automatic; text, one of `choices` where there are any; count: a whole number, or none for the one in use.
    Bounds are inclusive."""

    name: str
    kind: Kind
    lowest: float
    highest: float
    meaning: str
    choices: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"/live/{self.name}"


LEADERS = ("link", "midi", "off")
FORMATIONS = ("line", "circle")

TABLE: tuple[Spec, ...] = (
    Spec("freeze", "switch", 0, 1, "panic: stop in this very pose"),
    Spec("neutral", "switch", 0, 1, "panic: stand at ease"),
    Spec("style", "text", 0, 0, "NAME[=WEIGHT],... of the model"),
    Spec("intensity", "number", 0, 2, "how large the movement is; 1 as the model dances, 0 standing still"),
    Spec("anticipation", "automatic", -1000, 1000, "ms by which the beat is met early; no value: automatic"),
    Spec("tempo/tap", "press", 0, 0, "a beat is now"),
    Spec("tempo/nudge", "number", -1000, 1000, "beats later by so many ms; earlier if negative"),
    Spec("tempo/double", "press", 0, 0, "twice as fast"),
    Spec("tempo/half", "press", 0, 0, "half as fast"),
    Spec("tempo/downbeat", "press", 0, 0, "this is beat one"),
    Spec("tempo/lock", "automatic", 20, 400, "keep to this BPM; no value: follow the music again"),
    Spec("tempo/follow", "text", 0, 0, "whose beat leads: of Ableton Link, MIDI clock, or the music", LEADERS),
    Spec("temperature", "automatic", 0, 2, "how freely the model varies; no value: its own"),
    Spec("mirror", "switch", 0, 1, "left and right change places"),
    Spec("dancers", "count", 0, 64, "so many of the show's dancers dance, the others stand; no value: all"),
    Spec("formation", "text", 0, 0, "where the dancers' marks are", FORMATIONS),
    Spec("spacing", "number", 0, 20, "metres between neighbouring marks"),
    Spec("canon", "automatic", 0, 16, "all dance the first one's dance, each so many beats later; no value: their own"),
    Spec("stage", "number", 0.2, 50, "metres that a dancer may go from the mark"),
    Spec("cue", "text", 0, 0, "run a cue of the show file; `next` goes on in its set list"),
    Spec("reset", "count", 0, 2**31 - 1, "begin the dance anew, with this seed where one is given"),
    Spec("reload", "press", 0, 0, "read the show file again and take over what changed"),
)
BY_NAME = {spec.name: spec for spec in TABLE}
BY_ADDRESS = {spec.address: spec for spec in TABLE}
LONGEST_TEXT = 200

Value = float | str | None


class Order(NamedTuple):
    """A checked order: `value` lies within its `Spec`."""

    name: str
    value: Value = None


def order(spec: Spec, values: Sequence[object]) -> Order | None:
    """The order for `spec` with these values, None where there is nothing to do; `ValueError` in a few words."""
    if len(values) > 1:
        raise ValueError("takes at most one value")
    value = values[0] if values else None
    if spec.kind == "text":
        return Order(spec.name, _text(value, spec.choices))
    if spec.kind == "switch" and value == "toggle":
        return Order(spec.name, "toggle")
    if value is None:
        if spec.kind == "number":
            _refuse("a value")
        return Order(spec.name, 1.0 if spec.kind == "switch" else None)
    if isinstance(value, bool):
        value = float(value)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        _refuse("a number")
    if spec.kind == "press":
        return Order(spec.name) if value else None
    if not spec.lowest <= value <= spec.highest or (spec.kind in ("switch", "count") and value != int(value)):
        _refuse(f"{spec.lowest:g} to {spec.highest:g}")
    return Order(spec.name, float(value))


def _text(value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not value.isprintable():
        raise ValueError("needs a text")
    if choices and value not in choices:
        raise ValueError(f"needs one of {', '.join(choices)}")
    return value


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"needs {what}")


def spoken(text: str) -> Order:
    """`NAME [VALUE]` as in the keys of a show file; `ValueError` says what is wrong."""
    name, _, argument = text.strip().partition(" ")
    if (spec := BY_NAME.get(name)) is None:
        raise ValueError(f"'{name}' is no order; orders are {', '.join(BY_NAME)}")
    try:
        found = order(spec, [] if not argument else [argument if spec.kind == "text" else _number(argument)])
    except ValueError as error:
        raise ValueError(f"'{text}': {name} {error}") from None
    return found or Order(name)


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text
