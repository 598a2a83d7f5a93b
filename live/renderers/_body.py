"""A body as volumes: the hulls of two or more balls that hang on the 22 bones, in metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live import skeleton
from live.types import Float32

# name, bone, place in the bone's frame (m), radius (m); left ones only, the right ones are their mirror images
BALLS: tuple[tuple[str, str, tuple[float, float, float], float], ...] = (
    ("hips", "hips", (0.0, 0.0, 0.0), 0.105),
    ("waist", "chest", (0.0, -0.04, 0.0), 0.098),
    ("ribs", "upperChest", (0.0, 0.02, 0.005), 0.118),
    ("collar", "neck", (0.0, -0.05, -0.005), 0.062),
    ("nape", "neck", (0.0, -0.005, -0.004), 0.053),
    ("throat", "neck", (0.0, 0.04, 0.004), 0.05),
    ("chin", "head", (0.0, 0.022, 0.026), 0.066),
    ("crown", "head", (0.0, 0.105, 0.004), 0.098),
    ("leftEye", "head", (0.042, 0.085, 0.078), 0.022),
    ("leftHip", "leftUpperLeg", (0.0, 0.0, 0.0), 0.083),
    ("leftThigh", "leftUpperLeg", (0.006, -0.12, 0.004), 0.08),
    ("leftKnee", "leftLowerLeg", (0.0, 0.0, 0.004), 0.056),
    ("leftCalf", "leftLowerLeg", (0.0, -0.13, -0.012), 0.054),
    ("leftAnkle", "leftFoot", (0.0, 0.01, 0.0), 0.036),
    ("leftHeel", "leftFoot", (0.0, -0.04, -0.035), 0.038),
    ("leftBall", "leftToes", (0.0, 0.01, 0.0), 0.03),
    ("leftTip", "leftToes", (0.0, 0.004, 0.06), 0.022),
    ("leftChest", "leftShoulder", (0.055, -0.065, 0.012), 0.085),
    ("leftShoulder", "leftUpperArm", (-0.005, 0.0, 0.0), 0.062),
    ("leftElbow", "leftLowerArm", (0.0, 0.0, 0.0), 0.041),
    ("leftForearm", "leftLowerArm", (0.07, 0.0, 0.0), 0.042),
    ("leftWrist", "leftHand", (0.0, 0.0, 0.0), 0.028),
    ("leftPalm", "leftHand", (0.075, -0.005, 0.0), 0.034),
    ("leftFingers", "leftHand", (0.155, -0.012, 0.0), 0.016),
)
SUIT, SLEEVE, SKIN, SHOE, VISOR = range(5)
# what a volume is made of, and the balls that it spans: its axis runs from the first to the second
VOLUMES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (SKIN, ("nape", "throat")),
    (SKIN, ("chin", "crown")),
    (VISOR, ("leftEye", "rightEye")),
    (SUIT, ("hips", "waist", "leftHip", "rightHip")),
    (SUIT, ("waist", "ribs", "leftChest", "rightChest")),
    (SUIT, ("ribs", "collar", "leftShoulder", "rightShoulder")),
    (SUIT, ("leftHip", "leftThigh")),
    (SUIT, ("leftThigh", "leftKnee")),
    (SUIT, ("leftKnee", "leftCalf")),
    (SUIT, ("leftCalf", "leftAnkle")),
    (SHOE, ("leftAnkle", "leftHeel")),
    (SHOE, ("leftHeel", "leftBall", "leftTip")),
    (SLEEVE, ("leftShoulder", "leftElbow")),
    (SLEEVE, ("leftElbow", "leftForearm")),
    (SLEEVE, ("leftForearm", "leftWrist")),
    (SKIN, ("leftWrist", "leftPalm")),
    (SKIN, ("leftPalm", "leftFingers")),
)
MOST = 4
"""Balls of a volume."""


def _other(name: str) -> str:
    return name.replace("left", "right")


_ALL = BALLS + tuple((_other(n), _other(bone), (-x, y, z), r) for n, bone, (x, y, z), r in BALLS if "left" in n)
_INDEX = {name: i for i, (name, _, _, _) in enumerate(_ALL)}
_BONE = np.array([skeleton.INDEX[bone] for _, bone, _, _ in _ALL])
_PLACE: Float32 = np.array([place for _, _, place, _ in _ALL], np.float32)
_BOTH = VOLUMES + tuple((m, tuple(map(_other, v))) for m, v in VOLUMES if all("left" in name for name in v))

RADII: Float32 = np.array([radius for _, _, _, radius in _ALL], np.float32)
"""[P] metres, of all balls."""
SPANS = np.array([[_INDEX[name] for name in (v + v[-1:] * MOST)[:MOST]] for _, v in _BOTH])
"""[V, 4] balls of each volume, the last repeated where there are fewer."""
MATERIALS = np.array([material for material, _ in _BOTH])
FEET = np.flatnonzero(MATERIALS == SHOE)
HANDS = np.array([_INDEX["leftPalm"], _INDEX["rightPalm"]])


def balls(joints: NDArray[np.floating], rotations: NDArray[np.floating]) -> Float32:
    """Places [N, P, 3] (m, world) of the balls of bodies: joint positions [N, 22, 3], local rotations [N, 22, 4]."""
    _, turned = skeleton.forward_kinematics(joints[:, 0], rotations)
    places = np.einsum("npij,pj->npi", turned[:, _BONE], _PLACE) + joints[:, _BONE]
    return np.asarray(places, np.float32)
