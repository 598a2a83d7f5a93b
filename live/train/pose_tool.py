"""MediaPipe's pose estimator in an environment of its own: it needs numpy < 2, and ships its model in its wheel."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from live.errors import BadFile, Failed, Unusable
from live.limits import digest
from live.types import Float32

PACKAGES = ("mediapipe==0.10.21", "numpy<2")
PYTHONS = ("python3.11", "python3.12", "python3.10", "python3.9")
SHORTEST = 4
"""Frames, of the clip and of somebody in it, with which anything can be done."""
WORKER = Path(__file__).with_name("mediapipe_worker.py")


class Seen(NamedTuple):
    """image [T, 33, 3]: pixels and visibility; world [T, 33, 3]: metres about the hips; NaN where nobody was found."""

    image: Float32
    world: Float32
    rate: float


def home() -> Path:
    """Where the environment and what it found are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "livedance"


def watch(clip: Path, tell: Callable[[int, int], object] = lambda frame, frames: None) -> Seen:
    """The landmarks of a clip, remembered by its content; raises `BadFile` naming it when it shows nobody. `tell` hears
    how many frames of how many have been watched."""
    if not clip.is_file():
        raise BadFile(f"{clip}: there is no such file")
    content = hashlib.sha256((digest(clip) + digest(WORKER)).encode()).hexdigest()[:32]
    kept = home() / f"pose-{content}.npz"
    if not kept.exists():
        _watch(clip, kept, tell)
    with np.load(kept, allow_pickle=False) as file:
        seen = Seen(file["image"], file["world"], float(file["rate"]))
    if len(seen.image) < SHORTEST:
        raise BadFile(f"{clip}: is too short ({len(seen.image)} frames) to see anybody move")
    if np.isfinite(seen.image).all((1, 2)).sum() < SHORTEST or not 5 <= seen.rate <= 300:
        raise BadFile(f"{clip}: nobody was found in its {len(seen.image)} frames at {seen.rate:g} a second")
    return seen


def _watch(clip: Path, kept: Path, tell: Callable[[int, int], object]) -> None:
    python = environment()
    with tempfile.TemporaryDirectory(dir=home()) as scratch:
        out, words = Path(scratch) / "seen.npz", Path(scratch) / "words.txt"
        with words.open("w") as said:
            worker = subprocess.Popen([python, WORKER, clip, out], stdout=subprocess.PIPE, stderr=said, text=True)
        with worker:
            for line in worker.stdout or ():
                if found := re.fullmatch(r"(\d+) of (\d+)\n", line):
                    tell(int(found[1]), int(found[2]))
        if worker.returncode != 0 or not out.exists():
            last = (words.read_text(errors="replace").strip().splitlines() or ["it ended without a word"])[-1]
            raise BadFile(f"{clip}: could not be watched: {last}")
        out.replace(kept)


def environment() -> Path:
    """The Python that has MediaPipe, made on the first call (a minute, a gigabyte on disk)."""
    folder = home() / "mediapipe"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if (folder / "ready").exists():
        return python
    folder.mkdir(parents=True, exist_ok=True)
    print(f"making an environment for MediaPipe in {folder} (once)", file=sys.stderr, flush=True)
    for command in ([_python(), "-m", "venv", "--clear", folder], [python, "-m", "pip", "install", "-q", *PACKAGES]):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Failed(f"{folder}: MediaPipe could not be installed: {last}")
    (folder / "ready").touch()
    return python


def _python() -> str:
    """A Python that MediaPipe has wheels for."""
    if sys.version_info < (3, 13):
        return sys.executable
    if found := next(filter(None, map(shutil.which, PYTHONS)), None):
        return found
    raise Unusable("MediaPipe needs Python 3.9 to 3.12 beside this one: install python3.12")
