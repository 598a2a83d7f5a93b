"""The front of all imports: find the dances of a folder, prepare each on any core, go on after a bad one.

What has been done is kept in a cache by content: the features of each piece of audio by its samples and the
extractor's code, each prepared dance by its files and the settings. So an interrupted import resumes, and a second
import hears only what is new. The work goes through joblib: `joblib.parallel_config` swaps in a cluster.
"""

from __future__ import annotations

import hashlib
import inspect
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np

from live.contracts import load_plugin
from live.errors import LiveError, Unusable
from live.features import extractor
from live.limits import digest
from live.train import aim, dance, people, quantise, retarget
from live.train.choice import Choice
from live.train.dance import Arrays, merged, prepared, prosody_of
from live.train.quantise import quantised
from live.types import FRAME_RATE, Float32

LAYOUTS = ("salsa", "ballroom", "aist", "openpose", "bvh", "video")
"""In the order in which they are asked whether a folder is theirs."""
SHORTEST = 3.0
"""Seconds of clean motion that a dance must hold."""


@dataclass(frozen=True)
class Settings:
    """Everything a prepared dance depends on beside its files; `quantise`: its accents moved onto its beat."""

    stretches: tuple[float, ...] = (1.0,)
    seed: int = 1
    quantise: bool = False
    choice: Choice = field(default_factory=Choice)
    cache: Path = Path("runs/prepare")


class Outcome(NamedTuple):
    """What became of one dance; `part` is its prepared file, None where it was dropped for the reason in `note`."""

    name: str
    style: str = ""
    seconds: float = 0.0
    clean: float = 0.0
    note: str = ""
    part: Path | None = None


def find(data: Path) -> tuple[str, list[Path]]:
    """The layout of a folder (or of one file's folder) and its dances; raises `Unusable` when there are none."""
    folder = data.parent if data.is_file() else data
    if not folder.is_dir():
        raise Unusable(f"{data}: there is no such file or folder; name one that holds dances")
    for layout in LAYOUTS:
        paths: list[Path] = load_plugin("live.train.layouts", layout, "layout").find(folder)
        if paths := [path for path in paths if not data.is_file() or path == data]:
            return layout, paths
    raise Unusable(f"{data}: holds no dances (BVH, AIST++ pickles, OpenPose JSON, the ballroom or salsa layout)")


def run(layout: str, paths: list[Path], settings: Settings, jobs: int = -1) -> Iterator[Outcome]:
    """Each dance's outcome, in order, as they are done by `jobs` processes (-1: one a core)."""
    settings.cache.mkdir(parents=True, exist_ok=True)
    work = joblib.Parallel(n_jobs=jobs, return_as="generator")
    outcomes: Iterator[Outcome] = work(joblib.delayed(prepare_one)(layout, path, settings) for path in paths)
    return outcomes


def prepare_one(layout: str, path: Path, settings: Settings) -> Outcome:
    """Read and prepare one dance, or take it from the cache. Never raises: whatever goes wrong is told."""
    try:
        part = settings.cache / f"dance-{_key(layout, path, settings)}.npz"
        if not part.exists():
            read: Callable[[Path, Choice], dance.Dance] = load_plugin("live.train.layouts", layout, "layout").read
            found = read(path, settings.choice)
            found = quantised(found) if settings.quantise else found
            arrays = prepared(found, settings.stretches, settings.seed, lambda audio: heard(audio, settings.cache))
            _save(part, arrays | {"note": np.array(_note(found, arrays))})
        return _outcome(path, part)
    except LiveError as error:
        return Outcome(path.stem, note=str(error))
    except Exception as error:
        return Outcome(path.stem, note=f"{path}: {type(error).__name__}: {error}")


def join(outcomes: list[Outcome]) -> Arrays:
    """All that was kept, as one prepared file's arrays; raises `Unusable` when nothing was."""
    parts = [dict(np.load(o.part, allow_pickle=False)) for o in outcomes if o.part is not None]
    if not parts:
        raise Unusable(f"no dance could be kept; the first was dropped because: {outcomes[0].note}")
    return merged(parts)


def heard(audio: Float32, folder: Path) -> Float32:
    """`prosody_of` the audio, remembered by its samples and the extractor's code."""
    key = hashlib.sha256(np.ascontiguousarray(audio, np.float32))
    key.update(_code(extractor))
    kept = folder / f"heard-{key.hexdigest()[:32]}.npz"
    if not kept.exists():
        _save(kept, {"prosody": prosody_of(audio)})
    with np.load(kept, allow_pickle=False) as file:
        prosody: Float32 = file["prosody"]
    return prosody


def _outcome(path: Path, part: Path) -> Outcome:
    with np.load(part, allow_pickle=False) as arrays:
        frames, usable = int(arrays["start"][-1]), float(arrays["usable"].mean())
        seconds, style, note = frames / FRAME_RATE, str(arrays["styles"][0]), str(arrays["note"])
    if seconds * usable < SHORTEST:
        return Outcome(path.stem, style, seconds, usable, f"under {SHORTEST:g} s of clean motion")
    return Outcome(path.stem, style, seconds, usable, note, part)


def _note(found: dance.Dance, arrays: Arrays) -> str:
    """What the dance's reader says, and how much motion had no music."""
    first = int(arrays["start"][1]) + 1
    missing = (len(found.motion[0]) - first) / FRAME_RATE
    cut = f"music ends {missing:.1f} s early: cut" if found.audio is not None and missing > 0.5 else ""
    return "; ".join(filter(None, (found.notes, cut)))


def _key(layout: str, path: Path, settings: Settings) -> str:
    """Names a dance by its bytes, what lies beside it under its name, the settings and the code that reads it."""
    of = (layout, path.name, settings.stretches, settings.seed, settings.quantise, settings.choice)
    key = hashlib.sha256(repr(of).encode())
    module = load_plugin("live.train.layouts", layout, "layout")
    key.update(b"".join(_code(m) for m in (module, aim, retarget, people, quantise, dance, extractor)))
    for file in _files(path, settings.choice):
        key.update(digest(file).encode())
    return key.hexdigest()[:32]


def _files(path: Path, choice: Choice) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("*.json"))
    beside = [path.with_suffix(".beats"), path.parent / "grid.json", choice.names, choice.song(path)]
    return [path, *(file for file in beside if file is not None and file.is_file())]


@cache
def _code(module: Any) -> bytes:
    return inspect.getsource(module).encode()


def _save(path: Path, arrays: Arrays) -> None:
    """Written beside `path` and moved there, so that an interrupted import leaves no half file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        np.savez(file, **arrays)
    Path(file.name).replace(path)


def read_all(data: Path, choice: Choice = Choice()) -> list[dance.Dance]:  # noqa: B008
    """All dances of a folder, unprepared; raises on the first that cannot be read."""
    layout, paths = find(data)
    read: Callable[[Path, Choice], dance.Dance] = load_plugin("live.train.layouts", layout, "layout").read
    return [read(path, choice) for path in paths]
