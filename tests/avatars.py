"""Small VRM files for tests: a humanoid's nodes and no mesh."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np

from live import skeleton

LACKING = ("upperChest", "neck", "leftShoulder", "rightShoulder", "leftToes", "rightToes")


def vrm(path: Path, version: int = 1, lacking: tuple[str, ...] = (), size: float = 1.0, damage=None) -> Path:
    """A VRM of version 0 or 1 whose proportions are ours times `size`, without the bones `lacking`."""
    facing = np.array([1, 1, 1] if version else [-1, 1, -1])
    rest, _ = skeleton.forward_kinematics(skeleton.REST_OFFSETS[0], np.tile([0, 0, 0, 1.0], (skeleton.COUNT, 1)))
    bones = [bone for bone in skeleton.BONES if bone not in lacking]
    nodes = [{"name": "scene", "children": [1], "translation": [0, 0, 0]}]
    for bone in bones:
        above = nearest(bone, lacking)
        start = rest[skeleton.INDEX[above]] if above else np.zeros(3)
        offset = (rest[skeleton.INDEX[bone]] - start) * size * facing
        nodes.append({"name": f"J_{bone}", "translation": offset.tolist(), "children": []})
        if above:
            nodes[1 + bones.index(above)]["children"].append(len(nodes) - 1)
    named = {bone: n + 1 for n, bone in enumerate(bones)}
    document = {"asset": {"version": "2.0"}, "nodes": nodes, "extensions": extension(version, named)}
    if damage:
        damage(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sII", b"glTF", 2, 20 + len(text)) + struct.pack("<I4s", len(text), b"JSON")
    path.write_bytes(head + text)
    return path


def nearest(bone: str, lacking: tuple[str, ...]) -> str:
    """The nearest ancestor that is not lacking, empty above the hips."""
    parent = skeleton.PARENTS[skeleton.INDEX[bone]]
    if parent < 0:
        return ""
    return nearest(skeleton.BONES[parent], lacking) if skeleton.BONES[parent] in lacking else skeleton.BONES[parent]


def extension(version: int, named: dict[str, int]) -> dict:
    if version:
        return {"VRMC_vrm": {"humanoid": {"humanBones": {bone: {"node": n} for bone, n in named.items()}}}}
    return {"VRM": {"humanoid": {"humanBones": [{"bone": bone, "node": n} for bone, n in named.items()]}}}
