"""A generator's state on a GPU.

Two slots hold the state; what a tick is given and its poses are each one stretch of device memory with one of pinned
host memory beside it, so that a tick is: one copy in, the network, one copy out, in the order of one stream, recorded
as one CUDA graph for each direction between the slots.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from live.backends import _shapes
from live.backends._resident import Slots
from live.card import ModelCard
from live.gpu import cuda
from live.gpu.cuda import Device, Shapes, Stretch
from live.types import Float32, Inputs, State

TRIES = 3
"""Ticks that are run before one is recorded: the first ones allocate and compile."""


class CudaSlots(Slots):
    """`inputs`, `poses` and `state`: shapes with the dancers' axis. `prepare` is told how to run the network."""

    def __init__(self, device: Device, inputs: Shapes, poses: tuple[int, ...], state: Shapes) -> None:
        self._device, self.names = device, tuple(state)
        given, made, kept = Stretch(inputs), Stretch({"poses": poses}), Stretch(state)
        self._given, self._given_there = device.pinned(given), device.memory(given.size)
        self._made, self._made_there = device.pinned(made), device.memory(made.size)
        self._state, self._mirror = device.pinned(kept), device.pinned(kept)
        self._slots = device.memory(kept.size), device.memory(kept.size)
        self._stream, self._mirrors, self._event = device.stream(), device.stream(), device.event()
        self._copying: Copying | None = None
        self._launches: list[Callable[[], Any]] = []
        shared = given.addresses(self._given_there) | made.addresses(self._made_there)
        slots = [kept.addresses(slot) for slot in self._slots]
        self.addresses = [
            shared
            | {f"state_{name}": address for name, address in slots[source].items()}
            | {f"next_{name}": address for name, address in slots[1 - source].items()}
            for source in (0, 1)
        ]
        """Device addresses of the graph's tensors, for a tick from each slot."""
        tensors = {f"{way}_{name}": shape for name, shape in state.items() for way in ("state", "next")}
        self.shapes = inputs | {"poses": poses} | tensors

    @property
    def stream(self) -> int:
        """On which the network is to run."""
        return int(self._stream)

    def prepare(self, enqueue: Callable[[int], Any], record: Callable[[], bool]) -> None:
        """`enqueue(source)` puts the network on the stream, for a tick from that slot. `record()`, asked after the
        first ticks: whether to record ticks as CUDA graphs, instead of enqueuing each."""
        self.upload(0, {name: np.zeros_like(array) for name, array in self._state.arrays.items()})
        for source in (0, 1):
            for _ in range(TRIES):
                self._tick(enqueue, source)
                self._device.wait(self._stream)
            tick = partial(self._tick, enqueue, source)
            self._launches.append(self._device.recorded(self._stream, tick) if record() else tick)

    def run(self, source: int, inputs: Inputs) -> Float32:
        for name, array in self._given.arrays.items():
            array[...] = inputs[name]
        if self._copying is not None:  # it may be reading the slot that is now to be written
            cuda.call(self._device.cuda, "cudaStreamWaitEvent", self._stream, self._event, 0)
        self._launches[source]()
        self._device.wait(self._stream)
        return self._made.arrays["poses"].copy()

    def upload(self, slot: int, state: State) -> None:
        for name, array in self._state.arrays.items():
            array[...] = state[name]
        self._device.copy_in(self._slots[slot], self._state, self._stream)
        self._device.wait(self._stream)

    def fetch(self, slot: int) -> dict[str, Float32]:
        self._device.copy_out(self._state, self._slots[slot], self._stream)
        self._device.wait(self._stream)
        return {name: array.copy() for name, array in self._state.arrays.items()}

    def copy(self, slot: int) -> Callable[[], dict[str, Float32] | None]:
        if self._copying is not None and self._copying() is None:
            self._device.wait(self._mirrors)
            self._copying()
        self._device.copy_out(self._mirror, self._slots[slot], self._mirrors)
        cuda.call(self._device.cuda, "cudaEventRecord", self._event, self._mirrors)
        self._copying = Copying(self._arrived, self._mirror.arrays)
        return self._copying

    def close(self) -> None:
        self._device.close()

    def _arrived(self) -> bool:
        (status,) = self._device.cuda.cudaEventQuery(self._event)
        return bool(status == self._device.cuda.cudaError_t.cudaSuccess)

    def _tick(self, enqueue: Callable[[int], Any], source: int) -> None:
        self._device.copy_in(self._given_there, self._given, self._stream)
        enqueue(source)
        self._device.copy_out(self._made, self._made_there, self._stream)


class Copying:
    """A copy under way; called, it gives the arrays once they are there."""

    def __init__(self, arrived: Callable[[], bool], arrays: dict[str, Float32]) -> None:
        self._arrived, self._arrays = arrived, arrays
        self._got: dict[str, Float32] | None = None

    def __call__(self) -> dict[str, Float32] | None:
        if self._got is None and self._arrived():
            self._got = {name: array.copy() for name, array in self._arrays.items()}
        return self._got


def slots_for(card: ModelCard, dancers: int) -> CudaSlots:
    """On the first GPU, for so many dancers of a model."""

    def of_all(shapes: Shapes) -> Shapes:
        return {name: (dancers, *shape) for name, shape in shapes.items()}

    poses = (dancers, *_shapes.poses(card))
    return CudaSlots(Device(cuda.bindings()), of_all(_shapes.inputs(card)), poses, of_all(_shapes.state(card)))
