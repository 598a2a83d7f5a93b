"""OpenPose: folders of JSON files with other people, lengths, types and frame numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from typing import Any

from live.train.choice import Choice
from live.train.layouts import openpose
from mutants.values import changed, nested, odd

FRAMES = 6
LARGE = 1_000_000
"""Characters of a frame's people who are not made more."""


def seeds(folder: Path) -> list[dict[str, Any]]:
    """Two people who sway, in BODY_25."""
    frames = [{"version": 1.3, "people": [_person(t, 300.0), *[_person(t, 900.0)] * (t > 4)]} for t in range(FRAMES)]
    for name, raw in _written(frames, Random(0)).items():
        (folder / name).write_bytes(raw)
    read(folder)
    return frames


def _person(t: int, x: float) -> dict[str, Any]:
    points = [v for n in range(25) for v in (x + 20 * math.sin(t / 9 + n) + 4 * n, 100.0 + 20 * n, 0.9)]
    return {"person_id": [-1], "pose_keypoints_2d": points, "face_keypoints_2d": [], "hand_left_keypoints_2d": []}


def mutant(seed: list[dict[str, Any]], rng: Random) -> dict[str, bytes]:
    frames = list(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(frames))
        frames[at] = changed(frames[at], rng)
    act = rng.random()
    if act < 0.1:
        frames = [frame | {"people": _crowd(frame, rng)} if isinstance(frame, dict) else frame for frame in frames]
    elif act < 0.2:
        frames = [changed(frames[0], Random(1), 2)] * FRAMES
    elif act < 0.25:
        frames = [nested(frame, rng.choice((10, 400)), rng) for frame in frames]
    elif act < 0.3:
        frames = [odd(rng) for _ in frames]
    return _written(frames, rng)


def _crowd(frame: dict[str, Any], rng: Random) -> Any:
    people, times = frame.get("people"), rng.choice((0, 5, 60))
    small = isinstance(people, list) and len(json.dumps(people)) < LARGE  # a mutant is to be large, not to take all day
    return people * times if small else people


def _written(frames: list[Any], rng: Random) -> dict[str, bytes]:
    step, first = (rng.choice((1, 1, 2, 60, 10**6)), rng.choice((0, 0, 7, 10**12))) if rng.random() < 0.1 else (1, 0)
    files = {f"d_{first + n * step:012d}_keypoints.json": json.dumps(one).encode() for n, one in enumerate(frames)}
    if rng.random() < 0.03:
        files["d_1_keypoints.json"] = b"[" * 100_000 + b"]" * 100_000
    if rng.random() < 0.03:
        files["keypoints_keypoints.json"] = b"{}"
    return files


def read(folder: Path) -> None:
    for found in openpose.find(folder):
        openpose.read(found, Choice())
