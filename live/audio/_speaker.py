"""Playing through a speaker while knowing when each sample sounds, as far as PortAudio knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.audio._portaudio import find, load_pyaudio, outputs, portaudio
from live.errors import Failed
from live.quiet import quiet_stderr
from live.types import SAMPLE_RATE, Float32, Float64

BLOCK = 256
POLL = 0.05
"""Seconds between two looks whether to go on."""


def check(wanted: str) -> None:
    """Raises `NoDevice` or `MissingExtra` unless there is an output called `wanted` (see `find`)."""
    with portaudio() as api:
        find(outputs(api), wanted, "output")


def play(wanted: str, samples: Float32, stopped: Callable[[], bool]) -> Callable[[NDArray[np.int64]], Float64]:
    """Play `samples` [n] at 48 kHz until they end or `stopped` says so; gives the host time of sample numbers.

    Times are a straight line through what PortAudio told with each block: when it will leave the converter.
    """
    pyaudio, blocks = load_pyaudio(), list[tuple[int, float]]()

    def more(_in: Any, count: int, when: Mapping[str, float], _status: int) -> tuple[bytes, int]:
        at = blocks[-1][0] + count if blocks else 0
        blocks.append((at, time.monotonic() + when["output_buffer_dac_time"] - when["current_time"]))
        block = samples[at : at + count]
        return block.tobytes(), pyaudio.paContinue if len(block) == count else pyaudio.paComplete

    with portaudio() as api:
        index = find(outputs(api), wanted, "output")
        try:
            with quiet_stderr():
                stream = api.open(format=pyaudio.paFloat32, channels=1, rate=SAMPLE_RATE, output=True,
                                  output_device_index=index, frames_per_buffer=BLOCK, stream_callback=more)  # fmt: skip
        except (OSError, ValueError) as error:
            raise Failed(f"the audio output {wanted!r} does not open: {error}") from None
        while stream.is_active() and not stopped():
            time.sleep(POLL)
        stream.close()
    return _line(np.array(blocks[len(blocks) // 10 :], np.float64))


def _line(blocks: Float64) -> Callable[[NDArray[np.int64]], Float64]:
    """Through (sample number, host time) [n, 2]."""
    if len(blocks) < 2:
        raise Failed("the audio output took no sound")
    middle = blocks.mean(0)
    slope = float(np.polyfit(blocks[:, 0] - middle[0], blocks[:, 1] - middle[1], 1)[0])
    return lambda numbers: np.asarray(middle[1] + slope * (numbers - middle[0]), np.float64)
