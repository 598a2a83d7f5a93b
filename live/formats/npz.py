"""`.npz`: numpy arrays, seconds since the show began, metres, quaternions x y z w, in the house frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from live import skeleton
from live.take import Take


def write(take: Take, path: Path, dancer: int) -> None:
    """`time`, `capture_time`, `bpm`, `beat_phase` [T]; `root_position` [T, 3], `local_rotations` [T, 22, 4],
    `joint_positions` [T, 22, 3]; `bones` [22]."""
    records = take.records
    with open(path, "wb") as file:  # a path would have .npz appended to it
        np.savez(
            file,
            allow_pickle=False,
            time=take.time,
            capture_time=take.capture_time,
            root_position=records["root_position"][:, dancer],
            local_rotations=records["local_rotations"][:, dancer],
            joint_positions=records["joint_positions"][:, dancer],
            bpm=records["bpm"],
            beat_phase=records["beat_phase"],
            bones=np.array(skeleton.BONES),
        )
