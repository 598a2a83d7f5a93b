"""Bodies in the picture: 18 keypoints in OpenPose's COCO order, normalised for place and scale.

The origin is the middle of the hips, averaged over the take; the unit is the median distance from there to the neck.
x points to the picture's right, y up. Channels [36] are x and y of each keypoint in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from live import skeleton
from live.types import Float32

NAMES = (
    "nose", "neck", "rightShoulder", "rightElbow", "rightWrist", "leftShoulder", "leftElbow", "leftWrist",
    "rightHip", "rightKnee", "rightAnkle", "leftHip", "leftKnee", "leftAnkle",
    "rightEye", "leftEye", "rightEar", "leftEar",
)  # fmt: skip
COUNT, CHANNELS = len(NAMES), 2 * len(NAMES)
SPACE = "keypoints18"
"""What the channels of dances and models are called that are such keypoints."""
INDEX = {name: i for i, name in enumerate(NAMES)}
MIRROR = tuple(INDEX[n.replace("left", "right") if n.startswith("left") else n.replace("right", "left")] for n in NAMES)
HIPS, NECK = [INDEX["rightHip"], INDEX["leftHip"]], INDEX["neck"]
BONES = tuple((INDEX[a], INDEX[b]) for a, b in (
    ("neck", "nose"), ("nose", "rightEye"), ("rightEye", "rightEar"), ("nose", "leftEye"), ("leftEye", "leftEar"),
    ("neck", "rightShoulder"), ("rightShoulder", "rightElbow"), ("rightElbow", "rightWrist"),
    ("neck", "leftShoulder"), ("leftShoulder", "leftElbow"), ("leftElbow", "leftWrist"),
    ("neck", "rightHip"), ("rightHip", "rightKnee"), ("rightKnee", "rightAnkle"),
    ("neck", "leftHip"), ("leftHip", "leftKnee"), ("leftKnee", "leftAnkle"),
))  # fmt: skip


FROM_JOINTS = {
    "Shoulder": "UpperArm", "Elbow": "LowerArm", "Wrist": "Hand", "Hip": "UpperLeg", "Knee": "LowerLeg",
    "Ankle": "Foot", "Ear": "Ear",
}  # fmt: skip
"""Keypoints (each side) that are a joint of ours."""
EAR = (0.075, 0.1, 0.01)
"""Where the left ear lies from our head's joint (m), in the head's frame."""


class Keypoints(NamedTuple):
    """A dance in the picture at 60 poses/s: points [T, 18, 2] normalised, known [T, 18] False where interpolated."""

    points: Float32
    known: NDArray[np.bool_]


def normalised(points: Float32) -> Float32:
    """Pixels [T, 18, 2], y down, as the module's docstring says."""
    hips = points[:, HIPS].mean(1)
    size = np.median(np.linalg.norm(points[:, NECK] - hips, axis=-1))
    return np.asarray((points - hips.mean(0)) / max(float(size), 1e-6) * (1.0, -1.0), np.float32)


def encode(motion: Keypoints) -> Float32:
    """Channels [T, 36]."""
    return motion.points.reshape(len(motion.points), -1)


def pictured(channels: Float32) -> Float32:
    """Points [T, 18, 2] of channels [T, 36], y down as in a picture, in the channels' unit."""
    return np.asarray(channels.reshape(len(channels), COUNT, 2) * (1.0, -1.0), np.float32)


def stretched(motion: Keypoints, factor: float) -> Keypoints:
    """The motion lasting `factor` times as long."""
    at = np.arange(0, len(motion.points) - 1, 1.0 / factor)
    low = at.astype(int)
    weight = (at - low).astype(np.float32)[:, None, None]
    points = motion.points[low] * (1 - weight) + motion.points[low + 1] * weight
    return Keypoints(points, motion.known[low] & motion.known[low + 1])


def mirrored(motion: Keypoints) -> Keypoints:
    """Left and right exchanged by reflection in x = 0."""
    turned = motion.points[:, list(MIRROR)] * np.array([-1, 1], np.float32)
    return Keypoints(turned, motion.known[:, list(MIRROR)])


def eighteen(joints: Mapping[str, Float32]) -> Float32:
    """The 18 keypoints in space [T, 18, 3] of our bones' joints [T, 3] and ears; eyes and nose lie before the head."""
    across = _unit(joints["leftEar"] - joints["rightEar"])
    middle = (joints["leftEar"] + joints["rightEar"]) / 2
    ahead = _unit(np.cross(across, middle - joints["neck"]))
    out = np.empty((len(middle), COUNT, 3), np.float32)
    out[:, NECK] = (joints["leftUpperArm"] + joints["rightUpperArm"]) / 2
    out[:, INDEX["nose"]] = middle + 0.12 * ahead
    for side, sign in (("left", 1), ("right", -1)):
        out[:, INDEX[f"{side}Eye"]] = middle + 0.1 * ahead + sign * 0.03 * across
        for name, bone in FROM_JOINTS.items():
            out[:, INDEX[f"{side}{name}"]] = joints[f"{side}{bone}"]
    return out


def of_bodies(positions: Float32, head: Float32) -> Float32:
    """The 18 keypoints in space [T, 18, 3] of joints [T, 22, 3] (m) and the head's rotation in the world [T, 3, 3]."""
    joints = {bone: positions[:, i] for i, bone in enumerate(skeleton.BONES)}
    for side, sign in (("left", 1), ("right", -1)):
        joints[f"{side}Ear"] = joints["head"] + head @ (np.array(EAR, np.float32) * (sign, 1, 1))
    return eighteen(joints)


def _unit(v: NDArray[np.floating]) -> Float32:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9), np.float32)
