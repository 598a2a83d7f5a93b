"""`take:PATH[?overwrite=1]` records every pose to a file (its format: `live/take.py`).

The loop writes one fixed-size record into shared memory and nothing else; a process of its own brings it to the disk,
so that a slow disk delays no pose, and a killed engine leaves a whole take.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live.contracts import Output
from live.errors import BadTarget
from live.outputs import _guard, _take_ring, _uri
from live.take import head, record_dtype
from live.types import FRAME_RATE, Pose

SLOTS = 4096
"""Poses that fit into shared memory: the disk may stall for 68 s."""
LAST_WRITES = 10.0
"""Seconds that `close` waits for the disk; the writer goes on without it."""


def open_output(uri: str) -> TakeOutput:
    """`take:PATH`, or `take:PATH?overwrite=1` to replace an existing file."""
    path, options = _uri.file_path(uri, ("overwrite",))
    return TakeOutput(uri, Path(path).expanduser(), _uri.switch(uri, options, "overwrite"))


class TakeOutput(Output):
    """Records all dancers. `stats.sent` counts records handed over; a dead writer's unwritten ones count as errors."""

    def __init__(self, uri: str, path: Path, overwrite: bool) -> None:
        super().__init__(uri)
        self.path = path
        self.overwrite = overwrite
        self.writer: subprocess.Popen[bytes] | None = None
        self._dancers = 0
        self._ready = False
        self._trouble = ""

    def open(self, dancers: int, paced: bool) -> None:
        """`BadTarget` when the file exists or cannot be written, or memory for the ring is short."""
        self._begin_file(dancers)
        dtype = record_dtype(dancers)
        try:
            self._ring = _take_ring.create(dtype.itemsize, SLOTS)
            self.writer = _start_writer(self._ring.path, self.path)
        except OSError as error:
            raise BadTarget(f"take '{self.path}': no room for its buffer: {error.strerror}") from None
        records: NDArray[np.void] = np.ndarray(SLOTS, dtype, self._ring.memory, _take_ring.HEADER)
        self._fields: dict[str, NDArray[Any]] = {name: records[name] for name in dtype.names or ()}
        self._dancers, self._paced = dancers, paced

    def _begin_file(self, dancers: int) -> None:
        """Write the file's head, so that whatever is wrong with the path is found before the show."""
        try:
            with open(self.path, "wb" if self.overwrite else "xb") as file:
                file.write(head(dancers))
        except FileExistsError:
            advice = f"choose another name, or write take:{self.path}?overwrite=1"
            raise BadTarget(f"take '{self.path}' exists already: {advice}") from None
        except FileNotFoundError:
            raise BadTarget(f"take '{self.path}': there is no folder '{self.path.parent}': create it first") from None
        except OSError as error:
            raise BadTarget(f"take '{self.path}' cannot be written: {error.strerror}: choose another place") from None

    def _encode(self, pose: Pose) -> None:
        self._ready = False
        if fault := _guard.body_fault(pose, self._dancers) or _guard.moment_fault(pose):
            self.failed(ValueError(fault))
        elif self._has_room():
            self._write(self._ring.written % SLOTS, pose)
            self._ready = True

    def _transmit(self) -> None:
        if self._ready:
            self._ready = False
            self._ring.publish()
            self.stats.sent += 1

    def _write(self, slot: int, pose: Pose) -> None:
        fields, beat = self._fields, pose.beat
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
        self._write_heard(slot, pose)

    def _write_heard(self, slot: int, pose: Pose) -> None:
        fields, (*signals, event) = self._fields, pose.signals
        fields["features"][slot] = pose.features
        fields["signals"][slot] = signals
        fields["event"][slot] = event.name
        fields["event_strength"][slot] = event.strength
        fields["event_age"][slot] = event.age
        fields["event_number"][slot] = event.number

    def _has_room(self) -> bool:
        """Whether a slot is free. On stage a full ring drops the pose; under `--fast` it waits, to lose nothing."""
        if self._ring.written % FRAME_RATE == 0:  # asking after a process is a system call: once a second will do
            self._notice_end()
        while not self._trouble and self._ring.full:
            if self._paced:
                self.failed(OSError(f"the disk is slower than the show: {SLOTS} poses wait for it"))
                return False
            time.sleep(0.002)
            self._notice_end()
        if self._trouble:
            self.failed(OSError(self._trouble))
        return not self._trouble

    def _notice_end(self) -> None:
        """Count what a writer that ended before its time left unwritten, and remember why."""
        if not self._trouble and self.writer and (code := self.writer.poll()) is not None:
            self._lost(code)

    def _lost(self, code: int) -> None:
        reason = os.strerror(code) if code > 0 else f"the take writer was killed (signal {-code})"
        self._trouble = f"recording stopped: {reason}"
        self.stats.errors += self._ring.written - self._ring.drained
        self.stats.last_error = self._trouble

    def close(self) -> None:
        """Let the writer finish the file; one that recorded nothing is removed, so that its name is free again."""
        if self.writer is None:
            return
        writer, self.writer, self._dancers = self.writer, None, 0
        assert writer.stdin is not None
        writer.stdin.close()
        try:
            code = writer.wait(LAST_WRITES)
            if code and not self._trouble:
                self._lost(code)
            if not self.stats.sent:
                self.path.unlink(missing_ok=True)
        except subprocess.TimeoutExpired:
            self.failed(OSError(f"take '{self.path}' is still being written: the disk is slow"))
        except OSError as error:
            self.failed(error)
        finally:
            self._fields.clear()
            self._ring.close()
            self._ring.unlink()


def _start_writer(ring: Path, take: Path) -> subprocess.Popen[bytes]:
    """In a session of its own, where the terminal's Ctrl-C does not reach it even while it starts."""
    command = [sys.executable, "-m", "live.outputs._take_writer", str(ring), str(take)]
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, creationflags=flags)
