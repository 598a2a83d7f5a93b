"""From joint positions to rotations of the 22 bones: every bone points where the joints say.

Twists, which positions do not show, follow the hinges: knees bend backward and elbows forward of the limb's own frame.
Joints are a dictionary from our bones' names to positions [T, 3] in metres, Y up. Only `REQUIRED` must be there; the
spine is interpolated, other bones keep the rest pose of their parent. Pseudo-joints that help where known: `leftEar`,
`rightEar`, `leftFingers`, `rightFingers`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from live import rotation, skeleton
from live.types import FRAME_RATE, Float32

Joints = dict[str, Float32]
LIMBS = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
REQUIRED = tuple(f"{side}{limb}" for side in ("left", "right") for limb in LIMBS)
SPINE = {"hips": 0.0, "spine": 0.08, "chest": 0.20, "upperChest": 0.32, "neck": 0.48}
"""How far up from the hips, metres, in our rest pose."""
TWIST_PRIOR, TWIST_SECONDS = 0.05, 0.1
"""Squared sine of the bend at which a hinge is half believed, and how long its twist is averaged."""


def rest_direction(bone: str, child: str) -> Float32:
    """Unit vector [3] from `bone` to its `child` in our rest pose."""
    offset = skeleton.REST_OFFSETS[skeleton.INDEX[child]]
    assert skeleton.PARENTS[skeleton.INDEX[child]] == skeleton.INDEX[bone]
    return np.asarray(offset / np.linalg.norm(offset))


def completed(joints: Joints) -> Joints:
    """`joints` with hips, spine, neck and head where they were missing."""
    out = dict(joints)
    legs = (out["leftUpperLeg"] + out["rightUpperLeg"]) / 2
    arms = (out["leftUpperArm"] + out["rightUpperArm"]) / 2
    up = unit(arms - legs)
    out.setdefault("hips", legs + 0.05 * up)
    out.setdefault("neck", arms + 0.05 * up)
    out.setdefault("head", out["neck"] + 0.09 * up)
    known = [bone for bone in SPINE if bone in out]
    for bone in SPINE.keys() - out.keys():
        below = max((b for b in known if SPINE[b] < SPINE[bone]), key=SPINE.__getitem__)
        above = min((b for b in known if SPINE[b] > SPINE[bone]), key=SPINE.__getitem__)
        share = (SPINE[bone] - SPINE[below]) / (SPINE[above] - SPINE[below])
        out[bone] = out[below] + share * (out[above] - out[below])
    return out


def aim(joints: Joints) -> Float32:
    """World rotations [T, 22, 4] of our bones (see the module's docstring)."""
    j = completed(joints)
    world: Joints = {}
    _trunk(j, world)
    for side in ("left", "right"):
        _arm(j, world, side)
        _leg(j, world, side)
    return np.stack([world[bone] for bone in skeleton.BONES], 1).astype(np.float32)


def _trunk(j: Joints, world: Joints) -> None:
    legs = (j["leftUpperLeg"] + j["rightUpperLeg"]) / 2
    world["hips"] = frame(j["leftUpperLeg"] - j["rightUpperLeg"], j["chest"] - legs)
    world["upperChest"] = frame(j["leftUpperArm"] - j["rightUpperArm"], j["neck"] - j["chest"])
    for bone, child, share in (("spine", "chest", 1 / 3), ("chest", "upperChest", 2 / 3)):
        between = rotation.nlerp(world["hips"], world["upperChest"], share)
        world[bone] = swung(between, rest_direction(bone, child), j[child] - j[bone])
    world["neck"] = swung(world["upperChest"], rest_direction("neck", "head"), j["head"] - j["neck"])
    ears = "leftEar" in j and "rightEar" in j
    world["head"] = frame(j["leftEar"] - j["rightEar"], j["head"] - j["neck"]) if ears else world["neck"]


def _arm(j: Joints, world: Joints, side: str) -> None:
    shoulder, upper, lower, hand = (f"{side}{b}" for b in ("Shoulder", "UpperArm", "LowerArm", "Hand"))
    world[shoulder] = world["upperChest"]
    if shoulder in j:
        world[shoulder] = swung(world["upperChest"], rest_direction(shoulder, upper), j[upper] - j[shoulder])
    _limb(j, world, (shoulder, upper, lower, hand), 1.0)
    fingers = f"{side}Fingers"
    along = rest_direction(lower, hand)
    world[hand] = swung(world[lower], along, j[fingers] - j[hand]) if fingers in j else world[lower]


def _leg(j: Joints, world: Joints, side: str) -> None:
    upper, lower, foot, toes = (f"{side}{b}" for b in ("UpperLeg", "LowerLeg", "Foot", "Toes"))
    _limb(j, world, ("hips", upper, lower, foot), -1.0)
    if toes in j:
        world[foot] = swung(world[lower], rest_direction(foot, toes), j[toes] - j[foot])
    else:
        world[foot] = levelled(world[lower])
    world[toes] = world[foot]


def _limb(j: Joints, world: Joints, chain: tuple[str, str, str, str], bends: float) -> None:
    """Upper and lower bone of a limb; the lower one bends toward `bends` * Z of the upper one's frame."""
    above, upper, lower, end = chain
    below = unit(j[end] - j[lower])
    straight = swung(world[above], rest_direction(upper, lower), j[lower] - j[upper])
    world[upper] = hinged(straight, rest_direction(upper, lower), below, bends)
    world[lower] = swung(world[upper], rest_direction(lower, end), below)


def hinged(bone: Float32, axis: Float32, below: Float32, bends: float) -> Float32:
    """`bone` [T, 4] turned about its own `axis` [3] so that it bends toward `bends` * Z, by as much as it is bent."""
    forward = np.array([0.0, 0.0, bends], np.float32)
    local = rotation.rotate(rotation.conjugate(bone), below)
    across = local - (local @ axis)[:, None] * axis
    bend = np.linalg.norm(across, axis=1)
    twist = bend * (across @ forward + 1j * (across @ np.cross(axis, forward)))
    angle = np.angle(gaussian_filter1d(twist, TWIST_SECONDS * FRAME_RATE, mode="nearest") + TWIST_PRIOR) / 2
    turn = np.concatenate([np.sin(angle)[:, None] * axis, np.cos(angle)[:, None]], 1)
    return rotation.multiply(bone, turn.astype(np.float32))


def levelled(shin: Float32) -> Float32:
    """A foot [T, 4] below a `shin` whose toes are unknown: flat while the shin is upright, in line when it is not."""
    up = np.array([0, 1, 0], np.float32)
    top = rotation.rotate(shin, up)
    flat = rotation.multiply(rotation.between(top, np.broadcast_to(up, top.shape)), shin)
    lean = np.degrees(np.arccos(np.clip(top[:, 1:2], -1, 1)))
    return rotation.nlerp(shin, flat, np.clip((90 - lean) / 45, 0, 1))


def swung(bone: Float32, axis: Float32, direction: Float32) -> Float32:
    """Rotations `bone` [T, 4] turned the shortest way so that their `axis` [3] points along `direction` [T, 3]."""
    return rotation.multiply(rotation.between(rotation.rotate(bone, axis), unit(direction)), bone)


def frame(left: Float32, up: Float32) -> Float32:
    """Rotations [T, 4] with X along `left` [T, 3] and Y as near as possible to `up` [T, 3]."""
    x = unit(left)
    z = unit(rotation.cross(x, up))
    matrix = np.stack([x, rotation.cross(z, x), z], -1)
    return rotation.from_matrix(matrix.astype(np.float32))


def unit(v: Float32) -> Float32:
    """Vectors [..., 3] of length 1."""
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9), np.float32)
