"""A GPU's memory and streams, through CUDA's own Python bindings."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

from live.errors import Failed, MissingExtra, Unusable

ALIGNED = 256
"""Bytes to a multiple of which each tensor begins, as CUDA's own allocations do."""
Shapes = dict[str, tuple[int, ...]]


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
    """Arrays of one type, one after the other: `size` in bytes, and where each begins."""

    def __init__(self, shapes: Shapes, dtype: type[np.generic] = np.float32) -> None:
        self.shapes, self.dtype, self.begins, self.size = shapes, np.dtype(dtype), dict[str, int](), 0
        for name, shape in shapes.items():
            self.begins[name] = self.size
            self.size += -(-self.dtype.itemsize * prod(shape) // ALIGNED) * ALIGNED

    def arrays(self, memory: Any) -> dict[str, np.ndarray[Any, Any]]:
        """Views of host memory."""
        return {name: np.ndarray(shape, self.dtype, memory, self.begins[name]) for name, shape in self.shapes.items()}

    def addresses(self, base: int) -> dict[str, int]:
        return {name: base + begin for name, begin in self.begins.items()}


class Pinned(NamedTuple):
    """A stretch of host memory that a GPU copies to and from by itself."""

    address: int
    size: int
    arrays: dict[str, np.ndarray[Any, Any]]


class Device:
    """Memory, streams, events and recorded work on the first GPU, given back together. What fails raises `Failed`."""

    def __init__(self, cuda: Any) -> None:
        self.cuda = cuda
        self._free: list[Callable[[], Any]] = []

    def memory(self, size: int) -> int:
        """Its address, on the GPU."""
        address = int(call(self.cuda, "cudaMalloc", size))
        self._free.append(lambda: self.cuda.cudaFree(address))
        return address

    def pinned(self, stretch: Stretch) -> Pinned:
        """Memory of the host."""
        address = int(call(self.cuda, "cudaMallocHost", stretch.size))
        self._free.append(lambda: self.cuda.cudaFreeHost(address))
        memory = (ctypes.c_char * stretch.size).from_address(address)
        return Pinned(address, stretch.size, stretch.arrays(memory))

    def stream(self) -> Any:
        """One that waits for no other."""
        stream = call(self.cuda, "cudaStreamCreateWithFlags", self.cuda.cudaStreamNonBlocking)
        self._free.append(lambda: self.cuda.cudaStreamDestroy(stream))
        return stream

    def event(self) -> Any:
        """A mark that can be set on a stream."""
        event = call(self.cuda, "cudaEventCreateWithFlags", self.cuda.cudaEventDisableTiming)
        self._free.append(lambda: self.cuda.cudaEventDestroy(event))
        return event

    def copy_in(self, to: int, of: Pinned, stream: Any) -> None:
        way = self.cuda.cudaMemcpyKind.cudaMemcpyHostToDevice
        call(self.cuda, "cudaMemcpyAsync", to, of.address, of.size, way, stream)

    def copy_out(self, to: Pinned, of: int, stream: Any) -> None:
        way = self.cuda.cudaMemcpyKind.cudaMemcpyDeviceToHost
        call(self.cuda, "cudaMemcpyAsync", to.address, of, to.size, way, stream)

    def wait(self, stream: Any) -> None:
        call(self.cuda, "cudaStreamSynchronize", stream)

    def recorded(self, stream: Any, act: Callable[[], Any]) -> Callable[[], Any]:
        """What `act` puts on the stream, as one CUDA graph; called, it is launched."""
        mode = self.cuda.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        call(self.cuda, "cudaStreamBeginCapture", stream, mode)
        act()
        graph = call(self.cuda, "cudaStreamEndCapture", stream)
        instance = call(self.cuda, "cudaGraphInstantiate", graph, 0)
        call(self.cuda, "cudaGraphDestroy", graph)
        self._free.append(lambda: self.cuda.cudaGraphExecDestroy(instance))
        return lambda: call(self.cuda, "cudaGraphLaunch", instance, stream)

    def close(self) -> None:
        while self._free:
            self._free.pop()()
