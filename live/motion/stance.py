"""How a dancer stands who does not dance: at ease, arms hanging, breathing."""

from __future__ import annotations

import math

import numpy as np

from live import rotation, skeleton
from live.types import Float32

BREATH = 4.2
"""Seconds from one breath to the next."""
X, Y, Z = range(3)
EASE: tuple[tuple[str, int, float], ...] = (
    ("leftUpperArm", Z, -72.0), ("leftLowerArm", Y, -15.0), ("rightUpperArm", Z, 72.0), ("rightLowerArm", Y, 15.0),
)  # fmt: skip
"""Bone, axis, degrees: turned by this at ease, the others as in the rest pose."""
INHALED: tuple[tuple[str, int, float], ...] = (
    ("chest", X, -1.5), ("upperChest", X, -1.5), ("neck", X, 2.2), ("leftShoulder", Z, 2.5), ("rightShoulder", Z, -2.5),
)  # fmt: skip
"""Turned by this at the height of a breath."""


def neutral_rotations() -> Float32:
    """[22, 4]: standing at ease, breathed out."""
    return _EXHALED


def at_ease(age: float) -> Float32:
    """[22, 4]: standing at ease, `age` seconds after having breathed out."""
    return np.asarray(rotation.nlerp(_EXHALED, _INHALED, math.sin(math.pi * age / BREATH) ** 2))


def _turned(by: tuple[tuple[str, int, float], ...]) -> Float32:
    out = np.tile(rotation.IDENTITY, (skeleton.COUNT, 1))
    for bone, axis, degrees in by:
        half = math.radians(degrees) / 2
        out[skeleton.INDEX[bone], axis], out[skeleton.INDEX[bone], 3] = math.sin(half), math.cos(half)
    return out.astype(np.float32)


_EXHALED, _INHALED = _turned(EASE), _turned(EASE + INHALED)
