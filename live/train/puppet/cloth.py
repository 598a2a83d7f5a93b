"""Clothes that swing: strands of particles that hang from the body (Verlet steps, lengths put right after)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from live.types import Float64

GRAVITY = np.array([0.0, -9.81, 0.0])


class Cut(NamedTuple):
    """How a cloth is made: where its strands hang in the frame of its bone at rest [S, K, 3] (m, the first of each
    fixed to the body), how fast it gives way to that shape (1/s), what it keeps of its speed each second, and what
    neighbouring strands share; `closed` where the last strand lies beside the first."""

    rest: Float64
    stiffness: float
    keeps: float
    shared: float
    closed: bool = True


@dataclass(frozen=True)
class Limb:
    """What cloth slides off: capsules from `a` [L, 3] to `b` [L, 3] with `radius` [L] (m)."""

    a: Float64
    b: Float64
    radius: Float64


class Hanging(NamedTuple):
    """Particles [S, K, 3] (m) now and a step ago."""

    now: Float64
    before: Float64


def hung(cut: Cut, origin: Float64, turn: Float64) -> Hanging:
    """At rest on a bone at `origin` [3] turned by `turn` [3, 3]."""
    places = cut.rest @ turn.T + origin
    return Hanging(places, places)


def step(cut: Cut, cloth: Hanging, origin: Float64, turn: Float64, limbs: Limb, seconds: float) -> Hanging:
    """The cloth `seconds` later."""
    rest = cut.rest @ turn.T + origin
    moved = cloth.now + (cloth.now - cloth.before) * cut.keeps**seconds + GRAVITY * seconds**2
    moved += (rest - moved) * (1.0 - np.exp(-cut.stiffness * seconds))
    moved += (_beside(moved, cut.closed) - moved) * cut.shared
    moved[:, 0] = rest[:, 0]
    return Hanging(_kept(_outside(moved, limbs), rest), cloth.now)


def _beside(places: Float64, closed: bool) -> Float64:
    """Each particle's neighbours' middle."""
    if closed:
        return np.asarray((np.roll(places, 1, 0) + np.roll(places, -1, 0)) / 2)
    padded = np.concatenate([places[:1], places, places[-1:]])
    return np.asarray((padded[2:] + padded[:-2]) / 2)


def _outside(places: Float64, limbs: Limb) -> Float64:
    """Pushed out of the limbs."""
    for a, b, radius in zip(limbs.a, limbs.b, limbs.radius, strict=True):
        along = b - a
        share = np.clip((places - a) @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
        away = places - (a + share[..., None] * along)
        distance = np.maximum(np.linalg.norm(away, axis=-1, keepdims=True), 1e-6)
        places = places + away / distance * np.maximum(radius - distance, 0.0)
    return np.asarray(places)


def _kept(places: Float64, rest: Float64) -> Float64:
    """Each piece of a strand as long as at rest."""
    lengths = np.linalg.norm(np.diff(rest, axis=1), axis=-1, keepdims=True)
    out = places.copy()
    for k in range(1, places.shape[1]):
        piece = places[:, k] - out[:, k - 1]
        out[:, k] = (
            out[:, k - 1] + piece / np.maximum(np.linalg.norm(piece, axis=-1, keepdims=True), 1e-6) * lengths[:, k - 1]
        )
    return out
