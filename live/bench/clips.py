"""Clips with known beats: `NAME.ogg` (wav, flac, mp3) beside `NAME.beats`, and `index.json` where there is one.

A `.beats` file holds one beat a line: its time in seconds, ascending (further columns are left alone). Of `index.json`,
a list of objects, `name`, `style` and `bpm` are used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from live.errors import BadFile, Unusable
from live.limits import MB, read_json, read_text
from live.types import Float64

LARGEST = 16 * MB
SOUNDS = (".ogg", ".wav", ".flac", ".mp3")
CHOOSING, REPORTING = "choosing", "reporting"
FELT_HALF = (170.0, 210.0)
"""BPM between which a clip may as well be felt at half its tempo."""


@dataclass(frozen=True)
class Clip:
    """A sound and its true beats [n] in seconds."""

    name: str
    audio: Path
    truth: Float64
    style: str
    bpm: float
    half: str

    @property
    def felt_half(self) -> bool:
        return FELT_HALF[0] <= self.bpm <= FELT_HALF[1]

    @cached_property
    def steady(self) -> bool:
        """True when no beat's tempo is over 2% off the clip's."""
        intervals = np.diff(self.truth)
        return bool(np.abs(intervals / np.median(intervals) - 1.0).max() < 0.02)

    @cached_property
    def change(self) -> tuple[int, int] | None:
        """For a tempo step or ramp (by its name or style): the last beat of the old tempo and the first of the new."""
        if not any(word in f"{self.name} {self.style}".lower() for word in ("step", "ramp")):
            return None
        intervals = np.diff(self.truth)
        old, new = np.median(intervals[:3]), np.median(intervals[-3:])
        first = int(np.argmax(np.abs(intervals / old - 1.0) > 0.02))
        last = len(intervals) - int(np.argmax(np.abs(intervals[::-1] / new - 1.0) > 0.02))
        return (first, last) if abs(old / new - 1.0) > 0.02 else None


def halves(names: list[str]) -> dict[str, str]:
    """Which half each clip is in. Models are chosen by every other clip in sorted order, from the first; what they
    reach is reported on the others."""
    return {name: (CHOOSING, REPORTING)[i % 2] for i, name in enumerate(sorted(names))}


def read_clips(folder: Path) -> list[Clip]:
    """All clips of a folder in sorted order; raises `Unusable` with the file that makes no sense."""
    if not folder.is_dir():
        raise Unusable(f"--data {folder}: there is no such folder")
    names = sorted(path.stem for path in folder.glob("*.beats"))
    if not names:
        raise Unusable(f"--data {folder}: holds no NAME.beats; beats are given one a line, in seconds, beside NAME.ogg")
    index, half = _read_index(folder / "index.json"), halves(names)
    return [_read_clip(folder, name, index.get(name, {}), half[name]) for name in names]


def _read_clip(folder: Path, name: str, about: dict[str, Any], half: str) -> Clip:
    audio = next((path for end in SOUNDS if (path := folder / f"{name}{end}").is_file()), None)
    if audio is None:
        raise BadFile(f"{folder / name}.beats: there is no {name}.ogg beside it")
    truth = read_beats(folder / f"{name}.beats")
    bpm = about.get("bpm", 60.0 / float(np.median(np.diff(truth))))
    return Clip(name, audio, truth, str(about.get("style", "")), float(bpm), half)


def read_beats(path: Path) -> Float64:
    """Beat times [n >= 2] in seconds, ascending; raises `BadFile` with the line that is wrong."""
    try:
        lines = read_text(path, LARGEST).splitlines()
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    times: list[float] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            times.append(_time(line, f"{path}: line {number}", times[-1] if times else -1.0))
    if len(times) < 2:
        raise BadFile(f"{path}: holds {len(times)} beats; at least two are needed")
    return np.array(times, np.float64)


def _time(line: str, where: str, after: float) -> float:
    try:
        time = float(line.split()[0])
    except ValueError:
        time = math.nan
    if not (math.isfinite(time) and time >= 0.0):
        raise BadFile(f"{where}: {line.strip()[:40]!r} is not a time in seconds")
    if time <= after:
        raise BadFile(f"{where}: {time:g} s does not come after the beat before it")
    return time


def _read_index(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    try:
        found: dict[str, dict[str, Any]] = {str(about["name"]): about for about in read_json(path, LARGEST)}
        for about in found.values():
            about["bpm"] = float(about["bpm"])
    except (OSError, BadFile, ValueError, TypeError, KeyError, OverflowError) as error:
        raise BadFile(f"{path}: is no list of clips with 'name' and 'bpm' ({error})") from None
    return found
