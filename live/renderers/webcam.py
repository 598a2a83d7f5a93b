"""The virtual camera, a process of its own: `python -m live.renderers.webcam RING SETTINGS`."""

from __future__ import annotations

import numpy as np
import pyvirtualcam
from numpy.typing import NDArray

from live.errors import Unusable
from live.look import Look
from live.renderers import _feed, _share


class Webcam:
    """A camera that others see."""

    def __init__(self, camera: pyvirtualcam.Camera) -> None:
        self._camera = camera

    def send(self, pixels: NDArray[np.uint8]) -> bool:
        self._camera.send(np.ascontiguousarray(pixels[..., 2::-1]))
        return True

    def close(self) -> None:
        self._camera.close()


def opened(look: Look, settings: _share.Settings) -> Webcam:
    """The camera `settings["device"]`, the first that is free where that is empty; `Unusable` where there is none."""
    try:
        device = settings["device"] or None
        return Webcam(pyvirtualcam.Camera(look.width, look.height, settings["fps"], device=device))
    except (RuntimeError, ValueError) as error:
        advice = "set up v4l2loopback (Linux) or OBS (macOS, Windows)"
        raise Unusable(f"no virtual camera ({error}): {advice}, or leave it out") from None


def main(ring_path: str, told: str) -> int:
    """Send pictures until the engine ends."""
    return _share.share(ring_path, told, opened)


if __name__ == "__main__":
    _feed.run(main)
