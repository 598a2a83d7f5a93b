"""The dance as a Syphon server (macOS), a process of its own: `python -m live.renderers.syphon RING SETTINGS`."""

from __future__ import annotations

from typing import Any

import Metal
import numpy as np
import syphon
from numpy.typing import NDArray
from syphon.utils.numpy import copy_image_to_mtl_texture
from syphon.utils.raw import create_mtl_texture

from live.errors import Unusable
from live.look import Look
from live.renderers import _feed, _share

ANSWERING = 0.001
"""Seconds after each picture in which programs that ask who is there are answered."""


class Server:
    """A texture of the graphics card that other programs of this machine read."""

    def __init__(self, server: syphon.SyphonMetalServer, texture: Any) -> None:
        self._server, self._texture = server, texture
        self._directory = syphon.SyphonServerDirectory()
        self._directory.run_loop_interval = ANSWERING

    def send(self, pixels: NDArray[np.uint8]) -> bool:
        copy_image_to_mtl_texture(pixels, self._texture)
        self._server.publish_frame_texture(self._texture, is_flipped=True)
        self._directory.update_run_loop()
        return True

    def close(self) -> None:
        self._server.stop()


def opened(look: Look, settings: _share.Settings) -> Server:
    """The server `settings["name"]`; `Unusable` where there is no Metal."""
    try:
        server = syphon.SyphonMetalServer(settings["name"])
    except RuntimeError as error:
        raise Unusable(f"Syphon cannot share here ({error}): leave it out") from None
    pixels = create_mtl_texture(server.device, look.width, look.height, Metal.MTLPixelFormatBGRA8Unorm)
    return Server(server, pixels)


def main(ring_path: str, told: str) -> int:
    """Send pictures until the engine ends."""
    return _share.share(ring_path, told, opened)


if __name__ == "__main__":
    _feed.run(main)
