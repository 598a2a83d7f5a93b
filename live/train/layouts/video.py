"""Clips of one dancer, watched by MediaPipe: mp4, mov, mkv, webm, avi; the music is the clip's own or NAME.ogg beside.

World landmarks become the 22 bones, image landmarks the 18 keypoints (`Choice.pose_space`). MediaPipe's world has its
origin in the hips: the path to the left and right is taken from the picture, the height from the lower foot, so jumps
and the path toward the camera are lost.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from live.errors import BadFile
from live.keypoints import Keypoints
from live.limits import digest
from live.train.aim import Joints
from live.train.choice import Choice
from live.train.dance import LONGEST, Dance
from live.train.gaps import filled
from live.train.layouts.bvh import music_grid
from live.train.people import dancer
from live.train.pose_tool import Seen, home, watch
from live.train.retarget import Motion, retarget_joints
from live.types import FRAME_RATE, SAMPLE_RATE, Float32

CLIPS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
JOINTS = {
    "leftUpperArm": 11, "rightUpperArm": 12, "leftLowerArm": 13, "rightLowerArm": 14, "leftHand": 15, "rightHand": 16,
    "leftUpperLeg": 23, "rightUpperLeg": 24, "leftLowerLeg": 25, "rightLowerLeg": 26, "leftFoot": 27, "rightFoot": 28,
    "leftToes": 31, "rightToes": 32, "leftEar": 7, "rightEar": 8, "leftFingers": 19, "rightFingers": 20,
}  # fmt: skip
"""MediaPipe's landmarks as our bones' joints."""
KEYPOINTS = [[at] for at in (0, 11, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)]
KEYPOINTS[1] = [11, 12]
"""MediaPipe's landmarks as the 18 keypoints; the neck is the middle of the shoulders."""
HIPS, SHOULDERS = [23, 24], [11, 12]


def find(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in CLIPS)


def read(path: Path, choice: Choice = Choice()) -> Dance:  # noqa: B008
    seen = one_person(watch(path))
    try:
        motion = flat(seen) if choice.pose_space == "keypoints18" else solid(seen)
    except BadFile as error:
        raise BadFile(f"{path}: {error}") from None
    song = choice.song(path) or own_sound(path)
    grid, note = music_grid(path, song)
    found = np.asarray(np.isfinite(seen.image).all((1, 2)), bool)
    at = np.minimum((np.arange(len(motion[0])) * seen.rate / FRAME_RATE).astype(int), len(found) - 1)
    style = choice.style or path.parent.name
    return Dance(path.stem, style, motion, *grid, song=path.stem, audio=song, sound=found[at], notes=note)


def one_person(seen: Seen) -> Seen:
    """NaN where it is not the one who is seen longest: MediaPipe follows one person, and may change to another."""
    hips, shoulders = seen.image[:, HIPS, :2].mean(1), seen.image[:, SHOULDERS, :2].mean(1)
    size = np.linalg.norm(hips - shoulders, axis=1)
    found = np.flatnonzero(np.isfinite(size))
    jump = np.linalg.norm(np.diff(hips[found], axis=0), axis=1) / size[found[1:]] > np.diff(found).clip(max=8)
    runs = np.split(found, np.flatnonzero(jump) + 1)
    others = np.ones(len(size), bool)
    others[max(runs, key=len)] = False
    image, world = seen.image.copy(), seen.world.copy()
    image[others], world[others] = np.nan, np.nan
    return Seen(image, world, seen.rate)


def flat(seen: Seen) -> Keypoints:
    """The 18 keypoints from the image landmarks."""
    people = np.stack([seen.image[:, at].mean(1) for at in KEYPOINTS], 1)
    nobody = np.zeros((0, 18, 3), np.float32)
    return dancer([person[None] if np.isfinite(person).all() else nobody for person in people], seen.rate)


def solid(seen: Seen) -> Motion:
    """The 22 bones from the world landmarks: x right, y down, z away becomes X, Y up, Z toward the camera."""
    world, _ = filled(seen.world * np.array([1, -1, -1], np.float32))
    image, _ = filled(seen.image[..., :2])
    joints: Joints = {bone: world[:, at] + sideways(image, world) for bone, at in JOINTS.items()}
    joints["head"] = (joints["leftEar"] + joints["rightEar"]) / 2
    return retarget_joints(joints, seen.rate)


def sideways(image: Float32, world: Float32) -> Float32:
    """Where the hips go from left to right [T, 1, 3] -> [T, 3], metres: pixels by the size of the torso in both."""
    size = np.linalg.norm(image[:, HIPS].mean(1) - image[:, SHOULDERS].mean(1), axis=1)
    metres = np.linalg.norm((world[:, HIPS].mean(1) - world[:, SHOULDERS].mean(1))[:, :2], axis=1)
    scale = np.median(metres) / max(float(np.median(size)), 1e-6)
    out = np.zeros((len(image), 3), np.float32)
    out[:, 0] = (image[:, HIPS, 0].mean(1) - image[0, HIPS, 0].mean()) * scale
    return out


def own_sound(clip: Path) -> Path | None:
    """The clip's sound track as a wav file, kept beside what was seen; None where it has none or PyAV is missing."""
    try:
        import av
    except ImportError:
        return None
    kept = home() / f"sound-{digest(clip)[:32]}.wav"
    if kept.exists():
        return kept
    with av.open(str(clip)) as file:
        if not file.streams.audio:
            return None
        resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        heard, left = [], LONGEST * SAMPLE_RATE
        for out in (out for frame in file.decode(audio=0) for out in resampler.resample(frame)):
            heard.append(out.to_ndarray()[0])
            if (left := left - len(heard[-1])) < 0:
                raise BadFile(f"{clip}: lasts longer than {LONGEST // 60} minutes: cut it")
    soundfile.write(kept, np.concatenate(heard), SAMPLE_RATE, subtype="FLOAT")
    return kept
