"""The filming of a show, a process of its own: `python -m live.renderers.film RING SETTINGS`.

Takes every pose, and the sound; picture k shows the pose that is meant to be seen k pictures after the first one.
When it falls behind it leaves out every second picture, then more, and catches up after the show.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.errors import LiveError
from live.look import Look
from live.renderers import _feed
from live.renderers._encoder import Film
from live.renderers._painter import Painter
from live.ring import HEADER, Ring, engine_gone
from live.sound import BLOCK, Track
from live.take import record_dtype
from live.types import SAMPLE_RATE

POLL = 0.02
"""Seconds between two looks at the memory."""
BEHIND = ((1800, 8), (600, 4), (120, 2))
"""Poses that wait, and of how many pictures only one is then drawn."""
NICENESS = 10
LATEST = 2.0
"""Seconds for which the film waits for sound: players want both at hand, and so does a film that is cut off."""
EPSILON = 1e-3
"""Of a picture, by which a pose may come early and still count as on time."""


class Cutter:
    """Poses and sound on one time line, which begins with the first pose."""

    def __init__(self, film: Film, look: Look, dancers: int, fps: int) -> None:
        self._film, self._fps = film, fps
        self._pixels = np.zeros((look.height, look.width, 4), np.uint8)
        self._painter = Painter(look, dancers, self._pixels)
        self._track: Track | None = None
        self._began = 0.0
        self._next = 0
        self.pictures = 0

    def pose(self, record: np.void, every: int = 1) -> None:
        """Draw it, if its time has come for a picture; of `every` pictures one."""
        if self._track is None:
            self._began = float(record["play_time"])
            self._track = Track(self._began)
        index = int((float(record["play_time"]) - self._began) * self._fps + EPSILON)
        if index < self._next or (every > 1 and index % every):
            return
        self._painter.draw(record, max(index - self._next + 1, 1) / self._fps)
        self._film.picture(self._pixels, index)
        self._next = index + 1
        self.pictures += 1
        if record["play_time"] - self._began - self._track.written / SAMPLE_RATE > LATEST:
            self._film.sound(self._track.silence(float(record["play_time"]) - LATEST / 2))

    def sound(self, block: np.void) -> None:
        """Sound from before the first pose is left out, and so is what comes when there is none yet."""
        if self._track is not None:
            self._film.sound(self._track.placed(float(block["captured"]), block["samples"][: int(block["count"])]))


def main(ring_path: str, told: str) -> int:
    """Film until the engine ends and everything is drawn."""
    memory, look, settings = _feed.begin(ring_path, told, NICENESS)
    gone = engine_gone()
    try:
        sound = Ring(Path(settings["sound"]))
        sound.unlink()
        film = Film(Path(settings["path"]), look, settings["fps"], sound=True)
    except LiveError as error:
        return _feed.refused(error)
    cutter = Cutter(film, look, settings["dancers"], settings["fps"])
    _feed.say("ready")
    try:
        _serve(cutter, memory, sound, gone, settings)
        film.close()
    except (LiveError, OSError) as error:
        _feed.say(json.dumps({"error": str(error)}))
        return errno.EIO
    _feed.say(json.dumps({"pictures": cutter.pictures}))
    return 0


def _serve(cutter: Cutter, memory: Ring, sound: Ring, gone: Any, settings: dict[str, Any]) -> None:
    dtype, ended = record_dtype(settings["dancers"]), False
    while not ended:
        ended = gone.wait(POLL)  # read before draining, so that the last round sees everything
        for record in _drained(memory, dtype):
            waiting = memory.written - memory.drained
            hurry = settings["hurry"] and not gone.is_set()
            cutter.pose(record, next((every for most, every in BEHIND if hurry and waiting > most), 1))
            for block in _drained(sound, BLOCK):
                cutter.sound(block)


def _drained(memory: Ring, dtype: np.dtype[Any]) -> Iterator[np.void]:
    """One at a time, so that each is counted as read when it is done with."""
    slots: NDArray[np.void] = np.frombuffer(memory.memory, dtype, memory.slots, HEADER)
    while memory.drained < memory.written:
        yield slots[memory.drained % memory.slots]
        memory.advance()


if __name__ == "__main__":
    _feed.run(main)
