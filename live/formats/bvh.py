"""`.bvh`: motion capture as Blender, MotionBuilder and others import it; metres, Y up, degrees, at the poses' rate.

Channels turn about z, then x, then y of the joint's own axes as turned so far (R = Rz Rx Ry). Poses that the show left
out are filled with the pose before them, so that frame n is n poses after the first.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live import rotation, skeleton
from live.formats import _frames
from live.take import Take

TURNS = "Zrotation Xrotation Yrotation"
END = {"head": (0.0, 0.18, 0.0), "leftHand": (0.18, 0.0, 0.0), "rightHand": (-0.18, 0.0, 0.0)}
"""Where a last bone ends, metres from its joint; toes end 5 cm ahead."""
TOE_END = (0.0, 0.0, 0.05)


def write(take: Take, path: Path, dancer: int) -> None:
    """Root position and 22 joints of one dancer."""
    frames = _frames.evenly(take)
    places = take.records["root_position"][frames, dancer].astype(np.float64)
    turns = euler_degrees(rotation.to_matrix(take.records["local_rotations"][frames, dancer].astype(np.float64)))
    motion = np.concatenate([places, turns.reshape(len(frames), -1)], 1)
    with open(path, "w", newline="\n") as file:
        file.write("\n".join(["HIERARCHY", *_joint(0, ""), "MOTION", f"Frames: {len(frames)}"]))
        file.write(f"\nFrame Time: {1 / take.frame_rate:.8f}\n")
        np.savetxt(file, motion, "%.6f", " ")


def _joint(bone: int, indent: str) -> list[str]:
    """A joint's lines with all below it. Joints come in the skeleton's order, since that is depth first."""
    name, inner = skeleton.BONES[bone], indent + "  "
    channels = f"CHANNELS 6 Xposition Yposition Zposition {TURNS}" if bone == 0 else f"CHANNELS 3 {TURNS}"
    offset = (0.0, 0.0, 0.0) if bone == 0 else skeleton.REST_OFFSETS[bone].tolist()
    lines = [f"{'JOINT' if bone else 'ROOT'} {name}", "{", f"  {_offset(offset)}", f"  {channels}"]
    below = [child for child in range(skeleton.COUNT) if skeleton.PARENTS[child] == bone]
    out = [indent + line for line in lines]
    for child in below:
        out += _joint(child, inner)
    if not below:
        out += [inner + line for line in ("End Site", "{", f"  {_offset(END.get(name, TOE_END))}", "}")]
    return [*out, indent + "}"]


def _offset(offset: tuple[float, ...] | list[float]) -> str:
    return "OFFSET " + " ".join(f"{value:.6f}" for value in offset)


def euler_degrees(m: NDArray[np.floating]) -> NDArray[np.floating]:
    """Angles [..., 3] about z, x, y of rotation matrices [..., 3, 3] = Rz Rx Ry, without jumps where avoidable."""
    x = np.arcsin(np.clip(m[..., 2, 1], -1.0, 1.0))
    level = np.abs(m[..., 2, 1]) < 0.999999  # else z and y turn about one axis: all of it is z's
    z = np.where(level, np.arctan2(-m[..., 0, 1], m[..., 1, 1]), np.arctan2(m[..., 1, 0], m[..., 0, 0]))
    y = np.where(level, np.arctan2(-m[..., 2, 0], m[..., 2, 2]), 0.0)
    return np.degrees(np.unwrap(np.stack([z, x, y], -1), axis=0))
