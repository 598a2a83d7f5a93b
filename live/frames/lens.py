"""From bodies in space to keypoints in a picture: the camera before the stage."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live import keypoints, skeleton
from live.types import Float32


class Lens(NamedTuple):
    """A pinhole camera that looks along -Z: `away` metres from the stage's middle, `height` above the floor, and how
    many metres of the stage's middle its square picture spans."""

    away: float = 7.0
    height: float = 0.97
    span: float = 2.05

    def project(self, space: Float32) -> Float32:
        """Points [..., 3] (m) in the picture [..., 2]: the unit square, x right (the dancer's left), y down."""
        scale = self.away / self.span / np.maximum(self.away - space[..., 2], 0.5)
        x, y = 0.5 + space[..., 0] * scale, 0.5 - (space[..., 1] - self.height) * scale
        return np.stack([x, y], -1).astype(np.float32)

    def keypoints(self, root: Float32, rotations: Float32) -> Float32:
        """The 18 keypoints [T, 18, 2] of bodies: hips [T, 3] (m), local rotations [T, 22, 4]."""
        positions, world = skeleton.forward_kinematics(root, rotations)
        head = np.asarray(world[:, skeleton.INDEX["head"]], np.float32)
        return self.project(keypoints.of_bodies(np.asarray(positions, np.float32), head))
