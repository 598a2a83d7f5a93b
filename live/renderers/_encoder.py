"""Pictures and sound into a film (PyAV). Encoding runs in a thread: libav lets go of the interpreter while it works."""

from __future__ import annotations

import queue
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter
from numpy.typing import NDArray

from live.errors import Failed, Unusable
from live.look import CLEAR, Look
from live.renderers._shapes import straight
from live.types import SAMPLE_RATE, Float32

VIDEO = ("libx264", "h264_videotoolbox", "h264_mf", "libopenh264", "mpeg4")
"""Encoders, the best first; the last is in every build."""
SMOOTH = "aq-mode=1:no-deblock=0:deblock=0,0"
"""Given back to x264's fastest preset: without them the dark wall shows bands."""
OPTIONS = {"libx264": {"preset": "ultrafast", "crf": "20", "bf": "0", "g": "60", "x264-params": SMOOTH}}
"""No picture waits for a later one, which would shift them against the sound; a fragment each 60 pictures."""
FRAGMENTS = {"movflags": "hybrid_fragmented", "use_editlist": "1", "flush_packets": "1"}
"""Readable while it is written, an ordinary file in the end; the edit list takes the AAC encoder's 21 ms lead away."""
WAITING = 4
"""Pictures that may wait for the encoder."""
MUSIC_BITS = 192_000


class Film:
    """A film file; `picture` and `sound` may come in any order, `close` makes it whole.

    An .mp4 that is cut off (a killed process, a full disk) can be played up to its last fragment.
    """

    def __init__(self, path: Path, look: Look, fps: int, sound: bool) -> None:
        """`Unusable` where the file cannot be written or nothing can encode it."""
        self._path, self._clear = path, look.background == CLEAR
        layout = {} if path.suffix.lower() == ".mov" else FRAGMENTS
        try:
            self._file = av.open(str(path), "w", container_options=layout)
            self._video = _video(self._file, look, fps)
            self._audio = self._file.add_stream("aac", SAMPLE_RATE, layout="mono") if sound else None
        except (OSError, av.FFmpegError, ValueError) as error:
            raise Unusable(f"film '{path}' cannot be written: {_words(error)}") from None
        if self._audio is not None:
            self._audio.bit_rate = MUSIC_BITS
        self._tick = Fraction(1, fps)
        self._rest: Float32 = np.zeros(0, np.float32)
        self._heard = 0
        self._error = ""
        self._work: queue.Queue[Any] = queue.Queue(WAITING)
        self._free: queue.SimpleQueue[_Sheet] = queue.SimpleQueue()
        for _ in range(WAITING + 2):  # those that wait, the one that is encoded and the one that is written
            self._free.put(_sheet(look, self._tick))
        self._reformatter = VideoReformatter()
        self._thread = threading.Thread(target=self._encode, name="film", daemon=True)
        self._thread.start()

    def picture(self, pixels: NDArray[np.uint8], index: int) -> None:
        """Picture number `index`, pixels [H, W, 4] (blue, green, red, alpha), which may be drawn over afterwards."""
        sheet = self._free.get()
        sheet.pixels[:] = straight(pixels) if self._clear else pixels
        sheet.frame.pts = index
        self._put(sheet)

    def sound(self, samples: Float32) -> None:
        """The next samples [n] at 48 kHz, mono; the first is heard with picture 0."""
        if self._audio is None:
            return
        waiting = np.concatenate([self._rest, samples])
        size = self._audio.codec_context.frame_size or 1024
        whole = len(waiting) // size * size
        for first in range(0, whole, size):
            self._put(self._samples(waiting[first : first + size]))
        self._rest = waiting[whole:]

    def close(self) -> None:
        """Finish the file. `Failed` where that, or anything before, went wrong."""
        if len(self._rest):
            self._put(self._samples(self._rest))
        self._put(None)
        self._thread.join()
        try:
            self._file.close()
        except (OSError, av.FFmpegError) as error:
            self._error = self._error or _words(error)
        if self._error:
            raise Failed(f"film '{self._path}': {self._error}")

    def _samples(self, samples: Float32) -> av.AudioFrame:
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1.0, 1.0)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, self._heard, Fraction(1, SAMPLE_RATE)
        self._heard += len(samples)
        return frame

    def _put(self, work: Any) -> None:
        if self._error:
            raise Failed(f"film '{self._path}': {self._error}")
        self._work.put(work)

    def _encode(self) -> None:
        while (work := self._work.get()) is not None:
            if not self._error:
                self._try(work)
            if isinstance(work, _Sheet):
                self._free.put(work)
        for stream in (self._video, self._audio):
            if stream is not None and not self._error:
                self._try(None, stream)

    def _try(self, work: Any, stream: Any = None) -> None:
        stream = stream or (self._audio if isinstance(work, av.AudioFrame) else self._video)
        try:
            if isinstance(work, _Sheet):
                work = self._converted(work.frame)
            self._file.mux(stream.encode(work))
        except (OSError, av.FFmpegError) as error:
            self._error = _words(error)

    def _converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        """In the encoder's pixels, by the matrix that players take HD for."""
        made = self._reformatter.reformat(frame, format=self._video.pix_fmt, dst_colorspace=Colorspace.ITU709)
        made.pts, made.time_base = frame.pts, frame.time_base
        return made


class _Sheet(NamedTuple):
    """A frame whose memory is `pixels` [H, W, 4]; used again and again, as fresh memory costs more than to fill it."""

    frame: av.VideoFrame
    pixels: NDArray[np.uint8]


def _sheet(look: Look, tick: Fraction) -> _Sheet:
    pixels = np.zeros((look.height, look.width, 4), np.uint8)
    frame = av.VideoFrame.from_numpy_buffer(pixels, format="bgra")
    frame.time_base = tick
    return _Sheet(frame, pixels)


def _video(file: Any, look: Look, fps: int) -> Any:
    if look.background == CLEAR:
        stream = file.add_stream("prores_ks", rate=fps, options={"profile": "4444"})
        stream.pix_fmt = "yuva444p10le"
    else:
        there = [name for name in VIDEO if name in av.codecs_available]
        if not there:
            raise ValueError(f"this PyAV has none of {', '.join(VIDEO)}: install av from PyPI")
        stream = file.add_stream(there[0], rate=fps, options=OPTIONS.get(there[0], {}))
        stream.pix_fmt = "yuv420p"
    stream.width, stream.height = look.width, look.height
    stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = (
        1  # BT.709
    )
    stream.codec_context.time_base = Fraction(1, fps)
    return stream


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
