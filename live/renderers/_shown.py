"""What the monitor page is shown, made once however many browsers look: poses, the sound's outline, how the show goes.

A frame is `HEAD` float64 (see `Shown.frame`), then per dancer 22 joint positions and 22 rotations and two contacts as
float32, then the outline's columns as pairs of int8, all little-endian.
"""

from __future__ import annotations

import json
import time
from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from live.board import Board
from live.ledger import STAGES
from live.renderers._feed import Feed
from live.ring import HEADER, Ring
from live.sound import BLOCK
from live.types import Float32

COLUMN = 400
"""Samples of a column: 120 a second."""
COLUMNS = 480
"""Columns kept: four seconds."""
KEPT = 1800
"""Ticks kept for the histogram: a minute."""
EDGES = np.concatenate([[0.0], np.geomspace(0.05, 64.0, 42)])
"""Of the histogram's bins, in ms."""
NOTHING: Float32 = np.zeros(0, np.float32)
TELL = 0.2
"""Seconds between two tellings of how the show goes."""


class Outline:
    """The sound as its lowest and highest sample, a column per `COLUMN` samples."""

    def __init__(self) -> None:
        self.count = 0
        self._columns: deque[NDArray[np.int8]] = deque(maxlen=COLUMNS)
        self._rest = NOTHING

    def hear(self, samples: Float32) -> None:
        """Samples [n] that follow those before."""
        if not len(samples):
            return
        self._rest = np.concatenate([self._rest, samples])
        whole = len(self._rest) // COLUMN
        if not whole:
            return
        columns = self._rest[: whole * COLUMN].reshape(whole, COLUMN)
        self._rest = self._rest[whole * COLUMN :]
        both = np.stack([columns.min(1), columns.max(1)], 1)
        scaled = (np.nan_to_num(both).clip(-1.0, 1.0) * 127).astype(np.int8)
        self._columns.extend(scaled)
        self.count += whole

    def since(self, seen: int) -> bytes:
        """The columns after number `seen`, as far as they are kept."""
        missing = min(self.count - seen, len(self._columns))
        return b"".join(self._columns[n].tobytes() for n in range(-missing, 0)) if missing > 0 else b""


class SoundFeed:
    """Blocks of sound that came since the last look; those that were written over meanwhile are passed by."""

    def __init__(self, memory: Ring) -> None:
        self._memory, self._read = memory, 0
        self._blocks: NDArray[np.void] = np.ndarray(memory.slots, BLOCK, memory.memory, HEADER)

    def fresh(self) -> Float32:
        """Samples [n]."""
        written = self._memory.written
        if written == self._read:
            return NOTHING
        first = max(self._read, written - self._memory.slots + 2)
        self._read = written
        taken = [self._blocks[n % self._memory.slots] for n in range(first, written)]
        parts = [np.array(block["samples"][: max(0, int(block["count"]))]) for block in taken]
        return np.concatenate([NOTHING, *parts])


class Spent:
    """What ticks' time was spent on, the last minute of them."""

    def __init__(self) -> None:
        self._count = 0
        self._ticks: deque[list[float]] = deque(maxlen=KEPT)

    def add(self, told: dict[str, Any]) -> None:
        """`count` and the last rows (ms), as `live.cli.telemetry.Recent` tells them."""
        new = min(int(told["count"]) - self._count, len(told["ms"]))
        self._count = int(told["count"])
        self._ticks.extend(told["ms"][len(told["ms"]) - new :] if new > 0 else [])

    def told(self) -> dict[str, Any]:
        """Per stage p50, p99 and max (ms); histogram: ticks per bin of `EDGES` by their total."""
        if not self._ticks:
            return {"stages": {}, "histogram": [], "edges": []}
        rows = np.array(self._ticks)
        found = np.stack([*np.percentile(rows, (50, 99), axis=0), rows.max(0)], 1).round(3)
        bins, _ = np.histogram(rows[:, -1].clip(EDGES[0], EDGES[-1]), EDGES)
        return {"stages": dict(zip(STAGES, found.tolist(), strict=True)), "histogram": bins.tolist(),
                "edges": EDGES.round(4).tolist()}  # fmt: skip


class Sources(NamedTuple):
    """Where what is shown comes from."""

    poses: Feed
    sound: SoundFeed
    board: Board


class Shown:
    """`look` often; `version` rises with each new pose or telling."""

    def __init__(self, sources: Sources) -> None:
        self._from, self.outline, self._spent = sources, Outline(), Spent()
        self.version = self.told_version = 0
        self.told, self.orders_at = "{}", ""
        self._told_at = 0.0
        self._body = b""

    def look(self) -> bool:
        """Take what has come; whether there is anything new to show."""
        self.outline.hear(self._from.sound.fresh())
        fresh = self._from.poses.fresh()
        if fresh:
            record = self._from.poses.record
            self._body = b"".join(record[name].tobytes() for name in ("joint_positions", "local_rotations", "contacts"))
        told = time.monotonic() - self._told_at > TELL and self._tell()
        self.version += fresh or told
        return fresh or told

    def _tell(self) -> bool:
        status = self._from.board.read()
        self._told_at = time.monotonic()
        if status is None or "ticks" not in status:
            return False
        self._spent.add(status.pop("ticks"))
        self.orders_at = str(status["orders_at"])
        try:
            self.told = json.dumps(status | self._spent.told(), allow_nan=False)
        except ValueError:
            return False
        self.told_version += 1
        return True

    def frame(self, seen: int) -> bytes:
        """The newest pose, and the outline's columns after number `seen`; empty before the first pose."""
        feed, record = self._from.poses, self._from.poses.record
        if not feed.begun:
            return b""
        columns = self.outline.since(seen)
        head = [record["sequence"], record["show_time"], feed.presence, record["beat_phase"], record["bpm"],
                record["beat_confidence"], record["bar_phase"], record["bar_confidence"], record["beat_count"],
                record["level"], record["root_position"].shape[0], len(columns) // 2, self.outline.count,
                1e3 * (record["play_time"] - record["capture_time"])]  # fmt: skip
        return np.array(head, "<f8").tobytes() + self._body + columns
