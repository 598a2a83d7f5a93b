"""The `ballroom` layout: `NAME.npz` with 23 markers beside `NAME.ogg`, `index.json`.

Keys of the npz: joints [T, 23, 3] metres, Y up; fps; genre; bad [T]; beats (s of the audio); beats_per_bar; sync
(`loose` has no beat grid). Frame i is at i / fps seconds of the audio.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live.errors import BadFile
from live.limits import read_arrays
from live.train.aim import Joints, unit
from live.train.choice import Choice
from live.train.dance import Dance
from live.train.grid import Grid, written_grid
from live.train.retarget import retarget_joints
from live.types import FRAME_RATE, Float32

MARKERS = {
    "Shoulder": {"left": 12, "right": 3}, "Elbow": {"left": 13, "right": 4}, "Hip": {"left": 16, "right": 7},
    "Knee": {"left": 17, "right": 8}, "Ankle": {"left": 18, "right": 9}, "Heel": {"left": 19, "right": 10},
    "Toe": {"left": 20, "right": 11}, "Temple": {"left": 1, "right": 0},
}  # fmt: skip
HANDS: dict[str, list[int]] = {"left": [15], "right": [6, 22]}
WAIST = 2
FROZEN = 5
"""Frames of 1/25 s without any movement: the recording stood still, not the dancer."""


def find(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.npz")) if (folder / "index.json").is_file() else []


def read(path: Path, choice: Choice = Choice()) -> Dance:  # noqa: B008
    try:
        data = read_arrays(path, ("joints", "fps", "genre", "bad", "beats", "beats_per_bar", "sync"))
    except (OSError, BadFile) as error:
        raise BadFile(f"{path}: is no whole dance of the ballroom layout ({error})") from None
    markers, rate = data["joints"], float(data["fps"])
    if markers.ndim != 3 or markers.shape[1:] != (23, 3) or len(markers) < 4 or not np.isfinite(markers).all():
        raise BadFile(f"{path}: joints {markers.shape} are not the positions of 23 markers")
    motion = retarget_joints(bones(markers), rate)
    at = np.minimum((np.arange(len(motion[0])) * rate / FRAME_RATE).round().astype(int), len(markers) - 1)
    sound = ~(np.asarray(data["bad"], bool) | frozen(markers))
    loose = str(data["sync"]) != "tight"
    grid = Grid() if loose else written_grid(np.asarray(data["beats"], np.float64))
    return Dance(
        path.stem, choice.style or str(data["genre"]), motion, *grid, int(data["beats_per_bar"]), path.stem,
        choice.song(path), sound[at], "no beat grid" if loose else "",
    )  # fmt: skip


def bones(markers: Float32) -> Joints:
    """Our bones' joints [T, 3] from the markers [T, 23, 3].

    Hip markers sit about 7 cm above the thighs' joints; a foot is taken from heel to toe.
    """
    m = {f"{side}{name}": markers[:, at] for name, sides in MARKERS.items() for side, at in sides.items()}
    shoulders = (m["leftShoulder"] + m["rightShoulder"]) / 2
    hips = (m["leftHip"] + m["rightHip"]) / 2
    up = unit(shoulders - hips)
    out: Joints = {}
    out["hips"], out["neck"] = hips, shoulders + 0.05 * up
    out["head"] = (m["leftTemple"] + m["rightTemple"]) / 2 - 0.08 * up
    for bone, share in (("chest", 1 / 3), ("upperChest", 2 / 3)):
        out[bone] = markers[:, WAIST] + share * (shoulders - markers[:, WAIST])
    for side in ("left", "right"):
        out[f"{side}Ear"] = m[f"{side}Temple"]
        out[f"{side}UpperArm"], out[f"{side}LowerArm"] = m[f"{side}Shoulder"], m[f"{side}Elbow"]
        out[f"{side}Hand"] = markers[:, HANDS[side]].mean(1)
        out[f"{side}UpperLeg"], out[f"{side}LowerLeg"] = m[f"{side}Hip"] - 0.07 * up, m[f"{side}Knee"]
        out[f"{side}Foot"] = m[f"{side}Ankle"]
        sole, shin = unit(m[f"{side}Toe"] - m[f"{side}Heel"]), m[f"{side}Ankle"] - m[f"{side}Knee"]
        down = unit(shin - (shin * sole).sum(1, keepdims=True) * sole)
        out[f"{side}Toes"] = m[f"{side}Ankle"] + 0.14 * sole + 0.06 * down
    return out


def frozen(markers: Float32) -> NDArray[np.bool_]:
    """[T]: True in runs of `FROZEN` frames and more in which nothing moves."""
    still = np.abs(np.diff(markers, axis=0, append=markers[-1:] + 1)).max((1, 2)) < 1e-5
    runs = np.convolve(still, np.ones(FROZEN), "full") >= FROZEN - 0.5
    return np.asarray(np.convolve(runs, np.ones(FROZEN), "full")[FROZEN - 1 : FROZEN - 1 + len(still)] > 0.5)
