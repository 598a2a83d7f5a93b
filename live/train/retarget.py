"""Other skeletons onto the 22 bones: world rotations are taken over, limbs aligned by the direction of their bones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from live import rotation, skeleton
from live.errors import BadFile
from live.train.bvh import Bvh
from live.types import FRAME_RATE, Float32

POSER = {
    "hips": "hip", "spine": "abdomen", "chest": "chest", "upperChest": "chest", "neck": "neck", "head": "head",
    "leftShoulder": "lCollar", "leftUpperArm": "lShldr", "leftLowerArm": "lForeArm", "leftHand": "lHand",
    "rightShoulder": "rCollar", "rightUpperArm": "rShldr", "rightLowerArm": "rForeArm", "rightHand": "rHand",
    "leftUpperLeg": "lThigh", "leftLowerLeg": "lShin", "leftFoot": "lFoot", "leftToes": "lFoot",
    "rightUpperLeg": "rThigh", "rightLowerLeg": "rShin", "rightFoot": "rFoot", "rightToes": "rFoot",
}  # fmt: skip
"""Our bone -> the source joint whose world rotation it takes (Poser names, as in the CMU conversions)."""
ALIGNED = tuple(
    f"{side}{bone}" for side in ("left", "right") for bone in ("UpperArm", "LowerArm", "UpperLeg", "LowerLeg")
)
"""Bones whose rest direction differs from the source's: rotated so that the limb points where the source's does."""


class Motion(NamedTuple):
    """A dance on the 22 bones at 60 poses/s: root_position [T, 3] metres, local_rotations [T, 22, 4]."""

    root_position: Float32
    local_rotations: Float32


def retarget(source: Bvh, names: dict[str, str] = POSER) -> Motion:
    """The source's motion on our bones; the path is scaled by leg length and the lowest foot is put on the floor."""
    missing = sorted({n for n in names.values() if n not in source.names})
    if missing:
        raise BadFile(f"unknown skeleton: joints {', '.join(missing)} are missing; add a name map for it")
    index = {name: i for i, name in enumerate(source.names)}
    positions, rotations = source.world()
    world = np.stack([rotations[:, index[names[bone]]] for bone in skeleton.BONES], 1)
    for bone in ALIGNED:
        i, child = skeleton.INDEX[bone], skeleton.INDEX[bone] + 1
        ours = skeleton.REST_OFFSETS[child] / np.linalg.norm(skeleton.REST_OFFSETS[child])
        theirs = source.offsets[index[names[skeleton.BONES[child]]]]
        world[:, i] = rotation.multiply(world[:, i], rotation.between(ours, theirs / np.linalg.norm(theirs)))
    parents = np.array(skeleton.PARENTS)
    local = world.copy()
    local[:, 1:] = rotation.multiply(rotation.conjugate(world[:, parents[1:]]), world[:, 1:])
    root = positions[:, index[names["hips"]]] * _leg_ratio(source, index, names)
    return _grounded(_resampled(Motion(root.astype(np.float32), rotation.normalise(local)), source.rate))


def _leg_ratio(source: Bvh, index: dict[str, int], names: dict[str, str]) -> float:
    theirs = sum(np.linalg.norm(source.offsets[index[names[b]]]) for b in ("leftLowerLeg", "leftFoot"))
    ours = sum(np.linalg.norm(skeleton.REST_OFFSETS[skeleton.INDEX[b]]) for b in ("leftLowerLeg", "leftFoot"))
    return float(ours / theirs)


def _resampled(motion: Motion, rate: float) -> Motion:
    return motion if abs(rate - FRAME_RATE) < 0.1 else stretched(motion, FRAME_RATE / rate)


def stretched(motion: Motion, factor: float) -> Motion:
    """The motion lasting `factor` times as long (positions linearly, rotations spherically interpolated)."""
    count = len(motion.root_position)
    at = np.arange(0, count - 1, 1.0 / factor)
    low = at.astype(int)
    weight = (at - low).astype(np.float32)[:, None]
    high = np.minimum(low + 1, count - 1)
    root = motion.root_position[low] * (1 - weight) + motion.root_position[high] * weight
    local = rotation.nlerp(motion.local_rotations[low], motion.local_rotations[high], weight[:, None])
    return Motion(root.astype(np.float32), local.astype(np.float32))


def mirrored(motion: Motion) -> Motion:
    """Left and right exchanged by reflection in the plane x = 0."""
    local = motion.local_rotations[:, list(skeleton.MIRROR)] * np.array([1, -1, -1, 1], np.float32)
    return Motion(motion.root_position * np.array([-1, 1, 1], np.float32), local)


def _grounded(motion: Motion) -> Motion:
    """Shifted in height so that the feet's 1st percentile stands at the toes' rest height."""
    joints, _ = skeleton.forward_kinematics(motion.root_position, motion.local_rotations)
    toes = joints[:, [skeleton.INDEX["leftToes"], skeleton.INDEX["rightToes"]], 1]
    rest = skeleton.REST_OFFSETS[[0, 14, 15, 16, 17], 1].sum()
    root = motion.root_position.copy()
    root[:, 1] += rest - np.percentile(toes, 1)
    return Motion(root, motion.local_rotations)
