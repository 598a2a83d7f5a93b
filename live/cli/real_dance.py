"""`live study real`: a recorded dance as a take, so that it is filmed as the models' dances are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from live import channels, skeleton
from live.errors import BadFile, MissingExtra, Unusable
from live.take import fields_of, head, record_dtype, write_pose
from live.types import FRAME_RATE, BeatState, Pose

try:
    from live.keypoints import Keypoints
    from live.train.dance import Dance
    from live.train.prepare import read_all
except ImportError as error:
    raise MissingExtra(error.name or "scipy", "train", "reading recorded dances") from None


def record(data: Path, out: Path, begin: float, seconds: float | None) -> str:
    """Write `seconds` of the dance in the file `data` from second `begin` on; how to film it."""
    if not data.is_file():
        raise BadFile(f"'{data}' is no file: name the file of one dance, as `live prepare` reads them")
    if out.exists():
        raise BadFile(f"'{out}' exists already: choose another name")
    (dance,) = read_all(data)
    poses = poses_of(dance, begin, seconds)
    records = np.zeros(len(poses), record_dtype(1))
    fields = fields_of(records)
    for n, pose in enumerate(poses):
        write_pose(fields, n, pose)
    try:
        out.write_bytes(head(1) + records.tobytes())
    except OSError as error:
        raise BadFile(f"'{out}' cannot be written: {error.strerror}: choose another place") from None
    sound = f" --sound {dance.audio} --offset {-begin:g}" if dance.audio is not None else ""
    return f"{len(poses) / FRAME_RATE:.1f} s of {dance.name}: live render {out} --out {out.with_suffix('.mp4')}{sound}"


def poses_of(dance: Dance, begin: float, seconds: float | None) -> list[Pose]:
    """The dance's poses, about the middle of the stage."""
    if isinstance(dance.motion, Keypoints):
        raise Unusable(f"{dance.name} is known in two dimensions only: it cannot be filmed as the others are")
    first = round(begin * FRAME_RATE)
    last = None if seconds is None else first + round(seconds * FRAME_RATE)
    root, local = (np.asarray(part[first:last], np.float32) for part in dance.motion)
    if not len(root):
        raise Unusable(f"{dance.name} lasts {len(dance.motion[0]) / FRAME_RATE:.1f} s: begin earlier than {begin:g} s")
    root = root - root.mean(0) * np.array([1, 0, 1], np.float32)
    joints, _ = skeleton.forward_kinematics(root, local)
    feet = channels.foot_contacts(root, local)
    return [
        Pose(n, n / FRAME_RATE, n / FRAME_RATE, n / FRAME_RATE, root[n : n + 1], local[n : n + 1],
             np.asarray(joints[n : n + 1], np.float32), feet[n : n + 1], _beat(dance, begin + n / FRAME_RATE))
        for n in range(len(root))
    ]  # fmt: skip


def _beat(dance: Dance, at: float) -> BeatState:
    if dance.bpm <= 0:
        return BeatState()
    count = dance.count_at_start + at * dance.bpm / 60.0
    return BeatState(count % 1.0, dance.bpm, 1.0, count / dance.beats_per_bar % 1.0, 1.0, beat_count=max(int(count), 0))
