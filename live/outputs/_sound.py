"""What outputs that listen write: the sound that the dancers hear, in shared memory."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from live import ring
from live.errors import BadTarget
from live.sound import BLOCK
from live.types import HOP, SAMPLE_RATE, Float32


class SoundMemory:
    """A ring of `live.sound.BLOCK`s for a reader that wants them all (`keeps_all`: what finds no room is left out) or
    the newest (it is written over)."""

    def __init__(self, uri: str, blocks: int, keeps_all: bool, name: Path | None = None, joined: bool = False) -> None:
        """`BadTarget` where there is no room for it. `name`: another one, under which it can be `joined`."""
        self._joined = joined
        try:
            self._ring = ring.Ring(name) if joined and name is not None else ring.create(BLOCK.itemsize, blocks)
            if name is not None and not joined:
                os.link(self._ring.path, name)
        except OSError as error:
            raise BadTarget(f"output '{uri}': no room for its sound: {error.strerror}") from None
        self._blocks, self._keeps_all = np.ndarray(blocks, BLOCK, self._ring.memory, ring.HEADER), keeps_all
        self.path = str(self._ring.path)

    def write(self, samples: Float32, captured: float) -> None:
        """Samples [n], captured from host time `captured` on."""
        for first in range(0, len(samples), HOP):
            if self._keeps_all and self._ring.full:
                return
            part, block = samples[first : first + HOP], self._blocks[self._ring.written % self._ring.slots]
            block["captured"], block["count"] = captured + first / SAMPLE_RATE, len(part)
            block["samples"][: len(part)] = part
            self._ring.publish()

    def close(self) -> None:
        """Let go of the memory and take its name away."""
        del self._blocks
        self._ring.close()
        if not self._joined:
            self._ring.unlink()
