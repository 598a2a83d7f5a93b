"""`live bench audio`: what hearing a block costs, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from live.lab.figures import measured
from live.lab.loop import timed
from live.types import HOP, SAMPLE_RATE, Float32


def run(
    stages: dict[str, Callable[[Float32], object]], samples: Float32, seconds: float, warm_up: float
) -> Iterator[tuple[str, dict[str, Any], float]]:
    """Name, measure of a block of 800 samples and share of a core at the clock's pace, for what hears `samples` [n]
    over and over. The deadline is the next block."""
    for name, hear in stages.items():
        blocks = cycle(samples[: len(samples) // HOP * HOP].reshape(-1, HOP))
        found = timed(lambda hear=hear, blocks=blocks: hear(next(blocks)), seconds, warm_up)  # type: ignore[misc]
        yield name, measured(found.took, deadline=HOP / SAMPLE_RATE, at=found.at), found.cpu * SAMPLE_RATE / HOP
