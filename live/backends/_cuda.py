"""A GPU's memory for a generator's step, through CUDA's own Python bindings.

Two slots hold the state; what a tick is given and its poses are each one stretch of device memory with one of pinned
host memory beside it, so that a tick is: one copy in, the network, one copy out, in the order of one stream, recorded
as one CUDA graph for each direction between the slots.
"""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from live.backends import _shapes
from live.backends._resident import Slots
from live.backends._shapes import Shapes
from live.card import ModelCard
from live.errors import Failed, MissingExtra, Unusable
from live.types import Float32, Inputs, State

ALIGNED = 256
"""Bytes to a multiple of which each tensor begins, as CUDA's own allocations do."""
TRIES = 3
"""Ticks that are run before one is recorded: the first ones allocate and compile."""


class Gpu(NamedTuple):
    """The first GPU: its name, and its compute capability as `sm89`."""

    name: str
    capability: str


def bindings() -> Any:
    """`cuda.bindings.runtime`, or None where it is not installed."""
    try:
        return importlib.import_module("cuda.bindings.runtime")
    except ImportError:
        return None


def missing() -> str:
    """Why no GPU can be used here, in a few words; empty where one can."""
    if (cuda := bindings()) is None:
        return "not installed"
    return "" if find_gpu(cuda) else "no CUDA device"


def the_gpu() -> Gpu:
    """The first one. Raises `Unusable` where there is none."""
    if (cuda := bindings()) is None:
        raise MissingExtra("cuda-bindings", "gpu", "a GPU")
    if (found := find_gpu(cuda)) is None:
        raise Unusable("there is no CUDA device here, or no driver for it; use --backend cpu")
    return found


def find_gpu(cuda: Any) -> Gpu | None:
    """The first GPU, if there is one with a driver that works, and bindings."""
    try:
        if not call(cuda, "cudaGetDeviceCount"):
            return None
        name = call(cuda, "cudaGetDeviceProperties", 0).name
        attributes = cuda.cudaDeviceAttr
        parts = (attributes.cudaDevAttrComputeCapabilityMajor, attributes.cudaDevAttrComputeCapabilityMinor)
        major, minor = (call(cuda, "cudaDeviceGetAttribute", part, 0) for part in parts)
    except Exception:  # no driver, or an older one than the bindings
        return None
    return Gpu(name.split(b"\0")[0].decode(), f"sm{major}{minor}")


def call(cuda: Any, name: str, *arguments: Any) -> Any:
    """What the function returns beside its status; raises `Failed` with the status' name."""
    status, *values = getattr(cuda, name)(*arguments)
    if status != cuda.cudaError_t.cudaSuccess:
        raise Failed(f"{name}: {getattr(status, 'name', status)}")
    return values[0] if values else None


class Stretch:
    """Float32 arrays one after the other: `size` in bytes, and where each begins."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self.begins, self.size = shapes, dict[str, int](), 0
        for name, shape in shapes.items():
            self.begins[name] = self.size
            self.size += -(-4 * prod(shape) // ALIGNED) * ALIGNED

    def arrays(self, memory: Any) -> dict[str, Float32]:
        """Views of host memory."""
        return {name: np.ndarray(shape, np.float32, memory, self.begins[name]) for name, shape in self.shapes.items()}

    def addresses(self, base: int) -> dict[str, int]:
        return {name: base + begin for name, begin in self.begins.items()}


class Pinned(NamedTuple):
    """A stretch of host memory that a GPU copies to and from by itself."""

    address: int
    size: int
    arrays: dict[str, Float32]


class CudaSlots(Slots):
    """`inputs`, `poses` and `state`: shapes with the dancers' axis. `prepare` is told how to run the network."""

    def __init__(self, cuda: Any, inputs: Shapes, poses: tuple[int, ...], state: Shapes) -> None:
        self._cuda, self.names = cuda, tuple(state)
        self._free: list[Callable[[], Any]] = []
        given, made, kept = Stretch(inputs), Stretch({"poses": poses}), Stretch(state)
        self._given, self._given_there = self._pinned(given), self._on_device(given.size)
        self._made, self._made_there = self._pinned(made), self._on_device(made.size)
        self._state, self._mirror = self._pinned(kept), self._pinned(kept)
        self._slots = self._on_device(kept.size), self._on_device(kept.size)
        self._stream, self._mirrors = self._new_stream(), self._new_stream()
        self._event = call(cuda, "cudaEventCreateWithFlags", cuda.cudaEventDisableTiming)
        self._free.append(lambda: cuda.cudaEventDestroy(self._event))
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
                self._wait(self._stream)
            self._launches.append(self._recorded(enqueue, source) if record() else partial(self._tick, enqueue, source))

    def run(self, source: int, inputs: Inputs) -> Float32:
        for name, array in self._given.arrays.items():
            array[...] = inputs[name]
        if self._copying is not None:  # it may be reading the slot that is now to be written
            call(self._cuda, "cudaStreamWaitEvent", self._stream, self._event, 0)
        self._launches[source]()
        self._wait(self._stream)
        return self._made.arrays["poses"].copy()

    def upload(self, slot: int, state: State) -> None:
        for name, array in self._state.arrays.items():
            array[...] = state[name]
        self._copy_in(self._slots[slot], self._state)
        self._wait(self._stream)

    def fetch(self, slot: int) -> dict[str, Float32]:
        self._copy_out(self._state, self._slots[slot], self._stream)
        self._wait(self._stream)
        return {name: array.copy() for name, array in self._state.arrays.items()}

    def copy(self, slot: int) -> Callable[[], dict[str, Float32] | None]:
        if self._copying is not None and self._copying() is None:
            self._wait(self._mirrors)
            self._copying()
        self._copy_out(self._mirror, self._slots[slot], self._mirrors)
        call(self._cuda, "cudaEventRecord", self._event, self._mirrors)
        self._copying = Copying(self._arrived, self._mirror.arrays)
        return self._copying

    def close(self) -> None:
        while self._free:
            self._free.pop()()

    def _arrived(self) -> bool:
        (status,) = self._cuda.cudaEventQuery(self._event)
        return bool(status == self._cuda.cudaError_t.cudaSuccess)

    def _tick(self, enqueue: Callable[[int], Any], source: int) -> None:
        self._copy_in(self._given_there, self._given)
        enqueue(source)
        self._copy_out(self._made, self._made_there, self._stream)

    def _recorded(self, enqueue: Callable[[int], Any], source: int) -> Callable[[], Any]:
        cuda = self._cuda
        mode = cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        call(cuda, "cudaStreamBeginCapture", self._stream, mode)
        self._tick(enqueue, source)
        graph = call(cuda, "cudaStreamEndCapture", self._stream)
        instance = call(cuda, "cudaGraphInstantiate", graph, 0)
        call(cuda, "cudaGraphDestroy", graph)
        self._free.append(lambda: cuda.cudaGraphExecDestroy(instance))
        return lambda: call(cuda, "cudaGraphLaunch", instance, self._stream)

    def _copy_in(self, to: int, of: Pinned) -> None:
        way = self._cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        call(self._cuda, "cudaMemcpyAsync", to, of.address, of.size, way, self._stream)

    def _copy_out(self, to: Pinned, of: int, stream: Any) -> None:
        way = self._cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        call(self._cuda, "cudaMemcpyAsync", to.address, of, to.size, way, stream)

    def _wait(self, stream: Any) -> None:
        call(self._cuda, "cudaStreamSynchronize", stream)

    def _new_stream(self) -> Any:
        stream = call(self._cuda, "cudaStreamCreateWithFlags", self._cuda.cudaStreamNonBlocking)
        self._free.append(lambda: self._cuda.cudaStreamDestroy(stream))
        return stream

    def _on_device(self, size: int) -> int:
        memory = int(call(self._cuda, "cudaMalloc", size))
        self._free.append(lambda: self._cuda.cudaFree(memory))
        return memory

    def _pinned(self, stretch: Stretch) -> Pinned:
        address = int(call(self._cuda, "cudaMallocHost", stretch.size))
        self._free.append(lambda: self._cuda.cudaFreeHost(address))
        memory = (ctypes.c_char * stretch.size).from_address(address)
        return Pinned(address, stretch.size, stretch.arrays(memory))


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
    return CudaSlots(bindings(), of_all(_shapes.inputs(card)), poses, of_all(_shapes.state(card)))
