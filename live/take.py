"""Takes: recorded performances, as a file that is whole whenever it is cut off.

    8 bytes    b"LIVETAKE"
    4 bytes    length of the header, unsigned, little-endian
    header     JSON: version, dancers, bones, frame_rate, created, dtype (numpy's description of one record)
    records    one after the other to the end of the file; an incomplete last one is ignored

Records are fixed in size and nothing is pickled, so a take is also readable by `numpy.frombuffer` alone.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live import skeleton
from live.errors import BadFile
from live.limits import GB, KB, check_regular
from live.types import FEATURES, FRAME_RATE, BeatState, Event, Float64, Pose, Signals

MAGIC = b"LIVETAKE"
VERSION = 2
LARGEST_HEADER = 64 * KB
LONGEST = 24 * 3600 * FRAME_RATE
"""Records that are read: those of a day."""
IN_MEMORY = GB
"""Bytes of records that are read at once; more of them stay in the file until they are looked at."""
_LENGTH = struct.Struct("<I")
Fields = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Take:
    """`records` [T] has the fields of `record_dtype`; times in it are seconds on the recording host's clock."""

    dancers: int
    frame_rate: int
    created: str
    records: NDArray[np.void]

    @property
    def time(self) -> Float64:
        """[T] seconds since the show began."""
        return self.records["show_time"]

    @property
    def capture_time(self) -> Float64:
        """[T] when the newest sound that shaped each pose was captured, seconds since the show began."""
        began = self.records["play_time"] - self.records["show_time"]
        return np.asarray(self.records["capture_time"] - began)


def pose_of(record: np.void) -> Pose:
    """The pose that was recorded, all times as they were."""
    low, mid, high, energy, build = map(float, record["signals"])
    beat = BeatState(
        phase=float(record["beat_phase"]),
        bpm=float(record["bpm"]),
        confidence=float(record["beat_confidence"]),
        bar_phase=float(record["bar_phase"]),
        bar_confidence=float(record["bar_confidence"]),
        beat_count=int(record["beat_count"]),
    )
    return Pose(
        sequence=int(record["sequence"]),
        capture_time=float(record["capture_time"]),
        play_time=float(record["play_time"]),
        show_time=float(record["show_time"]),
        root_position=record["root_position"],
        local_rotations=record["local_rotations"],
        joint_positions=record["joint_positions"],
        contacts=record["contacts"],
        beat=beat,
        level=float(record["level"]),
        signals=Signals(low, mid, high, energy, build, _event(record)),
        features=record["features"],
    )


def _event(record: np.void) -> Event:
    name, number = record["event"].decode("utf-8", "replace"), int(record["event_number"])
    return Event(name, float(record["event_strength"]), float(record["event_age"]), number)


def record_dtype(dancers: int) -> np.dtype[np.void]:
    """One pose of all dancers, little-endian and packed; units and frames are those of `live.types.Pose`."""
    bodies = (dancers, skeleton.COUNT)
    return np.dtype(
        [
            ("sequence", "<i8"),
            ("capture_time", "<f8"),
            ("play_time", "<f8"),
            ("show_time", "<f8"),
            ("root_position", "<f4", (dancers, 3)),
            ("local_rotations", "<f4", (*bodies, 4)),
            ("joint_positions", "<f4", (*bodies, 3)),
            ("contacts", "<f4", (dancers, 2)),
            ("beat_phase", "<f4"),
            ("bpm", "<f4"),
            ("beat_confidence", "<f4"),
            ("bar_phase", "<f4"),
            ("bar_confidence", "<f4"),
            ("beat_count", "<i8"),
            ("level", "<f4"),
            ("features", "<f4", (FEATURES,)),
            ("signals", "<f4", (5,)),  # low, mid, high, energy, build
            ("event", "S8"),
            ("event_strength", "<f4"),
            ("event_age", "<f4"),
            ("event_number", "<i8"),
        ]
    )


def fields_of(records: NDArray[np.void]) -> Fields:
    """Views of each field, which `write_pose` writes through: quicker than a record at a time."""
    return {name: records[name] for name in records.dtype.names or ()}


def write_pose(fields: Fields, slot: int, pose: Pose) -> None:
    """Make `pose` record number `slot`."""
    beat = pose.beat
    fields["sequence"][slot] = pose.sequence
    fields["capture_time"][slot] = pose.capture_time
    fields["play_time"][slot] = pose.play_time
    fields["show_time"][slot] = pose.show_time
    fields["root_position"][slot] = pose.root_position
    fields["local_rotations"][slot] = pose.local_rotations
    fields["joint_positions"][slot] = pose.joint_positions
    fields["contacts"][slot] = pose.contacts
    fields["beat_phase"][slot] = beat.phase
    fields["bpm"][slot] = beat.bpm
    fields["beat_confidence"][slot] = beat.confidence
    fields["bar_phase"][slot] = beat.bar_phase
    fields["bar_confidence"][slot] = beat.bar_confidence
    fields["beat_count"][slot] = beat.beat_count
    fields["level"][slot] = pose.level
    _write_heard(fields, slot, pose)


def _write_heard(fields: Fields, slot: int, pose: Pose) -> None:
    *signals, event = pose.signals
    fields["features"][slot] = pose.features
    fields["signals"][slot] = signals
    fields["event"][slot] = event.name
    fields["event_strength"][slot] = event.strength
    fields["event_age"][slot] = event.age
    fields["event_number"][slot] = event.number


def head(dancers: int) -> bytes:
    """Everything before the records of a take that begins now."""
    header = {
        "version": VERSION,
        "dancers": dancers,
        "bones": skeleton.BONES,
        "frame_rate": FRAME_RATE,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "dtype": record_dtype(dancers).descr,
    }
    text = json.dumps(header).encode()
    return MAGIC + _LENGTH.pack(len(text)) + text


def read_take(path: str | Path) -> Take:
    """The take at `path`; `BadFile` when it cannot be read, is no take, is damaged, or holds no whole record."""
    path = Path(path)
    try:
        check_regular(path)
        with path.open("rb") as file:
            raw = file.read(LARGEST_HEADER)
            size = file.seek(0, 2)
    except OSError as error:
        raise BadFile(f"take '{path}' cannot be read: {error.strerror}") from None
    if not raw.startswith(MAGIC):
        raise BadFile(f"'{path}' is not a take: record one with --output take:{path}")
    start = len(MAGIC) + _LENGTH.size
    end = start + (_LENGTH.unpack_from(raw, len(MAGIC))[0] if len(raw) >= start else 1)
    header = _header(path, raw[start:end] if end <= len(raw) else b"")
    records = _records(path, record_dtype(header["dancers"]), end, size)
    return Take(header["dancers"], header["frame_rate"], header["created"], records)


def _records(path: Path, dtype: np.dtype[np.void], begin: int, size: int) -> NDArray[np.void]:
    """Those from byte `begin` of the file on."""
    count = (size - begin) // dtype.itemsize
    if count == 0:
        raise BadFile(f"take '{path}' holds no poses: the recording ended before the first")
    if count > LONGEST:
        raise BadFile(f"take '{path}' is longer than a day: convert a part of it")
    if count * dtype.itemsize <= IN_MEMORY:
        return np.fromfile(path, dtype, count, offset=begin)
    return np.asarray(np.memmap(path, dtype, "r", begin, (count,)))


def _header(path: Path, text: bytes) -> dict[str, Any]:
    """The checked header; a record must be exactly what this version writes for so many dancers."""
    try:
        header: dict[str, Any] = json.loads(text)
        version, dancers, dtype = header["version"], header["dancers"], header["dtype"]
        rate, created, bones = header["frame_rate"], header["created"], header["bones"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BadFile(f"take '{path}' has a damaged header: restore it from a copy") from None
    if version != VERSION:
        raise BadFile(f"take '{path}' is of version {version}: this program reads version {VERSION}")
    sane = type(dancers) is int and 1 <= dancers <= 1024 and rate == FRAME_RATE and type(created) is str
    if not sane or bones != list(skeleton.BONES) or dtype != json.loads(json.dumps(record_dtype(dancers).descr)):
        raise BadFile(f"take '{path}' has a header that does not describe a take of {skeleton.COUNT} bones")
    return header
