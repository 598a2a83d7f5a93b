"""A dancer of the stage before a renderer's camera: bodies in space in, pictures of the renderer's person out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from live.frames.brush import Picture
from live.frames.easel import Easel
from live.frames.lens import Lens
from live.frames.stature import fitted, ground, ours
from live.types import Float32

REACH = 1.0
"""Metres to each side of its mark within which a dancer is shown where it stands."""
FOLLOWS = 4.0
"""Seconds in which the camera goes along with a dancer who leaves its mark."""


class Sitting(NamedTuple):
    """What goes on from picture to picture: where the camera points to on the floor (x, z; m), the picture before."""

    mark: Float32
    before: Picture


class Studio:
    """One renderer, one dancer."""

    def __init__(self, easel: Easel, lens: Lens = Lens()) -> None:  # noqa: B008
        self.easel, self._lens = easel, lens
        self._source = ours(lens, REACH)

    def begin(self, root: Float32) -> Sitting:
        """Before the first picture of a dancer whose hips are at [3] (m)."""
        return Sitting(root[[0, 2]].astype(np.float32), self.easel.initial_state())

    def step(self, root: Float32, rotations: Float32, seconds: float, sitting: Sitting) -> tuple[Picture, Sitting]:
        """The picture [S, S, 3] of a body (hips [3], local rotations [22, 4]), `seconds` after the last one."""
        mark = sitting.mark + (root[[0, 2]] - sitting.mark) * np.float32(1.0 - math.exp(-seconds / FOLLOWS))
        picture, before = self.easel.paint(self.points(root, rotations, mark), sitting.before)
        return picture, Sitting(mark, before)

    def points(self, root: Float32, rotations: Float32, mark: Float32) -> Float32:
        """The body's keypoints [18, 2] as the renderer's person would have them in its picture."""
        away = np.clip(root[[0, 2]] - mark, -REACH, REACH)
        at = np.array([[away[0], root[1], away[1]]], np.float32)
        seen = self._lens.keypoints(at, rotations[None])
        points: Float32 = fitted(seen, ground(self._lens, at), self._source, self.easel.card.stature)[0]
        return points
