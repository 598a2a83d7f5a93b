"""OpenPose JSON: a folder a dance, a file a frame, `NAME_000000000012_keypoints.json`, BODY_25 or COCO-18.

Several people may be seen; the dancer is followed. OpenPose writes no frame rate: it is `Choice.rate`. Music is
FOLDER.ogg (wav, flac, mp3) beside the folder.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from live.errors import BadFile
from live.limits import MB, read_json
from live.train.choice import Choice
from live.train.dance import Dance
from live.train.layouts.bvh import music_grid
from live.train.people import dancer
from live.types import Float32

FROM_BODY_25 = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
"""Where BODY_25 keeps the 18 keypoints of COCO."""
MOST = 100
"""People of a frame who are looked at."""
NUMBER = re.compile(r"_?(\d+)_keypoints$")


def find(folder: Path) -> list[Path]:
    return sorted({path.parent for path in folder.rglob("*_keypoints.json")})


def read(path: Path, choice: Choice = Choice()) -> Dance:  # noqa: B008
    try:
        motion = dancer(read_people(path), choice.rate)
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from None
    song = choice.song(path, path.name)
    grid, note = music_grid(path, song)
    whole = f"{choice.rate:g} frames/s assumed"
    style = choice.style or path.parent.name
    return Dance(
        path.name, style, motion, *grid, song=path.name, audio=song, notes="; ".join(filter(None, (whole, note)))
    )


def read_people(folder: Path) -> list[Float32]:
    """Per frame the people [P, 18, 3]; a frame without a file, or with an empty or broken one, shows nobody."""
    files = {}
    for file in folder.glob("*_keypoints.json"):
        number = NUMBER.search(file.stem)
        files[int(number[1]) if number else len(files)] = file
    nobody = np.zeros((0, 18, 3), np.float32)
    if max(files) - min(files) > 60 * len(files) + 600:
        raise BadFile(f"frames {min(files)} to {max(files)} but only {len(files)} files: more than one clip?")
    people = [_people(files[n]) if n in files else nobody for n in range(min(files), max(files) + 1)]
    return [nobody if seen is None else seen for seen in people]


def _people(file: Path) -> Float32 | None:
    """[P, 18, 3], or None where the file is damaged."""
    try:
        found = read_json(file, MB)["people"][:MOST]
        bodies = [
            np.array(person.get("pose_keypoints_2d", person.get("pose_keypoints")), np.float32) for person in found
        ]
        return np.array([_eighteen(body.reshape(-1, 3)) for body in bodies], np.float32).reshape(-1, 18, 3)
    except (OSError, BadFile, ValueError, ArithmeticError, KeyError, TypeError, AttributeError):
        return None


def _eighteen(body: Float32) -> Float32:
    if len(body) == 25:
        return body[FROM_BODY_25]
    if len(body) != 18:
        raise ValueError(f"{len(body)} points are neither BODY_25 nor COCO-18")
    return body
