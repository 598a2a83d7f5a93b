"""Footage of the puppet: `python -m live.train.puppet OUT.npz TAKE... [--seconds 15] [--size 256]`.

Each dancer of each take is one clip; it dances on the spot, as if the camera went along. Same takes, same footage.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from live.take import read_take
from live.train.footage import Footage
from live.train.puppet.picture import Shot, film
from live.types import FRAME_RATE

EVERY = 2
"""Poses a picture."""
PATH = 0.15
"""Share of its way over the floor that the camera does not follow."""


def shots(take: Path, dancer: int, first: float, seconds: float, size: int) -> list[Shot]:
    records = read_take(take).records[round(first * FRAME_RATE) : round((first + seconds) * FRAME_RATE)]
    root = records["root_position"][:, dancer].copy()
    root[:, [0, 2]] = PATH * (root[:, [0, 2]] - root[:, [0, 2]].mean(0))
    return list(film(root, records["local_rotations"][:, dancer], size, EVERY))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("takes", type=Path, nargs="+")
    parser.add_argument("--first", type=float, default=5.0, help="second of each take at which its clips begin")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each dancer")
    parser.add_argument("--size", type=int, default=256)
    given = parser.parse_args()
    clips = [
        shots(take, dancer, given.first, given.seconds, given.size)
        for take in given.takes
        for dancer in range(read_take(take).dancers)
    ]
    numbers = np.repeat(np.arange(len(clips), dtype=np.int32), [len(clip) for clip in clips])
    pictures, masks, points = (np.stack(part) for part in zip(*(shot for clip in clips for shot in clip), strict=True))
    Footage(pictures, points, numbers, FRAME_RATE / EVERY, masks).save(given.out)
    print(f"{given.out}: {len(pictures)} pictures in {len(clips)} clips")


if __name__ == "__main__":
    main()
