"""A mido back end without hardware: `MIDO_BACKEND=fake_midi`. Ports are files in the folder `FAKE_MIDI`; a message is a
line of hexadecimal bytes, played by whoever appends it. Deleting the file unplugs the port.

In this process, `ports` can be set instead and messages given to `opened[-1].play(message)`.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import mido

ports: list[str] = []
opened: list[Input] = []


def get_devices(**_):
    names = [*ports, *(path.name for path in sorted(folder().iterdir()))] if folder() else ports
    return [{"name": name, "is_input": True, "is_output": False} for name in names]


def folder():
    return Path(os.environ["FAKE_MIDI"]) if "FAKE_MIDI" in os.environ else None


class Input:
    def __init__(self, name, callback=None, **_):
        if name not in [device["name"] for device in get_devices()]:
            raise OSError(f"unknown port {name}")
        self.name, self.callback, self.closed = name, callback, threading.Event()
        opened.append(self)
        if folder() and (folder() / name).exists():
            threading.Thread(target=self._follow, daemon=True).start()

    def play(self, message):
        self.callback(message)

    def _follow(self):
        with (folder() / self.name).open() as lines:
            while not self.closed.wait(0.005):
                for line in lines:
                    self.play(mido.Message.from_bytes(bytes.fromhex(line)))

    def close(self):
        self.closed.set()
