"""Raw channels become bodies in the world: decoded, speed-limited, planted, kept on the stage and above the floor.

Per pose: mix in the canon's share; decode to quaternions; mirror; blend in from the neutral stance; limit how fast a
joint may turn; turn by the yaw rate; move the root so that a planted foot stays where it is, else by the model's
velocity; bend the path back towards the dancer's mark near the edge of the stage circle; lift the body where a foot
would sink into the floor. State is a value; every operation runs over all dancers at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from live import channels, rotation, skeleton
from live.motion.staging import Complex64, Past, Staging, echoed, marks
from live.motion.stance import at_ease, neutral_rotations
from live.types import FRAME_RATE, Float32

DT = np.float32(1.0 / FRAME_RATE)
PI = np.float32(np.pi)
ORIGIN = np.zeros(3, np.float32)
SUPPORTS = np.array([*channels.FEET, *channels.TOES])
"""Both ankles, then both toes."""
SOLES = np.array([0.04, 0.04, 0.0, 0.0], np.float32)
"""Lowest height (m) of each: a flat foot's ankle is at 0.08, its toes at 0.02."""
OTHER_SIDE = np.array(skeleton.MIRROR)
MIRRORED: Float32 = np.array([1, -1, -1, 1], np.float32)
FARTHEST = 2.6
"""Radians from the neutral stance to which a joint may be bent by intensity; the dance itself may go on beyond."""


@dataclass(frozen=True)
class MotionConfig:
    """stage_radius (m) around each dancer's mark; formation and spacing (m) of the marks; limits; seconds of blend."""

    stage_radius: float = 2.0
    formation: str = "line"
    spacing: float = 1.5
    fastest_joint: float = 40.0
    """rad/s."""
    fastest_root: float = 4.0
    """m/s, along the floor and up or down."""
    fastest_turn: float = 20.0
    """rad/s of the whole body."""
    entrance: float = 1.5


class Mood(NamedTuple):
    """What a performer asks of the bodies. intensity: size of the movement about the neutral stance, 0 to 2; neutral:
    share of the neutral stance, 0 to 1; held: share of the last pose that stays, 1 is frozen; mirror: share of the
    mirrored dance, 0 to 1."""

    intensity: float = 1.0
    neutral: float = 0.0
    held: float = 0.0
    mirror: float = 0.0


class Body(NamedTuple):
    """All dancers now, and the state for the next pose. Places on the floor are complex numbers x + i z, so that
    turning is multiplying. `rotations` [N, 22, 4] has the hips in the facing frame, `local_rotations` in the world;
    `feet` [N, 2] are the feet relative to the root."""

    mark: Complex64
    position: Complex64
    yaw: Float32
    rotations: Float32
    feet: Complex64
    age: float
    root_position: Float32
    local_rotations: Float32
    joint_positions: Float32
    contacts: Float32
    past: Past = ()


class Motion:
    """`body = motion.step(raw, body)`; `mood` and `staging` are parameters of the step that may change between two."""

    latency = 0.0

    def __init__(self, config: MotionConfig = MotionConfig()) -> None:
        self.config = config
        self.mood = Mood()
        self.staging = Staging(config.stage_radius)

    def marks(self, formation: str, dancing: int, dancers: int, spacing: float) -> Complex64:
        """See `live.motion.staging.marks`."""
        return marks(formation, dancing, dancers, spacing)

    def initial_state(self, dancers: int) -> Body:
        """Neutral stances on the marks, facing +Z."""
        mark = marks(self.config.formation, dancers, dancers, self.config.spacing)
        rotations = np.tile(neutral_rotations(), (dancers, 1, 1))
        root = np.zeros((dancers, 3), np.float32)
        root[:, 0], root[:, 1], root[:, 2] = mark.real, skeleton.REST_OFFSETS[0, 1], mark.imag
        joints, _ = skeleton.forward_kinematics(root, rotations)
        planted = np.ones((dancers, 2), np.float32)
        feet = _feet(joints[:, SUPPORTS]) - mark[:, None]
        return Body(mark, mark, np.zeros(dancers, np.float32), rotations, feet, 0.0, root, rotations, joints, planted)

    def step(self, raw: Float32, body: Body) -> Body:
        """One pose later. `raw` [N, 138] must be finite."""
        c, mood = self.config, self.mood
        if mood.held >= 1.0:
            return body
        raw, past = echoed(raw, body.past, self.staging)
        new = channels.decode(raw)
        if mood.mirror > 0.0:
            new = _mirrored(new, _smooth(mood.mirror))
        if mood.intensity != 1.0:
            new = _intensified(new, mood.intensity)
        entered = self._entered(body, len(raw))
        going = np.float32(1.0 - mood.held)
        rotations, matrices = self._turned(body, new, entered)
        turn = np.minimum(np.maximum(new.yaw_rate, -c.fastest_turn), c.fastest_turn)
        yaw = body.yaw + turn * DT * entered * going
        yaw = np.remainder(yaw + PI, 2 * PI) - PI
        local = rotations.copy()
        local[:, 0] = rotation.turn(yaw, rotations[:, 0])
        matrices[:, 0] = rotation.turn_matrix(yaw, matrices[:, 0])
        joints, _ = skeleton.matrix_kinematics(ORIGIN, matrices)
        supports = joints.take(SUPPORTS, 1)
        feet = _feet(supports)
        contacts = new.contacts * entered[:, None] + (1.0 - entered[:, None])
        position = self._moved(body, new, yaw, feet, contacts, entered)
        before = body.root_position[:, 1]
        height = new.height * entered + skeleton.REST_OFFSETS[0, 1] * (1.0 - entered)
        height = before + (height - before) * going
        rise = np.float32(c.fastest_root) * DT
        height = np.minimum(np.maximum(height, before - rise), before + rise)
        floor = (SOLES - supports[..., 1]).max(1)
        root = np.empty((len(raw), 3), np.float32)
        root[:, 0], root[:, 1], root[:, 2] = position.real, np.maximum(height, floor), position.imag
        joints = joints + root[:, None]
        age = body.age + float(DT)
        mark = body.mark if self.staging.marks is None else self.staging.marks
        return Body(mark, position, yaw, rotations, feet, age, root, local, joints, contacts, past)

    def _entered(self, body: Body, dancers: int) -> Float32:
        """Share [N] of the dance, the rest is the neutral stance: the entrance, what is asked for, who stands."""
        share = _smooth(body.age / self.config.entrance) if body.age < self.config.entrance else 1.0
        entered = np.full(dancers, share * (1.0 - _smooth(self.mood.neutral)), np.float32)
        present = self.staging.present
        return entered if present is None else entered * present * present * (3.0 - 2.0 * present)

    def _turned(self, body: Body, new: channels.Decoded, entered: Float32) -> tuple[Float32, Float32]:
        """Local rotations, as quaternions and matrices, blended in and no faster than a joint may turn."""
        rotations = new.rotations
        if entered.min() < 1.0:
            rotations = rotation.nlerp(at_ease(body.age), rotations, entered[:, None, None])
        if self.mood.held:
            rotations = rotation.nlerp(body.rotations, rotations, 1.0 - self.mood.held)
        rotations = _limited(body.rotations, rotations, self.config.fastest_joint * float(DT))
        return rotations, new.matrices if rotations is new.rotations else rotation.to_matrix(rotations)

    def _moved(
        self, body: Body, new: channels.Decoded, yaw: Float32, feet: Complex64, contacts: Float32, entered: Float32
    ) -> Complex64:
        """The root's next place on the floor [N]."""
        velocity = new.velocity[:, 0] + 1j * new.velocity[:, 1]
        free = velocity * np.exp(-1j * yaw) * (entered * np.float32(1.0 - self.mood.held))
        weight = contacts * contacts
        left, right = weight[:, 0], weight[:, 1]
        slid = (body.feet - feet) * weight
        held = (slid[:, 0] + slid[:, 1]) * (FRAME_RATE / np.maximum(left + right, 1e-6))
        velocity = free + np.maximum(left, right) * (held - free)
        return self._kept_on_stage(body, _within(velocity, self.config.fastest_root))

    def _kept_on_stage(self, body: Body, velocity: Complex64) -> Complex64:
        """Beyond 60% of the radius, outward motion fades to nothing at the edge and a gentle drift leads back; where
        marks move, bodies are carried along."""
        radius = self.staging.radius
        offset = body.position - body.mark
        distance = np.abs(offset)
        if distance.max() > 0.6 * radius:
            outward = offset / np.maximum(distance, 1e-6)
            near_edge = np.minimum(np.maximum(distance / radius - 0.6, 0.0) / 0.4, 1.0) ** 2
            leaving = np.maximum((velocity * outward.conj()).real, 0.0)
            velocity = velocity - near_edge * (leaving + 0.3) * outward
        offset = _within(offset + velocity * DT, radius)
        mark = body.mark if self.staging.marks is None else self.staging.marks
        return np.asarray(mark + offset, np.complex64)


def _within(places: Complex64, radius: float) -> Complex64:
    """What is farther than `radius` from 0, brought back to it."""
    distance = np.abs(places)
    if distance.max() <= radius:
        return places
    return np.asarray(places * np.minimum(1.0, radius / np.maximum(distance, 1e-6)), np.complex64)


def _mirrored(new: channels.Decoded, share: float) -> channels.Decoded:
    """Left and right exchanged, in the dancer's own frame; between 0 and 1, so much of the way there."""
    share32, swap = np.float32(share), np.array([1, 0])
    rotations = new.rotations[:, OTHER_SIDE] * MIRRORED
    rotations = rotation.nlerp(new.rotations, rotations, share)
    return new._replace(
        velocity=new.velocity * np.array([1.0 - 2.0 * share, 1.0], np.float32),
        yaw_rate=new.yaw_rate * (1.0 - 2.0 * share32),
        contacts=new.contacts + share32 * (new.contacts[:, swap] - new.contacts),
        rotations=rotations,
        matrices=rotation.to_matrix(rotations),
    )


def _intensified(new: channels.Decoded, intensity: float) -> channels.Decoded:
    """The movement about the neutral stance made so many times as large, no joint bent beyond `FARTHEST` by it."""
    turned = rotation.multiply(rotation.conjugate(neutral_rotations()), new.rotations)
    rotations = rotation.multiply(neutral_rotations(), rotation.power(turned, intensity, FARTHEST))
    size, stand = np.float32(intensity), skeleton.REST_OFFSETS[0, 1]
    return new._replace(
        velocity=new.velocity * size,
        yaw_rate=new.yaw_rate * size,
        height=stand + (new.height - stand) * size,
        rotations=rotations,
        matrices=rotation.to_matrix(rotations),
    )


def _smooth(share: float) -> float:
    """From 0 to 1 with no kink at either end."""
    return share * share * (3.0 - 2.0 * share)


def _feet(supports: Float32) -> Complex64:
    """[N, 2 sides]: the middle of each foot, between ankle and toes, on the floor. `supports` [N, 4, 3]."""
    middle = supports[:, :2] + supports[:, 2:]
    return np.asarray(0.5 * middle[..., 0] + 0.5j * middle[..., 2], np.complex64)


def _limited(before: Float32, after: Float32, most: float) -> Float32:
    """`after`, or as far towards it as `most` radians allow, per joint."""
    cosine = np.abs(np.vecdot(before, after))
    if cosine.min() >= math.cos(most / 2):
        return after
    angle = 2.0 * np.arccos(np.minimum(cosine, 1.0))
    share = np.minimum(1.0, most / np.maximum(angle, 1e-6)).astype(np.float32)
    return rotation.nlerp(before, after, share[..., None])
