"""What each room promises to the others. A plug-in is one new module in its folder, found by its name.

The public method checks or counts, the private hook (`_send`, `_open`) acts.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from live.errors import Unusable
from live.orders import Order
from live.placement import AS_IT_IS, Placement
from live.types import AudioBlock, BeatState, FeatureFrame, Float32, Inputs, Pose, Signals, Snapshot, State

FEATURE_NAMES: tuple[str, ...] = (
    "loudness", "onset_envelope", "onset", "pitch", "voicing", "centroid",
    *(f"mfcc_{i}" for i in range(1, 13)),
    *(f"chroma_{i}" for i in range(1, 13)),
    "beat_sin", "beat_cos", "bar_sin", "bar_cos", "tempo",
)  # fmt: skip
"""The pinned order of the 35 features; what each means is in `live/features/extractor.py`."""


class AudioSource(Protocol):
    """Mono float32 at 48 kHz, read without ever blocking.

    Construction is cheap and checks what can be checked (a missing file raises `Unusable`); `start` begins capture;
    opening a device happens in a thread of the source's own. Every method may be called from the loop's thread.
    """

    name: str
    latency: float
    """Declared seconds from sound to `read_available`, beyond the sample clock."""

    def start(self) -> None: ...

    def read_available(self) -> AudioBlock:
        """Everything captured since the last call (possibly nothing); never waits."""
        ...

    def capture_time(self, sample: int) -> float:
        """Host time at which sample number `sample` was (or will be) captured, from the smoothed sample clock."""
        ...

    @property
    def finished(self) -> bool:
        """True when no more samples will ever come."""
        ...

    @property
    def overflows(self) -> int:
        """How often samples were lost so far."""
        ...

    def recoveries(self) -> list[str]:
        """What was survived since the last call, one line each."""
        ...

    def close(self) -> None: ...


class BeatTracker(Protocol):
    """Hears audio in order, tells the beat of now. Results do not depend on how the audio was cut into blocks."""

    latency: float
    """Declared seconds by which a beat is known late, already taken out of the reported phase."""

    def hear(self, samples: Float32) -> None:
        """Take the next samples [n] at 48 kHz."""
        ...

    def now(self) -> BeatState:
        """The beat at the end of the last sample heard."""
        ...

    def snapshot(self) -> Snapshot:
        """What the tracker knows, as named arrays of its own."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from where `snapshot` was taken, whatever was heard since."""
        ...


class SignalSource(Protocol):
    """Hears audio in order, tells what else is in the music. Results do not depend on how the audio was cut."""

    def hear(self, samples: Float32) -> None:
        """Take the next samples [n] at 48 kHz."""
        ...

    def now(self) -> Signals:
        """The signals at the end of the last whole frame heard."""
        ...


class FeatureSource(Protocol):
    """Audio in, `FeatureFrame`s out."""

    latency: float

    def push(self, samples: Float32) -> list[FeatureFrame]:
        """Frames that became complete with these samples [n]."""
        ...

    def pooled(self, frames: list[Float32]) -> Float32:
        """One generator input [35] from the frames of a tick (at least one)."""
        ...

    def with_beat(self, values: Float32, beat: BeatState) -> Float32:
        """A copy of `values` [35] that tells of `beat` instead; anticipation acts through this alone."""
        ...

    def silent_values(self) -> Float32:
        """The 35 values of silence with no beat known."""
        ...

    def rehearse(self) -> None:
        """Do a frame's work on nothing and forget it, so that the next frame finds the processor's caches warm."""
        ...


LOSE, HANG = "LIVE_FRAIL_GPU", "hang"
"""For drills, an environment variable with the path of a file: once that is there, the backend `frail` removes it and
its next step fails; after a time without an answer, where this is what the file says."""


class Backend(ABC):
    """One incremental step of the generator on some device. State is a value: in and out."""

    name: str
    device: str
    any_batch = False
    """Whether `step` also takes fewer dancers than it was opened for."""

    @abstractmethod
    def step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        """Raw poses [dancers, poses_per_tick, channels] and the next state, which may lie on the device until read.

        `inputs`: features [dancers, 35], noise [dancers, latent], dropout [dancers, poses * channels],
        style [dancers, styles]; shapes are those of the model's card.
        """

    def copied(self, state: State) -> Callable[[], State | None]:
        """Begin to copy a state to the host, without waiting; what is returned gives the copy once it is there."""
        return lambda: state

    def recoveries(self) -> list[str]:
        """What was survived since the last call, one line each."""
        return []

    @abstractmethod
    def close(self) -> None: ...


@dataclass(slots=True)
class OutputStats:
    """Counted per output: datagrams or records handed over, and those that could not be."""

    sent: int = 0
    errors: int = 0
    last_error: str = ""


class Output(ABC):
    """Somewhere that poses go. `open` may raise `Unusable`; `send` and `close` never raise and never wait."""

    latency: float = 0.0
    """Declared seconds from `send` to the pose being seen."""
    picture = False
    """Whether it is only looked at: such an output gets fewer poses where the loop cannot keep up."""
    apart = False
    """Whether a process of its own does the work, which may go on with another engine: see `join`."""
    memory: Path | None = None
    """Set before `open` or `join`: a name under which what is handed over is found by engines in other processes."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.stats = OutputStats()
        self.placement: Placement = AS_IT_IS
        self._slot = -1.0
        self._encoded = False

    @property
    def told(self) -> str:
        """The URI without what is secret in it, for reports and those who watch."""
        return re.sub(r"([?&]token=)[^&]*", r"\1...", self.uri)

    @property
    def addresses(self) -> Mapping[str, str]:
        """OSC addresses sent while open, with their type tags."""
        return {}

    @abstractmethod
    def open(self, dancers: int, paced: bool) -> None:
        """Take hold of sockets and files. Not `paced` (`--fast`): a recorder may wait, to lose nothing."""

    def join(self, dancers: int) -> None:
        """Hand over to what was opened, and is kept open, in another process under the same `memory`; where nothing
        lives apart, simply open."""
        self.open(dancers, True)

    def revive(self) -> str:
        """In the process that opened it: begin again what has failed; a line where there was something."""
        return ""

    def hear(self, samples: Float32, captured: float) -> None:  # noqa: B027
        """Sound [n] that was captured from host time `captured` on. An output that keeps it says so by `hears`."""

    hears = False

    def watch(self, status: Mapping[str, Any]) -> None:  # noqa: B027
        """How the show is going, several times a second, as `live.cli.telemetry` tells it. An output that wants to know
        says so by `watches`."""

    watches = False

    notice = ""
    """What its user should know once it is open, such as where it can be seen."""
    closing = ""
    """What it is doing while `close` takes long."""

    def send(self, pose: Pose) -> None:
        """Hand one pose over; what fails is counted, never raised."""
        self.encode(pose)
        self.transmit()

    def encode(self, pose: Pose) -> None:
        """First half of `send`, timed apart by the engine. A pose beyond the output's rate is left out."""
        self._encoded = False
        try:
            if (slot := self.placement.slot(pose.show_time)) == self._slot and self.placement.rate:
                return
            self._slot = slot
            self._encode(self.placement.placed(pose))
            self._encoded = True
        except Exception as error:
            self.failed(error)

    def transmit(self) -> None:
        """Second half of `send`."""
        if not self._encoded:
            return
        try:
            self._transmit()
        except Exception as error:
            self.failed(error)

    def failed(self, error: Exception) -> None:
        self.stats.errors += 1
        self.stats.last_error = str(error)

    def alive(self) -> bool:
        """Whether anybody can still see what is sent, as far as is known."""
        return True

    @abstractmethod
    def _encode(self, pose: Pose) -> None: ...

    @abstractmethod
    def _transmit(self) -> None: ...

    @abstractmethod
    def close(self) -> None:
        """Say goodbye in the output's own protocol and let go of everything. Safe to call twice."""


class PoseStream(Protocol):
    """Poses that another machine sends. Opening it takes hold of its ports and may raise `Unusable`."""

    @property
    def sockets(self) -> list[Any]:
        """To wait for, until there is something to read."""
        ...

    @property
    def dropped(self) -> int:
        """Datagrams and messages so far that were not understood."""
        ...

    def read(self) -> bool:
        """Take what has come, without waiting; whether that makes a new pose of all dancers."""
        ...

    def pose(self, sequence: int, now: float, began: float) -> Pose:
        """The newest, to be seen at host time `now` of a show that began at `began`."""
        ...

    def close(self) -> None: ...


class Control(Protocol):
    """A way of giving orders to a running show. Construction takes hold of it and may raise `Unusable`."""

    name: str
    dropped: int
    """How much was malformed, unknown or from elsewhere so far."""

    def read(self, limit: int) -> list[Order]:
        """Orders that are there, of at most `limit` datagrams, keys or messages; never waits."""
        ...

    def recoveries(self) -> list[str]:
        """What was survived since the last call, one line each."""
        ...

    def close(self) -> None: ...


class Conductor(Protocol):
    """A beat from outside that can be followed in place of the tracker's."""

    def beat_at(self, at: float, heard: BeatState) -> BeatState | None:
        """Its beat at host time `at`; None while it gives none. `heard` is the beat danced to now."""
        ...


def plugin_names(package: str) -> list[str]:
    """Names of the plug-in modules in `package`, without importing them."""
    path = importlib.import_module(package).__path__
    return sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_"))


def load_plugin(package: str, name: str, what: str) -> ModuleType:
    """Import plug-in `name` of `package`; an unknown one raises `Unusable` with the list of valid names."""
    if name not in (names := plugin_names(package)):
        raise Unusable(f"unknown {what} '{name}': choose one of {', '.join(names)}")
    return importlib.import_module(f"{package}.{name}")
