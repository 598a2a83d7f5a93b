"""The show file read again while the show goes on, by a process of its own, so that no tick waits for it.

Run as `python -m live.reload FILE`, with the command line's options as JSON on standard input; it answers with the
whole show as JSON, or with the one line that says what is wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from live.errors import Unusable
from live.orders import Order
from live.show import Show, make_show, read_show

PATIENCE = 20.0
"""Seconds after which the reader is given up."""
HANDS = {
    "style", "intensity", "mirror", "anticipation", "temperature", "follow", "seed", "stage", "scene", "cue", "setlist",
    "keys", "midi_map",
}  # fmt: skip
"""Keys that are taken over; a change of any other needs a restart."""


class Reader:
    """Reads one file once: `look` until it gives a show, or raises `Unusable` with what is wrong. Nothing waits."""

    def __init__(self, path: Path, options: Mapping[str, Any]) -> None:
        self._path, self._text = path, b""
        self._until = time.monotonic() + PATIENCE
        self._process = subprocess.Popen(
            [sys.executable, "-m", "live.reload", str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.write(json.dumps(dict(options)).encode())  # far less than a pipe holds
            self._process.stdin.close()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._out, False)

    def look(self) -> Show | None:
        """The show, once it is read."""
        with suppress(BlockingIOError):
            while part := os.read(self._out, 1 << 16):
                self._text += part
        if self._process.poll() is None:
            if time.monotonic() > self._until:
                self.close()
                raise Unusable(f"{self._path}: could not be read within {PATIENCE:g} s")
            return None
        self.close()
        try:
            answer = json.loads(self._text)
        except ValueError:
            raise Unusable(f"{self._path}: could not be read again") from None
        if "fault" in answer:
            raise Unusable(answer["fault"])
        return Show.model_validate(answer["show"])

    def close(self) -> None:
        with suppress(OSError):
            self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


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
    if hasattr(os, "nice"):
        os.nice(10)
    print(json.dumps(main(Path(sys.argv[1]), json.load(sys.stdin))))
