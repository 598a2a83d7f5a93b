"""Who dances where on the stage: marks in formations, how far from them, who stands, and the canon.

A `Staging` is a parameter of `live.motion.body.Motion.step` that may change between two poses; who changes it does so
a little at a time, and bodies go along.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from live.types import FRAME_RATE, Float32

Complex64 = NDArray[np.complex64]
LONGEST = 16 * FRAME_RATE
"""Poses of the first dancer that are kept for the canon."""


class Staging(NamedTuple):
    """radius (m) around each mark; marks [N] as x + i z, where they were if None; present [N]: share of the dance, 0
    stands at ease, all 1 if None; canon: share of the first one's dance in that of all; delay: poses by which each is
    later than the one before."""

    radius: float
    marks: Complex64 | None = None
    present: Float32 | None = None
    canon: float = 0.0
    delay: float = 0.0


def marks(formation: str, dancing: int, dancers: int, spacing: float) -> Complex64:
    """Places [dancers] of the `dancing` first in a line along x or on a circle, neighbours `spacing` metres apart; the
    others wait in a row behind them."""
    if formation == "circle" and dancing > 1:
        radius = spacing / (2.0 * np.sin(np.pi / dancing))
        placed = 1j * radius * np.exp(-2j * np.pi * np.arange(dancing) / dancing)
    else:
        radius, placed = 0.0, _row(dancing) * spacing
    waiting = _row(dancers - dancing) * spacing - 1j * (radius + max(spacing, 1.0))
    return np.concatenate([placed, waiting]).astype(np.complex64)


def _row(count: int) -> NDArray[np.complex128]:
    return (np.arange(count) - (count - 1) / 2).astype(np.complex128)


Past = tuple[Float32, ...]
"""The first dancer's raw channels [C], newest last."""


def echoed(raw: Float32, past: Past, staging: Staging) -> tuple[Float32, Past]:
    """Raw channels [N, C] with the canon's share of the first dancer's past in them, and the past for the next pose.

    Where the past is not long enough yet, its oldest pose is held: who comes in later waits in it.
    """
    if len(raw) == 1:
        return raw, past
    past = (*past[1 - LONGEST :], raw[0].copy())
    if staging.canon <= 0.0:
        return raw, past
    back = np.minimum(np.arange(len(raw)) * staging.delay, len(past) - 1)
    whole = back.astype(int)
    part = (back - whole).astype(np.float32)[:, None]
    newer = np.stack([past[-1 - w] for w in whole])
    older = np.stack([past[max(-2 - w, -len(past))] for w in whole])
    first = newer + part * (older - newer)
    return raw + np.float32(staging.canon) * (first - raw), past
