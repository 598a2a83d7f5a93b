"""The dance as an NDI source on the network, a process of its own: `python -m live.renderers.ndi RING SETTINGS`."""

from __future__ import annotations

import contextlib
import sys
from fractions import Fraction

import numpy as np
from cyndilib.audio_frame import AudioSendFrame
from cyndilib.sender import Sender
from cyndilib.video_frame import VideoSendFrame
from cyndilib.wrapper.ndi_structs import FourCC
from numpy.typing import NDArray

from live.errors import Unusable
from live.look import CLEAR, Look
from live.renderers import _feed, _share


class Source:
    """A sender that keeps no time of its own; the library encodes and sends in threads of its own."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def send(self, pixels: NDArray[np.uint8]) -> bool:
        return bool(self._sender.write_video_async(pixels.reshape(-1)))

    def close(self) -> None:
        self._sender.close()


def opened(look: Look, settings: _share.Settings) -> Source:
    """The source `settings["name"]`, with an alpha channel where the background is transparent; `Unusable` where it
    cannot be opened."""
    frame = VideoSendFrame()
    frame.set_resolution(look.width, look.height)
    frame.set_frame_rate(Fraction(settings["fps"], 1))
    frame.set_fourcc(FourCC.BGRA if look.background == CLEAR else FourCC.BGRX)
    sender = Sender(settings["name"], clock_video=False)
    sender.set_video_frame(frame)
    sender.set_audio_frame(AudioSendFrame())  # stays silent; without one the library crashes where it cannot open
    try:
        with contextlib.redirect_stdout(sys.stderr):  # the library prints what is wrong where the engine listens
            sender.open()
    except Exception:
        advice = "a sender of this machine may have that name; choose another"
        raise Unusable(f"NDI does not open '{settings['name']}': {advice}") from None
    return Source(sender)


def main(ring_path: str, told: str) -> int:
    """Send pictures until the engine ends."""
    return _share.share(ring_path, told, opened)


if __name__ == "__main__":
    _feed.run(main)
