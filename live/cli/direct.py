"""What gives a show its orders, and who tells others about it: controls, the director, the OSCQuery process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from live import describe
from live.contracts import Control, Output, load_plugin
from live.describe import Address
from live.director import Cast, Director
from live.errors import Unusable
from live.orders import TABLE, Kind
from live.show import Show

CONTROL = "127.0.0.1:9011"
"""Where orders are heard unless the show says otherwise."""
TYPES: dict[Kind, str] = {"switch": "i", "press": "", "number": "f", "automatic": "f", "text": "s", "count": "i"}


def make_director(cast: Cast, controls: Sequence[Control], show: Show) -> Director:
    """The show's director; styles that its scenes name are looked up now, in the model at hand."""
    script = show.script()
    for name, cue in script.cues.items():
        for one in (one for one in cue.orders if one.name == "style"):
            try:
                cast.style(str(one.value))
            except Unusable as error:
                raise Unusable(f"cue '{name}': {error}") from None
    return Director(cast, controls, script)


@contextlib.contextmanager
def open_controls(show: Show, paced: bool, say: Callable[[str], None]) -> Iterator[list[Control]]:
    """The port for orders and, where there is a terminal, its keys. A port that was not asked for may be taken."""
    controls: list[Control] = []
    with contextlib.ExitStack() as stack:
        if show.control not in (None, "off") or (show.control is None and paced):
            try:
                where = ",".join([show.control or CONTROL, *show.control_from])
                controls.append(load_plugin("live.control", "osc", "control").open_control(where))
            except Unusable as error:
                if show.control is not None:
                    raise
                say(f"no orders over OSC: {error}")
        if paced:
            with contextlib.suppress(Unusable):
                keyboard = load_plugin("live.control", "keyboard", "control").open_control("")
                keyboard.map(show.keys)
                controls.append(keyboard)
        for control in controls:
            stack.callback(control.close)
        yield controls


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
