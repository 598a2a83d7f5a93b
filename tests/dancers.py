"""Poses of people who stand and move, for what draws them."""

from __future__ import annotations

import numpy as np

from live import ring, rotation, skeleton
from live.take import fields_of, head, record_dtype, write_pose
from live.types import BeatState, Pose

BEGAN = 1000.0


def standing(n: int = 0, dancers: int = 1, sway: float = 0.0, apart: float = 1.5, confidence: float = 0.0) -> Pose:
    """Pose number `n` at 60 a second: arms half down, `apart` metres between dancers; `sway` turns the arms (rad)."""
    local = np.tile(rotation.IDENTITY, (dancers, skeleton.COUNT, 1))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        half = sign * (0.6 + sway) / 2
        local[:, skeleton.INDEX[f"{side}UpperArm"]] = [0.0, 0.0, np.sin(half), np.cos(half)]
    roots = np.zeros((dancers, 3), np.float32)
    roots[:, 1] = skeleton.REST_OFFSETS[0, 1]
    roots[:, 0] = apart * (np.arange(dancers) - (dancers - 1) / 2)
    joints, _ = skeleton.forward_kinematics(roots, local)
    beat = BeatState(0.0, 120.0, confidence, 0.0, confidence)
    return Pose(n, BEGAN + n / 60, BEGAN + n / 60, n / 60, roots, np.asarray(local, np.float32),
                np.asarray(joints, np.float32), np.ones((dancers, 2), np.float32), beat)  # fmt: skip


def recorded(poses: list[Pose]) -> np.ndarray:
    """Records of a take."""
    records = np.zeros(len(poses), record_dtype(poses[0].dancers))
    for n, pose in enumerate(poses):
        write_pose(fields_of(records), n, pose)
    return records


def write_take(path, poses: list[Pose]):
    path.write_bytes(head(poses[0].dancers) + recorded(poses).tobytes())
    return path


class Memory:
    """A ring with poses in it."""

    def __init__(self, slots=4):
        self.ring = ring.create(record_dtype(1).itemsize, slots)
        records = np.ndarray(slots, record_dtype(1), self.ring.memory, ring.HEADER)
        self.fields, self.slots = fields_of(records), slots

    def put(self, pose):
        write_pose(self.fields, self.ring.written % self.slots, pose)
        self.ring.publish()
