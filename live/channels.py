"""The numbers a `rotations22` model speaks, per pose: how a body in the world becomes 138 channels, and back.

Velocities and the hips' orientation are in the *facing frame*: the frame that turns with the hips' heading about +Y.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live import rotation, skeleton
from live.types import FRAME_RATE, Float32

VELOCITY = slice(0, 2)
"""Root velocity along the facing frame's x and z, m/s."""
YAW_RATE = 2
"""rad/s about +Y."""
HEIGHT = 3
"""Hips above the floor, metres."""
CONTACTS = slice(4, 6)
"""Left and right foot planted, 0 to 1."""
ROTATIONS = slice(6, 6 + 6 * skeleton.COUNT)
"""6-D local rotations; the hips' is relative to the facing frame."""
COUNT = ROTATIONS.stop
FEET = (skeleton.INDEX["leftFoot"], skeleton.INDEX["rightFoot"])
TOES = (skeleton.INDEX["leftToes"], skeleton.INDEX["rightToes"])


class Decoded(NamedTuple):
    """Channels taken apart: velocity and contacts [..., 2], yaw_rate and height [...], rotations [..., 22, 4], and the
    same as matrices [..., 22, 3, 3]."""

    velocity: Float32
    yaw_rate: Float32
    height: Float32
    contacts: Float32
    rotations: Float32
    matrices: Float32


def decode(raw: Float32) -> Decoded:
    """Take raw channels [..., 138] apart; rotations come out as unit quaternions whatever goes in."""
    matrices = rotation.six_to_matrix(raw[..., ROTATIONS].reshape(*raw.shape[:-1], skeleton.COUNT, 6))
    return Decoded(
        raw[..., VELOCITY],
        raw[..., YAW_RATE],
        raw[..., HEIGHT],
        np.minimum(np.maximum(raw[..., CONTACTS], 0.0), 1.0),
        rotation.from_matrix(matrices),
        matrices,
    )


def encode(root_position: Float32, local_rotations: Float32) -> Float32:
    """Channels [T, 138] of a motion at 60 poses/s: root_position [T, 3], local_rotations [T, 22, 4].

    The first frame repeats the second one's velocities. Contacts are derived from the motion (`foot_contacts`).
    """
    angle = np.unwrap(rotation.heading(local_rotations[:, 0]))
    facing = rotation.yaw(angle.astype(np.float32))
    velocity = np.diff(root_position, axis=0, prepend=root_position[:1]) * FRAME_RATE
    velocity = rotation.rotate(rotation.conjugate(facing), velocity)
    turned = local_rotations.copy()
    turned[:, 0] = rotation.multiply(rotation.conjugate(facing), local_rotations[:, 0])
    out = np.empty((len(root_position), COUNT), np.float32)
    out[:, VELOCITY] = velocity[:, [0, 2]]
    out[:, YAW_RATE] = np.diff(angle, prepend=angle[:1]) * FRAME_RATE
    out[0, :HEIGHT] = out[1, :HEIGHT]
    out[:, HEIGHT] = root_position[:, 1]
    out[:, CONTACTS] = foot_contacts(root_position, local_rotations)
    out[:, ROTATIONS] = rotation.to_six(turned).reshape(len(out), -1)
    return out


def foot_contacts(root_position: Float32, local_rotations: Float32, near: float = 0.05, slow: float = 0.35) -> Float32:
    """[T, 2]: a foot is planted while its ankle or toes are within `near` m of their own floor and below `slow` m/s."""
    joints, _ = skeleton.forward_kinematics(root_position, local_rotations)
    planted = np.zeros((len(joints), 2), bool)
    for pair in (FEET, TOES):
        points = joints[:, pair]
        speed = np.linalg.norm(np.diff(points, axis=0, prepend=points[:1]), axis=-1) * FRAME_RATE
        floor = np.percentile(points[..., 1], 2, axis=0)
        planted |= (points[..., 1] < floor + near) & (speed < slow)
    kernel = np.ones(5) / 5
    return np.stack([np.convolve(p, kernel, "same") for p in planted.T], -1).astype(np.float32)
