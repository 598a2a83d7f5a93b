"""Orders by single keys in the terminal: `KEY=ORDER` as the show file's `[keys]` says, over the keys below."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from live.errors import Unusable
from live.orders import Order, spoken

KEYS: dict[str, str] = {
    "f": "freeze toggle",
    "n": "neutral toggle",
    "t": "tempo/tap",
    "1": "tempo/downbeat",
    "d": "tempo/double",
    "h": "tempo/half",
    "l": "tempo/lock",
    ",": "tempo/nudge -10",
    ".": "tempo/nudge 10",
    "-": "intensity 0.5",
    "=": "intensity 1",
    "+": "intensity 1.5",
    " ": "cue next",
    "r": "reset",
    "R": "reload",
    "m": "mirror toggle",
}


def open_control(argument: str) -> KeyboardControl:
    """The terminal that standard input is; `Unusable` where it is none."""
    if not sys.stdin or not sys.stdin.isatty() or not _in_front():
        raise Unusable("keyboard: standard input is not a terminal of ours")
    return KeyboardControl(KEYS)


class KeyboardControl:
    """A `live.contracts.Control`. Unknown keys are ignored, since fingers slip."""

    name = "keyboard"

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.dropped = 0
        self.keys = {key: spoken(text) for key, text in keys.items()}
        self._pressed, self._leave = _terminal()

    def map(self, keys: Mapping[str, str]) -> None:
        """Give these keys their orders, and all others the usual ones."""
        self.keys = {key: spoken(text) for key, text in (KEYS | dict(keys)).items()}

    def read(self, limit: int) -> list[Order]:
        return [self.keys[key] for key in self._pressed(limit) if key in self.keys]

    def recoveries(self) -> list[str]:
        return []

    def close(self) -> None:
        self._leave()


def _in_front() -> bool:
    """False in the background of a shell, where touching the terminal would stop the whole process, and where the
    terminal is another session's."""
    if sys.platform == "win32":
        return True
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False


def _terminal() -> tuple[Callable[[int], str], Callable[[], None]]:
    """A function that gives the keys pressed since the last call, at most so many, and one that undoes the set-up."""
    if sys.platform == "win32":
        import msvcrt

        console: Any = msvcrt
        return lambda limit: "".join(console.getwch() for _ in range(limit) if console.kbhit()), lambda: None
    import select
    import termios
    import tty

    source = sys.stdin.fileno()
    before = termios.tcgetattr(source)
    tty.setcbreak(source)

    def pressed(limit: int) -> str:
        with contextlib.suppress(OSError):
            if _in_front() and select.select([source], [], [], 0)[0]:
                return os.read(source, limit).decode(errors="replace")
        return ""

    return pressed, lambda: termios.tcsetattr(source, termios.TCSADRAIN, before)
