"""Raw channels become bodies in the world: decoded, speed-limited, planted, kept on the stage and above the floor.

Per pose: decode to quaternions; blend in from the neutral stance; limit how fast a joint may turn; turn by the yaw
rate; move the root so that a planted foot stays where it is, else by the model's velocity; bend the path back towards
the dancer's mark near the edge of the stage circle; lift the body where a foot would sink into the floor. State is a
value; every operation runs over all dancers at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from live import channels, rotation, skeleton
from live.types import FRAME_RATE, Float32

DT = np.float32(1.0 / FRAME_RATE)
FEET = np.array([channels.FEET, channels.TOES])
"""[2 joints, 2 sides]: ankles, then toes."""
SOLES = np.array([0.04, 0.0], np.float32)
"""Lowest height (m) of ankle and toes: a flat foot's ankle is at 0.08, its toes at 0.02."""


@dataclass(frozen=True)
class MotionConfig:
    """stage_radius (m) around each dancer's mark; spacing (m) between marks on the line; limits; seconds of blend."""

    stage_radius: float = 2.0
    spacing: float = 1.5
    fastest_joint: float = 40.0
    """rad/s."""
    fastest_root: float = 4.0
    """m/s."""
    entrance: float = 1.5


class Body(NamedTuple):
    """All dancers now, and the state for the next pose. `rotations` [N, 22, 4] has the hips in the facing frame;
    `local_rotations` has them in the world. `feet` [N, 2, 2] are the feet's x and z relative to the root."""

    mark: Float32
    position: Float32
    yaw: Float32
    rotations: Float32
    feet: Float32
    age: float
    root_position: Float32
    local_rotations: Float32
    joint_positions: Float32
    contacts: Float32


class Motion:
    """`body = motion.step(raw, body)`."""

    latency = 0.0

    def __init__(self, config: MotionConfig = MotionConfig()) -> None:
        self.config = config

    def initial_state(self, dancers: int) -> Body:
        """Neutral stances on a line of marks, facing +Z."""
        mark = np.zeros((dancers, 2), np.float32)
        mark[:, 0] = (np.arange(dancers) - (dancers - 1) / 2) * self.config.spacing
        rotations = np.tile(neutral_rotations(), (dancers, 1, 1))
        root = np.zeros((dancers, 3), np.float32)
        root[:, [0, 2]], root[:, 1] = mark, skeleton.REST_OFFSETS[0, 1]
        joints, _ = skeleton.forward_kinematics(root, rotations)
        zero = np.zeros(dancers, np.float32)
        feet = _feet(joints) - mark[:, None]
        return Body(mark, mark, zero, rotations, feet, 0.0, root, rotations, joints, np.ones((dancers, 2), np.float32))

    def step(self, raw: Float32, body: Body) -> Body:
        """One pose later. `raw` [N, 138] must be finite."""
        c = self.config
        new = channels.decode(raw)
        entered = min(1.0, body.age / c.entrance) if c.entrance > 0 else 1.0
        entered = entered * entered * (3.0 - 2.0 * entered)
        rotations = new.rotations if entered == 1.0 else rotation.nlerp(neutral_rotations(), new.rotations, entered)
        rotations = _limited(body.rotations, rotations, c.fastest_joint * float(DT))
        yaw = body.yaw + new.yaw_rate * DT * np.float32(entered)
        yaw = np.remainder(yaw + np.pi, 2 * np.pi).astype(np.float32) - np.float32(np.pi)
        local = rotations.copy()
        local[:, 0] = rotation.multiply(rotation.yaw(yaw), rotations[:, 0])
        joints, _ = skeleton.forward_kinematics(np.zeros((len(raw), 3), np.float32), local)
        feet = _feet(joints)
        contacts = new.contacts * np.float32(entered) + np.float32(1.0 - entered)
        position = self._moved(body, new, yaw, feet, contacts, entered)
        height = new.height * np.float32(entered) + skeleton.REST_OFFSETS[0, 1] * np.float32(1.0 - entered)
        floor = (SOLES[None, :, None] - joints[:, FEET, 1]).max((1, 2))
        root = np.stack([position[:, 0], np.maximum(height, floor), position[:, 1]], -1).astype(np.float32)
        joints += root[:, None]
        age = body.age + float(DT)
        return Body(body.mark, position, yaw, rotations, feet, age, root, local, joints, contacts)

    def _moved(
        self, body: Body, new: channels.Decoded, yaw: Float32, feet: Float32, contacts: Float32, entered: float
    ) -> Float32:
        """The root's next x and z [N, 2]."""
        sin, cos = np.sin(yaw), np.cos(yaw)
        vx, vz = new.velocity[:, 0], new.velocity[:, 1]
        free = np.stack([cos * vx + sin * vz, cos * vz - sin * vx], -1) * np.float32(entered)
        weight = contacts * contacts
        held = ((body.feet - feet) * weight[..., None]).sum(1) / np.maximum(weight.sum(1), 1e-6)[:, None] / DT
        firm = weight.max(1)[:, None]
        velocity = firm * held + (1.0 - firm) * free
        speed = np.sqrt((velocity * velocity).sum(-1, keepdims=True))
        velocity = velocity * np.minimum(1.0, self.config.fastest_root / np.maximum(speed, 1e-6))
        return self._kept_on_stage(body, velocity)

    def _kept_on_stage(self, body: Body, velocity: Float32) -> Float32:
        """Beyond 60% of the radius, outward motion fades to nothing at the edge and a gentle drift leads back."""
        radius = self.config.stage_radius
        offset = body.position - body.mark
        distance = np.sqrt((offset * offset).sum(-1, keepdims=True))
        outward = offset / np.maximum(distance, 1e-6)
        near_edge = np.clip((distance / radius - 0.6) / 0.4, 0.0, 1.0) ** 2
        leaving = np.maximum((velocity * outward).sum(-1, keepdims=True), 0.0)
        velocity = velocity - near_edge * (leaving + 0.3) * outward
        offset = offset + velocity * DT
        distance = np.sqrt((offset * offset).sum(-1, keepdims=True))
        offset = offset * np.minimum(1.0, radius / np.maximum(distance, 1e-6))
        return np.asarray(body.mark + offset, np.float32)


def neutral_rotations() -> Float32:
    """[22, 4]: standing at ease, arms hanging."""
    return _NEUTRAL


def _neutral() -> Float32:
    out = np.tile(rotation.IDENTITY, (skeleton.COUNT, 1))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        for bone, axis, degrees in (("UpperArm", 2, 72.0 * sign), ("LowerArm", 1, 15.0 * sign)):
            half = np.radians(degrees) / 2
            out[skeleton.INDEX[side + bone]] = np.where(np.arange(4) == axis, np.sin(half), 0) + np.cos(half) * (
                np.arange(4) == 3
            )
    return out.astype(np.float32)


_NEUTRAL = _neutral()


def _feet(joints: Float32) -> Float32:
    """[N, 2 sides, (x, z)]: the middle of each foot, between ankle and toes."""
    return joints[:, FEET][..., [0, 2]].mean(1)


def _limited(before: Float32, after: Float32, most: float) -> Float32:
    """`after`, or as far towards it as `most` radians allow, per joint."""
    cosine = np.abs(np.einsum("...i,...i", before, after))
    if cosine.min() >= np.cos(most / 2):
        return after
    angle = 2.0 * np.arccos(np.minimum(cosine, 1.0))
    share = np.minimum(1.0, most / np.maximum(angle, 1e-6)).astype(np.float32)
    return rotation.nlerp(before, after, share[..., None])
