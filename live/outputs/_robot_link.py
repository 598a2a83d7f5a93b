"""Shared memory between the engine and the robot's process: the newest wanted angles, and the engine's heartbeat.

One writer, one reader. The count goes up before and after a write, so that a reader can tell a torn one.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Link:
    """Angles (rad) of `joints` joints. Without a path it is made, with one it is another's."""

    def __init__(self, joints: int, path: str | None = None) -> None:
        size = 8 * (3 + joints)
        if path is None:
            shared = Path("/dev/shm")
            handle, path = tempfile.mkstemp(".link", "live-robot-", shared if os.access(shared, os.W_OK) else None)
            os.write(handle, bytes(size))
        else:
            handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self.path = Path(path)
        self._map = mmap.mmap(handle, size)
        os.close(handle)
        self._numbers: NDArray[np.float64] = np.frombuffer(self._map, np.float64)

    def write(self, angles: NDArray[np.floating]) -> None:
        """The angles [J] wanted from now on; also a heartbeat."""
        self._numbers[0] += 1
        self._numbers[2:-1] = angles
        self._numbers[1] = self._numbers[0]

    def end(self) -> None:
        """Say that the show is over: the robot comes to rest in its own time."""
        self._numbers[-1] = 1

    @property
    def ended(self) -> bool:
        return bool(self._numbers[-1])

    def read(self) -> tuple[float, NDArray[np.float64]]:
        """(how many were written, the newest angles); the count 0 before the first and during a write."""
        before = self._numbers[1]
        angles = self._numbers[2:-1].copy()
        return (float(before) if before == self._numbers[0] else 0.0), angles

    def close(self) -> None:
        del self._numbers
        self._map.close()

    def unlink(self) -> None:
        """Take the name away; Windows refuses while anyone has it mapped."""
        try:
            self.path.unlink(missing_ok=True)
        except PermissionError:
            return
