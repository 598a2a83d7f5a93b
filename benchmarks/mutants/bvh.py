"""BVH files: other hierarchies, channels, counts, frames and values, line by line."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from live import skeleton
from live.formats import bvh as written
from live.take import Take, record_dtype
from live.train.choice import Choice
from live.train.layouts import bvh
from mutants.values import NUMBERS

NAME = "dance.bvh"
FRAMES = 8
NAMES = ("leftUpperLeg", "rightFoot", "hips", "x", "", "a b c", "{", "JOINT", "MOTION", "mixamorig:Hips", "é" * 500)


def seeds(folder: Path) -> list[str]:
    """A take that stands and sways, converted."""
    records = np.zeros(FRAMES, record_dtype(1))
    records["show_time"] = np.arange(FRAMES) / 60
    records["local_rotations"][..., 3] = 1.0
    records["local_rotations"][..., 0] = 0.1 * np.sin(np.arange(FRAMES))[:, None, None]
    records["root_position"][:, 0, 1] = skeleton.REST_OFFSETS[0, 1]
    written.write(Take(1, 60, "", records), folder / NAME, 0)
    read(folder)
    return (folder / NAME).read_text().splitlines()


def mutant(seed: list[str], rng: Random) -> dict[str, bytes]:
    lines = list(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        lines = rng.choice(CHANGES)(lines or seed, rng)
    return {NAME: "\n".join(lines).encode()}


def _at(lines: list[str], word: str, rng: Random) -> int:
    """A random line that begins with a word; any where there is none."""
    found = [n for n, line in enumerate(lines) if line.lstrip().startswith(word)]
    return rng.choice(found) if found else rng.randrange(max(1, len(lines)))


def _number(rng: Random) -> str:
    return rng.choice(
        (repr(rng.choice(NUMBERS)), f"{rng.uniform(-400, 400):.3f}", "nan", "1e", "0x1", "1_0", "9" * 400)
    )


def _renamed(lines: list[str], rng: Random) -> list[str]:
    at = _at(lines, "JOINT", rng)
    return [*lines[:at], f"JOINT {rng.choice(NAMES)}", *lines[at + 1 :]]


def _offset(lines: list[str], rng: Random) -> list[str]:
    at, count = _at(lines, "OFFSET", rng), rng.choice((0, 2, 3, 3, 3, 4))
    return [*lines[:at], " ".join(["OFFSET", *(_number(rng) for _ in range(count))]), *lines[at + 1 :]]


def _channels(lines: list[str], rng: Random) -> list[str]:
    at = _at(lines, "CHANNELS", rng)
    names = [f"{rng.choice('XYZxyzW')}{rng.choice(('rotation', 'position', 'scale'))}" for _ in range(rng.randrange(8))]
    count = rng.choice((len(names), len(names), len(names), *NUMBERS))
    return [*lines[:at], f"CHANNELS {count} {' '.join(names)}", *lines[at + 1 :]]


def _as_many_values(lines: list[str], rng: Random) -> list[str]:
    """Frames announced and rows that are right again for the channels that are there."""
    head = lines[: _at(lines, "MOTION", rng)]
    width = sum(len(line.split()) - 2 for line in head if line.lstrip().startswith("CHANNELS"))
    frames = rng.choice((0, 1, 2, 3, 7, 30))
    rows = [" ".join(f"{rng.uniform(-90, 90):.2f}" for _ in range(max(0, width))) for _ in range(frames)]
    return [*head, "MOTION", f"Frames: {frames}", f"Frame Time: {rng.choice((1 / 60, 1 / 30, 0.2, 0.001))}", *rows]


def _frames(lines: list[str], rng: Random) -> list[str]:
    at = _at(lines, "Frames:", rng)
    return [*lines[:at], f"Frames: {rng.choice((0, 1, 2, -1, 10**9, 10**30, 'x', 7))}", *lines[at + 1 :]]


def _time(lines: list[str], rng: Random) -> list[str]:
    at = _at(lines, "Frame Time:", rng)
    return [*lines[:at], f"Frame Time: {_number(rng)}", *lines[at + 1 :]]


def _value(lines: list[str], rng: Random) -> list[str]:
    at = rng.randrange(len(lines)) if len(lines) < FRAMES else len(lines) - 1 - rng.randrange(FRAMES)
    words = lines[at].split() or ["0"]
    for _ in range(rng.choice((1, 3, len(words)))):
        words[rng.randrange(len(words))] = _number(rng)
    return [*lines[:at], " ".join(words), *lines[at + 1 :]]


def _deep(lines: list[str], rng: Random) -> list[str]:
    """Joints within joints within joints."""
    at, depth = _at(lines, "JOINT", rng), rng.choice((3, 100, 600, 10_000))
    inside = [f"JOINT j{n}\n{{\nOFFSET 0 1 0\nCHANNELS 0" for n in range(depth)]
    return [*lines[:at], *inside, *["}"] * depth, *lines[at:]]


def _many(lines: list[str], rng: Random) -> list[str]:
    return lines[: (at := _at(lines, "End", rng))] + lines[at : at + 4] * rng.choice((0, 2, 300)) + lines[at + 4 :]


def _without(lines: list[str], rng: Random) -> list[str]:
    at = rng.randrange(max(1, len(lines)))
    return lines[:at] + lines[at + rng.choice((1, 1, 4, 20)) :]


def _again(lines: list[str], rng: Random) -> list[str]:
    i, j = sorted(rng.randrange(len(lines) + 1) for _ in range(2))
    at = rng.randrange(len(lines) + 1)
    return lines[:at] + lines[i:j] + lines[at:]


def _swapped(lines: list[str], rng: Random) -> list[str]:
    at = rng.randrange(len(lines) + 1)
    return lines[at:] + lines[:at] if rng.random() < 0.3 else lines[:at]


CHANGES = (
    _renamed,
    _offset,
    _channels,
    _as_many_values,
    _frames,
    _time,
    _value,
    _deep,
    _many,
    _without,
    _again,
    _swapped,
)


def read(folder: Path) -> None:
    for path in bvh.find(folder):
        bvh.read(path, Choice())
