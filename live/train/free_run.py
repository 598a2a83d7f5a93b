"""A model dancing by itself: the stage's own engine, director and bodies, the clock running as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from live import channels, rotation, skeleton
from live.audio._paced import PacedSource
from live.audio._reel import Reel
from live.blocking import Blocking
from live.clock import VirtualClock
from live.contracts import BeatTracker, Output
from live.director import Cast, Director
from live.engine import Engine, Timing
from live.features.extractor import Extractor
from live.hand import Hand
from live.motion.body import Motion
from live.types import FRAME_RATE, SAMPLE_RATE, BeatState, Float32, Float64, Pose, Snapshot, State


class Danced(NamedTuple):
    """One dancer's world joints [T, 22, 3], pose k at k / 60 s: as the network gives them (`raw`), and as they are sent
    (`wire`)."""

    raw: Float32
    wire: Float32


class Witness(Output):
    """Keeps the dancers' joints."""

    def __init__(self) -> None:
        super().__init__("witness:")
        self.joints: list[Float32] = []

    def open(self, dancers: int, paced: bool) -> None: ...

    def _encode(self, pose: Pose) -> None:
        self.joints.append(pose.joint_positions.copy())

    def _transmit(self) -> None: ...

    def close(self) -> None: ...


class Overheard:
    """A generator whose raw poses are kept."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self.poses_per_tick, self.dancers = generator.poses_per_tick, generator.dancers
        self.raw: list[Float32] = []

    @property
    def metre(self) -> int:
        return int(self._generator.metre)

    def initial_state(self) -> State:
        state: State = self._generator.initial_state()
        return state

    def step(self, features: Float32, tick: int, state: State) -> tuple[Float32, State]:
        raw, following = self._generator.step(features, tick, state)
        self.raw.append(raw.copy())
        return raw, following


class Told:
    """A beat tracker that is told the true beats (s)."""

    latency = 0.0

    def __init__(self, beats: Float64) -> None:
        self._beats, self._heard = beats, 0

    def hear(self, samples: Float32) -> None:
        self._heard += len(samples)

    def now(self) -> BeatState:
        return true_beat(self._beats, self._heard / SAMPLE_RATE)

    def snapshot(self) -> Snapshot:
        return {"heard": np.array(self._heard)}

    def restore(self, snapshot: Snapshot) -> None:
        self._heard = int(snapshot["heard"])


def perform(
    generator: Any, tracker: BeatTracker, songs: Sequence[Float32], each_minute: Callable[[], None] = lambda: None
) -> tuple[Float32, Float32]:
    """All dancers, from the neutral stance, anticipation automatic: raw channels [dancers, T, 138] and joints sent
    [dancers, T, 22, 3]."""
    card, clock, seen, heard = generator.card, VirtualClock(), Witness(), Overheard(generator)
    source, hand, motion = PacedSource("songs", Reel(songs), clock), Hand(tracker), Motion()
    blocking = Blocking(motion, generator.dancers)
    timing = Timing(-card.accent_offset, tempo_range=tuple(card.tempo_range))
    engine = Engine(source, Extractor(hand), heard, motion, [seen], clock, timing)
    cast = Cast(engine, hand, motion, generator, lambda _: generator.style[0], timing.lead, blocking)
    director = Director(cast)

    def each_slot() -> None:
        director.each_slot()
        if len(seen.joints) % (60 * FRAME_RATE) == 0:
            each_minute()

    source.start()
    engine.run(None, each_slot, director.at_slot)
    if engine.ledger.recoveries:
        raise RuntimeError(engine.ledger.recoveries[0])
    return np.concatenate(heard.raw, 1)[:, : len(seen.joints)], np.stack(seen.joints, 1)


def free_run(generator: Any, tracker: BeatTracker, audio: Float32) -> list[Danced]:
    """`perform` to one song, both as joints, dancer by dancer."""
    raw, wire = perform(generator, tracker, [audio])
    return [Danced(walked(made), sent) for made, sent in zip(raw, wire, strict=True)]


def walked(raw: Float32) -> Float32:
    """World joints [T, 22, 3] of raw channels [T, 138], the root simply following its velocities."""
    decoded = channels.decode(raw)
    angle = np.cumsum(decoded.yaw_rate) / FRAME_RATE
    facing = rotation.yaw(angle.astype(np.float32))
    flat = np.stack([decoded.velocity[:, 0], np.zeros(len(raw)), decoded.velocity[:, 1]], 1).astype(np.float32)
    root = np.cumsum(rotation.rotate(facing, flat), 0) / FRAME_RATE
    root[:, 1] = decoded.height
    turned = decoded.rotations.copy()
    turned[:, 0] = rotation.multiply(facing, turned[:, 0])
    return np.asarray(skeleton.forward_kinematics(root, turned)[0], np.float32)


def true_beat(beats: Float64, now: float) -> BeatState:
    """The beat at `now` seconds, surely known; none before the first and after the last."""
    i = int(np.searchsorted(beats, now, "right")) - 1
    if not 0 <= i < len(beats) - 1:
        return BeatState()
    period = float(beats[i + 1] - beats[i])
    phase = (now - float(beats[i])) / period
    return BeatState(phase, 60.0 / period, 1.0, 0.0, 0.0, (1.0 - phase) * period, i)
