"""Scenes, cues and the set list of a show file, as orders that the director can follow; checked whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from live.errors import Unusable
from live.orders import BY_NAME, Order, order, spoken

When = Literal["now", "beat", "bar"]
UNSCENIC = ("cue", "reload")
"""Orders that a scene cannot hold: they would run in circles."""


class Cue(NamedTuple):
    """Orders to be carried out together: at once, on the next beat or on the next bar."""

    orders: tuple[Order, ...]
    when: When = "now"


@dataclass(frozen=True)
class Script:
    """The cues by name, and the set list's order of them."""

    cues: Mapping[str, Cue] = field(default_factory=dict)
    setlist: tuple[str, ...] = ()


def make_script(
    scenes: Mapping[str, Mapping[str, Any]], cues: Mapping[str, tuple[str, When]], setlist: Sequence[str]
) -> Script:
    """Cues (scene, when) by name over scenes {order: value} by name; a scene is a cue too, run at once. `Unusable` in
    one line where a name or a value is wrong."""
    made = {name: Cue(_orders(name, values)) for name, values in scenes.items()}
    for name, (scene, when) in cues.items():
        if scene not in scenes:
            raise Unusable(f"cue '{name}' is of scene '{scene}': {_choose('scenes', list(scenes))}")
        made[name] = Cue(made[scene].orders, when)
    for name in setlist:
        if name not in made:
            raise Unusable(f"the set list names '{name}': {_choose('cues', list(made))}")
    return Script(made, tuple(setlist))


def _orders(scene: str, values: Mapping[str, Any]) -> tuple[Order, ...]:
    found = []
    for name, value in values.items():
        if name not in BY_NAME or name in UNSCENIC:
            valid = ", ".join(spec for spec in BY_NAME if spec not in UNSCENIC)
            raise Unusable(f"scene '{scene}': '{name}' is no order; orders are {valid}")
        try:
            one = order(BY_NAME[name], [] if value == "auto" else [value])
        except ValueError as error:
            raise Unusable(f"scene '{scene}': {name} {error}, not {value!r}") from None
        found += [one] if one is not None else []
    return tuple(found)


def check_keys(keys: Mapping[str, str]) -> list[Order]:
    """The keys' orders; `Unusable` in one line where a key is not one character or its order makes no sense."""
    orders = []
    for key, text in keys.items():
        if len(key) != 1:
            raise Unusable(f"key '{key}': a key is one character")
        try:
            orders.append(spoken(text))
        except ValueError as error:
            raise Unusable(f"key '{key}': {error}") from None
    return orders


def check_cue(who: str, one: Order, script: Script) -> None:
    """`Unusable` where the order runs a cue that is not there."""
    if one.name == "cue" and one.value != "next" and one.value not in script.cues:
        raise Unusable(f"{who} runs cue '{one.value}': {_choose('cues', list(script.cues))}")


def _choose(what: str, names: Sequence[str]) -> str:
    return f"there are the {what} {', '.join(names)}" if names else f"the show file has no {what}"
