"""A MIDI input, by its name or a part of it: notes, CCs and programs give orders as the show file's `[midi_map]` says,
and its clock is a beat that can be followed.

Messages are stamped with the time in the driver's own thread, a few microseconds each, and read by the loop between
poses. A thread of its own looks once a second whether the port is still there, and opens it anew when it comes back.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from live.control._midi_clock import MidiClock
from live.errors import MissingExtra, NoDevice
from live.knobs import Desk, Trigger, read_knobs
from live.orders import Order
from live.quiet import quiet_stderr
from live.types import BeatState

MOST = 2048
"""Messages that may wait; DIN MIDI carries about a thousand a second."""
LOOK = 1.0
"""Seconds between looks at the ports."""
FIELDS = {
    "note_on": ("note", "note", "velocity"),
    "control_change": ("cc", "control", "value"),
    "program_change": ("program", "program", ""),
}
"""Kind of trigger, and the message's fields for its number and value; a program has no value and is struck."""
CLOCK: dict[str, Callable[[MidiClock], None]] = {
    "start": MidiClock.start,
    "continue": MidiClock.go_on,
    "stop": MidiClock.stop,
}


class Came(NamedTuple):
    """A message, and the host time at which it came."""

    time: float
    message: Any


def open_control(argument: str) -> MidiControl:
    """The port; `NoDevice` with the ports that there are where it is not one of them."""
    return MidiControl(argument)


class MidiControl:
    """A `live.contracts.Control` and `live.contracts.Conductor`."""

    def __init__(self, wanted: str, look: float = LOOK) -> None:
        self.name, self.dropped = f"midi {wanted}", 0
        self._wanted, self._look = wanted, look
        self._desk, self._clock = Desk({}), MidiClock()
        self._waiting: deque[Came] = deque(maxlen=MOST)
        self._lines: deque[str] = deque(maxlen=16)
        self._mido = load_mido()
        self._port: Any = self._opened(find(port_names(self._mido), wanted))
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._watched, daemon=True, name="midi ports")
        self._watch.start()

    def map(self, written: Mapping[str, str]) -> None:
        """What knobs, pads and programs are for from now on."""
        self._desk = Desk(read_knobs(written))

    def read(self, limit: int) -> list[Order]:
        """Orders of at most `limit` knobs, pads and programs; all pulses that came before them are heard."""
        orders: list[Order] = []
        while self._waiting and len(orders) < limit:
            moved = self._heard(self._waiting.popleft())
            orders += [moved] if moved is not None else []
        return orders

    def _heard(self, came: Came) -> Order | None:
        message = came.message
        if message.type == "clock":
            self._clock.pulse(came.time)
        elif message.type == "songpos":
            self._clock.place(message.pos)
        elif message.type in CLOCK:
            CLOCK[message.type](self._clock)
        elif (moved := trigger_of(message)) is not None:
            return self._desk.order(*moved)
        return None

    def beat_at(self, at: float, heard: BeatState) -> BeatState | None:
        """The clock's beat at host time `at`, if it is running and its beats are known."""
        return self._clock.beat_at(at)

    def recoveries(self) -> list[str]:
        return [self._lines.popleft() for _ in range(len(self._lines))]

    def close(self) -> None:
        self._closing.set()
        self._watch.join(timeout=2.0)
        self._let_go()

    # ---- other threads -------------------------------------------------------------------------------------------

    def _take(self, message: Any) -> None:
        """In the driver's thread."""
        if len(self._waiting) == MOST:
            self.dropped += 1
        self._waiting.append(Came(time.monotonic(), message))

    def _opened(self, name: str) -> Any:
        with quiet_stderr():
            return self._mido.open_input(name, callback=self._take)

    def _watched(self) -> None:
        lost_at = 0.0
        while not self._closing.wait(self._look):
            try:
                names = port_names(self._mido)
                if self._port is not None and self._port.name not in names:
                    self._let_go()
                    lost_at = time.monotonic()
                    self._lines.append(f"{self.name} is gone; looking for it again")
                elif self._port is None and any(self._wanted.lower() in name.lower() for name in names):
                    self._port = self._opened(find(names, self._wanted))
                    self._lines.append(f"{self.name} is back after {time.monotonic() - lost_at:.0f} s")
            except Exception:  # a driver in between; the next look will see
                continue

    def _let_go(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            try:
                port.close()
            except Exception:  # it went away by itself
                return


def load_mido() -> Any:
    """mido with its driver; `MissingExtra` where one is not installed."""
    try:
        import mido

        mido.backend.load()
    except ImportError as error:
        raise MissingExtra(error.name or "mido", "midi", "MIDI") from None
    return mido


def port_names(mido: Any) -> list[str]:
    """Inputs that there are; none where the system has no MIDI."""
    try:
        with quiet_stderr():
            return list(dict.fromkeys(mido.get_input_names()))
    except Exception:  # each driver has errors of its own
        return []


def find(names: list[str], wanted: str) -> str:
    """The port named so, else the first whose name holds `wanted`; `NoDevice` names those that there are."""
    if wanted in names:
        return wanted
    for name in names:
        if wanted.lower() in name.lower():
            return name
    there = f"there are {', '.join(names)}" if names else "there is none; plug one in"
    raise NoDevice(f"no MIDI input is called '{wanted}': {there}")


def trigger_of(message: Any) -> tuple[Trigger, int] | None:
    """What a message says was moved, and to where (0 to 127)."""
    if message.type not in FIELDS:
        return None
    kind, number, value = FIELDS[message.type]
    return Trigger(kind, getattr(message, number), message.channel + 1), getattr(message, value) if value else 127
