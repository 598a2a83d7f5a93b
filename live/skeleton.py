"""The 22 body bones shared by SMPL and the VRM humanoid, as one table, with forward kinematics.

Rest pose: T-pose with every local rotation the identity, facing +Z, left +X. Rest offsets are metres from the parent,
averaged from adult proportions (1.70 m tall); the hips' offset is their height above the floor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from live import rotation
from live.types import Float32

# name, parent, rest offset (m) from the parent in the world's axes
TABLE: tuple[tuple[str, int, tuple[float, float, float]], ...] = (
    ("hips", -1, (0.0, 0.93, 0.0)),
    ("spine", 0, (0.0, 0.08, 0.0)),
    ("chest", 1, (0.0, 0.12, 0.0)),
    ("upperChest", 2, (0.0, 0.12, 0.0)),
    ("neck", 3, (0.0, 0.16, 0.0)),
    ("head", 4, (0.0, 0.09, 0.01)),
    ("leftShoulder", 3, (0.03, 0.10, 0.0)),
    ("leftUpperArm", 6, (0.14, 0.02, 0.0)),
    ("leftLowerArm", 7, (0.27, 0.0, 0.0)),
    ("leftHand", 8, (0.25, 0.0, 0.0)),
    ("rightShoulder", 3, (-0.03, 0.10, 0.0)),
    ("rightUpperArm", 10, (-0.14, 0.02, 0.0)),
    ("rightLowerArm", 11, (-0.27, 0.0, 0.0)),
    ("rightHand", 12, (-0.25, 0.0, 0.0)),
    ("leftUpperLeg", 0, (0.09, -0.05, 0.0)),
    ("leftLowerLeg", 14, (0.0, -0.40, 0.0)),
    ("leftFoot", 15, (0.0, -0.40, 0.0)),
    ("leftToes", 16, (0.0, -0.06, 0.14)),
    ("rightUpperLeg", 0, (-0.09, -0.05, 0.0)),
    ("rightLowerLeg", 18, (0.0, -0.40, 0.0)),
    ("rightFoot", 19, (0.0, -0.40, 0.0)),
    ("rightToes", 20, (0.0, -0.06, 0.14)),
)
BONES = tuple(name for name, _, _ in TABLE)
PARENTS = tuple(parent for _, parent, _ in TABLE)
REST_OFFSETS: Float32 = np.array([offset for _, _, offset in TABLE], np.float32)
COUNT = len(BONES)
INDEX = {name: i for i, name in enumerate(BONES)}
MIRROR = tuple(INDEX[b.replace("left", "right") if b.startswith("left") else b.replace("right", "left")] for b in BONES)
"""For each bone, the bone on the other side (itself on the midline)."""


def _ancestors(distance: int) -> NDArray[np.intp]:
    """For each bone and the world (index COUNT), the ancestor `distance` generations up; the world above the hips."""
    up = np.array([COUNT if p < 0 else p for p in PARENTS] + [COUNT])
    out = np.arange(COUNT + 1)
    for _ in range(distance):
        out = up[out]
    return out


_DOUBLINGS = tuple(_ancestors(d) for d in (1, 2, 4))
_REST = np.tile(np.eye(4, dtype=np.float32), (COUNT + 1, 1, 1))
_REST[1:COUNT, :3, 3] = REST_OFFSETS[1:]


def forward_kinematics(
    root_position: NDArray[np.floating], local_rotations: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """World joint positions [..., 22, 3] and world rotation matrices [..., 22, 3, 3].

    `root_position` [..., 3] metres, `local_rotations` [..., 22, 4] unit quaternions.
    """
    return matrix_kinematics(root_position, rotation.to_matrix(local_rotations))


def matrix_kinematics(
    root_position: NDArray[np.floating], local: NDArray[np.floating], offsets: NDArray[np.floating] | None = None
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """`forward_kinematics` from rotation matrices [..., 22, 3, 3]; `offsets` [..., 22, 3] (m) of another body's bones.

    No bone is more than seven generations below the hips, so three doublings (each bone's transform times that of its
    ancestor 1, 2, then 4 up) multiply every chain whole.
    """
    transform = np.empty((*local.shape[:-3], COUNT + 1, 4, 4), local.dtype)
    transform[...] = _REST
    transform[..., :COUNT, :3, :3] = local
    if offsets is not None:
        transform[..., :COUNT, :3, 3] = offsets
    transform[..., 0, :3, 3] = root_position
    for ancestors in _DOUBLINGS:
        transform = transform[..., ancestors, :, :] @ transform
    return transform[..., :COUNT, :3, 3], transform[..., :COUNT, :3, :3]
