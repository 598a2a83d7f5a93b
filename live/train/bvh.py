"""BVH motion capture files, as world positions and rotations of their joints."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from live import rotation
from live.errors import BadFile
from live.limits import MB, read_bytes
from live.types import Float32

LARGEST, MOST_JOINTS, MOST_TURNS = 64 * MB, 512, 10_000_000
"""Bytes of a file, its joints, and turns of joints in all frames: an hour of 23 joints at 120 frames/s."""
SLOWEST, FASTEST = 5, 1000
"""Frames/s."""
FARTHEST = 1e6
"""What an offset, a place or an angle may amount to."""
CHANNELS = tuple(f"{axis}{kind}" for axis in "xyz" for kind in ("position", "rotation"))


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
        return _parse(read_bytes(path, LARGEST).decode("utf-8", "replace"))
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, ArithmeticError) as error:
        reason = "it ends too early" if isinstance(error, LookupError) else " ".join(str(error).split())[:200]
        raise BadFile(f"{path}: is not a whole BVH file ({reason}); export it again") from None


@dataclass
class _Skeleton:
    """What the hierarchy tells, joint by joint; channels are (joint, name) in the order of a frame's values."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[tuple[int, str]] = field(default_factory=list)
    ends: dict[str, Float32] = field(default_factory=dict)


def _parse(text: str) -> Bvh:
    head, motion, rest = text.partition("MOTION")
    if not motion:
        raise ValueError("no MOTION")
    bones = _hierarchy(head.split())
    frames, rate, values = _values(rest)
    if frames < 2 or not bones.channels or values.size != frames * len(bones.channels):
        raise ValueError(f"{frames} frames of {len(bones.channels)} channels announced, {values.size} values found")
    if frames * len(bones.names) > MOST_TURNS:
        raise ValueError(f"{frames} frames of {len(bones.names)} joints are too many: cut it")
    position, rotations = _motion(values.reshape(frames, -1), bones.channels, len(bones.names))
    position += np.array(bones.offsets[0]) if not any(c.endswith("position") for _, c in bones.channels) else 0.0
    return Bvh(
        tuple(bones.names), tuple(bones.parents), np.array(bones.offsets, np.float32), bones.ends, rate,
        position.astype(np.float32), rotations.astype(np.float32),
    )  # fmt: skip


def _hierarchy(words: list[str]) -> _Skeleton:
    if not words or words[0] != "HIERARCHY":
        raise ValueError("no HIERARCHY")
    found, stack, at = _Skeleton(), list[int](), 1
    while at < len(words):
        word = words[at]
        if word in ("ROOT", "JOINT"):
            brace = words.index("{", at)  # a name may hold spaces
            stack.append(_add(found, " ".join(words[at + 1 : brace]), stack[-1] if stack else -1))
            at = brace + 1
        elif word == "OFFSET":
            found.offsets.append(_place(words[at + 1 : at + 4]))
            at += 4
        elif word == "CHANNELS":
            count = int(words[at + 1])
            if not 0 <= count <= 6:
                raise ValueError(f"{count} channels of one joint")
            found.channels += [(stack[-1], _channel(name)) for name in words[at + 2 : at + 2 + count]]
            at += 2 + count
        elif word == "End":
            found.ends[found.names[stack[-1]]] = np.array(_place(words[at + 4 : at + 7]), np.float32)
            at += 8
        elif word == "}":
            stack.pop()
            at += 1
        else:
            raise ValueError(f"unexpected '{word[:40]}'")
    if stack or len(found.offsets) != len(found.names) or found.parents.count(-1) != 1:
        raise ValueError("it has not one root and an offset for each joint")
    return found


def _add(found: _Skeleton, name: str, parent: int) -> int:
    """A joint more; its number."""
    if len(found.names) == MOST_JOINTS:
        raise ValueError(f"more than {MOST_JOINTS} joints")
    found.names.append(name)
    found.parents.append(parent)
    return len(found.names) - 1


def _place(words: list[str]) -> list[float]:
    x, y, z = map(float, words)
    if not all(abs(side) < FARTHEST for side in (x, y, z)):
        raise ValueError(f"an offset of {x:g} {y:g} {z:g}")
    return [x, y, z]


def _channel(name: str) -> str:
    if name.lower() not in CHANNELS:
        raise ValueError(f"no channel is called '{name[:40]}'")
    return name


def _values(text: str) -> tuple[int, float, np.ndarray]:
    """Frames announced, frames/s, and all numbers that follow."""
    _, count, _, _, time, *numbers = text.split(None, 5)
    frames, frame_time = int(count), float(time)
    if not 1 / FASTEST <= frame_time <= 1 / SLOWEST:
        raise ValueError(f"a frame lasts {frame_time:g} s, not 1/{FASTEST} to 1/{SLOWEST}")
    values = np.array("".join(numbers).split(), np.float64)
    if not (np.abs(values) < FARTHEST).all():
        raise ValueError("a value is out of all measure")
    return frames, 1.0 / frame_time, values


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
