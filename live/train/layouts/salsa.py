"""The `salsa` layout: `60_NN.bvh` and `61_NN.bvh` are partners; `grid.json` gives each NN its tempo and its place in
the eight-count: beat(t) = eight_count_at_start + t * bpm / 60."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from live.errors import BadFile
from live.limits import MB, read_json
from live.train.bvh import read_bvh
from live.train.choice import Choice
from live.train.dance import Dance
from live.train.retarget import retarget

STYLES = {"60": "lead", "61": "follow"}


def find(folder: Path) -> list[Path]:
    if not (folder / "grid.json").is_file():
        return []
    grid = _grid(folder)
    return [path for path in sorted(folder.glob("*_*.bvh")) if path.stem.partition("_")[2] in grid]


def read(path: Path, choice: Choice = Choice()) -> Dance:  # noqa: B008
    dancer, _, take = path.stem.partition("_")
    beats = _grid(path.parent)[take]
    try:
        bpm, count = float(beats["bpm"]), float(beats["eight_count_at_start"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadFile(f"{path.parent / 'grid.json'}: take {take} lacks a number ({error})") from None
    motion = retarget(read_bvh(path))
    return Dance(path.stem, choice.style or STYLES.get(dancer, dancer), motion, bpm, count, song=take)


def _grid(folder: Path) -> dict[str, Any]:
    try:
        grid = read_json(folder / "grid.json", 16 * MB)
    except (OSError, BadFile) as error:
        raise BadFile(f"{folder / 'grid.json'}: cannot be read ({error}); point to the salsa folder") from None
    if not isinstance(grid, dict):
        raise BadFile(f"{folder / 'grid.json'}: is no table of takes")
    return grid
