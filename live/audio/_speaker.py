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

BLOCK = 2048
"""Samples handed over at a time: late sound does no harm here, gaps do."""
NEAR = 12
"""Blocks on both sides whose times are looked at together: half a second."""
POLL = 0.05
"""Seconds between two looks whether to go on."""


def check(wanted: str) -> None:
    """Raises `NoDevice` or `MissingExtra` unless there is an output called `wanted` (see `find`)."""
    with portaudio() as api:
        find(outputs(api), wanted, "output")


def play(wanted: str, samples: Float32, stopped: Callable[[], bool]) -> Callable[[NDArray[np.int64]], Float64]:
    """Play `samples` [n] at 48 kHz until they end or `stopped` says so; gives the host time of sample numbers.

    PortAudio tells with each block when it will leave the converter; what it says jitters, so the median of a second
    counts, which follows after a gap.
    """
    pyaudio, blocks = load_pyaudio(), list[tuple[int, float]]()

    def more(_in: Any, count: int, when: Mapping[str, float], _status: int) -> tuple[bytes, int]:
        at = blocks[-1][0] + count if blocks else 0
        blocks.append((at, time.monotonic() + when["output_buffer_dac_time"] - when["current_time"]))
        block = samples[at : at + count]
        return block.tobytes(), pyaudio.paContinue if len(block) == count else pyaudio.paComplete

    with portaudio() as api:
        index = find(outputs(api), wanted, "output")
        with quiet_stderr():
            try:
                stream = api.open(format=pyaudio.paFloat32, channels=1, rate=SAMPLE_RATE, output=True,
                                  output_device_index=index, frames_per_buffer=BLOCK, stream_callback=more)  # fmt: skip
            except (OSError, ValueError) as error:
                raise Failed(f"the audio output {wanted!r} does not open: {error}") from None
            while stream.is_active() and not stopped():
                time.sleep(POLL)
            stream.close()
    return _times(np.array(blocks, np.float64))


def _times(blocks: Float64) -> Callable[[NDArray[np.int64]], Float64]:
    """By (sample number, host time) [n, 2] of blocks."""
    if len(blocks) < 2:
        raise Failed("the audio output took no sound")
    began = blocks[:, 1] - blocks[:, 0] / SAMPLE_RATE
    smooth = [float(np.median(began[max(0, n - NEAR) : n + NEAR + 1])) for n in range(len(began))]
    return lambda numbers: np.asarray(np.interp(numbers, blocks[:, 0], smooth) + numbers / SAMPLE_RATE)
