"""Bodies in the picture: 18 keypoints in OpenPose's COCO order, normalised for place and scale.

The origin is the middle of the hips, averaged over the take; the unit is the median distance from there to the neck.
x points to the picture's right, y up. Channels [36] are x and y of each keypoint in turn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from live.types import Float32

NAMES = (
    "nose", "neck", "rightShoulder", "rightElbow", "rightWrist", "leftShoulder", "leftElbow", "leftWrist",
    "rightHip", "rightKnee", "rightAnkle", "leftHip", "leftKnee", "leftAnkle",
    "rightEye", "leftEye", "rightEar", "leftEar",
)  # fmt: skip
COUNT = len(NAMES)
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
