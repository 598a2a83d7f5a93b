"""Takes: other headers, lengths and records."""

from __future__ import annotations

import json
import math
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np

from live import skeleton
from live.cli.convert import convert, replay
from live.take import MAGIC, head, record_dtype
from mutants.values import NUMBERS, changed

NAME = "show.take"
RECORDS = 6
FORMATS = ("bvh", "csv", "glb", "npz")


class Seed(NamedTuple):
    header: dict[str, Any]
    records: np.ndarray


def seeds(folder: Path) -> list[Seed]:
    """One and three dancers who stand, for a tenth of a second."""
    found = []
    for dancers in (1, 3):
        records = np.zeros(RECORDS, record_dtype(dancers))
        records["sequence"] = np.arange(RECORDS)
        records["show_time"] = np.arange(RECORDS) / 60
        records["play_time"], records["capture_time"] = 5 + records["show_time"], 4.9 + records["show_time"]
        records["local_rotations"][..., 3] = 1.0
        records["root_position"][..., 1] = skeleton.REST_OFFSETS[0, 1]
        (folder / NAME).write_bytes(head(dancers) + records.tobytes())
        read(folder)
        found.append(Seed(json.loads(head(dancers)[12:]), records))
    return found


def mutant(seeds: list[Seed], rng: Random) -> dict[str, bytes]:
    header, records = rng.choice(seeds)
    if rng.random() < 0.4:
        header = changed(header, rng)
    else:
        records = _changed(records, rng)
    text = json.dumps(header).encode() + b" " * rng.choice((0, 0, 0, 7, 100_000))
    if rng.random() < 0.03:
        text = b"[" * 50_000
    length = len(text) if rng.random() < 0.85 else rng.choice((0, 1, len(text) - 1, len(text) + 1, 2**31, 2**32 - 1))
    raw = MAGIC + length.to_bytes(4, "little") + text + records.tobytes()
    return {NAME: raw[: rng.randrange(len(raw))] if rng.random() < 0.1 else raw}


def _changed(records: np.ndarray, rng: Random) -> np.ndarray:
    """Fields of some or all records with numbers that are hard to digest."""
    records = records.copy()
    for _ in range(rng.choice((1, 1, 2, 4))):
        name = rng.choice(records.dtype.names)
        at = slice(None) if rng.random() < 0.3 else slice(n := rng.randrange(len(records)), n + 1)
        records[name][at] = _value(records.dtype[name].base, rng)
    if rng.random() < 0.15:
        records = np.tile(records, rng.choice((0, 3, 20)))
    if rng.random() < 0.2:
        records = records[[rng.randrange(len(records)) for _ in records]]
    if rng.random() < 0.1:
        step = rng.choice((0.0, -1 / 60, 0.1, 1.0, 2.0, 3600.0, 20_000.0))
        records["show_time"] = np.arange(len(records)) * step
    return records


def _value(kind: np.dtype, rng: Random) -> Any:
    if kind.kind == "S":
        return rng.choice((b"drop", b"\xff\xfe\x00", b"", b"\x00abc", b"xxxxxxxx"))
    value = rng.choice((*NUMBERS, rng.uniform(-3, 3)))
    if kind.kind == "f":
        return np.float64(value).astype(kind) if math.isfinite(value) else value
    return int(max(-(2**63), min(2**63 - 1, value))) if math.isfinite(value) else -1


def read(folder: Path) -> None:
    """Converted to every format, and sent on as every kind of packet."""
    for ending in FORMATS:
        convert(folder / NAME, folder / f"out.{ending}", 0)
    replay(folder / NAME, ["vmc://127.0.0.1:39999", "osc://127.0.0.1:39999"], False, True, lambda _: None)
