"""Recorded dances as a pose detector would have seen them: through a camera, and with a detector's faults.

With it the seed paper's Fig. 7 (what filtering, interpolation and rhythm features are worth) is measured on dances
whose truth is known. Faults come in runs, as a detector's do; rates are shares of frames or of points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from live.keypoints import COUNT, INDEX
from live.train.people import SIDES
from live.types import Float32

FOCAL, CENTRE, AWAY, HEIGHT = 1100.0, (960.0, 540.0), 6.0, 1.2
"""Pixels of a 1080p picture; metres from the middle of the dance to the camera, and its height."""
Rng = np.random.Generator


@dataclass(frozen=True)
class Faults:
    """`lost`: points not seen; `swapped`: frames in which left and right of arms or legs are exchanged; `thrown`:
    points seen somewhere else; `crowd`: frames with a second person."""

    lost: float = 0.08
    swapped: float = 0.05
    thrown: float = 0.02
    crowd: float = 0.3


def projected(space: Float32, yaw: float = 0.0) -> Float32:
    """Points [T, J, 3] in a pinhole camera's picture [T, J, 2], pixels, y down; the camera stands `yaw` to the side."""
    about = space - space.mean((0, 1)) * (1, 0, 1)
    c, s = np.cos(yaw), np.sin(yaw)
    x, z = about[..., 0] * c - about[..., 2] * s, about[..., 0] * s + about[..., 2] * c
    depth = np.maximum(AWAY - z, 1.0)
    return np.stack([CENTRE[0] + FOCAL * x / depth, CENTRE[1] - FOCAL * (about[..., 1] - HEIGHT) / depth], -1).astype(
        np.float32
    )


def detected(picture: Float32, other: Float32, faults: Faults, rng: Rng) -> list[Float32]:
    """What a detector gives for a dancer's points [T, 18, 2]: people [P, 18, 3] per frame, the second being `other`."""
    points = picture.copy()
    for pairs in list(SIDES.values())[:2]:
        right, left = ([INDEX[pair[side]] for pair in pairs] for side in (0, 1))
        wrong = runs(len(points), 1, faults.swapped, rng)[:, 0]
        points[np.ix_(wrong, right + left)] = points[np.ix_(wrong, left + right)]
    thrown = runs(len(points), COUNT, faults.thrown, rng, longest=2)
    points[thrown] += rng.normal(0, 150, (int(thrown.sum()), 2))
    lost = runs(len(points), COUNT, faults.lost, rng)
    sure = np.where(lost, 0.0, 0.8)[..., None]
    dancer = np.concatenate([np.where(lost[..., None], 0.0, points), sure], -1).astype(np.float32)
    stranger = np.concatenate([other, np.full((*other.shape[:2], 1), 0.7)], -1).astype(np.float32)
    crowded = runs(len(points), 1, faults.crowd, rng, longest=60)[:, 0] & (np.arange(len(points)) < len(other))
    return [_shuffled([dancer[t], stranger[t]], rng) if crowded[t] else dancer[t : t + 1] for t in range(len(points))]


def _shuffled(people: list[Float32], rng: Rng) -> Float32:
    return np.stack(people)[rng.permutation(len(people))]


def runs(frames: int, tracks: int, share: float, rng: Rng, longest: int = 12) -> np.ndarray:
    """[frames, tracks] bool: True in runs of 1 to `longest` frames, `share` of all."""
    begins = rng.random((frames, tracks)) < share / ((1 + longest) / 2)
    out = np.zeros((frames, tracks), bool)
    for t, j in zip(*np.nonzero(begins), strict=True):
        out[t : t + int(rng.integers(1, longest + 1)), j] = True
    return out
