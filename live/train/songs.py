"""Music to be measured by: songs with their beats, kept out of training, at their own and at other tempi."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from live.beats.aubio import AubioTracker
from live.bench.clips import SOUNDS, read_beats
from live.errors import BadFile, Unusable
from live.features.extractor import Extractor
from live.limits import MB, read_arrays, read_json
from live.train.dance import read_audio
from live.train.grid import heard_grid
from live.types import SAMPLE_RATE, Float32, Float64

STEADY = 0.02
"""How far a beat's tempo may be off the song's in a steady song."""
PARTS = ("beats", "music")
"""Folders of songs inside a folder of data."""


class Music(NamedTuple):
    """A song: samples, beats (s), and whether these were written down or heard."""

    name: str
    audio: Float32
    beats: Float64
    written: bool

    @property
    def seconds(self) -> float:
        return len(self.audio) / SAMPLE_RATE

    @property
    def bpm(self) -> float:
        """0 where no beats are known."""
        return 60.0 / float(np.median(np.diff(self.beats))) if len(self.beats) > 1 else 0.0

    @property
    def steady(self) -> bool:
        """True where beats were written down and none is far off the song's tempo."""
        if not self.written or len(self.beats) < 3:
            return False
        return bool(np.abs(np.diff(self.beats) * self.bpm / 60.0 - 1.0).max() < STEADY)

    def warped(self, rate: float) -> Music:
        """The song `rate` times as fast, as a record turned faster is: its pitch goes along."""
        audio = soxr.resample(self.audio, SAMPLE_RATE * rate, SAMPLE_RATE).astype(np.float32)
        return self._replace(audio=audio, beats=self.beats / rate)


def read_music(data: Path, seconds: float, dances: Path | None = None) -> list[Music]:
    """Every song of a folder with the beats beside it, else a grid by ear; of a folder of data those of its `beats`
    and `music` and of dances marked `valid`. Songs of the training half of `dances` are left out.

    Raises `Unusable` when there is none.
    """
    if not data.is_dir():
        raise Unusable(f"--data {data}: there is no such folder")
    paths = _sounds(data) or [path for part in PARTS for path in _sounds(data / part)]
    songs = [_music(path, seconds) for path in paths if not _among(path.stem, split(dances, "train"))]
    if not _sounds(data):
        for index in sorted(data.glob("*/index.json")):
            names = split(index.parent, "valid")
            songs += [_music(path, seconds) for path in _sounds(index.parent) if path.stem.lower() in names]
    if not songs:
        raise Unusable(f"--data {data}: holds no songs (wav, flac, ogg, mp3)")
    return songs


def split(dances: Path | None, half: str) -> set[str]:
    """Names, in small letters, of the dances that a folder's `index.json` puts in that half; none without one."""
    if dances is None or not (dances / "index.json").is_file():
        return set()
    try:
        index = read_json(dances / "index.json", 16 * MB)
        return {str(dance["name"]).lower() for dance in index if dance.get("split") == half}
    except (OSError, BadFile, TypeError, KeyError, AttributeError) as error:
        raise BadFile(f"{dances / 'index.json'}: is no list of dances with 'name' and 'split' ({error})") from None


def _among(name: str, names: Iterable[str]) -> bool:
    return any(name.lower().endswith(other) for other in names)


def _sounds(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("*")) if path.suffix.lower() in SOUNDS]


def _music(path: Path, seconds: float) -> Music:
    audio = read_audio(path)[: int(seconds * SAMPLE_RATE)]
    length = len(audio) / SAMPLE_RATE
    if path.with_suffix(".beats").is_file():
        beats, written = read_beats(path.with_suffix(".beats")), True
    elif path.with_suffix(".npz").is_file():
        beats, written = _beats_of_dance(path.with_suffix(".npz")), False  # fitted to the dance, nobody's word
    else:
        beats, written = _heard(audio), False
    return Music(path.stem, audio, beats[beats < length], written)


def _beats_of_dance(path: Path) -> Float64:
    try:
        return np.asarray(read_arrays(path, ("beats",))["beats"], np.float64).ravel()
    except (OSError, BadFile, ValueError, TypeError) as error:
        raise BadFile(f"{path}: holds no beats ({error})") from None


def _heard(audio: Float32) -> Float64:
    """Beats by ear, if there is a steady one."""
    grid = heard_grid(np.array([f.values[1] for f in Extractor(AubioTracker()).push(audio)], np.float32))
    counts = np.arange(np.ceil(grid.count_at_start), grid.count_at_start + len(audio) / SAMPLE_RATE * grid.bpm / 60.0)
    return np.asarray((counts - grid.count_at_start) * 60.0 / max(grid.bpm, 1.0))
