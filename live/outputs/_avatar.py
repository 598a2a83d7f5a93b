"""An avatar's proportions from its VRM file: which of the 22 bones it has and how they lie in its rest pose.

A VRM is a binary glTF with a table that names the nodes of a humanoid: extension `VRM` (0.x, facing -Z) or `VRMC_vrm`
(1.0, facing +Z). Receivers apply rotations to bones whose axes are the world's (normalised), so offsets are differences
of rest positions in the world.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live import rotation, skeleton
from live.errors import BadFile
from live.limits import MB, check_regular, shallow
from live.types import Float32

LARGEST = 16 * MB
"""Bytes of its JSON; pictures and shapes come after it and are not read."""
FOLDS: tuple[tuple[str, str], ...] = (
    ("upperChest", "chest"),
    ("chest", "spine"),
    ("neck", "head"),
    ("leftShoulder", "leftUpperArm"),
    ("rightShoulder", "rightUpperArm"),
)
"""A bone that an avatar may lack, and the bone that then turns for it."""
OPTIONAL = {*(bone for bone, _ in FOLDS), "leftToes", "rightToes"}


@dataclass(frozen=True)
class Avatar:
    """bones: indices of those it has, parents first. offsets [22, 3], metres in the house frame: from the nearest
    ancestor that it has; of the hips, their place at rest with the floor at 0."""

    bones: tuple[int, ...]
    offsets: Float32

    @property
    def size(self) -> float:
        """Its hip height over that of our skeleton."""
        return float(self.offsets[0, 1] / skeleton.REST_OFFSETS[0, 1])

    def folds(self) -> list[tuple[int, int, bool]]:
        """(bone it lacks, bone that turns for it, whether that is the parent), in the order to apply them."""
        pairs = [(skeleton.INDEX[bone], skeleton.INDEX[other]) for bone, other in FOLDS]
        return [(bone, other, skeleton.PARENTS[bone] == other) for bone, other in pairs if bone not in self.bones]


HOUSE = Avatar(tuple(range(skeleton.COUNT)), skeleton.REST_OFFSETS)
"""The skeleton as it is danced."""


def folded(rotations: Float32, folds: list[tuple[int, int, bool]]) -> Float32:
    """Local rotations [N, 22, 4] where the bones that an avatar has also turn for those that it lacks."""
    out = rotations.copy()
    for bone, other, parent in folds:
        pair = (out[:, other], out[:, bone]) if parent else (out[:, bone], out[:, other])
        out[:, other] = rotation.multiply(*pair)
    return out


def read_avatar(path: Path) -> Avatar:
    """The avatar in a VRM file; `BadFile` in one line where it is none."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            document = _document(file.read(LARGEST))
        nodes, facing = _humanoid(document)
        places = _world_places(document["nodes"])
        return _avatar({bone: places[node] * facing for bone, node in nodes.items()})
    except OSError as error:
        raise BadFile(f"avatar '{path}' cannot be read: {error.strerror}") from None
    except (LookupError, ValueError, ArithmeticError, TypeError, AttributeError, struct.error, RecursionError) as error:
        reason = f"{error}" if isinstance(error, ValueError) else "its node tables are damaged"
        raise BadFile(f"avatar '{path}' is no usable VRM file: {reason}; export it again") from None


def _document(raw: bytes) -> Any:
    """The JSON of a binary glTF (its first chunk), or of a plain one."""
    if raw[:4] != b"glTF":
        return shallow(json.loads(raw))
    length, kind = struct.unpack_from("<I4s", raw, 12)
    if kind != b"JSON" or len(raw) < 20 + length:
        raise ValueError(f"it ends too early, or its description is larger than {LARGEST // MB} MB")
    return shallow(json.loads(raw[20 : 20 + length]))


def _humanoid(document: Any) -> tuple[dict[str, int], Float32]:
    """Node of each humanoid bone, and the signs that make it face +Z."""
    extensions = document.get("extensions", {})
    if "VRMC_vrm" in extensions:
        bones = extensions["VRMC_vrm"]["humanoid"]["humanBones"]
        return {name: bone["node"] for name, bone in bones.items()}, np.array([1, 1, 1], np.float32)
    if "VRM" in extensions:
        bones = extensions["VRM"]["humanoid"]["humanBones"]
        return {bone["bone"]: bone["node"] for bone in bones}, np.array([-1, 1, -1], np.float32)
    raise ValueError("it names no humanoid bones (extension VRM or VRMC_vrm)")


def _world_places(nodes: list[Any]) -> dict[int, Float32]:
    """Rest position [3] of each node in the world."""
    parents = {child: n for n, node in enumerate(nodes) for child in node.get("children", ())}
    transforms: dict[int, NDArray[np.float64]] = {}

    def world(n: int, depth: int = 0) -> NDArray[np.float64]:
        if depth > len(nodes):
            raise ValueError("its nodes form a circle")
        if n not in transforms:
            above = world(parents[n], depth + 1) if n in parents else np.eye(4)
            transforms[n] = above @ _local(nodes[n])
        return transforms[n]

    return {n: world(n)[:3, 3].astype(np.float32) for n in range(len(nodes))}


def _local(node: Any) -> NDArray[np.float64]:
    """A node's transform [4, 4], from its matrix (by columns) or its translation, rotation and scale."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    out = np.eye(4)
    turned = rotation.to_matrix(np.array(node.get("rotation", (0, 0, 0, 1)), np.float64))
    out[:3, :3] = turned * np.array(node.get("scale", (1, 1, 1)), np.float64)
    out[:3, 3] = node.get("translation", (0, 0, 0))
    return out


def _avatar(places: dict[str, Float32]) -> Avatar:
    if missing := [bone for bone in skeleton.BONES if bone not in places and bone not in OPTIONAL]:
        raise ValueError(f"it has no {', '.join(missing)}")
    bones = tuple(i for i, bone in enumerate(skeleton.BONES) if bone in places)
    offsets = np.zeros((skeleton.COUNT, 3), np.float32)
    for i in bones:
        above = skeleton.PARENTS[i]
        while above >= 0 and above not in bones:
            above = skeleton.PARENTS[above]
        offsets[i] = places[skeleton.BONES[i]] - (places[skeleton.BONES[above]] if above >= 0 else 0.0)
    if not np.isfinite(offsets).all() or not 0.05 < offsets[0, 1] < 50.0:
        raise ValueError(f"its hips are at a height of {offsets[0, 1]:g} m")
    return Avatar(bones, offsets)
