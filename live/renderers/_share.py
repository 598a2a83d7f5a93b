"""Pictures of the dance for other programs: what virtual camera, NDI, Spout and Syphon have in common."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from live.errors import LiveError
from live.look import CLEAR, Look, Person
from live.renderers import _feed
from live.renderers._drawing import Drawing, drawing
from live.renderers._shapes import straight
from live.ring import engine_gone

GONE = 70
BEHIND = 0.1
"""Seconds of pictures that are made up for when the machine was busy; older ones are left out."""
Settings = dict[str, Any]


class Sink(Protocol):
    """Where pictures go."""

    def send(self, pixels: NDArray[np.uint8]) -> bool:
        """Hand on pixels [H, W, 4] (blue, green, red, alpha), waiting for nobody; whether they could be handed on.
        `RuntimeError` when it is gone for good."""

    def close(self) -> None:
        """Say goodbye to whoever receives."""


def share(ring_path: str, told: str, opened: Callable[[Look, Settings], Sink]) -> int:
    """Send a picture `fps` times a second until the engine ends, and tell how many; the exit status."""
    memory, look, settings = _feed.begin(ring_path, told)
    gone = engine_gone()
    try:
        person = None if settings["person"] is None else Person(**settings["person"])
        made = drawing(look, settings["dancers"], person)
        sink = opened(made.look, settings)
    except LiveError as error:
        return _feed.refused(error)
    feed = _feed.Feed(memory, settings["dancers"])
    _feed.say("ready")
    status, counts = 0, {"pictures": 0, "lost": 0}
    try:
        _serve(made, sink, feed, gone, settings, counts)
    except RuntimeError:
        status = GONE
    sink.close()
    _feed.say(json.dumps(counts))
    return status


def _serve(made: Drawing, sink: Sink, feed: _feed.Feed, gone: Any, settings: Settings, counts: dict[str, int]) -> None:
    due, pause = time.monotonic(), 1 / settings["fps"]
    unmultiplied = made.look.background == CLEAR and settings["alpha"] == "straight"
    while not gone.is_set():
        feed.fresh()
        if feed.begun:
            made.draws.draw(feed.record, pause, feed.presence)
        sent = sink.send(straight(made.pixels) if unmultiplied else made.pixels)
        counts["pictures" if sent else "lost"] += 1
        due = max(due + pause, time.monotonic() - BEHIND)
        time.sleep(max(0.0, due - time.monotonic()))
