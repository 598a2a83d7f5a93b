"""Named arrays of fixed shapes in shared memory: the newest ones outlive the process that wrote them.

A record is written into the next of a few slots and then counted, so that a process which dies while it writes leaves
the one before. The count is a heartbeat too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live import ring

SLOTS = 4
Arrays = Mapping[str, NDArray[Any]]


class Mirror:
    """At `path`, made where it is not there yet, of arrays `like` these. `ValueError` where it holds others."""

    def __init__(self, path: Path, like: Arrays) -> None:
        dtype = np.dtype([(name, array.dtype, array.shape) for name, array in like.items()])
        self._ring = ring.Ring(path) if path.exists() else ring.create(dtype.itemsize, SLOTS, path)
        if self._ring.size != dtype.itemsize:
            self._ring.close()
            raise ValueError(f"{path} mirrors something else")
        records: NDArray[np.void] = np.ndarray(SLOTS, dtype, self._ring.memory, ring.HEADER)
        self._fields = {name: records[name] for name in like}

    @property
    def written(self) -> int:
        """How many records there have been."""
        return self._ring.written

    @property
    def size(self) -> int:
        """Bytes of a record."""
        return self._ring.size

    def write(self, values: Arrays) -> None:
        """The newest record; one that lacks a name keeps what its slot holds there."""
        slot = self._ring.written % SLOTS
        for name, value in values.items():
            self._fields[name][slot] = value
        self._ring.publish()

    def newest(self) -> dict[str, NDArray[Any]] | None:
        """Copies of the newest record's arrays; None before the first."""
        count = self._ring.written
        return {name: field[(count - 1) % SLOTS].copy() for name, field in self._fields.items()} if count else None

    def close(self) -> None:
        self._fields.clear()
        self._ring.close()
