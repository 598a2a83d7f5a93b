"""The show file read again while the show goes on, by a process that stands by, so that no tick waits for it.

Run as `python -m live.reload FILE OPTIONS`, with the command line's options as JSON; for each line on standard input it
answers with a line: the whole show as JSON, or the one line that says what is wrong. It ends when standard input does.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from live.errors import Unusable
from live.orders import Order
from live.show import Show, make_show, read_show

PATIENCE = 20.0
"""Seconds after which the reader is given up."""
HANDS = {
    "style", "intensity", "mirror", "anticipation", "temperature", "follow", "seed", "output", "stage", "scene", "cue",
    "setlist", "keys", "midi_map",
}  # fmt: skip
"""Keys that are taken over; a change of any other needs a restart."""


class Reader:
    """`ask` for the file, then `look` until it gives a show, or raises `Unusable` with what is wrong; neither waits."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self._path, self._text = path, b""
        self._until = math.inf
        self._process = subprocess.Popen(
            [sys.executable, "-m", "live.reload", str(path), json.dumps(dict(options))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        os.set_blocking(self._out.fileno(), False)

    def ask(self) -> None:
        """Have the file read; not again before it was."""
        self._until = time.monotonic() + PATIENCE
        try:
            os.write(self._in.fileno(), b"\n")
        except OSError:
            self._give_up()

    def look(self) -> Show | None:
        """The show, once it is read."""
        if time.monotonic() > self._until:
            self._give_up()
        with suppress(BlockingIOError):
            part = os.read(self._out.fileno(), 1 << 20)
            self._text += part
            if not part:
                self._give_up()
        if not self._text.endswith(b"\n"):
            return None
        answer, self._text, self._until = json.loads(self._text), b"", math.inf
        if "fault" in answer:
            raise Unusable(answer["fault"])
        return Show.model_validate(answer["show"])

    def _give_up(self) -> NoReturn:
        raise Unusable(f"{self._path}: could not be read again")

    def close(self) -> None:
        with suppress(OSError):
            self._in.close()
        self._process.kill()
        self._process.wait()
        self._out.close()


def taken_over(before: Show, after: Show) -> tuple[list[Order], list[str], list[str]]:
    """The orders that lead from one show to the other, the keys that changed and are taken over, and those that need a
    restart. What the performer has changed since stays, where the file did not change it."""
    orders = [one for old, one in zip(before.orders(), after.orders(), strict=True) if one != old]
    changed = [name for name in Show.model_fields if getattr(before, name) != getattr(after, name)]
    taken = [name for name in changed if name in HANDS]
    restart = [name for name in changed if name not in HANDS]
    if after.leaders() > before.leaders():
        restart.append("follow")
    if before.stage.entrance != after.stage.entrance:
        restart.append("stage.entrance")
    return orders, taken, restart


def main(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The answer about the file at `path` under these options."""
    try:
        return {"show": make_show(read_show(path) | options, "options").model_dump(mode="json")}
    except Unusable as error:
        return {"fault": str(error)}


if __name__ == "__main__":
    for name in ("SIGINT", "SIGHUP"):  # these are for the show
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(10)
    for _ in sys.stdin:
        print(json.dumps(main(Path(sys.argv[1]), json.loads(sys.argv[2]))), flush=True)
