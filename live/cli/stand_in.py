"""Who performs while nobody else can: no model, no ears; the dancers come to stand at ease."""

from __future__ import annotations

from typing import Any

import numpy as np

from live import channels, skeleton
from live.card import find_model, read_card
from live.cli.troupe import Troupe, load_player
from live.features.extractor import silence
from live.generator import style_weights
from live.hand import Hand
from live.motion.stance import neutral_rotations
from live.show import Show
from live.types import FRAME_RATE, BeatState, FeatureFrame, Float32, Signals, Snapshot, State


class Deaf:
    """Stands where features, beat tracker and listener stand, and hears nothing."""

    latency = 1 / FRAME_RATE

    def hear(self, samples: Float32) -> None: ...

    def now(self) -> BeatState:
        return BeatState()

    def snapshot(self) -> Snapshot:
        return {}

    def restore(self, snapshot: Snapshot) -> None: ...

    def push(self, samples: Float32) -> list[FeatureFrame]:
        return []

    def pooled(self, frames: list[Float32]) -> Float32:
        return frames[-1]

    def with_beat(self, values: Float32, beat: BeatState) -> Float32:
        return values

    def silent_values(self) -> Float32:
        return silence()

    def rehearse(self) -> None: ...


class Still:
    """Stands where a `live.generator.Generator` stands: every tick is a neutral stance."""

    poses_per_tick, metre = 2, 0

    def __init__(self, card: Any, show: Show) -> None:
        self.card, self.dancers, self.awake = card, show.dancers, show.dancers
        self.temperature, self.style = 0.0, np.tile(style_weights(card, show.style), (show.dancers, 1))
        root = np.tile(skeleton.REST_OFFSETS[0] * np.array([0, 1, 0], np.float32), (FRAME_RATE, 1))
        standing = channels.encode(root, np.tile(neutral_rotations(), (FRAME_RATE, 1, 1)))[-1]
        self._raw = np.tile(standing.astype(np.float32), (show.dancers, self.poses_per_tick, 1))

    def initial_state(self) -> State:
        return {}

    def begin_again(self, tick: int, seed: int | None) -> None: ...

    def recoveries(self) -> list[str]:
        return []

    def step(self, features: Float32, tick: int, state: State) -> tuple[Float32, State]:
        return self._raw, state


class Unmoved:
    """Signals of nothing."""

    def hear(self, samples: Float32) -> None: ...

    def now(self) -> Signals:
        return Signals()


def stand_in(show: Show) -> Troupe:
    """For this show."""
    card = load_player(show).card if show.model.startswith("dictionary:") else read_card(find_model(show.model))
    deaf = Deaf()
    return Troupe(Still(card, show), "nothing: a stand-in", Hand(deaf), deaf, Unmoved())
