"""AIST++ `keypoints3d` (Li et al., 2021): NAME.pkl with COCO's 17 joints at 60/s, music mXXn.wav.

Names tell the dance and its song: gBR_sBM_cAll_d04_mBR0_ch01 is break dance to song mBR0. Tempi are those of the AIST
dance database (Tsuchida et al., 2019): n = 0..5 is 80 to 130 BPM, house 110 to 135.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from pathlib import Path
from typing import Any

import numpy as np

from live.contracts import FEATURE_NAMES
from live.errors import BadFile
from live.limits import MB, read_bytes
from live.train.aim import Joints
from live.train.choice import Choice
from live.train.dance import Dance, prosody_of, read_audio
from live.train.gaps import filled
from live.train.grid import Grid, heard_grid
from live.train.retarget import retarget_joints
from live.types import Float32

COCO = (
    "nose", "leftEye", "rightEye", "leftEar", "rightEar", "leftUpperArm", "rightUpperArm", "leftLowerArm",
    "rightLowerArm", "leftHand", "rightHand", "leftUpperLeg", "rightUpperLeg", "leftLowerLeg", "rightLowerLeg",
    "leftFoot", "rightFoot",
)  # fmt: skip
STYLES = {
    "BR": "break", "PO": "pop", "LO": "lock", "MH": "middle hip-hop", "LH": "LA hip-hop", "HO": "house", "WA": "waack",
    "KR": "krump", "JS": "street jazz", "JB": "ballet jazz",
}  # fmt: skip
NAME = re.compile(r"g(?P<genre>[A-Z]{2})_.*_(?P<song>m(?P<music>[A-Z]{2})(?P<tempo>\d))_")
LARGEST = 64 * MB
ALLOWED = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
}  # fmt: skip
"""All that an array is made of. A pickle may name any function to call; others are refused."""


class ArraysOnly(pickle.Unpickler):
    """Unpickles containers, numbers and numpy arrays; raises `UnpicklingError` for anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it wants to load {module}.{name}, which no motion needs")
        return super().find_class(module, name)


def find(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.pkl") if NAME.search(path.stem + "_"))


def read(path: Path, choice: Choice = Choice()) -> Dance:  # noqa: B008
    points, known = filled(read_keypoints(path))
    motion = retarget_joints(_joints(points), 60.0)
    about = NAME.search(path.stem + "_")
    assert about is not None
    song = choice.song(path, about["song"])
    sound = known[: len(motion[0])].all(1)
    style = choice.style or STYLES.get(about["genre"], about["genre"])
    grid = _grid(song, nominal_tempo(about["music"], int(about["tempo"])))
    note = "" if song else f"no {about['song']}.wav (name its folder with --music)"
    return Dance(path.stem, style, motion, *grid, 4, about["song"], song, sound, note)


def read_keypoints(path: Path) -> Float32:
    """[T, 17, 3], NaN where not seen; raises `BadFile` naming what is no such file."""
    try:
        return _positions(read_bytes(path, LARGEST))
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except Exception as error:  # a damaged pickle raises whatever it meets
        raise BadFile(f"{path}: is no AIST++ keypoints3d file ({error or type(error).__name__})") from None


def _positions(raw: bytes) -> Float32:
    _check_places(raw)
    found = ArraysOnly(io.BytesIO(raw)).load()
    stored = found.get("keypoints3d_optim", found.get("keypoints3d"))
    if not isinstance(stored, np.ndarray) or stored.dtype.kind not in "fiu" or stored.nbytes > len(raw):
        raise ValueError("keypoints3d is no array of the numbers in it")
    points = np.asarray(stored, np.float32)
    if points.ndim != 3 or points.shape[1:] != (17, 3) or len(points) < 4:
        raise ValueError(f"keypoints3d is {points.shape}, not [frames, 17, 3]")
    return points


def _check_places(raw: bytes) -> None:
    """The unpickler makes room for every place up to the last one in which something is put."""
    for opcode, place, _ in pickletools.genops(raw):
        if opcode.name in ("PUT", "LONG_BINPUT") and place is not None and place > len(raw):
            raise ValueError(f"it puts something in place {place}")


def _joints(points: Float32) -> Joints:
    joints = {name: points[:, i] for i, name in enumerate(COCO)}
    joints["head"] = (joints["leftEar"] + joints["rightEar"]) / 2
    return joints


def nominal_tempo(music: str, number: int) -> float:
    return 110.0 + 5 * number if music == "HO" else 80.0 + 10 * number


def _grid(song: Path | None, bpm: float) -> Grid:
    if song is None:
        return Grid()
    onsets = prosody_of(read_audio(song))[:, FEATURE_NAMES.index("onset_envelope")]
    return heard_grid(onsets, 0.99 * bpm, 1.01 * bpm)
