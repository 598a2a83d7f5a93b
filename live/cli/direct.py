"""What gives a show its orders, and who tells others about it: controls, the director, the OSCQuery process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from live import describe
from live.contracts import Conductor, Control, Output, load_plugin
from live.describe import Address
from live.director import Cast, Director
from live.errors import Unusable
from live.orders import TABLE, Kind
from live.show import Show, Stage

CONTROL = "127.0.0.1:9011"
"""Where orders are heard unless the show says otherwise."""
TYPES: dict[Kind, str] = {"switch": "i", "press": "", "number": "f", "automatic": "f", "text": "s", "count": "i"}


@dataclass(frozen=True)
class Controls:
    """Everything that gives orders or leads the beat. `keyboard` and `midi` can be given other orders."""

    all: Sequence[Control]
    conductors: Mapping[str, Conductor]
    keyboard: Any = None
    midi: Any = None

    def map(self, show: Show) -> None:
        """What keys and knobs are for from now on."""
        if self.keyboard is not None:
            self.keyboard.map(show.keys)
        if self.midi is not None:
            self.midi.map(show.midi_map)


def make_director(cast: Cast, controls: Controls, show: Show) -> Director:
    """The show's director, who has carried out its keys."""
    check_styles(cast, show)
    director = Director(cast, controls.all, show.script(), controls.conductors)
    begun = Show(style=show.style, anticipation=show.anticipation, temperature=show.temperature, seed=show.seed)
    begun = begun.model_copy(update={"stage": Stage(radius=show.stage.radius)})
    asked = [one for plain, one in zip(begun.orders(), show.orders(), strict=True) if plain != one]
    director.begin([one for one in asked if one.name != "tempo/follow" or one.value in controls.conductors])
    return director


def check_styles(cast: Cast, show: Show) -> None:
    """`Unusable` where the show names a style that the model at hand does not have."""
    for who, style in show.styles():
        try:
            cast.style(style)
        except Unusable as error:
            raise Unusable(f"{who}: {error}") from None


@contextlib.contextmanager
def open_controls(show: Show, paced: bool, say: Callable[[str], None]) -> Iterator[Controls]:
    """The port for orders and, where the show goes at the clock's pace, the terminal's keys, MIDI and Link. A port that
    was not asked for may be taken."""
    with contextlib.ExitStack() as stack:

        def opened(name: str, argument: str) -> Any:
            control = load_plugin("live.control", name, "control").open_control(argument)
            stack.callback(control.close)
            return control

        osc = keyboard = midi = link = None
        if show.control not in (None, "off") or (show.control is None and paced):
            try:
                osc = opened("osc", ",".join([show.control or CONTROL, *show.control_from]))
            except Unusable as error:
                if show.control is not None:
                    raise
                say(f"no orders over OSC: {error}")
        if paced:
            with contextlib.suppress(Unusable):
                keyboard = opened("keyboard", "")
            midi = opened("midi", show.midi) if show.midi is not None else None
            link = opened("link", "") if "link" in show.leaders() else None
        leaders = {"midi": midi, "link": link}
        found = Controls(
            [control for control in (osc, keyboard, midi, link) if control is not None],
            {name: leader for name, leader in leaders.items() if leader is not None}, keyboard, midi,
        )  # fmt: skip
        found.map(show)
        yield found


@contextlib.contextmanager
def described(show: Show, outputs: Sequence[Output], controls: Sequence[Control]) -> Iterator[None]:
    """The OSCQuery process while the show goes on, where it is asked for; `Unusable` where it cannot serve."""
    if show.oscquery == "off":
        yield
        return
    host, _, port = show.oscquery.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise Unusable(f"oscquery '{show.oscquery}': write a port such as 9012, HOST:PORT for other machines, or off")
    command = [sys.executable, "-m", "live.describe", host.strip("[]") or "127.0.0.1", port]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None and child.stdout is not None
    try:
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(json.dumps(_told(outputs, controls)) + "\n")
            child.stdin.flush()
        if (answer := child.stdout.readline().strip()) != "ok":
            raise Unusable(f"oscquery '{show.oscquery}' cannot be served: {answer}: choose another port, or off")
        yield
    finally:
        with contextlib.suppress(OSError):
            child.stdin.close()
        try:
            child.wait(2.0)
        except subprocess.TimeoutExpired:
            child.kill()
        child.stdout.close()


def _told(outputs: Sequence[Output], controls: Sequence[Control]) -> list[describe.Node]:
    """Namespace and host."""
    sent = [Address(path, types, describe.SENT) for output in outputs for path, types in output.addresses.items()]
    heard = [Address(spec.address, TYPES[spec.kind], describe.HEARD, spec.meaning, spec.lowest, spec.highest)
             for spec in TABLE]  # fmt: skip
    ports = [control for control in controls if control.name.startswith("osc ")]
    host, _, port = ports[0].name.removeprefix("osc ").rpartition(":") if ports else ("", "", "0")
    return [describe.namespace([*sent, *(heard if ports else [])]), describe.host_info("live", host, int(port))]
