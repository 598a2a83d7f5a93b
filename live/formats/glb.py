"""`.glb`: binary glTF 2.0, a skinned stick figure with one animation; metres, Y up, the dancer faces +Z, as glTF wants.

Its 22 joints are nodes of the skeleton's names, so it can be retargeted as well as played. Layout of the binary chunk:
https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live import __version__, skeleton
from live.take import Take

FLOAT, USHORT = 5126, 5123
TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
THICK = 0.025
"""Half the thickness (m) of a stick."""


class Binary:
    """The buffer with its views and accessors, grown array by array."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(self, values: NDArray[Any], bounds: bool = False) -> int:
        """Append `values` [n] or [n, m]; the number of its accessor. `bounds`: tell least and greatest."""
        wide = values.reshape(len(values), -1)
        kind = USHORT if values.dtype == np.uint16 else FLOAT
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes})
        self.data += values.tobytes() + bytes(-values.nbytes % 4)
        accessor = {"bufferView": len(self.views) - 1, "componentType": kind, "count": len(values),
                    "type": TYPES[wide.shape[1]]}  # fmt: skip
        if bounds:
            accessor |= {"min": wide.min(0).tolist(), "max": wide.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write(take: Take, path: Path, dancer: int) -> None:
    """One dancer's joints over time; the first pose is at 0 s."""
    binary = Binary()
    mesh, skin = _mesh(binary), _skin(binary)
    document = {
        "asset": {"version": "2.0", "generator": f"livedance {__version__}"},
        "scene": 0,
        "scenes": [{"nodes": [0, skeleton.COUNT]}],
        "nodes": [*_nodes(), {"name": "dancer", "mesh": 0, "skin": 0}],
        "meshes": [mesh],
        "skins": [skin],
        "animations": [_animation(binary, take, dancer)],
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": [{"byteLength": len(binary.data)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(binary.data)))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(binary.data), b"BIN\0") + binary.data)


def _nodes() -> list[dict[str, Any]]:
    """The joints at rest."""
    nodes = []
    for bone, name in enumerate(skeleton.BONES):
        node: dict[str, Any] = {"name": name, "translation": skeleton.REST_OFFSETS[bone].tolist()}
        if below := [child for child in range(skeleton.COUNT) if skeleton.PARENTS[child] == bone]:
            node["children"] = below
        nodes.append(node)
    return nodes


def _rest() -> NDArray[np.float32]:
    """Joints [22, 3] at rest in the world."""
    upright = np.tile(np.array([0, 0, 0, 1], np.float32), (skeleton.COUNT, 1))
    places, _ = skeleton.forward_kinematics(skeleton.REST_OFFSETS[0], upright)
    return places.astype(np.float32)


def _skin(binary: Binary) -> dict[str, Any]:
    inverse = np.tile(np.eye(4, dtype=np.float32), (skeleton.COUNT, 1, 1))
    inverse[:, 3, :3] = -_rest()  # by columns
    joints = list(range(skeleton.COUNT))
    return {"joints": joints, "skeleton": 0, "inverseBindMatrices": binary.add(inverse.reshape(-1, 16))}


def _mesh(binary: Binary) -> dict[str, Any]:
    """A double pyramid from each joint to its parent, which turns it."""
    rest = _rest()
    pairs = [(parent, bone) for bone, parent in enumerate(skeleton.PARENTS) if parent >= 0]
    points = np.concatenate([_stick(rest[parent], rest[bone]) for parent, bone in pairs])
    faces = np.concatenate([_FACES + np.uint16(6 * n) for n in range(len(pairs))]).astype(np.uint16)
    joints = np.zeros((len(points), 4), np.uint16)
    joints[:, 0] = np.repeat([parent for parent, _ in pairs], 6)
    weights = np.tile(np.array([1, 0, 0, 0], np.float32), (len(points), 1))
    attributes = {"POSITION": binary.add(points, bounds=True), "JOINTS_0": binary.add(joints),
                  "WEIGHTS_0": binary.add(weights)}  # fmt: skip
    return {"primitives": [{"attributes": attributes, "indices": binary.add(faces.ravel())}]}


_FACES = np.array([(0, a, b) for a, b in ((1, 2), (2, 3), (3, 4), (4, 1))] +
                  [(5, b, a) for a, b in ((1, 2), (2, 3), (3, 4), (4, 1))], np.uint16)  # fmt: skip


def _stick(start: NDArray[np.float32], end: NDArray[np.float32]) -> NDArray[np.float32]:
    """Six points [6, 3]: an end, four around a place near it, the other end."""
    along = end - start
    aside = np.cross(along, [1.0, 0.0, 0.0] if abs(along[0]) < 0.5 * np.linalg.norm(along) else [0.0, 1.0, 0.0])
    aside *= THICK / np.linalg.norm(aside)
    other = np.cross(along, aside)
    other *= THICK / np.linalg.norm(other)
    middle = start + 0.2 * along
    return np.array([start, middle + aside, middle + other, middle - aside, middle - other, end], np.float32)


def _animation(binary: Binary, take: Take, dancer: int) -> dict[str, Any]:
    """The hips' way and every joint's rotation, straight between poses (quaternions of one sign, for the short way)."""
    times = binary.add((take.time - take.time[0]).astype(np.float32), bounds=True)
    turns = one_sign(take.records["local_rotations"][:, dancer])
    samplers = [binary.add(np.ascontiguousarray(take.records["root_position"][:, dancer]))]
    samplers += [binary.add(np.ascontiguousarray(turns[:, bone])) for bone in range(skeleton.COUNT)]
    targets = [(0, "translation"), *((bone, "rotation") for bone in range(skeleton.COUNT))]
    return {
        "name": "dance",
        "samplers": [{"input": times, "output": output, "interpolation": "LINEAR"} for output in samplers],
        "channels": [{"sampler": n, "target": {"node": node, "path": path}} for n, (node, path) in enumerate(targets)],
    }


def one_sign(turns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Quaternions [T, J, 4] of unit length, each on its predecessor's side."""
    turns = turns / np.linalg.norm(turns, axis=-1, keepdims=True)
    flips = np.where((turns[1:] * turns[:-1]).sum(-1) < 0, -1.0, 1.0)
    signs = np.concatenate([np.ones((1, turns.shape[1])), np.cumprod(flips, 0)])
    return np.asarray(turns * signs[..., None], np.float32)
