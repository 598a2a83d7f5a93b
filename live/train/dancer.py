"""Dancers of a model or a dictionary, ready to dance to any audio as the stage's engine lets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from live import dictionary
from live.backends.cpu import open_backend
from live.bench.motion import SIGMA_MS
from live.card import ModelCard, find_model, read_card
from live.contracts import BeatTracker, load_plugin
from live.dictionary import Player
from live.errors import Unusable
from live.generator import Generator, style_weights
from live.train.free_run import Danced, Told, free_run, perform
from live.types import Float32, Float64

DICTIONARY = "dictionary:"
TRUE = "true"
"""The tracker that is told the written beats."""


@dataclass(frozen=True)
class Plan:
    """How to measure. `style` as performers write it, the model's default if empty. `sigma_ms` is the width of the
    alignment's bell; `hour`, seconds of the run without a stop, 0 for none; `warped`, how many steady songs at most are
    warped; `dancers`, how many dance to everything at once, each with a chance of its own."""

    seconds: float = 60.0
    tracker: str = "pulse"
    style: str = ""
    seed: int = 1
    temperature: float | None = None
    sigma_ms: float = SIGMA_MS
    hour: float = 0.0
    warped: int = 16
    dancers: int = 4


class Dances(Protocol):
    """What is measured: `__call__` dances to a song, told its beats (s) if they are given; a dance of each dancer."""

    def __call__(self, audio: Float32, beats: Float64 | None = None) -> Sequence[Danced]: ...

    def perform(self, songs: Sequence[Float32], each_minute: Callable[[], None]) -> tuple[Float32, Float32]: ...


class Dancers:
    """`Dances` of a shipped model's name, a model folder, or `dictionary:DIR`."""

    def __init__(self, model: str, plan: Plan) -> None:
        self._plan, n = plan, plan.dancers
        self.folder: Path | None = None
        if model.startswith(DICTIONARY):
            lies = Path(model.removeprefix(DICTIONARY))
            found = dictionary.load(lies)
            self.card: ModelCard = dictionary.card(found, lies.name)
            style = style_weights(self.card, plan.style or ",".join(self.card.styles))
            self._make: Callable[[], Any] = lambda: Player(found, self.card.name, n, style, plan.seed, plan.temperature)
        else:
            self.folder = folder = find_model(model)
            self.card = read_card(folder)
            if self.card.pose_space != "rotations22":
                raise Unusable(
                    f"model '{self.card.name}' gives {self.card.pose_space}: only rotations22 can be measured"
                )
            backend, style = open_backend(folder, self.card, n), style_weights(self.card, plan.style)
            self._make = lambda: Generator(self.card, backend, n, style, plan.seed, plan.temperature)

    def __call__(self, audio: Float32, beats: Float64 | None = None) -> list[Danced]:
        tracker: BeatTracker = self._tracker() if beats is None else Told(beats)
        return free_run(self._make(), tracker, audio)

    def perform(self, songs: Sequence[Float32], each_minute: Callable[[], None]) -> tuple[Float32, Float32]:
        """`live.train.free_run.perform` by ear."""
        return perform(self._make(), self._tracker(), songs, each_minute)

    def _tracker(self) -> BeatTracker:
        name = "pulse" if self._plan.tracker == TRUE else self._plan.tracker
        tracker: BeatTracker = load_plugin("live.beats", name, "beat tracker").open_tracker()
        return tracker
