"""Which beat of the bar is this? A hidden Markov model of bars of three and of four, one step a beat."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live.types import Float32

METRES = (3, 4)
COUNT = sum(METRES)
ONE = np.cumsum([0, *METRES])[:-1]
"""States are all beats of a bar of three, then all of a bar of four; here are the first beats."""
RESTART, CHANGE, FLOOR = 0.01, 0.005, 0.03
PRIOR = np.repeat([0.2 / 3, 0.8 / 4], METRES).astype(np.float32)
NEXT = np.arange(1, COUNT + 1)
NEXT[ONE + np.array(METRES) - 1] = ONE
"""The next beat of the same metre."""
AT_FIRST = int(ONE[-1])
PATIENCE = 8
"""Beats (two bars of four) for which another beat of the bar must be the likeliest before it is taken."""
SURE, FAINT, MOST = 0.8, 0.01, 0.5
"""Belief above chance over confidence, the least of that (cues need a bar) and the most: on eight steady clips
taken to begin on a downbeat the bar is right 47% of the time, and a strong belief is no better."""


class BarReading(NamedTuple):
    """A beat (0: the downbeat) of a bar of `metre`, and how sure that is (0..1)."""

    place: int
    metre: int
    confidence: float


def _steps() -> Float32:
    """[states, states]: the next beat of the bar; after the last one rarely the other metre."""
    steps = np.zeros((COUNT, COUNT))
    for first, metre in zip(ONE, METRES, strict=True):
        last = first + metre - 1
        steps[np.arange(first, last), np.arange(first + 1, last + 1)] = 1.0
        steps[last, ONE] = CHANGE
        steps[last, first] = 1.0 - CHANGE
    return ((1.0 - RESTART) * steps + RESTART * PRIOR).astype(np.float32)


STEPS = _steps()


def next_beat(belief: Float32) -> Float32:
    return belief @ STEPS


def see(belief: Float32, activation: float) -> Float32:
    """The belief [7] after the downbeat activation (0..1) of this beat."""
    likelihood = np.full(COUNT, max((1.0 - activation) / 3.0, FLOOR), np.float32)
    likelihood[ONE] = max(activation, FLOOR)
    belief = belief * likelihood
    return np.asarray(belief / belief.sum(), np.float32)


def hold(held: int, doubt: int, belief: Float32, patience: float) -> tuple[int, int]:
    """The state that is followed one beat after `held` was, and for how many beats in a row another was the likeliest.

    A dance turns on its bars, so they are not changed before there was `patience` for it.
    """
    held, best = int(NEXT[held]), int(belief.argmax())
    if best == held:
        return held, 0
    return (best, 0) if doubt >= patience else (held, doubt + 1)


def read(belief: Float32, held: int) -> BarReading:
    metre = METRES[int(held >= ONE[1])]
    sure = (float(belief[held]) - 1.0 / metre) / (1.0 - 1.0 / metre)
    return BarReading(held - int(ONE[METRES.index(metre)]), metre, min(max(sure / SURE, FAINT), MOST))
