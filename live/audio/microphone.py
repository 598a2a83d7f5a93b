"""`--input microphone[:NAME]`: a real input device, captured by a thread of its own and found again if it vanishes."""

from __future__ import annotations

import math
import queue
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from live.audio._convert import Converter
from live.audio._portaudio import AudioDevice, find, inputs, opened, portaudio
from live.clock import Clock, SampleClock
from live.contracts import AudioSource
from live.samples import SampleRing
from live.types import HOP, SAMPLE_RATE, AudioBlock


@dataclass(frozen=True)
class MicrophoneConfig:
    """How to capture."""

    block: int = 256
    """Frames read at a time, at 48 kHz."""
    ring: float = 5.0
    """Seconds of sound that wait for the loop before the oldest are lost."""
    retry: float = 0.5
    """Seconds between two looks for a device that is gone."""
    lost: float = 0.020
    """Seconds of sound that must be missing to be noticed as lost."""
    hang: float = 1.0
    """Seconds without any sound after which the device is reported."""
    give_up: float = 3.0
    """Seconds without any sound after which it is opened anew, by another thread: a driver's read may never return."""


def open_source(argument: str, clock: Clock) -> AudioSource:
    """The input called `argument` (see `find`), or the default one; raises `NoDevice` and `MissingExtra`."""
    with portaudio() as api:
        find(inputs(api), argument)
    return Microphone(argument, clock)


def list_devices() -> list[AudioDevice]:
    """All inputs of now; raises `MissingExtra` without PyAudio."""
    with portaudio() as api:
        return list(inputs(api).values())


class Microphone:
    """An `AudioSource`. Sample numbers keep counting host time: what never came leaves a hole of whole frames."""

    def __init__(self, wanted: str, clock: Clock, config: MicrophoneConfig | None = None) -> None:
        self._config = config or MicrophoneConfig()
        self.name = f"microphone:{wanted}" if wanted else "microphone"
        self.latency = self._config.block / SAMPLE_RATE
        self._wanted = wanted
        self._clock = clock
        self._ring = SampleRing(int(self._config.ring * SAMPLE_RATE), grid=HOP)
        self._time = SampleClock(SAMPLE_RATE)
        self._captured = 0.0  # samples at 48 kHz that the device has delivered or should have
        self._losses = LossMeter(self._config.lost)
        self._overflows = 0
        self._capturing = False
        self._heard = math.inf  # when the last samples came
        self._lost_at = math.inf  # when the device went away
        self._told: set[str] = set()
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._turn = 0  # of the thread that captures; one whose turn is over writes nothing any more
        self._thread = self._capturer()

    def start(self) -> None:
        self._thread.start()

    def _capturer(self) -> threading.Thread:
        return threading.Thread(target=self._run, args=(self._turn,), name="microphone", daemon=True)

    # ---- called by the loop -------------------------------------------------------------------------------------

    def read_available(self) -> AudioBlock:
        silent = self._clock.now() - self._heard if self._capturing else 0.0
        if silent > self._config.hang:
            self._tell("hang", f"{self.name} is open but sends no sound: check that it is not suspended or muted")
        if silent > self._config.give_up:
            self._open_anew()
        return self._ring.read()

    def _open_anew(self) -> None:
        """Leave a thread that hangs in its driver alone, and capture in another."""
        self._turn += 1
        self._note_loss(OSError("its driver hangs"))
        self._thread = self._capturer()
        self._thread.start()

    def capture_time(self, sample: int) -> float:
        if self._time.locked:
            return self._time.time_of(sample)
        return self._clock.now() + (sample - self._ring.written) / SAMPLE_RATE

    @property
    def finished(self) -> bool:
        return self._stop.is_set()

    @property
    def overflows(self) -> int:
        return self._overflows + self._ring.overflows

    def recoveries(self) -> list[str]:
        return [self._lines.get() for _ in range(self._lines.qsize())]

    def close(self) -> None:
        """Stop capturing. A device that hangs for `hang` seconds is left to its daemon thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._config.hang)

    # ---- the capturing thread -----------------------------------------------------------------------------------

    def _run(self, turn: int) -> None:
        while self._is_on(turn):
            try:
                self._capture(turn)
            except Exception as error:  # whatever a driver does, the show goes on and the user is told
                if turn == self._turn:
                    self._note_loss(error)
                self._stop.wait(self._config.retry)

    def _is_on(self, turn: int) -> bool:
        return turn == self._turn and not self._stop.is_set()

    def _capture(self, turn: int) -> None:
        """Find, open and read the device until it fails, another thread's turn begins or `close` is called."""
        with portaudio() as api:
            devices = inputs(api)
            index = find(devices, self._wanted)
            with opened(api, index, devices[index], self._config.block) as (stream, rate, channels):
                converter = Converter(rate, _quality(rate))
                self.latency = float(stream.get_input_latency()) + converter.delay
                frames = max(self._config.block * rate // SAMPLE_RATE, 1)
                while self._is_on(turn):
                    data = _read(stream, frames)
                    if turn == self._turn:
                        self._take(data, converter, rate, channels)

    def _take(self, data: bytes, converter: Converter, rate: int, channels: int) -> None:
        """What was read into the ring."""
        now = self._clock.now()
        block = np.frombuffer(data, np.float32).reshape(-1, channels)
        if not self._capturing:
            self._note_return(now, len(block) * SAMPLE_RATE / rate)
        self._heard = now
        self._told.discard("hang")
        self._captured += len(block) * SAMPLE_RATE / rate
        self._ring.write(converter.convert(block))
        self._account(now)
        if converter.damaged:
            self._tell("damage", f"{self.name} sends samples that are not numbers: heard as silence")

    def _account(self, now: float) -> None:
        """Observe the time; where samples were lost, jump to the number that belongs to `now`."""
        if self._time.locked:
            missing = self._losses.observe(now - self._time.time_of(self._captured), now)
            if missing > 0.0:
                self._overflows += 1
                self._leave_out(missing * SAMPLE_RATE)
                advice = "close other programs, or raise the block size"
                self._tell("overflow", f"{self.name} lost {missing * 1e3:.0f} ms of sound: {advice}")
        self._time.observe(self._captured, now)

    def _leave_out(self, samples: float) -> None:
        """A hole of `samples` in the numbering."""
        whole = int(samples)
        self._captured += whole
        self._ring.skip_to(self._ring.written + whole)

    # ---- telling ------------------------------------------------------------------------------------------------

    def _note_loss(self, error: Exception) -> None:
        now = self._clock.now()
        if self._capturing:
            self._lines.put(f"{self.name} lost: {_one_line(error)}; looking for it again")
            self._lost_at = self._heard
        elif math.isinf(self._lost_at):
            self._lines.put(f"{self.name} does not open: {_one_line(error)}; trying again")
            self._lost_at = now
        self._capturing = False

    def _note_return(self, now: float, arrived: float) -> None:
        """Carry the numbering on over the time without a device; `arrived` samples have just come."""
        if math.isfinite(self._lost_at):
            self._lines.put(f"{self.name} is back after {now - self._lost_at:.1f} s")
            self._lost_at = math.inf
        if self._time.locked:
            # What the resampler of the lost stream still held is gone too.
            pending = self._captured - self._ring.written
            missing = max(self._time.sample_at(now) - arrived - self._captured, 0.0)
            self._captured += int(missing)
            self._ring.skip_to(self._ring.written + int(missing + pending))
        self._losses = LossMeter(self._config.lost)
        self._capturing = True

    def _tell(self, kind: str, line: str) -> None:
        """Once a kind."""
        if kind not in self._told:
            self._told.add(kind)
            self._lines.put(line)


class LossMeter:
    """Tells lost samples from late reads: late reads are followed by timely ones, a loss stays.

    The stream lags by more than `least` seconds in every read of `window` seconds only if samples are missing.
    """

    def __init__(self, least: float, window: float = 0.25) -> None:
        self._least = least
        self._window = window
        self._since = math.inf
        self._smallest = math.inf

    def observe(self, lag: float, now: float) -> float:
        """Seconds of sound now known to be lost, mostly 0; `lag` is how late a read came by the smoothed clock."""
        if lag < self._least:
            self._since = self._smallest = math.inf
            return 0.0
        self._since, self._smallest = min(self._since, now), min(self._smallest, lag)
        if now - self._since < self._window:
            return 0.0
        lost, self._since, self._smallest = self._smallest, math.inf, math.inf
        return lost


def _read(stream: Any, frames: int) -> bytes:
    """Wait for `frames`, and take what came with them: left in the device, the clock would take it for later sound."""
    # With exception_on_overflow PyAudio closes the stream at an overflow; the clock tells losses.
    data: bytes = stream.read(frames, exception_on_overflow=False)
    more = stream.get_read_available()  # negative: an error, which the next read meets as well
    return data + stream.read(more, exception_on_overflow=False) if more > 0 else data


def _quality(rate: int) -> str:
    # Measured in blocks of 256: LQ adds 0.5 ms at 44.1 kHz but 10 to 60 ms at other rates, QQ 0.02 to 0.25 ms at all.
    return "LQ" if rate == 44_100 else "QQ"


def _one_line(error: Exception) -> str:
    reason = error.strerror if isinstance(error, OSError) else None  # without PortAudio's number
    return " ".join(str(reason or error).split()) or type(error).__name__
