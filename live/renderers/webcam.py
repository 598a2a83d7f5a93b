"""The virtual camera, a process of its own: `python -m live.renderers.webcam RING SETTINGS`."""

from __future__ import annotations

import time

import numpy as np
import pyvirtualcam

from live.errors import Unusable
from live.look import Look
from live.renderers import _feed
from live.renderers._painter import Painter
from live.ring import engine_gone

GONE = 70


def opened(look: Look, device: str, fps: int) -> pyvirtualcam.Camera:
    """The camera that others see; `Unusable` where there is none."""
    try:
        return pyvirtualcam.Camera(look.width, look.height, fps, device=device or None)
    except (RuntimeError, ValueError) as error:
        advice = "set up v4l2loopback (Linux) or OBS (macOS, Windows)"
        raise Unusable(f"no virtual camera ({error}): {advice}, or leave it out") from None


def main(ring_path: str, told: str) -> int:
    """Send a picture `fps` times a second until the engine ends."""
    memory, look, settings = _feed.begin(ring_path, told)
    gone = engine_gone()
    try:
        camera = opened(look, settings["device"], settings["fps"])
    except Unusable as error:
        return _feed.refused(error)
    pixels = np.zeros((look.height, look.width, 4), np.uint8)
    painter, feed = Painter(look, settings["dancers"], pixels), _feed.Feed(memory, settings["dancers"])
    _feed.say("ready")
    due = time.monotonic()
    with camera:
        while not gone.is_set():
            feed.fresh()
            if feed.begun:
                painter.draw(feed.record, 1 / settings["fps"], feed.presence)
            try:
                camera.send(np.ascontiguousarray(pixels[..., 2::-1]))
            except RuntimeError:
                return GONE
            due = max(due + 1 / settings["fps"], time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))
    return 0


if __name__ == "__main__":
    _feed.run(main)
