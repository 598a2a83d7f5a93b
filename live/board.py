"""The status board: what the engine shows to the processes that draw, through a small shared memory map.

The engine writes JSON of at most `SIZE` bytes; a sequence number before and after tells a reader of a torn write.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
from pathlib import Path
from typing import Any

SIZE = 32768
_HEAD = struct.Struct("<QI")


class Board:
    """A board of one's own (no path: made and deleted with `close`) or another's, by path, to read."""

    def __init__(self, path: str | None = None) -> None:
        self._owned = path is None
        if path is None:
            handle, path = tempfile.mkstemp(prefix="live-board-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
            os.truncate(handle, SIZE)
        else:
            handle = os.open(path, os.O_RDWR)
        self.path = path
        self._map = mmap.mmap(handle, SIZE)
        os.close(handle)
        self._sequence = 0

    def write(self, values: dict[str, Any]) -> None:
        """Show `values`; what does not fit is left out whole."""
        text = json.dumps(values).encode()
        if len(text) > SIZE - 2 * _HEAD.size:
            return
        self._sequence += 1
        self._map[: _HEAD.size] = _HEAD.pack(self._sequence, len(text))
        self._map[_HEAD.size : _HEAD.size + len(text)] = text
        self._map[-_HEAD.size :] = _HEAD.pack(self._sequence, len(text))

    def read(self) -> dict[str, Any] | None:
        """The newest values, or None before the first and during a write."""
        sequence, size = _HEAD.unpack(self._map[: _HEAD.size])
        if not sequence or size > SIZE:
            return None
        text = self._map[_HEAD.size : _HEAD.size + size]
        if any(_HEAD.unpack(mark)[0] != sequence for mark in (self._map[-_HEAD.size :], self._map[: _HEAD.size])):
            return None
        try:
            return dict(json.loads(text))
        except ValueError:
            return None

    def close(self) -> None:
        self._map.close()
        if self._owned:
            Path(self.path).unlink(missing_ok=True)
