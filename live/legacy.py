"""What one engine leaves for another to go on from."""

from __future__ import annotations

from typing import Any, NamedTuple

from live.count import Count
from live.types import FeatureFrame, Float32, State


class Legacy(NamedTuple):
    """What one engine leaves for another to go on from: the next slot's number, host times at which the show began and
    its last pose was sent, the raw poses of the tick in hand, generator's state, bodies, the dancers' count."""

    slot: int
    began: float
    last_sent: float
    raw: Float32
    state: State
    body: Any
    counting: Count


class Heard(NamedTuple):
    """What features were given before the engine began: so many samples, and the newest frame they made of them."""

    samples: int = 0
    newest: FeatureFrame | None = None


NOTHING_YET = Heard()
