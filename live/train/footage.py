"""Footage of one person: square pictures with the keypoints seen in them, cut into clips that run without a break."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from live.errors import BadFile
from live.frames.maps import draw
from live.types import Float32

SHORTEST = 8
"""Pictures of a clip that is worth training on."""
KEYS = ("pictures", "points", "clips", "rate")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Footage:
    """pictures [T, S, S, 3] (red, green, blue); points [T, 18, 2] (the picture is the unit square, NaN where unknown);
    clips [T]: which clip each picture is of; rate: pictures a second; masks [T, S, S] where the person is, if known."""

    pictures: Pixels
    points: Float32
    clips: NDArray[np.int32]
    rate: float
    masks: Pixels | None = None

    @property
    def size(self) -> int:
        return int(self.pictures.shape[1])

    def part(self, which: slice) -> Footage:
        """Some of its pictures."""
        masks = None if self.masks is None else self.masks[which]
        return Footage(self.pictures[which], self.points[which], self.clips[which], self.rate, masks)

    def save(self, path: Path) -> None:
        masks = {} if self.masks is None else {"masks": self.masks}
        with path.open("wb") as file:
            np.savez(
                file, pictures=self.pictures, points=self.points, clips=self.clips, rate=np.float64(self.rate), **masks
            )


def load_footage(path: Path) -> Footage:
    """Footage that was saved; `BadFile` where it is missing, damaged or too short."""
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in (*KEYS, "masks") if name in file}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BadFile(
            f"{path}: is no footage ({type(error).__name__}); make it with `live train-renderer --video`"
        ) from None
    if missing := [name for name in KEYS if name not in parts]:
        raise BadFile(f"{path}: is no footage (it lacks {', '.join(missing)})")
    found = Footage(parts["pictures"], parts["points"], parts["clips"], float(parts["rate"]), parts.get("masks"))
    if not spans(found.clips):
        raise BadFile(f"{path}: no clip has {SHORTEST} pictures without a break")
    return found


def spans(clips: NDArray[np.int32]) -> list[tuple[int, int]]:
    """First picture and end of each clip that is long enough."""
    edges = np.flatnonzero(np.diff(clips)) + 1
    bounds = [0, *edges.tolist(), len(clips)]
    return [(a, b) for a, b in pairwise(bounds) if b - a >= SHORTEST]


def split(footage: Footage, share: float) -> tuple[Footage, Footage]:
    """The footage without its last pictures, and those; `BadFile` where either is too short."""
    at = len(footage.clips) - max(round(share * len(footage.clips)), SHORTEST)
    both = footage.part(slice(0, max(at, 0))), footage.part(slice(max(at, 0), None))
    if not all(spans(part.clips) for part in both):
        raise BadFile(
            f"{len(footage.clips)} pictures in {len(spans(footage.clips))} clips are too little to learn from"
        )
    return both


class Moment(NamedTuple):
    """A batch: number of the round; maps [B, P, S, S], pictures and the true ones before them [B, 3, S, S], all uint8;
    fresh [B]: 1 where a walk through the footage begins with nothing seen before, 2 where it begins in the middle."""

    number: np.int64
    maps: Pixels
    pictures: Pixels
    before: Pixels
    fresh: NDArray[np.int64]


class Walks(Dataset[Moment]):
    """Item r is the batch of round r: each of its walks steps on through its clip, by one picture or a few, and `steps`
    rounds later others begin. A round's batch follows from seed and round alone."""

    def __init__(self, footage: Footage, batch: int, steps: int, seed: int, strides: tuple[int, ...]) -> None:
        self._footage, self._batch, self._steps, self._seed, self._strides = footage, batch, steps, seed, strides
        self._spans = spans(footage.clips)

    def __getitem__(self, number: int) -> Moment:
        cycle, step = divmod(int(number), self._steps)
        rng, found = np.random.default_rng([self._seed, cycle]), self._footage
        walks = [self._walk(rng) for _ in range(self._batch)]
        at = np.array([start + step * stride for start, stride, _ in walks])
        back = np.maximum(at - [stride for _, stride, _ in walks], [start for start, _, _ in walks])
        fresh = np.array([kind if step == 0 else 0 for _, _, kind in walks], np.int64)
        maps = np.stack([draw(found.points[n], found.size) for n in at])
        return Moment(np.int64(number), maps, channels(found.pictures[at]), channels(found.pictures[back]), fresh)

    def _walk(self, rng: np.random.Generator) -> tuple[int, int, int]:
        """Where a walk begins, its stride, and how (see `Moment.fresh`)."""
        lengths = np.array([b - a for a, b in self._spans])
        first, end = self._spans[rng.choice(len(lengths), p=lengths / lengths.sum())]
        most = max(1, (end - first - 1) // max(self._steps - 1, 1))
        stride = min(int(rng.choice(self._strides)), most)
        last = max(end - 1 - (self._steps - 1) * stride, first)
        return int(rng.integers(first, last + 1)), stride, int(rng.integers(1, 3))


def channels(pictures: Pixels) -> Pixels:
    """[B, H, W, 3] as [B, 3, H, W]."""
    return np.ascontiguousarray(np.moveaxis(pictures, -1, 1))
