"""BVH motion capture files, as world positions and rotations of their joints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from live import rotation
from live.errors import BadFile
from live.types import Float32


@dataclass(frozen=True)
class Bvh:
    """A parsed file. offsets [J, 3] in the file's unit; rotations [T, J, 4] local, root_position [T, 3]; `ends` gives
    each leaf joint's end-site offset."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Float32
    ends: dict[str, Float32]
    rate: float
    root_position: Float32
    rotations: Float32

    def at_rest(self) -> Bvh:
        """One frame with every channel zero."""
        still = np.tile(rotation.IDENTITY, (1, len(self.names), 1))
        return replace(self, root_position=np.zeros((1, 3), np.float32), rotations=still)

    def world(self) -> tuple[Float32, Float32]:
        """World positions [T, J, 3] and rotations [T, J, 4]."""
        positions = np.empty((*self.rotations.shape[:2], 3), np.float32)
        rotations = np.empty_like(self.rotations)
        for j, parent in enumerate(self.parents):
            if parent < 0:
                positions[:, j], rotations[:, j] = self.root_position, self.rotations[:, j]
                continue
            positions[:, j] = positions[:, parent] + rotation.rotate(rotations[:, parent], self.offsets[j])
            rotations[:, j] = rotation.multiply(rotations[:, parent], self.rotations[:, j])
        return positions, rotations


def read_bvh(path: Path) -> Bvh:
    """Read a BVH file; raises `BadFile` naming it when it is no BVH, has no frames or the wrong number of values."""
    try:
        return _parse(path.read_text(errors="replace").split())
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, IndexError, StopIteration) as error:
        raise BadFile(f"{path}: is not a whole BVH file ({error or 'it ends too early'}); export it again") from None


def _parse(words: list[str]) -> Bvh:
    if not words or words[0] != "HIERARCHY":
        raise ValueError("no HIERARCHY")
    names: list[str] = []
    parents: list[int] = []
    offsets: list[list[float]] = []
    channels: list[tuple[int, str]] = []
    ends: dict[str, Float32] = {}
    stack: list[int] = []
    at = 1
    while words[at] != "MOTION":
        word = words[at]
        if word in ("ROOT", "JOINT"):
            parents.append(stack[-1] if stack else -1)
            brace = words.index("{", at)  # a name may hold spaces
            names.append(" ".join(words[at + 1 : brace]))
            stack.append(len(names) - 1)
            at = brace + 1
        elif word == "OFFSET":
            offsets.append([float(v) for v in words[at + 1 : at + 4]])
            at += 4
        elif word == "CHANNELS":
            count = int(words[at + 1])
            channels += [(stack[-1], c) for c in words[at + 2 : at + 2 + count]]
            at += 2 + count
        elif word == "End":
            ends[names[stack[-1]]] = np.array([float(v) for v in words[at + 4 : at + 7]], np.float32)
            at += 8
        elif word == "}":
            stack.pop()
            at += 1
        else:
            raise ValueError(f"unexpected '{word}'")
    frames, frame_time = int(words[at + 2]), float(words[at + 5])
    values = np.array(words[at + 6 :], np.float64)
    if frames < 2 or frame_time <= 0 or values.size != frames * len(channels) or not np.isfinite(values).all():
        raise ValueError(f"{frames} frames of {len(channels)} channels announced, {values.size} values found")
    position, rotations = _motion(values.reshape(frames, -1), channels, len(names))
    position += np.array(offsets[0]) if not any(c.endswith("position") for _, c in channels) else 0.0
    return Bvh(
        tuple(names), tuple(parents), np.array(offsets, np.float32), ends, 1.0 / frame_time,
        position.astype(np.float32), rotations.astype(np.float32),
    )  # fmt: skip


def _motion(values: np.ndarray, channels: list[tuple[int, str]], joints: int) -> tuple[np.ndarray, np.ndarray]:
    """Root position [T, 3] and local rotations [T, J, 4]; rotations apply in the order that the file lists them."""
    position = np.zeros((len(values), 3))
    rotations = np.tile(rotation.IDENTITY.astype(np.float64), (len(values), joints, 1))
    for column, (joint, channel) in zip(values.T, channels, strict=True):
        axis = "XYZ".index(channel[0].upper())
        if channel.lower().endswith("position"):
            if joint == 0:
                position[:, axis] = column
            continue
        half = np.radians(column) / 2
        turn = np.zeros((len(values), 4))
        turn[:, axis], turn[:, 3] = np.sin(half), np.cos(half)
        rotations[:, joint] = rotation.multiply(rotations[:, joint], turn)
    return position, rotations
