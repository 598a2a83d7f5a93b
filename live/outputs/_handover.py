"""Outputs whose work is done by a process of their own: the loop writes one record into shared memory and nothing else.

Such a process may be slow, hang or die at any time: it costs the loop nothing, and is counted. Where the memory has a
name, another engine can `join`, and a process that failed is `revive`d and goes on from what it had not handed on.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from abc import abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from live import ring
from live.contracts import Output
from live.errors import BadTarget
from live.outputs import _guard
from live.take import Fields, fields_of, record_dtype, write_pose
from live.types import FRAME_RATE, Pose


class Handover(Output):
    """Hands every pose over. `stats.sent` counts records; those that a process which died left unread are errors."""

    what = "the output"
    """In complaints: what has stopped."""
    slots = 4096
    """Poses that fit into shared memory: a reader may stall for 68 s."""
    keeps_all = True
    """Whether the reader wants every pose (a full ring then drops on stage, and waits under `--fast`) or the newest."""
    patience = 10.0
    """Seconds that `close` waits for the process; it goes on without it."""
    apart = True
    revives = True
    """Whether a process that failed can go on where it was."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.child: subprocess.Popen[bytes] | None = None
        self._dancers = 0
        self._ready = self._paced = False
        self._trouble = ""
        self._joined = False
        self._revivals, self._rest, self._revived_at = 0, 1.0, -math.inf
        self._ring: ring.Ring | None = None
        self._fields: Fields = {}

    def _make_ring(self, dancers: int, paced: bool) -> ring.Ring:
        """The memory for poses of so many; `BadTarget` where there is no room for it."""
        dtype = record_dtype(dancers)
        try:
            made = ring.create(dtype.itemsize, self.slots)
        except OSError as error:
            raise BadTarget(f"output '{self.uri}': no room for its buffer: {error.strerror}") from None
        if self.memory is not None:
            os.link(made.path, self.memory)
        self._use(made, dancers, paced)
        return made

    def _use(self, made: ring.Ring, dancers: int, paced: bool) -> None:
        dtype = record_dtype(dancers)
        records: NDArray[np.void] = np.ndarray(self.slots, dtype, made.memory, ring.HEADER)
        self._ring, self._fields = made, fields_of(records)
        self._dancers, self._paced = dancers, paced

    def join(self, dancers: int) -> None:
        assert self.memory is not None
        self._joined = True
        self._use(ring.Ring(self.memory), dancers, True)

    @abstractmethod
    def _process(self, path: Path) -> subprocess.Popen[bytes]:
        """The process that reads the ring at `path`."""

    def revive(self) -> str:
        """A process that fails soon again and again is left alone for ever longer, up to half a minute."""
        code, since = self.child.poll() if self.child is not None else None, time.monotonic() - self._revived_at
        if since > 2.0 * self._rest:
            self._rest = 1.0
        if code is None or self._trouble or since < self._rest:
            return ""
        if not self.revives or not self._is_fault(code):
            self._notice_end()
            return self._trouble
        assert self.memory is not None
        self._revivals, self._rest, self._revived_at = self._revivals + 1, min(2.0 * self._rest, 30.0), time.monotonic()
        name = self.memory.with_name(f"{self.memory.name}.{self._revivals}")  # the process takes its name away
        os.link(self.memory, name)
        self.child = self._process(name)
        return f"{self.what} had stopped ({self._reason(code)}) and goes on"

    def _is_fault(self, code: int) -> bool:
        """Whether a process that ended with this status may be started again."""
        return code != 0

    def _encode(self, pose: Pose) -> None:
        self._ready = False
        if fault := _guard.body_fault(pose, self._dancers) or _guard.moment_fault(pose):
            self.failed(ValueError(fault))
        elif self._has_room():
            assert self._ring is not None
            write_pose(self._fields, self._ring.written % self.slots, pose)
            self._ready = True

    def _transmit(self) -> None:
        if self._ready and self._ring is not None:
            self._ready = False
            self._ring.publish()
            self.stats.sent += 1

    def _has_room(self) -> bool:
        assert self._ring is not None
        if self._ring.written % FRAME_RATE == 0:  # asking after a process is a system call: once a second will do
            self._notice_end()
        while self.keeps_all and not self._trouble and self._ring.full:
            if self._paced:
                self.failed(OSError(f"{self.what} is slower than the show: {self.slots} poses wait for it"))
                return False
            time.sleep(0.002)
            self._notice_end()
        if self._trouble and self.keeps_all:
            self.failed(OSError(self._trouble))
        return not self._trouble

    def alive(self) -> bool:
        if self._ring is not None:
            self._notice_end()
        return not self._trouble

    def _notice_end(self) -> None:
        """Count what a process that ended before its time left unread, and remember why."""
        if not self._trouble and self.child and (code := self.child.poll()) is not None:
            assert self._ring is not None
            self._lost(code, self._ring)

    def _lost(self, code: int, memory: ring.Ring) -> None:
        self._trouble = f"{self.what} has stopped: {self._reason(code)}"
        self.stats.errors += memory.written - memory.drained if self.keeps_all else 1
        self.stats.last_error = self._trouble

    def _reason(self, code: int) -> str:
        return os.strerror(code) if code > 0 else f"its process was killed (signal {-code})"

    def close(self) -> None:
        """Let the process finish what it was given."""
        if self._ring is None:
            return
        memory, self._ring, self._dancers = self._ring, None, 0
        self.stats.sent = max(self.stats.sent, memory.written) if self.memory is not None else self.stats.sent
        child, self.child = self.child, None
        try:
            if child is not None and (code := self._ended(child)) and not self._trouble:
                self._lost(code, memory)
        except subprocess.TimeoutExpired:
            self.failed(OSError(f"{self.what} has not finished yet; it goes on by itself"))
        except OSError as error:
            self.failed(error)
        finally:
            if child is not None and child.stdout is not None:
                child.stdout.close()
            self._fields.clear()
            memory.close()
            if not self._joined:
                memory.unlink()

    def _ended(self, child: subprocess.Popen[bytes]) -> int:
        """Exit status after the process was told that there is no more."""
        assert child.stdin is not None
        child.stdin.close()
        return child.wait(self.patience)


def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """In a session of its own, where the terminal's Ctrl-C does not reach it even while it starts."""
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True, creationflags=flags,
    )  # fmt: skip


def begin_file(uri: str, path: Path, overwrite: bool, content: bytes) -> None:
    """Write how a file begins, so that whatever is wrong with the path is found before the show, as `BadTarget`."""
    what = f"{uri.partition(':')[0]} '{path}'"
    try:
        with open(path, "wb" if overwrite else "xb") as file:
            file.write(content)
    except FileExistsError:
        again = f"{uri}{'&' if '?' in uri else '?'}overwrite=1"
        raise BadTarget(f"{what} exists already: choose another name, or write {again}") from None
    except FileNotFoundError:
        raise BadTarget(f"{what}: there is no folder '{path.parent}': create it first") from None
    except OSError as error:
        raise BadTarget(f"{what} cannot be written: {error.strerror}: choose another place") from None


def first_line(child: subprocess.Popen[bytes], seconds: float) -> str:
    """What the process says first; empty when it says nothing within so many seconds."""
    told: list[bytes] = []
    assert child.stdout is not None
    reader = threading.Thread(target=lambda: told.append(child.stdout.readline()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    reader.join(seconds)
    return told[0].decode(errors="replace").strip() if told else ""
