"""The generator on stage: a model's card, a backend that runs its step, and the dancers' noise.

`raw, state = generator.step(features, tick, state)`: state is a value, noise and dropout masks are keyed by
(seed, tick), so the same inputs give the same dance.
"""

from __future__ import annotations

import numpy as np

from live.card import ModelCard
from live.contracts import Backend
from live.errors import Unusable
from live.types import Float32, State


class Generator:
    """One model for a number of dancers. `style` [styles] are weights that sum to 1."""

    def __init__(
        self, card: ModelCard, backend: Backend, dancers: int, style: Float32, seed: int, temperature: float | None
    ) -> None:
        self.card, self.dancers, self.seed = card, dancers, seed
        self.poses_per_tick = card.poses_per_tick
        self.temperature = card.temperature if temperature is None else temperature
        self.backend = backend
        self.awake = dancers
        self._first_tick = 0
        self._drawn_for = -1  # what is drawn for a tick is a function of it, kept for its rehearsals
        self.style: Float32 = np.tile(style.astype(np.float32), (dancers, 1))

    @property
    def metre(self) -> int:
        """Beats of the bar of what is danced most, whatever the music's bar; 0: as many as that has."""
        return self.card.beats_per_bar.get(self.card.styles[int(self.style[0].argmax())], 0)

    def initial_state(self) -> State:
        """Every tensor of the card's state, zero: the first pose to come is near the mean pose of the data."""
        return {name: np.zeros((self.dancers, *shape), np.float32) for name, shape in self.card.state.items()}

    def begin_again(self, tick: int, seed: int | None) -> None:
        """Draw from tick `tick` on what the first ticks of a show with this seed draw; None: with the same seed."""
        self._first_tick, self.seed, self._drawn_for = tick, self.seed if seed is None else seed, -1

    def recoveries(self) -> list[str]:
        """What the backend survived since the last call, one line each."""
        return self.backend.recoveries()

    def step(self, features: Float32, tick: int, state: State) -> tuple[Float32, State]:
        """Features [35] of one tick -> raw poses [dancers, poses_per_tick, channels] and the next state."""
        if tick != self._drawn_for:
            self._noise, self._dropout, self._drawn_for = *self._draw(tick), tick
        inputs = {
            "features": features[None] if self.dancers == 1 else np.tile(features, (self.dancers, 1)),
            "noise": self._noise,
            "dropout": self._dropout,
            "style": self.style,
        }
        if self.awake < self.dancers and self.backend.any_batch:
            return self._first_ones(inputs, state)
        return self.backend.step(inputs, state)

    def _first_ones(self, inputs: dict[str, Float32], state: State) -> tuple[Float32, State]:
        """The step of the dancers who are awake; the others do what the first one does, and go on from there."""
        rows = np.where(np.arange(self.dancers) < self.awake, np.arange(self.dancers), 0)
        part = {name: value[: self.awake] for name, value in inputs.items()}
        raw, following = self.backend.step(part, {name: value[: self.awake] for name, value in state.items()})
        return raw[rows], {name: value[rows] for name, value in following.items()}

    def _draw(self, tick: int) -> tuple[Float32, Float32]:
        """Noise [dancers, latent] at the temperature, and dropout masks [dancers, prenet] scaled to mean 1."""
        rng = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, 0, 0, tick - self._first_tick]))
        noise = rng.standard_normal((self.dancers, self.card.latent), np.float32) * np.float32(self.temperature)
        keep = np.float32(1.0 - self.card.dropout_rate)
        kept = rng.random((self.dancers, self.card.dropout), np.float32) < keep
        return noise, (kept / keep).astype(np.float32)


def style_weights(card: ModelCard, text: str) -> Float32:
    """`NAME[=W],NAME[=W]` as weights [styles] that sum to 1; empty means the card's default style.

    A name is any text, whatever its case, even one with commas and equals signs in it. Raises `Unusable` on an unknown
    name or a weight that is no positive number.
    """
    usual = card.default_style or card.styles[0]
    weights, rest = np.zeros(len(card.styles), np.float32), (text or usual).strip()
    while rest:
        style, rest = _named(card, rest)
        weight, _, rest = rest.partition(",")
        name = card.styles[style]
        try:
            weights[style] = float(weight.strip().removeprefix("=") or 1.0)
        except ValueError:
            raise Unusable(f"style '{name}': '{weight.strip('= ')}' is not a number; write {name}=0.5") from None
        rest = rest.strip()
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        raise Unusable(f"style '{text}': weights must be positive; write for example {card.styles[0]}=0.5")
    return np.asarray(weights / weights.sum())


def _named(card: ModelCard, text: str) -> tuple[int, str]:
    """The style that `text` begins with, the longest where several do, and what follows its name."""
    for style in sorted(range(len(card.styles)), key=lambda i: -len(card.styles[i])):
        after = text[len(card.styles[style]) :].strip()
        if text.casefold().startswith(card.styles[style].casefold()) and after[:1] in ("", "=", ","):
            return style, after
    name = text.partition(",")[0].partition("=")[0].strip()
    raise Unusable(f"unknown style '{name}' for model '{card.name}': choose from {', '.join(card.styles)}")
