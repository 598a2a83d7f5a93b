"""A stand-in for a GPU, for `live bench drills`: the CPU's steps until it is told to be lost, see `LOSE`."""

from __future__ import annotations

import os
import time
from pathlib import Path

from live.backends import cpu
from live.card import ModelCard
from live.contracts import HANG, LOSE, Backend
from live.errors import Failed
from live.types import Float32, Inputs, State

HUNG = 1.0
"""Seconds."""


def missing() -> str:
    """Why there can be none here."""
    return "" if os.environ.get(LOSE) else "it is there for `live bench drills` alone"


def open_backend(folder: Path, card: ModelCard, dancers: int) -> Backend:
    """For so many dancers."""
    return Frail(cpu.open_backend(folder, card, dancers), Path(os.environ[LOSE]))


class Frail(Backend):
    """Another backend, lost on order."""

    name, device = "frail", "a stand-in for a GPU"

    def __init__(self, inner: Backend, order: Path) -> None:
        self._inner, self._order = inner, order

    def step(self, inputs: Inputs, state: State) -> tuple[Float32, State]:
        if self._order.exists():
            hangs = self._order.read_text() == HANG
            self._order.unlink()
            time.sleep(HUNG if hangs else 0.0)
            raise Failed("as it was told to be")
        return self._inner.step(inputs, state)

    def close(self) -> None:
        self._inner.close()
