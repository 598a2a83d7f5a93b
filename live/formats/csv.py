"""`.csv`: a line per pose under a line of names; seconds since the show began, metres, quaternions x y z w."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from live import skeleton
from live.take import Take

MOMENT = ("time", "capture_time", "bpm", "beat_phase")


def columns() -> list[str]:
    """The names of the columns."""
    root = [f"root_{axis}" for axis in "xyz"]
    turns = [f"{bone}_q{axis}" for bone in skeleton.BONES for axis in "xyzw"]
    places = [f"{bone}_{axis}" for bone in skeleton.BONES for axis in "xyz"]
    return [*MOMENT, *root, *turns, *places]


def write(take: Take, path: Path, dancer: int) -> None:
    """When, the beat, the root, each bone's rotation in its parent's frame and each joint's place in the world."""
    r = take.records
    count = len(r)
    bodies = [r[name][:, dancer].reshape(count, -1) for name in ("root_position", "local_rotations", "joint_positions")]
    table = np.column_stack([take.time, take.capture_time, r["bpm"], r["beat_phase"], *bodies])
    np.savetxt(path, table, "%.6f", ",", header=",".join(columns()), comments="")
