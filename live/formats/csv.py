"""`.csv`: a line per pose under a line of names; seconds since the show began, metres, quaternions x y z w; the
features that were heard last, as `live/features/extractor.py` tells them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from live import skeleton
from live.contracts import FEATURE_NAMES
from live.take import Take

MOMENT = ("time", "capture_time", "bpm", "beat_phase")


def columns() -> list[str]:
    """The names of the columns."""
    root = [f"root_{axis}" for axis in "xyz"]
    turns = [f"{bone}_q{axis}" for bone in skeleton.BONES for axis in "xyzw"]
    places = [f"{bone}_{axis}" for bone in skeleton.BONES for axis in "xyz"]
    return [*MOMENT, *root, *turns, *places, *FEATURE_NAMES]


def write(take: Take, path: Path, dancer: int) -> None:
    """When, the beat, the root, each bone's rotation in its parent's frame, each joint's place in the world, what was
    heard."""
    r = take.records
    count = len(r)
    bodies = [r[name][:, dancer].reshape(count, -1) for name in ("root_position", "local_rotations", "joint_positions")]
    table = np.column_stack([take.time, take.capture_time, r["bpm"], r["beat_phase"], *bodies, r["features"]])
    np.savetxt(path, table, "%.6f", ",", header=",".join(columns()), comments="")
