"""The dance as a Spout sender (Windows), a process of its own: `python -m live.renderers.spout RING SETTINGS`."""

from __future__ import annotations

import numpy as np
import SpoutGL
from numpy.typing import NDArray
from SpoutGL.enums import GL_BGRA_EXT

from live.errors import Unusable
from live.look import Look
from live.renderers import _feed, _share


class Texture:
    """A texture of the graphics card that other programs of this machine read."""

    def __init__(self, sender: SpoutGL.SpoutSender, name: str) -> None:
        self._sender, self._name = sender, name

    def send(self, pixels: NDArray[np.uint8]) -> bool:
        height, width = pixels.shape[:2]
        if not self._sender.sendImage(pixels, width, height, GL_BGRA_EXT, False, 0):
            return False
        self._sender.setFrameSync(self._name)  # wakes those who wait for it
        return True

    def close(self) -> None:
        self._sender.releaseSender()


def opened(look: Look, settings: _share.Settings) -> Texture:
    """The sender `settings["name"]`; `Unusable` where the graphics card shares nothing."""
    sender = SpoutGL.SpoutSender()
    sender.setSenderName(settings["name"])
    texture = Texture(sender, settings["name"])
    if not texture.send(np.zeros((look.height, look.width, 4), np.uint8)):
        raise Unusable("Spout cannot share a texture here: update the graphics driver, or leave it out")
    return texture


def main(ring_path: str, told: str) -> int:
    """Send pictures until the engine ends."""
    return _share.share(ring_path, told, opened)


if __name__ == "__main__":
    _feed.run(main)
