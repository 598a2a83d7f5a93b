"""`live bench step`: the generator alone, for some numbers of dancers, on any backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from live.lab.figures import compared, measured
from live.lab.loop import Timed, timed
from live.types import FRAME_RATE, Float32, State

LIMITS = {("tensorrt", 1): 0.30, ("tensorrt", 64): 1.0}
"""p99 in ms that a step must keep to, by backend and dancers."""


class TickGenerator(Protocol):
    """What is measured of a `live.generator.Generator`."""

    poses_per_tick: int

    def initial_state(self) -> State: ...
    def step(self, features: Float32, tick: int, state: State) -> tuple[Float32, State]: ...


def stepping(generator: TickGenerator, inputs: Float32) -> Callable[[], None]:
    """What does one tick more each time it is called, on the rows of `inputs` [n, 35] in turn."""
    state, tick = generator.initial_state(), 0

    def step() -> None:
        nonlocal state, tick
        _, state = generator.step(inputs[tick % len(inputs)], tick, state)
        tick += 1

    return step


def run(generator: TickGenerator, seconds: float, warm_up: float, paced: bool) -> tuple[dict[str, Any], float]:
    """The measure of a step, whose deadline is the next tick, and how many such casts one core could carry.

    `paced`: at the rate of the stage, when other programs have taken the processor's caches in between.
    """
    rate = FRAME_RATE / generator.poses_per_tick
    inputs = np.random.default_rng(0).normal(size=(64, 35)).astype(np.float32)
    found: Timed = timed(stepping(generator, inputs), seconds, warm_up, rate if paced else None)
    return measured(found.took, deadline=1.0 / rate, at=found.at), 1.0 / (found.cpu * rate)


def limits(measures: dict[tuple[str, int], dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What must be reached, of measures by backend and dancers."""
    for (backend, dancers), limit in LIMITS.items():
        if (found := measures.get((backend, dancers))) is not None:
            yield f"{backend}, {dancers} dancers, p99", compared(found["p99"], limit, "ms")
