"""Other skeletons onto the 22 bones: limbs point where the source's do, its own rotations give what directions cannot.

A source joint's axes are unknown. Where the file's rest pose stands upright, they are those of our rest pose; else the
constant turn from them to ours is the mean, over the take, of the turn to what the directions alone say (`aim`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter1d

from live import rotation, skeleton
from live.errors import BadFile
from live.train.aim import REQUIRED, Joints, aim, completed, frame, rest_direction, swung, unit
from live.train.bvh import FASTEST, SLOWEST, Bvh
from live.train.names import matched, read_tables
from live.types import FRAME_RATE, Float32, Float64

ALIGNED = tuple((bone, bone.replace(upper, lower)) for upper, lower in
                (("UpperArm", "LowerArm"), ("LowerArm", "Hand"), ("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"))
                for bone in (f"left{upper}", f"right{upper}"))  # fmt: skip
"""Bone and child: limbs whose rest direction differs from source to source; they point exactly where theirs do."""
SHORTEST, LONGEST = 1e-3, 1e5
"""Of a leg, in whatever unit."""
STAND_INS = {
    "upperChest": ("chest", "spine"), "chest": ("upperChest", "spine"),
    "spine": ("chest", "upperChest"), "neck": ("head", "upperChest"), "head": ("neck", "upperChest"),
    "leftShoulder": ("upperChest", "chest", "spine"), "rightShoulder": ("upperChest", "chest", "spine"),
    "leftToes": ("leftFoot",), "rightToes": ("rightFoot",),
}  # fmt: skip
"""A bone that the source lacks turns with the first of these that it has, or as the directions say."""


class Motion(NamedTuple):
    """A dance on the 22 bones at 60 poses/s: root_position [T, 3] metres, local_rotations [T, 22, 4]."""

    root_position: Float32
    local_rotations: Float32


def retarget(source: Bvh, names: dict[str, str] | None = None) -> Motion:
    """The source's motion on our bones; the path is scaled by leg length and the lowest foot is put on the floor.

    `names` (our bone -> joint) is found by the known skeletons' names where it is not given; raises `BadFile` when no
    skeleton fits.
    """
    names = names or matched(source.names, read_tables())
    rest, moving = _joints(source.at_rest(), names), _joints(source, names)
    scale = leg_length({b: skeleton_rest(b) for b in REQUIRED}) / leg_length(rest)
    upright = _upright(completed(moving))
    moving = {bone: rotation.rotate(upright, scale * place).astype(np.float32) for bone, place in moving.items()}
    rotations = rotation.multiply(upright, source.world()[1])
    turned = {bone: rotations[:, source.names.index(joint)] for bone, joint in names.items()}
    world = _world(turned, moving, _standing(completed(rest)))
    motion = Motion(moving["hips"], _local(world))
    return grounded(resampled(motion, source.rate))


def retarget_joints(joints: Joints, rate: float) -> Motion:
    """A body known by its joints' positions alone [T, 3] (any unit, upright by some axis, at `rate` a second).

    Bone lengths are ours; the path is scaled by leg length, and the lowest foot is as high as the source's lowest.
    """
    scale = leg_length({b: skeleton_rest(b) for b in REQUIRED}) / leg_length(joints)
    upright = _upright(completed(joints))
    joints = {b: rotation.rotate(upright, scale * upsampled(place, rate)) for b, place in joints.items()}
    joints = {b: place.astype(np.float32) for b, place in completed(joints).items()}
    root, local = joints["hips"].copy(), _local(aim(joints))
    ours, _ = skeleton.forward_kinematics(root, local)
    low = np.minimum(joints["leftFoot"][:, 1], joints["rightFoot"][:, 1])
    feet = ours[:, [skeleton.INDEX["leftFoot"], skeleton.INDEX["rightFoot"]], 1].min(1)
    root[:, 1] += gaussian_filter1d(low - feet, 0.05 * FRAME_RATE)
    return grounded(Motion(root, local))


def skeleton_rest(bone: str) -> Float32:
    """Our joint [1, 3] in the rest pose."""
    still = np.tile(rotation.IDENTITY, (1, skeleton.COUNT, 1))
    joints, _ = skeleton.forward_kinematics(np.zeros((1, 3), np.float32), still)
    return np.asarray(joints[:, skeleton.INDEX[bone]], np.float32)


def leg_length(joints: Joints) -> float:
    """Median length of thigh and shin of both sides; `BadFile` where there is none."""
    bones = [(s + a, s + b) for s in ("left", "right") for a, b in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"))]
    length = float(sum(np.median(np.linalg.norm(joints[a] - joints[b], axis=-1)) for a, b in bones) / 2)
    if not SHORTEST < length < LONGEST:
        raise BadFile(f"its legs are {length:g} long")
    return length


def _joints(source: Bvh, names: dict[str, str]) -> Joints:
    positions, _ = source.world()
    return {bone: positions[:, source.names.index(joint)] for bone, joint in names.items()}


def _upright(j: Joints) -> Float32:
    """The turn [4] that brings the source's vertical axis, the one nearest to the mean spine, to Y."""
    spine = (j["neck"] - j["hips"]).mean(0)
    axis = np.zeros(3, np.float32)
    axis[np.abs(spine).argmax()] = np.sign(spine[np.abs(spine).argmax()])
    return rotation.between(axis, np.array([0, 1, 0], np.float32))


def _standing(rest: Joints) -> Float32 | None:
    """The body's frame [4] in the file's rest pose, or None where that pose does not stand on straight legs."""
    up = np.round(unit((rest["neck"] - rest["hips"])[0]))
    legs = [unit(rest[f"{s}Foot"] - rest[f"{s}UpperLeg"])[0] for s in ("left", "right")]
    if np.abs(up).sum() != 1 or max(leg @ up for leg in legs) > -0.8:
        return None
    return frame(rest["leftUpperLeg"] - rest["rightUpperLeg"], up[None].astype(np.float32))[0]


def _world(turned: Joints, joints: Joints, standing: Float32 | None) -> Float32:
    """World rotations [T, 22, 4] from the source joints' own [T, 4] and their places."""
    aimed = dict(zip(skeleton.BONES, aim(joints).swapaxes(0, 1), strict=True))
    if standing is not None:
        world = {bone: rotation.multiply(q, standing) for bone, q in turned.items()}
    else:
        world = {bone: _calibrated(q, aimed[bone]) for bone, q in turned.items()}
    for bone, child in ALIGNED:
        before = world[bone]
        world[bone] = swung(before, rest_direction(bone, child), joints[child] - joints[bone])
        if child.endswith("Hand") and standing is not None:  # a hand lies in line with the forearm at rest
            world[child] = rotation.multiply(world[child], _turn(before[0], world[bone][0]))
    for bone, others in STAND_INS.items():
        if bone not in turned:
            world[bone] = next((world[b] for b in others if b in turned), aimed[bone])
    return np.stack([world[bone] for bone in skeleton.BONES], 1)


def _turn(before: Float32, after: Float32) -> Float32:
    return rotation.multiply(rotation.conjugate(before), after)


def _calibrated(turned: Float32, aimed: Float32) -> Float32:
    """`turned` [T, 4] times the constant that brings it nearest to `aimed` (the mean quaternion, Markley 2007)."""
    offsets = rotation.multiply(rotation.conjugate(turned), aimed)
    _, vectors = np.linalg.eigh(offsets.T.astype(np.float64) @ offsets)
    return rotation.multiply(turned, vectors[:, -1].astype(np.float32))


def _local(world: Float32) -> Float32:
    local = world.copy()
    parents = np.array(skeleton.PARENTS[1:])
    local[:, 1:] = rotation.multiply(rotation.conjugate(world[:, parents]), world[:, 1:])
    return rotation.normalise(local)


def upsampled(track: Float32, rate: float) -> Float32:
    """A track [T, ...] at `rate` as a cubic spline read 60 times a second; `BadFile` where no camera is that slow."""
    if not SLOWEST <= rate <= FASTEST:
        raise BadFile(f"{rate:g} frames a second: use {SLOWEST} to {FASTEST}")
    if abs(rate - FRAME_RATE) < 0.1 or len(track) < 4:
        return np.asarray(track, np.float32)
    at = np.arange(0, len(track) - 1, rate / FRAME_RATE)
    return np.asarray(make_interp_spline(np.arange(len(track)), track)(at), np.float32)


def resampled(motion: Motion, rate: float) -> Motion:
    return motion if abs(rate - FRAME_RATE) < 0.1 else stretched(motion, FRAME_RATE / rate)


def stretched(motion: Motion, factor: float) -> Motion:
    """The motion lasting `factor` times as long."""
    return played(motion, np.arange(0, len(motion.root_position) - 1, 1.0 / factor))


def played(motion: Motion, at: Float64) -> Motion:
    """The motion read at frames `at` [T'] (positions linearly, rotations spherically interpolated)."""
    low = np.clip(at.astype(int), 0, len(motion.root_position) - 2)
    weight = (at - low).astype(np.float32)[:, None]
    root = motion.root_position[low] * (1 - weight) + motion.root_position[low + 1] * weight
    local = rotation.nlerp(motion.local_rotations[low], motion.local_rotations[low + 1], weight[:, None])
    return Motion(root.astype(np.float32), local.astype(np.float32))


def mirrored(motion: Motion) -> Motion:
    """Left and right exchanged by reflection in the plane x = 0."""
    local = motion.local_rotations[:, list(skeleton.MIRROR)] * np.array([1, -1, -1, 1], np.float32)
    return Motion(motion.root_position * np.array([-1, 1, 1], np.float32), local)


def grounded(motion: Motion) -> Motion:
    """Shifted in height so that the feet's 1st percentile stands at the toes' rest height."""
    joints, _ = skeleton.forward_kinematics(motion.root_position, motion.local_rotations)
    toes = joints[:, [skeleton.INDEX["leftToes"], skeleton.INDEX["rightToes"]], 1]
    rest = skeleton.REST_OFFSETS[[0, 14, 15, 16, 17], 1].sum()
    root = motion.root_position.copy()
    root[:, 1] += rest - np.percentile(toes, 1)
    return Motion(root, motion.local_rotations)
